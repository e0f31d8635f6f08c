package jobs_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

// measured skips what takes long, unless it is asked for: TENON_BENCH=1.
func measured(t *testing.T) {
	t.Helper()
	if os.Getenv("TENON_BENCH") == "" {
		t.Skip("measures for a minute: scripts/bench jobs")
	}
}

func (n *node) fill(t *testing.T, many int) time.Duration {
	t.Helper()
	began := time.Now()
	for from := 0; from < many; from += 10_000 {
		all := make([]jobs.Args, min(10_000, many-from))
		for i := range all {
			all[i] = note{from + i}
		}
		must(t, n.db.Platform("test").Tx(t.Context(), func(tx *db.Tx) error { return n.EnqueueAll(t.Context(), tx, all) }))
	}
	return time.Since(began)
}

// bareArgs and bareWorker are River as its own guide shows it: the bare program.
type bareArgs struct {
	N int `json:"n"`
}

func (bareArgs) Kind() string { return "bare" }

type bareWorker struct {
	river.WorkerDefaults[bareArgs]
	done *atomic.Int64
}

func (w *bareWorker) Work(context.Context, *river.Job[bareArgs]) error { w.done.Add(1); return nil }

// bare runs many jobs on River with its defaults, beside ours on the same database server.
func bare(t *testing.T, url string, many int) (insert, run time.Duration) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: url, MaxConns: 20})
	must(t, err)
	defer d.Close()
	pool, _ := db.RawPool(d)
	var done atomic.Int64
	workers := river.NewWorkers()
	river.AddWorker(workers, &bareWorker{done: &done})
	c, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Schema: "river", Workers: workers, Logger: slog.New(slog.DiscardHandler),
		Queues: map[string]river.QueueConfig{"bare": {MaxWorkers: 100}}})
	must(t, err)
	began := time.Now()
	for from := 0; from < many; from += 10_000 {
		all := make([]river.InsertManyParams, min(10_000, many-from))
		for i := range all {
			all[i] = river.InsertManyParams{Args: bareArgs{from + i}, InsertOpts: &river.InsertOpts{Queue: "bare"}}
		}
		_, err := c.InsertManyFast(t.Context(), all)
		must(t, err)
	}
	insert = time.Since(began)
	began = time.Now()
	must(t, c.Start(context.WithoutCancel(t.Context())))
	for done.Load() < int64(many) {
		time.Sleep(time.Millisecond)
	}
	run = time.Since(began)
	must(t, c.Stop(context.WithoutCancel(t.Context())))
	return insert, run
}

func perSecond(many int, took time.Duration) string {
	return fmt.Sprintf("%.0f/s", float64(many)/took.Seconds())
}

func TestMeasuredThroughput(t *testing.T) {
	measured(t)
	each(t, func(t *testing.T, url string) {
		many := 40_000
		if n, err := strconv.Atoi(os.Getenv("TENON_BENCH_JOBS")); err == nil {
			many = n
		}
		for round := range 3 {
			var done atomic.Int64
			n := open(t, url, jobs.Config{})
			n.Add(jobs.On(func(context.Context, db.Conn, note) error { done.Add(1); return nil }))
			inserted := n.fill(t, many)
			began := time.Now()
			must(t, n.Start(context.WithoutCancel(t.Context())))
			for done.Load() < int64(many) {
				time.Sleep(time.Millisecond)
			}
			ran := time.Since(began)
			must(t, n.Stop(context.WithoutCancel(t.Context())))
			if n.rows(t, "test.note", "completed") != (round+1)*many {
				t.Error("not all have completed")
			}
			said := fmt.Sprintf("ours: inserted %s, executed %s", perSecond(many, inserted), perSecond(many, ran))
			if n.db.Dialect() == db.Postgres {
				some := many / 5
				insert, run := bare(t, url, some)
				said += fmt.Sprintf("; River with its defaults: inserted %s, executed %s", perSecond(some, insert), perSecond(some, run))
			}
			t.Log(said)
		}
	})
}

