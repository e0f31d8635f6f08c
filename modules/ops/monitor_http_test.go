package ops_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/modules/ops"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/tenontest"
)

// broken is a job that fails while the product does not know better.
type broken struct {
	Number int64  `json:"number"`
	Token  string `json:"token"`
}

func (broken) Kind() string      { return "example.broken" }
func (broken) Scope() jobs.Scope { return jobs.OnPlatform("a test") }

// nightly is a job on a clock.
type nightly struct{}

func (nightly) Kind() string      { return "example.nightly" }
func (nightly) Scope() jobs.Scope { return jobs.OnPlatform("a test") }

// withExample adds a module whose jobs fail until mended is closed.
func withExample(mended chan struct{}) tenontest.Option {
	return tenontest.With(func(app *tenon.App) {
		app.Use(module.Spec{Name: "example",
			Jobs: []jobs.Handler{jobs.On(func(context.Context, db.Conn, broken) error {
				select {
				case <-mended:
					return nil
				default:
					return errors.New("the relay is away")
				}
			}, jobs.Attempts(1), jobs.InQueue("example")), jobs.On(func(context.Context, db.Conn, nightly) error { return nil })},
			Periodic: []jobs.Periodic{{Cron: "0 3 * * *", Zone: "Europe/Vienna", Job: nightly{}}},
		})
	})
}

func enqueue(t *testing.T, app *tenontest.App, job jobs.Args, o ...jobs.Option) {
	t.Helper()
	if err := app.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error { return app.Jobs.Enqueue(t.Context(), tx, job, o...) }); err != nil {
		t.Fatal(err)
	}
}

func TestAnAdministratorSeesAndChangesJobs(t *testing.T) {
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			mended := make(chan struct{})
			app := tenontest.Start(t, dialect, withExample(mended))
			root := app.Administrator("root")
			for i := range 3 {
				enqueue(t, app, broken{9007199254740993 + int64(i), "tn_at_secret"})
			}
			app.Settle()
			list := app.Call(root, "GET", "/admin/jobs?state=dead&kind=example.broken&queue=example&limit=2", "").Want(t, 200)
			if len(list.Items()) != 2 || list.Get("next_cursor") == "" || list.Items()[0]["error"] != "the relay is away" {
				t.Fatalf("the dead: %s", list.Text)
			}
			rest := app.Call(root, "GET", "/admin/jobs?state=dead&kind=example.broken&queue=example&limit=2&cursor="+list.Get("next_cursor"), "").Want(t, 200)
			job, _ := list.Items()[0]["id"].(string)
			if len(rest.Items()) != 1 || !strings.HasPrefix(job, "job_") {
				t.Errorf("the second page: %s", rest.Text)
			}
			for query, want := range map[string]int{"?id=" + job: 1, "?id=nonsense": 0, "?kind=example.nothing": 0, "?state=running&kind=example.broken": 0} {
				if got := app.Call(root, "GET", "/admin/jobs"+query, "").Want(t, 200); len(got.Items()) != want {
					t.Errorf("%s finds %s", query, got.Text)
				}
			}
			app.Call(root, "GET", "/admin/jobs?state=retryable", "").WantCode(t, 422, "request.invalid")

			shy := app.Call(root, "GET", "/admin/jobs/"+job, "").Want(t, 200)
			told := app.Call(root, "GET", "/admin/jobs/"+job+"?args=true", "").Want(t, 200)
			if shy.Body["args"] != nil || !strings.Contains(told.Text, `"number":9007199254740995`) || strings.Contains(told.Text, "tn_at_secret") || !strings.Contains(told.Text, `"outcome":"failed"`) {
				t.Errorf("unasked %s\nasked %s", shy.Text, told.Text)
			}

			close(mended)
			if got := app.Call(root, "POST", "/admin/jobs/"+job+"/retry", "").Want(t, 200); got.Get("state") != "available" {
				t.Errorf("retried: %s", got.Text)
			}
			app.Settle()
			app.Call(root, "POST", "/admin/jobs/"+job+"/cancel", "").WantCode(t, 409, "jobs.finished")
			for body, want := range map[string]string{`{"kind":"example.nothing"}`: `{"count":0}`} {
				if got := app.Call(root, "POST", "/admin/dead-jobs/retry", body).Want(t, 200); !strings.Contains(got.Text, want[1:len(want)-1]) {
					t.Errorf("%s: %s", body, got.Text)
				}
			}
			if got := app.Call(root, "POST", "/admin/dead-jobs/retry", `{"kind":"example.broken"}`).Want(t, 200); got.Body["count"] != 2.0 {
				t.Errorf("retried all: %s", got.Text)
			}
			app.Settle()
			if got := app.Call(root, "GET", "/admin/jobs?state=completed&kind=example.broken", "").Want(t, 200); len(got.Items()) != 3 {
				t.Errorf("completed: %s", got.Text)
			}
			enqueue(t, app, broken{}, jobs.At(time.Now().Add(time.Hour)))
			later, _ := app.Call(root, "GET", "/admin/jobs?state=scheduled&kind=example.broken", "").Want(t, 200).Items()[0]["id"].(string)
			if got := app.Call(root, "POST", "/admin/jobs/"+later+"/cancel", "").Want(t, 200); got.Get("state") != "cancelled" {
				t.Errorf("cancelled: %s", got.Text)
			}
			app.Call(root, "DELETE", "/admin/jobs/"+later, "").Want(t, 204)
			app.Call(root, "DELETE", "/admin/jobs/"+later, "").WantCode(t, 404, "jobs.not_found")

			var kinds []string
			for _, e := range app.Call(root, "GET", "/admin/events?limit=50", "").Want(t, 200).Items() {
				kind, _ := e["type"].(string)
				actor, _ := e["actor"].(map[string]any)
				if strings.HasPrefix(kind, "ops.") {
					kinds = append(kinds, kind+" "+fmt.Sprint(actor["id"] == root.ID.String()))
				}
			}
			if diff := cmp.Diff([]string{"ops.job_deleted true", "ops.job_cancelled true", "ops.dead_jobs_retried true", "ops.job_retried true"}, kinds); diff != "" {
				t.Errorf("what is recorded: %s", diff)
			}
		})
	}
}

