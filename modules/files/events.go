package files

import (
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// About is the file that an event is about.
type About struct {
	OrgID  id.Org `json:"org_id"`
	FileID ID     `json:"file_id"`
}

// Scope says that the event belongs to the organization's log.
func (a About) Scope() jobs.Scope { return jobs.InOrg(a.OrgID) }

// Uploaded says that a file is there, whole.
type Uploaded struct {
	About
	Size int64 `json:"size"`
}

// Deleted says that a file is gone.
type Deleted struct{ About }

// Lost says that the bytes of a file were not where they should be.
type Lost struct{ About }

// Kind names the event.
func (Uploaded) Kind() string { return "files.uploaded" }

// Kind names the event.
func (Deleted) Kind() string { return "files.deleted" }

// Kind names the event.
func (Lost) Kind() string { return "files.lost" }

func (f File) about() About { return About{f.org, f.ID} }

func (f File) target() audit.Target {
	return audit.Target{Kind: "file", ID: f.ID.String(), Name: f.Name}
}
