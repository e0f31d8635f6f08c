package tasks

import (
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// About is the task that an event is about, and its organization.
type About struct {
	OrgID  id.Org `json:"org_id"`
	TaskID ID     `json:"task_id"`
}

// Scope says that the event belongs to the organization's log.
func (a About) Scope() jobs.Scope { return jobs.InOrg(a.OrgID) }

// Created says that there is a new task.
type Created struct{ About }

// Updated says that a task has another title, or is someone else's.
type Updated struct{ About }

// Completed says that a task is done.
type Completed struct{ About }

// Deleted says that a task was thrown away.
type Deleted struct{ About }

// Kind names the event.
func (Created) Kind() string { return "tasks.created" }

// Kind names the event.
func (Updated) Kind() string { return "tasks.updated" }

// Kind names the event.
func (Completed) Kind() string { return "tasks.completed" }

// Kind names the event.
func (Deleted) Kind() string { return "tasks.deleted" }

func (t Task) target() audit.Target {
	return audit.Target{Kind: "task", ID: t.ID.String(), Name: t.Title}
}
