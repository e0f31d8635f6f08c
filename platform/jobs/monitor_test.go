package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

// change runs a verb of the monitor in a transaction.
func change[T any](t *testing.T, n *node, fn func(context.Context, *db.Tx) (T, error)) (out T, err error) {
	t.Helper()
	err = n.db.Platform("test").Tx(t.Context(), func(tx *db.Tx) (err error) {
		out, err = fn(t.Context(), tx)
		return err
	})
	return out, err
}

func (n *node) list(t *testing.T, f jobs.Filter) []jobs.Job {
	t.Helper()
	all, err := n.List(t.Context(), f, 0, 100)
	must(t, err)
	return all
}

func (n *node) waitFor(t *testing.T, kind string, state jobs.State, many int) []jobs.Job {
	t.Helper()
	var found []jobs.Job
	until(t, fmt.Sprintf("%d of %s are %s", many, kind, state), func() bool {
		found = n.list(t, jobs.Filter{Kind: kind, State: state})
		return len(found) == many
	})
	return found
}

type secretive struct {
	Number   json.Number `json:"number"`
	Password string      `json:"password"`
}

func (secretive) Kind() string      { return "test.secretive" }
func (secretive) Scope() jobs.Scope { return jobs.OnPlatform("test") }

type letter struct {
	Link string `json:"link"`
}

func (letter) Kind() string      { return "test.letter" }
func (letter) Scope() jobs.Scope { return jobs.OnPlatform("test") }

func TestArgumentsAreShownExactlyAndWithoutSecrets(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		n := open(t, url, jobs.Config{})
		n.Add(jobs.On(func(context.Context, db.Conn, secretive) error { return nil }),
			jobs.On(func(context.Context, db.Conn, letter) error { return nil }, jobs.Sealed()))
		n.enqueue(t, secretive{"9007199254740993123", "hunter2"})
		n.enqueue(t, letter{"https://example.com/as-good-as-a-password"})
		all := n.list(t, jobs.Filter{})
		plain, err := n.Detail(t.Context(), all[1].ID, false)
		must(t, err)
		asked, err := n.Detail(t.Context(), all[1].ID, true)
		must(t, err)
		if plain.Args != nil || string(asked.Args) != `{"number":9007199254740993123,"password":"[redacted]"}` {
			t.Errorf("unasked: %s, asked: %s", plain.Args, asked.Args)
		}
		if sealed, err := n.Detail(t.Context(), all[0].ID, true); err != nil || sealed.Args != nil || !sealed.Sealed {
			t.Errorf("a letter shows %s, %v", sealed.Args, err)
		}
		if _, err := n.Detail(t.Context(), 1<<40, true); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("a job that is not there: %v", err)
		}
	})
}

func TestTheListIsFilteredAndTurnsPages(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		n := open(t, url, jobs.Config{})
		n.Add(jobs.On(func(context.Context, db.Conn, note) error { return nil }), jobs.On(func(context.Context, db.Conn, hopeless) error { return nil }, jobs.InQueue("other")))
		for i := range 5 {
			n.enqueue(t, note{i})
		}
		n.enqueue(t, hopeless{}, jobs.At(time.Now().Add(time.Hour)), jobs.Urgent())
		all := n.list(t, jobs.Filter{})
		if len(all) != 6 || all[0].Kind != "test.hopeless" || all[0].State != jobs.Scheduled || !all[0].Urgent || time.Until(all[0].ScheduledAt) < 59*time.Minute {
			t.Fatalf("%+v", all)
		}
		for _, c := range []struct {
			f    jobs.Filter
			want int
		}{
			{jobs.Filter{State: jobs.Available}, 5}, {jobs.Filter{State: jobs.Scheduled}, 1}, {jobs.Filter{State: jobs.Dead}, 0}, {jobs.Filter{Queue: "other"}, 1},
			{jobs.Filter{Kind: "test.note"}, 5}, {jobs.Filter{Kind: "test.note", Queue: "other"}, 0}, {jobs.Filter{ID: all[2].ID}, 1}, {jobs.Filter{ID: 1 << 40}, 0},
		} {
			if got := n.list(t, c.f); len(got) != c.want {
				t.Errorf("%+v finds %d, want %d", c.f, len(got), c.want)
			}
		}
		first, err := n.List(t.Context(), jobs.Filter{}, 0, 4)
		must(t, err)
		second, err := n.List(t.Context(), jobs.Filter{}, first[3].ID, 4)
		must(t, err)
		if diff := cmp.Diff(ids(all), ids(append(first, second...))); diff != "" {
			t.Error(diff)
		}
		before := n.db.Stats().Statements.Load()
		n.list(t, jobs.Filter{State: jobs.Available, Kind: "test.note"})
		if got := n.db.Stats().Statements.Load() - before; got != 1 {
			t.Errorf("the list takes %d statements", got)
		}
	})
}

