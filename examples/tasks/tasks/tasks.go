package tasks

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
)

// The permissions.
const (
	PermRead  authz.Permission = "tasks.read"
	PermWrite authz.Permission = "tasks.write"
)

// The outcomes.
var (
	ErrNotFound        = errs.New(errs.NotFound, "tasks.not_found", "There is no such task.")
	ErrTitleInvalid    = errs.New(errs.Invalid, "tasks.title_invalid", "Say in 1 to 200 characters, on one line, what is to be done.").On("body.title")
	ErrAssigneeUnknown = errs.New(errs.Invalid, "tasks.assignee_unknown", "Only members of the organization can be given a task.").On("body.assignee_id")
	ErrAlreadyDone     = errs.New(errs.Conflict, "tasks.already_done", "This task is done already.")
)

type taskKind struct{}

// Prefix begins the id of every task.
func (taskKind) Prefix() string { return "task" }

// ID identifies a task.
type ID = id.ID[taskKind]

// Task is something to be done.
type Task struct {
	ID         ID         `json:"id"`
	Title      string     `json:"title" example:"Order more coffee"`
	AssigneeID id.Account `json:"assignee_id,omitzero" doc:"Who is to do it; absent for whoever comes first"`
	DoneAt     time.Time  `json:"done_at,omitzero" doc:"Absent while it is open"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
}

// State narrows a list of tasks.
type State string

// The states; the empty State is either.
const (
	Open State = "open"
	Done State = "done"
)

// Change is what to change of a task; nil fields stay.
type Change struct {
	Title      *string
	AssigneeID *id.Account // the zero id: nobody
}

// keepDone is how long a task is kept after it was done.
const keepDone = 90 * 24 * time.Hour

func cleanTitle(title string) (string, error) {
	title = strings.TrimSpace(title)
	if title == "" || utf8.RuneCountInString(title) > 200 || strings.ContainsFunc(title, unicode.IsControl) {
		return "", ErrTitleInvalid
	}
	return title, nil
}
