package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // a container may have no time zones of its own

	"github.com/robfig/cron/v3"

	"github.com/tenonhq/tenon/platform/db"
)

// Periodic is a job that is enqueued again and again, once across all nodes. It says
// either Every or Cron.
//
// When nothing ran at its time, because all processes were stopped, it is enqueued once
// as soon as one runs again, however often it was missed; with SkipMissed not at all.
type Periodic struct {
	// Name tells schedules apart; the kind of the job, unless set.
	Name string
	// Every is the time between two. The first comes at once.
	Every time.Duration
	// Cron is when, as five fields: minute, hour, day of the month, month, day of the week;
	// or @daily and the like.
	Cron string
	// Zone is where the clock of Cron hangs, such as "Europe/Vienna" or "UTC"; required with it.
	Zone string
	// SkipMissed leaves out what was missed by more than a minute.
	SkipMissed bool

	Job Args
}

// schedule is a Periodic that was checked.
type schedule struct {
	Periodic
	clock cron.Schedule // nil with Every
	spec  string        // changes when it is to be planned anew
}

// checked refuses what can never run: a programming error.
func (p Periodic) checked() schedule {
	s := schedule{Periodic: p, spec: "every " + p.Every.String()}
	if s.Name == "" {
		s.Name = p.Job.Kind()
	}
	if (p.Every > 0) == (p.Cron != "") {
		panic("jobs: schedule " + s.Name + ": say either Every or Cron")
	}
	if p.Cron == "" {
		return s
	}
	zone, err := time.LoadLocation(p.Zone)
	if err != nil || p.Zone == "" {
		panic(fmt.Sprintf("jobs: schedule %s: Zone must name a time zone, such as UTC, not %q", s.Name, p.Zone))
	}
	clock, err := cron.ParseStandard(p.Cron)
	if err != nil {
		panic(fmt.Sprintf("jobs: schedule %s: %v", s.Name, err))
	}
	s.clock, s.spec = inZone{clock, zone}, "cron "+p.Cron+" "+p.Zone
	return s
}

// inZone reads the clock of a time zone, whatever zone the instant is in.
type inZone struct {
	cron.Schedule
	zone *time.Location
}

func (z inZone) Next(t time.Time) time.Time { return z.Schedule.Next(t.In(z.zone)).UTC() }

// first is when a schedule that is new, or has changed, is due.
func (s schedule) first(now, last time.Time) time.Time {
	switch {
	case s.clock != nil:
		return s.clock.Next(now)
	case last.IsZero():
		return now
	}
	return last.Add(s.Every)
}

// after is when a schedule that was due is due again: what was missed meanwhile is left out.
func (s schedule) after(due, now time.Time) time.Time {
	if s.clock != nil {
		return s.clock.Next(now)
	}
	return due.Add((now.Sub(due)/s.Every + 1) * s.Every)
}

const (
	// lookAgain is how long a node relies on what it knows of the schedules: another may
	// have changed one.
	lookAgain = 15 * time.Second
	// excusable is how late a schedule may be and is not yet missed.
	excusable = time.Minute
)