func TestMeasuredPickUpAndIdle(t *testing.T) {
	measured(t)
	each(t, func(t *testing.T, url string) {
		ran := make(chan time.Time)
		n := start(t, url, jobs.On(func(context.Context, db.Conn, note) error { ran <- time.Now(); return nil }))
		var waits []time.Duration
		for i := range 100 {
			time.Sleep(time.Duration(i*97%80) * time.Millisecond)
			n.enqueue(t, note{i})
			committed := time.Now()
			waits = append(waits, (<-ran).Sub(committed))
		}
		slices.Sort(waits)
		before, began := processor(t), time.Now()
		time.Sleep(10 * time.Second)
		t.Logf("picked up after %v (p50), %v (p95); idle: %.2f %% of a processor", waits[50], waits[95], 100*(processor(t)-before).Seconds()/time.Since(began).Seconds())
	})
}

// processor is the time that this process has used.
func processor(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	must(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// The monitor stays quick beside 700,000 jobs.
func TestMeasuredMonitor(t *testing.T) {
	measured(t)
	each(t, func(t *testing.T, url string) {
		n := open(t, url, jobs.Config{})
		n.Add(jobs.On(func(context.Context, db.Conn, note) error { return nil }), jobs.On(func(context.Context, db.Conn, hopeless) error { return nil }, jobs.InQueue("other")))
		const many = 700_000
		n.fill(t, many)
		n.enqueue(t, hopeless{})
		table := "river_job"
		if n.db.Dialect() == db.Postgres {
			table = "river.river_job"
		}
		// A fifth completed, one in a thousand dead, the oldest first.
		for state, condition := range map[string]string{"completed": "id <= 140000", "discarded": "id % 1000 = 7 AND id > 140000"} {
			_, err := n.db.Platform("test").Exec(t.Context(), `UPDATE `+table+` SET state = '`+state+`', finalized_at = scheduled_at WHERE `+condition)
			must(t, err)
		}
		if n.db.Dialect() == db.Postgres {
			pool, _ := db.RawPool(n.db)
			_, err := pool.Exec(t.Context(), `VACUUM ANALYZE river.river_job`)
			must(t, err)
		}
		for _, c := range []struct {
			name string
			ask  func() error
		}{
			{"all", func() error { _, err := n.List(t.Context(), jobs.Filter{}, 0, 21); return err }},
			{"a page in the middle", func() error { _, err := n.List(t.Context(), jobs.Filter{}, 350_000, 21); return err }},
			{"dead", func() error { _, err := n.List(t.Context(), jobs.Filter{State: jobs.Dead}, 0, 21); return err }},
			{"available", func() error { _, err := n.List(t.Context(), jobs.Filter{State: jobs.Available}, 0, 21); return err }},
			{"completed", func() error { _, err := n.List(t.Context(), jobs.Filter{State: jobs.Completed}, 0, 21); return err }},
			{"running, of which there are none", func() error { _, err := n.List(t.Context(), jobs.Filter{State: jobs.Running}, 0, 21); return err }},
			{"a rare kind", func() error { _, err := n.List(t.Context(), jobs.Filter{Kind: "test.hopeless"}, 0, 21); return err }},
			{"dead of a kind", func() error {
				_, err := n.List(t.Context(), jobs.Filter{Kind: "test.note", State: jobs.Dead}, 0, 21)
				return err
			}},
			{"a queue with one job", func() error { _, err := n.List(t.Context(), jobs.Filter{Queue: "other"}, 0, 21); return err }},
			{"by id", func() error { _, err := n.List(t.Context(), jobs.Filter{ID: 123_456}, 0, 21); return err }},
			{"queues", func() error { _, err := n.Queues(t.Context()); return err }},
			{"metrics", func() error { _, err := n.Metrics(t.Context(), time.Hour, ""); return err }},
		} {
			must(t, c.ask())
			best := time.Hour
			for range 3 {
				began := time.Now()
				must(t, c.ask())
				best = min(best, time.Since(began))
			}
			t.Logf("%-34s %v", c.name, best.Round(10*time.Microsecond))
		}
	})
}
