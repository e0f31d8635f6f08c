package tasks

import (
	"context"
	"errors"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/modules/notifications"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/realtime"
)

// Service keeps tasks. Its fields are all that it depends on.
type Service struct {
	DB            *db.DB
	Jobs          *jobs.Queue
	Post          *mail.Post
	Audit         *audit.Service
	Live          *realtime.Hub
	Accounts      *accounts.Service
	Orgs          *orgs.Service
	Notifications *notifications.Service
	Now           clock.Now
}

// New returns the tasks of an app.
func New(app *tenon.App) *Service {
	return &Service{DB: app.DB, Jobs: app.Jobs, Post: app.Post, Audit: app.Audit, Live: app.Live, Accounts: app.Accounts, Orgs: app.Orgs, Notifications: app.Notifications, Now: app.Config.Now}
}

// List returns up to n tasks of an organization, newest first, that come after one.
func (s *Service) List(ctx context.Context, org id.Org, state State, after *ID, n int) ([]Task, error) {
	return listTasks(ctx, s.DB.Org(org), org, state, after, n)
}

// Create adds a task, for someone or for whoever comes first.
func (s *Service) Create(ctx context.Context, org id.Org, title string, assignee id.Account) (Task, error) {
	title, err := cleanTitle(title)
	if err != nil {
		return Task{}, err
	}
	task := s.newTask(title, assignee)
	err = s.DB.Org(org).Tx(ctx, func(tx *db.Tx) error {
		if err := s.checkAssignee(ctx, tx, org, assignee); err != nil {
			return err
		}
		if _, err := insertTask(ctx, tx, org, task, id.Account{}); err != nil {
			return err
		}
		return s.announceNew(ctx, tx, org, task)
	})
	return task, err
}

// Update changes the title of a task, or gives it to someone.
func (s *Service) Update(ctx context.Context, org id.Org, task ID, c Change) (Task, error) {
	var out Task
	err := s.DB.Org(org).Tx(ctx, func(tx *db.Tx) error {
		old, err := lockTask(ctx, tx, org, task)
		if err != nil {
			return err
		}
		changed, changes, err := s.apply(ctx, tx, org, old, c)
		if err != nil {
			return err
		}
		if len(changes) > 0 {
			if err := updateTask(ctx, tx, org, changed); err != nil {
				return err
			}
			if err := s.record(ctx, tx, Updated{About{org, task}}, changed, changes); err != nil {
				return err
			}
		}
		if changed.AssigneeID != old.AssigneeID {
			if err := s.tell(ctx, tx, org, changed); err != nil {
				return err
			}
		}
		out = changed // at the end: the closure may run twice
		return nil
	})
	return out, err
}

// Complete marks a task as done. Of two people who do so at once, one is told that
// the other was faster.
func (s *Service) Complete(ctx context.Context, org id.Org, task ID) (Task, error) {
	var out Task
	err := s.DB.Org(org).Tx(ctx, func(tx *db.Tx) error {
		t, err := lockTask(ctx, tx, org, task)
		if err != nil {
			return err
		}
		if !t.DoneAt.IsZero() {
			return ErrAlreadyDone
		}
		t.DoneAt, t.UpdatedAt = s.Now(), s.Now()
		if err := updateTask(ctx, tx, org, t); err != nil {
			return err
		}
		if err := s.record(ctx, tx, Completed{About{org, task}}, t, nil); err != nil {
			return err
		}
		out = t
		return nil
	})
	return out, err
}

// Delete throws a task away.
func (s *Service) Delete(ctx context.Context, org id.Org, task ID) error {
	return s.DB.Org(org).Tx(ctx, func(tx *db.Tx) error {
		t, err := deleteTask(ctx, tx, org, task)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, Deleted{About{org, task}}, t, nil)
	})
}

func (s *Service) newTask(title string, assignee id.Account) Task {
	now := s.Now()
	return Task{ID: id.New[taskKind](), Title: title, AssigneeID: assignee, CreatedAt: now, UpdatedAt: now}
}

// announceNew records a new task, shows it to who is connected, and tells who is to do it.
func (s *Service) announceNew(ctx context.Context, tx *db.Tx, org id.Org, t Task) error {
	if err := s.record(ctx, tx, Created{About{org, t.ID}}, t, nil); err != nil {
		return err
	}
	s.Live.In(tx).Publish(ctx, realtime.OrgWith(org, PermRead), "tasks.created", t) // to who looks at the list now
	return s.tell(ctx, tx, org, t)
}

// record writes the event log: no event, no change.
func (s *Service) record(ctx context.Context, tx *db.Tx, event jobs.Args, t Task, changes map[string]audit.Change) error {
	return s.Audit.In(tx).Record(ctx, audit.Entry{Event: event, Target: t.target(), Changes: changes})
}

func (s *Service) tell(ctx context.Context, tx *db.Tx, org id.Org, t Task) error {
	if t.AssigneeID.IsZero() {
		return nil
	}
	inbox := notifications.Message{To: []id.Account{t.AssigneeID}, Org: org, Kind: "tasks.assigned", Title: "A task for you", Message: t.Title}
	if err := s.Notifications.In(tx).Send(ctx, inbox); err != nil {
		return err
	}
	return s.Jobs.Enqueue(ctx, tx, TellAssignee{OrgID: org, TaskID: t.ID, AssigneeID: t.AssigneeID})
}

// apply returns a task with a change made, and the fields that have new values.
func (s *Service) apply(ctx context.Context, tx *db.Tx, org id.Org, t Task, c Change) (Task, map[string]audit.Change, error) {
	changes := map[string]audit.Change{}
	if c.Title != nil {
		title, err := cleanTitle(*c.Title)
		if err != nil {
			return t, nil, err
		}
		if title != t.Title {
			changes["title"] = audit.Change{From: t.Title, To: title}
			t.Title = title
		}
	}
	if c.AssigneeID != nil && *c.AssigneeID != t.AssigneeID {
		if err := s.checkAssignee(ctx, tx, org, *c.AssigneeID); err != nil {
			return t, nil, err
		}
		changes["assignee_id"] = audit.Change{From: t.AssigneeID, To: *c.AssigneeID}
		t.AssigneeID = *c.AssigneeID
	}
	if len(changes) > 0 {
		t.UpdatedAt = s.Now()
	}
	return t, changes, nil
}

func (s *Service) checkAssignee(ctx context.Context, tx *db.Tx, org id.Org, assignee id.Account) error {
	if assignee.IsZero() {
		return nil
	}
	_, err := s.Orgs.In(tx).Member(ctx, org, assignee)
	if errors.Is(err, orgs.ErrMemberNotFound) {
		return ErrAssigneeUnknown
	}
	return err
}
