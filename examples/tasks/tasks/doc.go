// Package tasks is a to-do list for each organization: a module as you would write it.
//
// Owns:        tasks
// Permissions: tasks.read, tasks.write
// Publishes:   tasks.created, tasks.updated, tasks.completed, tasks.deleted
// Jobs:        tasks.tell_assignee, tasks.sweep
// Calls:       audit, accounts, orgs
//
// Read tasks.go for the rules, service.go for what can be done, store.go for the SQL,
// http.go for the API, and module.go for what all of it adds to an app.
package tasks
