// Package admin is what administrators of the whole installation do: they see accounts
// and organizations, stop accounts, act as somebody to help, and make each other.
//
// Owns:        nothing
// Permissions: none; every operation asks for an administrator
// Publishes:   nothing; what happens is an event of the module that it happens to
// Jobs:        admin.sweep, admin.purge
// Calls:       audit, accounts, sessions, mfa, orgs
//
// Whatever stops somebody happens in one transaction, in one order: administrators are
// held first, then the rows of organizations, then the account.
package admin
