package tasks_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/examples/tasks/tasks"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/tenontest"
)

// withTasks adds the module, as main.go does.
func withTasks() tenontest.Option {
	return tenontest.With(func(app *tenon.App) { app.Use(tasks.New(app).Module()) })
}

// each runs fn on both databases, for an organization with one owner.
func each(t *testing.T, fn func(t *testing.T, app *tenontest.App, s *tasks.Service, org id.Org, ada *tenontest.User)) {
	t.Helper()
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		fn(t, app, tasks.New(app.App), app.Org(ada, "acme"), ada)
	}, withTasks())
}

func TestWhoeverIsGivenATaskIsToldOnce(t *testing.T) {
	each(t, func(t *testing.T, app *tenontest.App, s *tasks.Service, org id.Org, ada *tenontest.User) {
		task, err := s.Create(app.As(ada), org, "Order more coffee", ada.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantMail(t, app, ada, 1)

		// A job may run twice.
		enqueue(t, app, app.DB.Org(org), tasks.TellAssignee{OrgID: org, TaskID: task.ID, AssigneeID: ada.ID})
		wantMail(t, app, ada, 1)

		bob := app.Member(org, "bob", authz.Member)
		app.Settle() // the task that welcomes bob
		before := len(app.Mail(bob.Email))
		if _, err := s.Update(app.As(ada), org, task.ID, tasks.Change{AssigneeID: &bob.ID}); err != nil {
			t.Fatal(err)
		}
		wantMail(t, app, bob, before+1)
		inbox := app.Call(bob, "GET", "/notifications?kind=tasks.assigned", "").Want(t, 200).Items()
		if want := map[string]any{"title": "A task for you", "message": "Order more coffee"}; len(inbox) < 1 || inbox[0]["title"] != want["title"] || inbox[0]["message"] != want["message"] {
			t.Errorf("bob's inbox: %v", inbox)
		}
	})
}

// docs/JOBS.md: whoever adds a job finds it among the jobs of the installation.
func TestAJobOfTheModuleIsSeenByAdministrators(t *testing.T) {
	each(t, func(t *testing.T, app *tenontest.App, s *tasks.Service, org id.Org, ada *tenontest.User) {
		root := app.Administrator("root")
		task, err := s.Create(app.As(ada), org, "Order more coffee", ada.ID)
		if err != nil {
			t.Fatal(err)
		}
		app.Settle()
		found := app.Call(root, "GET", "/admin/jobs?kind=tasks.tell_assignee&state=completed", "").Want(t, 200).Items()
		if len(found) != 1 {
			t.Fatalf("it is seen as %v", found)
		}
		job, _ := found[0]["id"].(string)
		if got := app.Call(root, "GET", "/admin/jobs/"+job+"?args=true", "").Want(t, 200); !strings.Contains(got.Text, task.ID.String()) {
			t.Errorf("its arguments are not the task: %s", got.Text)
		}
	})
}

func wantMail(t *testing.T, app *tenontest.App, u *tenontest.User, want int) {
	t.Helper()
	if got := app.Mail(u.Email); len(got) != want {
		t.Fatalf("%s has %d mails, want %d", u.Name, len(got), want)
	}
}

func TestANewMemberIsWelcomedWithATask(t *testing.T) {
	each(t, func(t *testing.T, app *tenontest.App, s *tasks.Service, org id.Org, ada *tenontest.User) {
		bob := app.Member(org, "bob", authz.Member)
		app.Settle()
		if got := list(t, s, org, tasks.Open); len(got) != 1 || got[0].AssigneeID != bob.ID {
			t.Fatalf("tasks = %+v, want one for bob", got)
		}
		app.Call(ada, "DELETE", "/orgs/"+org.String()+"/members/"+bob.ID.String(), "").Want(t, 204)
		app.Settle()
		if got := list(t, s, org, tasks.Open); len(got) != 1 || !got[0].AssigneeID.IsZero() {
			t.Errorf("tasks = %+v, want one for nobody: bob was removed", got)
		}
	})
}

func TestOnlyMembersCanBeGivenATask(t *testing.T) {
	each(t, func(t *testing.T, app *tenontest.App, s *tasks.Service, org id.Org, ada *tenontest.User) {
		stranger := app.User("mallory")
		if _, err := s.Create(app.As(ada), org, "Order more coffee", stranger.ID); !errors.Is(err, tasks.ErrAssigneeUnknown) {
			t.Errorf("err = %v, want ErrAssigneeUnknown", err)
		}
		if got := list(t, s, org, ""); len(got) != 0 {
			t.Errorf("tasks = %+v, want none", got)
		}
	})
}

func TestATaskIsCompletedOnceHoweverManyTry(t *testing.T) {
	each(t, func(t *testing.T, app *tenontest.App, s *tasks.Service, org id.Org, ada *tenontest.User) {
		task, err := s.Create(app.As(ada), org, "Order more coffee", id.Account{})
		if err != nil {
			t.Fatal(err)
		}
		errs := make([]error, 20)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				<-start
				_, errs[i] = s.Complete(app.As(ada), org, task.ID)
			})
		}
		close(start)
		wg.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, tasks.ErrAlreadyDone):
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("%d of 20 completed the task, want 1", won)
		}
	})
}

func TestWhatWasDoneLongAgoIsSweptAway(t *testing.T) {
	each(t, func(t *testing.T, app *tenontest.App, s *tasks.Service, org id.Org, ada *tenontest.User) {
		long := clock.NewManual(clock.System().Add(-91 * 24 * time.Hour))
		for title, now := range map[string]clock.Now{"done long ago": long.Now, "done today": clock.System} {
			s.Now = now
			task, err := s.Create(app.As(ada), org, title, id.Account{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Complete(app.As(ada), org, task.ID); err != nil {
				t.Fatal(err)
			}
		}
		enqueue(t, app, app.DB.Platform("test"), tasks.Sweep{})
		app.Settle()
		if got := list(t, s, org, tasks.Done); len(got) != 1 || got[0].Title != "done today" {
			t.Errorf("tasks = %+v, want the one of today", got)
		}
	})
}

func enqueue(t *testing.T, app *tenontest.App, c db.Conn, job jobs.Args) {
	t.Helper()
	if err := c.Tx(t.Context(), func(tx *db.Tx) error { return app.Jobs.Enqueue(t.Context(), tx, job) }); err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, s *tasks.Service, org id.Org, state tasks.State) []tasks.Task {
	t.Helper()
	all, err := s.List(t.Context(), org, state, nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