func ids(all []jobs.Job) (list []jobs.ID) {
	for _, j := range all {
		list = append(list, j.ID)
	}
	return list
}

func TestADeadJobTellsItsStoryAndRunsAgain(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		healed := make(chan struct{})
		n := start(t, url, jobs.On(func(context.Context, db.Conn, hopeless) error {
			select {
			case <-healed:
				return nil
			default:
				panic("it broke")
			}
		}, jobs.Attempts(1)))
		for range 3 {
			n.enqueue(t, hopeless{})
		}
		dead := n.waitFor(t, "test.hopeless", jobs.Dead, 3)
		d, err := n.Detail(t.Context(), dead[0].ID, false)
		must(t, err)
		a := d.Attempts
		if len(a) != 1 || a[0].Number != 1 || a[0].Outcome != "failed" || a[0].Error != "panic: it broke" || !strings.Contains(a[0].Trace, "monitor_test.go") || a[0].Node == "" || a[0].StartedAt == nil || a[0].EndedAt == nil {
			t.Errorf("the attempts are told as %+v", a)
		}
		if d.Error != "panic: it broke" || d.Attempt != 1 || d.MaxAttempts != 1 {
			t.Errorf("the job is told as %+v", d.Job)
		}
		close(healed)
		if j, err := change(t, n, func(ctx context.Context, tx *db.Tx) (jobs.Job, error) { return n.Retry(ctx, tx, dead[0].ID) }); err != nil || j.State != jobs.Available || j.MaxAttempts != 2 {
			t.Errorf("retried: %+v, %v", j, err)
		}
		n.waitFor(t, "test.hopeless", jobs.Completed, 1)
		if got, err := change(t, n, func(ctx context.Context, tx *db.Tx) (int64, error) { return n.RetryDead(ctx, tx, "test.note", 100) }); err != nil || got != 0 {
			t.Errorf("of another kind: %d, %v", got, err)
		}
		if got, err := change(t, n, func(ctx context.Context, tx *db.Tx) (int64, error) { return n.RetryDead(ctx, tx, "", 1) }); err != nil || got != 1 {
			t.Errorf("of all, one at most: %d, %v", got, err)
		}
		if got, err := change(t, n, func(ctx context.Context, tx *db.Tx) (int64, error) { return n.RetryDead(ctx, tx, "test.hopeless", 100) }); err != nil || got != 1 {
			t.Errorf("of the kind: %d, %v", got, err)
		}
		n.waitFor(t, "test.hopeless", jobs.Completed, 3)
	})
}

func TestARunningJobIsCancelledAndAWaitingOneDeleted(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		n := start(t, url, jobs.On(func(ctx context.Context, _ db.Conn, _ note) error { <-ctx.Done(); return ctx.Err() }))
		n.enqueue(t, note{1})
		running := n.waitFor(t, "test.note", jobs.Running, 1)[0]
		for what, fn := range map[string]func(context.Context, *db.Tx, jobs.ID) (jobs.Job, error){"retry": n.Retry, "delete": n.Delete} {
			if _, err := change(t, n, func(ctx context.Context, tx *db.Tx) (jobs.Job, error) { return fn(ctx, tx, running.ID) }); !errors.Is(err, jobs.ErrRunning) {
				t.Errorf("%s a running job: %v", what, err)
			}
		}
		stop := func(id jobs.ID) (jobs.Job, error) {
			return change(t, n, func(ctx context.Context, tx *db.Tx) (jobs.Job, error) { return n.Cancel(ctx, tx, id) })
		}
		if j, err := stop(running.ID); err != nil || !j.CancelRequested {
			t.Errorf("cancelling: %+v, %v", j, err)
		}
		n.waitFor(t, "test.note", jobs.Cancelled, 1)
		if _, err := stop(running.ID); !errors.Is(err, jobs.ErrFinished) {
			t.Errorf("cancelled twice: %v", err)
		}
		n.enqueue(t, note{2}, jobs.At(time.Now().Add(time.Hour)))
		waiting := n.waitFor(t, "test.note", jobs.Scheduled, 1)[0]
		if j, err := stop(waiting.ID); err != nil || j.State != jobs.Cancelled {
			t.Errorf("a waiting one is cancelled at once: %+v, %v", j, err)
		}
		for want, err := range []error{nil, jobs.ErrNotFound} {
			if _, got := change(t, n, func(ctx context.Context, tx *db.Tx) (jobs.Job, error) { return n.Delete(ctx, tx, waiting.ID) }); !errors.Is(got, err) {
				t.Errorf("deleted %d times: %v", want+1, got)
			}
		}
	})
}

