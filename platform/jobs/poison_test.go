package jobs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

type poison struct {
	How string `json:"how"`
}

func (poison) Kind() string      { return "test.poison" }
func (poison) Scope() jobs.Scope { return jobs.OnPlatform("test") }

// R19: whatever a job does, short of ending the process, ends that job alone.
func TestPoisonJobsEndDeadAndOthersGoOn(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		end := make(chan struct{})
		t.Cleanup(func() { close(end) })
		var done diary
		n := open(t, url, jobs.Config{Workers: 2})
		n.Add(jobs.On(func(_ context.Context, _ db.Conn, j poison) error {
			switch j.How {
			case "panics":
				panic(strings.Repeat("p\x00\xff", 1<<20))
			case "fails at length":
				return errors.New(strings.Repeat("e\x00\xff", 1<<20))
			case "panics with nothing":
				panic(errors.New(""))
			}
			<-end // whatever its context says
			return nil
		}, jobs.Attempts(1), jobs.Timeout(100*time.Millisecond)),
			jobs.On(func(context.Context, db.Conn, note) error { done.write("well"); return nil }))
		for _, how := range []string{"panics", "fails at length", "panics with nothing", "never ends", "never ends", "never ends"} {
			n.enqueue(t, poison{how})
		}
		n.enqueue(t, poison{"garbled"})
		garble(t, n, n.list(t, jobs.Filter{Kind: "test.poison"})[0].ID)
		n.begin(t)
		for i := range 20 {
			n.enqueue(t, note{i})
		}
		dead := n.waitFor(t, "test.poison", jobs.Dead, 7)
		done.wait(t, 20)
		for _, j := range dead {
			d, err := n.Detail(t.Context(), j.ID, true)
			must(t, err)
			if len(d.Attempts) != 1 || d.Error == "" || len(d.Attempts[0].Error) > 9<<10 || len(d.Attempts[0].Trace) > 17<<10 {
				t.Errorf("%s ends as %+v", d.Args, d.Job)
			}
		}
		if j := dead[0]; !strings.Contains(j.Error, "decode the arguments") || j.Attempt != 1 {
			t.Errorf("arguments that cannot be parsed: %+v", j)
		}
		if !strings.Contains(dead[1].Error, "left behind") {
			t.Errorf("one that never ends: %+v", dead[1])
		}
	})
}

// garble makes the arguments of a job into some of another shape.
func garble(t *testing.T, n *node, job jobs.ID) {
	t.Helper()
	statement := `UPDATE river_job SET args = jsonb('{"how":[1]}') WHERE id = $1`
	if n.db.Dialect() == db.Postgres {
		statement = `UPDATE river.river_job SET args = '{"how":[1]}' WHERE id = $1`
	}
	_, err := n.db.Platform("test").Exec(t.Context(), statement, int64(job))
	must(t, err)
}

// A final error needs no further attempts; by hand there is one more.
func TestAFinalErrorKeepsTheNumberOfAttempts(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		n := start(t, url, jobs.On(func(context.Context, db.Conn, note) error { return jobs.Cancel(errStop) }))
		n.enqueue(t, note{1})
		if j := n.waitFor(t, "test.note", jobs.Dead, 1)[0]; j.Attempt != 1 || j.MaxAttempts != 25 || j.Error != "stop" {
			t.Errorf("%+v", j)
		}
	})
}

// R02: the jobs of a process that died are taken over once, by one of those that live.
func TestJobsOfADeadNodeRunAgainOnce(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		var done diary
		job := jobs.On(func(ctx context.Context, _ db.Conn, j note) error {
			if attempt := jobs.InfoFrom(ctx).Attempt; attempt > 1 {
				done.write(string(rune('a' + j.N)))
			} else {
				<-ctx.Done()
			}
			return ctx.Err()
		})
		dying := open(t, url, jobs.Config{Workers: 5, LostAfter: 2 * time.Second})
		dying.Add(job)
		must(t, dying.Start(context.WithoutCancel(t.Context())))
		for i := range 3 {
			dying.enqueue(t, note{i})
		}
		dying.waitFor(t, "test.note", jobs.Running, 3)
		dying.Silence()
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			must(t, dying.Stop(ctx))
		})
		for range 2 {
			n := open(t, url, jobs.Config{Workers: 5, LostAfter: 2 * time.Second})
			n.Add(job)
			n.begin(t)
		}
		done.wait(t, 3)
		time.Sleep(time.Second)
		if got := done.read(); len(got) != 3 {
			t.Errorf("they ran again as %v", got)
		}
	})
}