// keepTime enqueues periodic jobs when they are due, for as long as ctx.
func (q *Queue) keepTime(ctx context.Context) {
	if len(q.schedules) == 0 {
		return
	}
	for {
		wait, err := q.fireDue(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			q.log.WarnContext(ctx, "enqueue what is due", "err", err)
			wait = time.Second
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

const scheduling = "schedules belong to the installation"

// fireDue enqueues what is due, and returns how long nothing more will be.
func (q *Queue) fireDue(ctx context.Context) (time.Duration, error) {
	c := q.db.Platform(scheduling)
	rows, err := listPlanned(ctx, c)
	if err != nil {
		return 0, err
	}
	now, wait := q.now(), lookAgain
	var failed []error
	for _, s := range q.schedules {
		next, err := q.keep(ctx, c, s, rows[s.Name], now)
		if err != nil {
			failed = append(failed, fmt.Errorf("schedule %s: %w", s.Name, err))
			continue
		}
		wait = min(wait, next.Sub(now))
	}
	return max(wait, 10*time.Millisecond), errors.Join(failed...)
}

// keep brings the row of one schedule up to date, and enqueues its job when that is due.
// All nodes do this at once: the row changes for one of them.
func (q *Queue) keep(ctx context.Context, c db.Conn, s schedule, row planned, now time.Time) (next time.Time, err error) {
	if row.name == "" {
		row = planned{name: s.Name, spec: s.spec, next: s.first(now, time.Time{})}
		if err := insertPlanned(ctx, c, row); err != nil || row.next.After(now) {
			return row.next, err
		}
	}
	if row.spec != s.spec && row.next.After(now) {
		is := planned{spec: s.spec, next: s.first(now, row.last), last: row.last}
		_, err := replan(ctx, c, row, is)
		return is.next, err
	}
	if row.next.After(now) {
		return row.next, nil
	}
	is := planned{spec: s.spec, next: s.after(row.next, now), last: now}
	if s.SkipMissed && now.Sub(row.next) > excusable {
		is.last = row.last
		_, err := replan(ctx, c, row, is)
		return is.next, err
	}
	err = c.Tx(ctx, func(tx *db.Tx) error {
		mine, err := replan(ctx, tx, row, is)
		if err != nil || !mine {
			return err
		}
		return q.Enqueue(ctx, tx, s.Job, periodically())
	})
	return is.next, err
}

// Schedule is a periodic job as operators see it.
type Schedule struct {
	Name      string     `json:"name" example:"ops.sweep"`
	Kind      string     `json:"kind" example:"ops.sweep" doc:"Of the job that it enqueues"`
	Queue     string     `json:"queue" example:"default"`
	Every     float64    `json:"every_seconds" doc:"0 with cron"`
	Cron      string     `json:"cron" doc:"Empty with every_seconds"`
	Zone      string     `json:"time_zone" doc:"Of cron"`
	Missed    string     `json:"missed" enum:"once,skipped" doc:"What becomes of times at which no process ran: made up for once, or skipped"`
	LastRunAt *time.Time `json:"last_run_at" doc:"When it was last enqueued by itself"`
	NextRunAt *time.Time `json:"next_run_at" doc:"Null before a process has run jobs"`
}

// Schedules lists the periodic jobs, by name.
func (q *Queue) Schedules(ctx context.Context) ([]Schedule, error) {
	rows, err := listPlanned(ctx, q.db.Platform(scheduling))
	if err != nil {
		return nil, err
	}
	all := make([]Schedule, 0, len(q.schedules))
	for _, s := range q.schedules {
		row := rows[s.Name]
		one := Schedule{Name: s.Name, Kind: s.Job.Kind(), Queue: q.handlers[s.Job.Kind()].queue, Every: s.Every.Seconds(), Cron: s.Cron, Zone: s.Zone, Missed: "once",
			LastRunAt: orNone(row.last), NextRunAt: orNone(row.next)}
		if s.SkipMissed {
			one.Missed = "skipped"
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Schedule) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return all, nil
}

// KnowsSchedule reports whether there is such a schedule.
func (q *Queue) KnowsSchedule(name string) bool {
	return slices.ContainsFunc(q.schedules, func(s schedule) bool { return s.Name == name })
}

// RunNow enqueues the job of a schedule, beside the times of the schedule.
func (q *Queue) RunNow(ctx context.Context, tx *db.Tx, name string) (Job, error) {
	i := slices.IndexFunc(q.schedules, func(s schedule) bool { return s.Name == name })
	if i < 0 {
		return Job{}, ErrScheduleNotFound
	}
	job := q.schedules[i].Job
	made, err := q.enqueue(ctx, tx, job.Kind(), job, nil)
	if err != nil {
		return Job{}, err
	}
	return known(jobByID(ctx, tx, made))
}
