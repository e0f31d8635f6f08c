package jobs_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

// scheduled starts a node with schedules, by a clock that stands.
func scheduled(t *testing.T, url string, now *clock.Manual, done *diary, all ...jobs.Periodic) *node {
	t.Helper()
	n := open(t, url, jobs.Config{Workers: 2, Now: now.Now})
	n.Add(jobs.On(func(context.Context, db.Conn, note) error { done.write("note"); return nil }), jobs.On(func(context.Context, db.Conn, lost) error { done.write("lost"); return nil }))
	n.Repeat(all...)
	must(t, n.Start(context.WithoutCancel(t.Context())))
	t.Cleanup(func() { must(t, n.Stop(context.Background())) })
	return n
}

func (n *node) schedule(t *testing.T, name string) jobs.Schedule {
	t.Helper()
	all, err := n.Schedules(t.Context())
	must(t, err)
	for _, s := range all {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no schedule %s", name)
	return jobs.Schedule{}
}

// Two nodes keep one clock: what is due is enqueued once.
func TestACronJobIsEnqueuedOnceAcrossNodes(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		var done diary
		// Nine in Vienna is eight in UTC in winter, and seven in summer. The clocks go forward on the 29th of March.
		now := clock.NewManual(time.Date(2026, 3, 28, 7, 59, 59, 800e6, time.UTC))
		morning := jobs.Periodic{Name: "morning", Cron: "0 9 * * *", Zone: "Europe/Vienna", Job: note{1}}
		first := scheduled(t, url, now, &done, morning)
		scheduled(t, url, now, &done, morning)
		until(t, "it is planned", func() bool { return first.schedule(t, "morning").NextRunAt != nil })
		if s := first.schedule(t, "morning"); s.LastRunAt != nil || !s.NextRunAt.Equal(time.Date(2026, 3, 28, 8, 0, 0, 0, time.UTC)) || s.Kind != "test.note" || s.Zone != "Europe/Vienna" || s.Missed != "once" {
			t.Errorf("planned as %+v", s)
		}
		now.Advance(300 * time.Millisecond)
		done.wait(t, 1)
		time.Sleep(500 * time.Millisecond)
		if diff := cmp.Diff([]string{"note"}, done.read()); diff != "" {
			t.Error(diff)
		}
		if s := first.schedule(t, "morning"); s.LastRunAt == nil || !s.NextRunAt.Equal(time.Date(2026, 3, 29, 7, 0, 0, 0, time.UTC)) {
			t.Errorf("planned next as %+v", s)
		}
	})
}

// What nobody was there for is made up for once, or left out.
func TestWhatWasMissedIsMadeUpForOnceOrSkipped(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		var done diary
		now := clock.NewManual(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
		all := []jobs.Periodic{{Cron: "@hourly", Zone: "UTC", Job: note{1}}, {Cron: "@hourly", Zone: "UTC", SkipMissed: true, Job: lost{}}}
		before := scheduled(t, url, now, &done, all...)
		until(t, "both are planned", func() bool {
			return before.schedule(t, "test.note").NextRunAt != nil && before.schedule(t, "test.lost").NextRunAt != nil
		})
		must(t, before.Stop(context.WithoutCancel(t.Context())))
		now.Advance(5*time.Hour + 10*time.Minute)
		after := scheduled(t, url, now, &done, all...)
		done.wait(t, 1)
		until(t, "both are planned anew", func() bool {
			return after.schedule(t, "test.note").NextRunAt.Equal(time.Date(2026, 1, 1, 18, 0, 0, 0, time.UTC)) && after.schedule(t, "test.lost").NextRunAt.Equal(time.Date(2026, 1, 1, 18, 0, 0, 0, time.UTC))
		})
		time.Sleep(200 * time.Millisecond)
		if diff := cmp.Diff([]string{"note"}, done.read()); diff != "" {
			t.Error(diff)
		}
		if s := after.schedule(t, "test.lost"); s.LastRunAt != nil || s.Missed != "skipped" {
			t.Errorf("%+v", s)
		}
	})
}

func TestAScheduleRunsByHandBesideItsTimes(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		var done diary
		now := clock.NewManual(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
		n := scheduled(t, url, now, &done, jobs.Periodic{Name: "yearly", Cron: "@yearly", Zone: "UTC", Job: note{1}})
		until(t, "it is planned", func() bool { return n.schedule(t, "yearly").NextRunAt != nil })
		j, err := change(t, n, func(ctx context.Context, tx *db.Tx) (jobs.Job, error) { return n.RunNow(ctx, tx, "yearly") })
		if err != nil || j.Kind != "test.note" {
			t.Errorf("%+v, %v", j, err)
		}
		done.wait(t, 1)
		if s := n.schedule(t, "yearly"); s.LastRunAt != nil || s.NextRunAt.Year() != 2027 {
			t.Errorf("its own times: %+v", s)
		}
	})
}

func TestAScheduleThatCanNeverRunIsRefused(t *testing.T) {
	n := open(t, database(t, db.SQLite), jobs.Config{})
	for name, p := range map[string]jobs.Periodic{
		"neither":           {Job: note{}},
		"both":              {Every: time.Hour, Cron: "@daily", Zone: "UTC", Job: note{}},
		"no zone":           {Cron: "@daily", Job: note{}},
		"an unknown zone":   {Cron: "@daily", Zone: "Europe/Nowhere", Job: note{}},
		"a wrong cron":      {Cron: "61 * * * *", Zone: "UTC", Job: note{}},
		"a name used twice": {Name: "used", Every: time.Hour, Job: note{}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it is accepted")
				}
			}()
			n.Repeat(p)
			if p.Name != "" {
				n.Repeat(p)
			}
		})
	}
}
