package flags

import (
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/jobs"
)

// About is the flag that an event is about.
type About struct {
	FlagID ID     `json:"flag_id"`
	Key    string `json:"key"`
}

// Scope says that the event belongs to the installation.
func (About) Scope() jobs.Scope { return jobs.OnPlatform(managing) }

// Created says that there is a new flag.
type Created struct{ About }

// Updated says that a flag serves something else, or is described differently.
type Updated struct{ About }

// Archived says that nobody gets a flag any more.
type Archived struct{ About }

// Restored says that a flag is out of the archive.
type Restored struct{ About }

// Deleted says that a flag is gone, with its history.
type Deleted struct{ About }

// Kind names the event.
func (Created) Kind() string { return "flags.created" }

// Kind names the event.
func (Updated) Kind() string { return "flags.updated" }

// Kind names the event.
func (Archived) Kind() string { return "flags.archived" }

// Kind names the event.
func (Restored) Kind() string { return "flags.restored" }

// Kind names the event.
func (Deleted) Kind() string { return "flags.deleted" }

func (f Flag) about() About { return About{f.ID, f.Key} }

func (f Flag) target() audit.Target {
	return audit.Target{Kind: "flag", ID: f.ID.String(), Name: f.Key}
}