func TestAnAdministratorPausesQueuesAndRunsSchedules(t *testing.T) {
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			mended := make(chan struct{})
			close(mended)
			app := tenontest.Start(t, dialect, withExample(mended))
			root := app.Administrator("root")
			if got := app.Call(root, "POST", "/admin/queues/example/pause", "").Want(t, 200); got.Body["paused"] != true {
				t.Errorf("paused: %s", got.Text)
			}
			app.Call(root, "POST", "/admin/queues/example/pause", "").Want(t, 200)
			app.Call(root, "POST", "/admin/queues/nowhere/pause", "").WantCode(t, 404, "not_found")
			time.Sleep(500 * time.Millisecond)
			enqueue(t, app, broken{})
			time.Sleep(700 * time.Millisecond)
			for _, q := range app.Call(root, "GET", "/admin/queues", "").Want(t, 200).Items() {
				if q["name"] == "example" && (q["paused"] != true || q["waiting"] != 1.0) {
					t.Errorf("the paused queue is told as %v", q)
				}
			}
			app.Call(root, "POST", "/admin/queues/example/resume", "").Want(t, 200)
			app.Settle()

			if got := app.Call(root, "POST", "/admin/schedules/example.nightly/run", "").Want(t, 202); got.Get("kind") != "example.nightly" {
				t.Errorf("run by hand: %s", got.Text)
			}
			app.Call(root, "POST", "/admin/schedules/example.broken/run", "").WantCode(t, 404, "not_found")
			found := false
			for _, s := range app.Call(root, "GET", "/admin/schedules", "").Want(t, 200).Items() {
				if s["name"] == "example.nightly" {
					found = s["cron"] == "0 3 * * *" && s["time_zone"] == "Europe/Vienna" && s["next_run_at"] != nil && s["last_run_at"] == nil
				}
			}
			if !found {
				t.Error("the schedule is not listed as it is")
			}
			app.Settle()

			if got := app.Call(root, "GET", "/admin/jobs/metrics?window=90m", "").Want(t, 200); len(got.Body["minutes"].([]any)) != 90 {
				t.Errorf("metrics: %s", got.Text)
			}
			for _, window := range []string{"1s", "25h", "-5m", "soon"} {
				app.Call(root, "GET", "/admin/jobs/metrics?window="+window, "").WantCode(t, 422, ops.ErrWindow.Code)
			}
			if got := app.Call(root, "GET", "/admin/events?type=ops.queue_paused", "").Want(t, 200); len(got.Items()) != 1 {
				t.Errorf("to pause twice is one change: %s", got.Text)
			}
		})
	}
}

func TestALetterIsNeverShown(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		root := app.Administrator("root")
		app.Call(root, "POST", "/admin/users/"+app.User("ada").ID.String()+"/send-password-reset", "").Want(t, 202)
		app.Settle()
		letters := app.Call(root, "GET", "/admin/jobs?kind=mail.send", "").Want(t, 200).Items()
		if len(letters) == 0 {
			t.Fatal("there is no letter")
		}
		got := app.Call(root, "GET", fmt.Sprintf("/admin/jobs/%s?args=true", letters[0]["id"]), "").Want(t, 200)
		if got.Body["args"] != nil || got.Body["sealed"] != true || strings.Contains(got.Text, `"at":`) {
			t.Errorf("a letter is told as %s", got.Text)
		}
	})
}

func TestNobodyElseSeesOrChangesJobs(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		enqueue(t, app, ops.Sweep{}, jobs.At(time.Now().Add(time.Hour)))
		for _, op := range app.Web.Ops() {
			if !strings.HasPrefix(op.Path, "/admin/jobs") && !strings.HasPrefix(op.Path, "/admin/queues") && !strings.HasPrefix(op.Path, "/admin/schedules") {
				continue
			}
			path := strings.NewReplacer("{job}", "job_1", "{queue}", "default", "{schedule}", "ops.sweep").Replace(op.Path)
			app.Call(nil, op.Method, path, "").WantCode(t, 401, "auth.required")
			if got := app.Call(ada, op.Method, path, ""); got.Status != 403 && got.Status != 404 {
				t.Errorf("%s is answered to ada with %d: %s", op.ID, got.Status, got.Text)
			}
		}
	})
}
