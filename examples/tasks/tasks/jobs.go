package tasks

import (
	"context"
	"errors"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
)

// TellAssignee writes to the person who was given a task. A job is a struct of ids:
// what it tells is looked up when it runs, and may be different by then.
type TellAssignee struct {
	OrgID      id.Org     `json:"org_id"`
	TaskID     ID         `json:"task_id"`
	AssigneeID id.Account `json:"assignee_id"`
}

// Kind names the job.
func (TellAssignee) Kind() string { return "tasks.tell_assignee" }

// Scope says whose rows the job works on.
func (t TellAssignee) Scope() jobs.Scope { return jobs.InOrg(t.OrgID) }

// tellAssignee runs twice safely, as every job has to: the mark and the letter are
// in one transaction, and the second run finds the mark.
func (s *Service) tellAssignee(ctx context.Context, c db.Conn, job TellAssignee) error {
	person, err := s.Accounts.Get(ctx, job.AssigneeID)
	if errors.Is(err, accounts.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.Tx(ctx, func(tx *db.Tx) error {
		task, err := markTold(ctx, tx, job)
		if errors.Is(err, ErrNotFound) {
			return nil // told before, given to someone else, or gone
		}
		if err != nil {
			return err
		}
		return s.Post.Enqueue(ctx, tx, mail.Letter{To: person.Email, Name: "task_assigned", Locale: person.Locale,
			Data: map[string]any{"Name": person.Name, "Title": task.Title}})
	})
}

// Sweep removes tasks that were done long ago, in all organizations.
type Sweep struct{}

// Kind names the job.
func (Sweep) Kind() string { return "tasks.sweep" }

// Scope says whose rows the job works on.
func (Sweep) Scope() jobs.Scope { return jobs.OnPlatform("a sweep over all organizations") }

func (s *Service) sweep(ctx context.Context, c db.Conn, _ Sweep) error {
	return inBatches(func() (int64, error) { return deleteDone(ctx, c, s.Now().Add(-keepDone), batch) })
}

// welcome gives a new member something to do.
func (s *Service) welcome(ctx context.Context, c db.Conn, e orgs.MemberJoined) error {
	return c.Tx(ctx, func(tx *db.Tx) error {
		task := s.newTask("Say hello to the others", e.AccountID)
		isNew, err := insertTask(ctx, tx, e.OrgID, task, e.AccountID)
		if err != nil || !isNew {
			return err
		}
		return s.announceNew(ctx, tx, e.OrgID, task)
	})
}

// A member who left, or was removed, is given nothing to do any more.

func (s *Service) onMemberLeft(ctx context.Context, c db.Conn, e orgs.MemberLeft) error {
	return unassign(ctx, c, e.OrgID, e.AccountID)
}

func (s *Service) onMemberRemoved(ctx context.Context, c db.Conn, e orgs.MemberRemoved) error {
	return unassign(ctx, c, e.OrgID, e.AccountID)
}

// onPurged removes what an organization leaves behind.
func (s *Service) onPurged(ctx context.Context, c db.Conn, e orgs.Purged) error {
	return inBatches(func() (int64, error) { return deleteOfOrg(ctx, c, e.OrgID, batch) })
}

const batch = 1000

// inBatches keeps transactions short: it repeats remove until nothing is left.
func inBatches(remove func() (int64, error)) error {
	for {
		if n, err := remove(); err != nil || n == 0 {
			return err
		}
	}
}

// sweepEvery is exact enough for a term of months.
const sweepEvery = 24 * time.Hour