// A pause holds on every node, also one that starts later, and with polling alone.
func TestAPausedQueueBeginsNothingOnAnyNode(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		for _, poll := range []bool{false, true} {
			var done diary
			var nodes []*node
			more := func() {
				n := open(t, url, jobs.Config{Workers: 5, PollOnly: poll})
				n.Add(jobs.On(func(context.Context, db.Conn, note) error { done.write("run"); return nil }), jobs.On(func(context.Context, db.Conn, hopeless) error { done.write("other"); return nil }, jobs.InQueue("other")))
				n.begin(t)
				nodes = append(nodes, n)
			}
			more()
			more()
			set := func(fn func(context.Context, *db.Tx, string) (bool, error), queue string) error {
				_, err := change(t, nodes[0], func(ctx context.Context, tx *db.Tx) (bool, error) { return fn(ctx, tx, queue) })
				return err
			}
			must(t, set(nodes[0].Pause, "default"))
			time.Sleep(2500 * time.Millisecond) // polling looks every two seconds
			more()
			for i := range 20 {
				nodes[i%3].enqueue(t, note{i})
			}
			nodes[0].enqueue(t, hopeless{})
			done.wait(t, 1)
			time.Sleep(700 * time.Millisecond)
			if diff := cmp.Diff([]string{"other"}, done.read()); diff != "" {
				t.Error(diff)
			}
			q, err := nodes[1].QueueState(t.Context(), "default")
			must(t, err)
			if !q.Paused || q.PausedAt == nil || q.Waiting != 20 || q.OldestWait <= 0 || q.Concurrency != 5 {
				t.Errorf("the queue is told as %+v", q)
			}
			must(t, set(nodes[2].Resume, "default"))
			done.wait(t, 21)
			if err := set(nodes[0].Pause, "nowhere"); !errors.Is(err, jobs.ErrQueueNotFound) {
				t.Errorf("a queue that is none: %v", err)
			}
			for _, n := range nodes {
				must(t, n.Stop(context.WithoutCancel(t.Context())))
			}
		}
	})
}

func TestWhatRanIsCountedByMinute(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		n := open(t, url, jobs.Config{Workers: 5})
		n.Add(jobs.On(func(_ context.Context, _ db.Conn, j note) error {
			if j.N == 0 {
				return errStop
			}
			time.Sleep(20 * time.Millisecond)
			return nil
		}, jobs.Attempts(1)))
		must(t, n.Start(context.WithoutCancel(t.Context())))
		for i := range 5 {
			n.enqueue(t, note{i})
		}
		n.waitFor(t, "test.note", jobs.Completed, 4)
		n.waitFor(t, "test.note", jobs.Dead, 1)
		must(t, n.Stop(context.WithoutCancel(t.Context())))
		m, err := n.Metrics(t.Context(), time.Hour, "default")
		must(t, err)
		if m.Completed != 4 || m.Failed != 1 || len(m.Minutes) != 60 || m.RunP50 < 15 || m.RunP50 > 60 || m.WaitP95 <= 0 {
			t.Errorf("counted %+v", m)
		}
		if none, err := n.Metrics(t.Context(), time.Hour, "other"); err != nil || none.Completed+none.Failed != 0 {
			t.Errorf("of another queue: %+v, %v", none, err)
		}
	})
}

func TestManyAreEnqueuedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		n := open(t, url, jobs.Config{})
		n.Add(jobs.On(func(context.Context, db.Conn, note) error { return nil }))
		var all []jobs.Args
		for i := range 1000 {
			all = append(all, note{i})
		}
		must(t, n.db.Platform("test").Tx(t.Context(), func(tx *db.Tx) error { return n.EnqueueAll(t.Context(), tx, all) }))
		if got := n.rows(t, "test.note", "available"); got != 1000 {
			t.Errorf("%d wait", got)
		}
		must(t, n.db.Platform("test").Tx(t.Context(), func(tx *db.Tx) error { return n.EnqueueAll(t.Context(), tx, nil) }))
	})
}
