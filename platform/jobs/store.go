package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/db"
)

// River stores instants and lists in ways of its own, which differ between the two
// databases; product hides that from the queries below.
type product struct{ postgres bool }

func productOf(c db.Conn) product { return product{c.Dialect() == db.Postgres} }

// table is one of River's, wherever it lies.
func (p product) table(name string) string {
	if p.postgres {
		return schemaName + "." + name
	}
	return name
}

// instant reads a column of River's as package db reads instants.
func (p product) instant(column string) string {
	if p.postgres {
		return column
	}
	return `CAST(round(unixepoch(` + column + `, 'subsec') * 1000) * 1000 AS INTEGER)`
}

// at makes an argument of an instant that is compared with a column of River's.
func (p product) at(t time.Time) any {
	if p.postgres {
		return t
	}
	return t.UTC().Format("2006-01-02 15:04:05.000")
}

// param is a parameter that holds an instant made by at.
func (p product) param(n int) string {
	if p.postgres {
		return fmt.Sprintf("CAST($%d AS timestamptz)", n)
	}
	return fmt.Sprintf("$%d", n)
}

// states is a list of states as the column compares with them, so that its index is used.
func (p product) states(states ...string) string {
	for i, s := range states {
		states[i] = "'" + s + "'"
	}
	return "(" + strings.Join(states, ", ") + ")"
}

// lastError is the end of the list of errors, shortened.
func (p product) lastError() string {
	if p.postgres {
		return `coalesce(left(errors[array_upper(errors, 1)]->>'error', 400), '')`
	}
	return `coalesce(substr(json_extract(errors, '$[#-1].error'), 1, 400), '')`
}

func (p product) cancelRequested() string {
	if p.postgres {
		return `jsonb_exists(metadata, 'cancel_attempted_at')`
	}
	return `json_type(metadata, '$.cancel_attempted_at') IS NOT NULL`
}

// asJSON reads a column that holds JSON, or a list, or on SQLite what was to be JSON and is none.
func (p product) asJSON(column string) string {
	if p.postgres {
		return `to_jsonb(` + column + `)`
	}
	return `CASE WHEN typeof(` + column + `) = 'text' AND NOT json_valid(` + column + `) THEN json_quote(` + column + `) ELSE json(` + column + `) END`
}

func (p product) jobColumns() string {
	return `id, kind, queue, CAST(state AS text), priority, attempt, max_attempts, ` + p.instant("created_at") + `, ` + p.instant("scheduled_at") + `, ` +
		p.instant("attempted_at") + `, ` + p.instant("finalized_at") + `, ` + p.lastError() + `, ` + p.cancelRequested()
}

func scanJob(r db.Row) (j Job, err error) {
	err = j.scan(r)
	return j, err
}

func (j *Job) scan(r db.Row, dest ...any) error {
	var state string
	var attempted, finished time.Time
	if err := r.Scan(append([]any{(*int64)(&j.ID), &j.Kind, &j.Queue, &state, &j.priority, &j.Attempt, &j.MaxAttempts, &j.CreatedAt, &j.ScheduledAt, &attempted, &finished, &j.Error, &j.CancelRequested}, dest...)...); err != nil {
		return err
	}
	j.State, j.Urgent = stateOf(state), j.priority == urgent
	j.StartedAt, j.FinishedAt = orNone(attempted), orNone(finished)
	j.Error, _ = splitTrace(j.Error)
	j.CancelRequested = j.CancelRequested && j.State == Running
	return nil
}

func orNone(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// listJobs is one statement, whatever the filter. It reads neither arguments nor the
// older errors: a page of jobs is small however large they are.
func listJobs(ctx context.Context, c db.Conn, f Filter, after ID, n int) ([]Job, error) {
	p := productOf(c)
	var where []string
	var args []any
	add := func(condition string, v any) {
		args = append(args, v)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if after != 0 {
		add(`id < $%d`, int64(after))
	}
	if f.ID != 0 {
		add(`id = $%d`, int64(f.ID))
	}
	if f.State != "" {
		where = append(where, `state IN `+p.states(f.State.stored()...))
	}
	if f.Kind != "" {
		add(`kind = $%d`, f.Kind)
	}
	if f.Queue != "" {
		add(`queue = $%d`, f.Queue)
	}
	query := `SELECT ` + p.jobColumns() + ` FROM ` + p.table("river_job")
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, ` AND `)
	}
	args = append(args, n)
	return db.All(ctx, c, scanJob, query+fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args)), args...)
}

func jobByID(ctx context.Context, c db.Conn, job ID) (Job, error) {
	p := productOf(c)
	return db.One(ctx, c, scanJob, `SELECT `+p.jobColumns()+` FROM `+p.table("river_job")+` WHERE id = $1`, int64(job))
}

// stored is what only the detail of a job shows.
type stored struct {
	job                  Job
	args, errors, worked json.RawMessage
}

func storedJob(ctx context.Context, c db.Conn, job ID) (stored, error) {
	p := productOf(c)
	return db.One(ctx, c, func(r db.Row) (s stored, err error) {
		err = s.job.scan(r, &s.args, &s.errors, &s.worked)
		return s, err
	}, `SELECT `+p.jobColumns()+`, `+p.asJSON("args")+`, `+p.asJSON("errors")+`, `+p.asJSON("attempted_by")+` FROM `+p.table("river_job")+` WHERE id = $1`, int64(job))
}

// count is how many jobs of a queue are in a state, and since when the first of them could run.
type count struct {
	queue, state string
	n            int64
	first        time.Time
}

// countJobs leaves out those that completed: they are many, and nobody's concern.
func countJobs(ctx context.Context, c db.Conn) ([]count, error) {
	p := productOf(c)
	return db.All(ctx, c, func(r db.Row) (n count, err error) {
		err = r.Scan(&n.queue, &n.state, &n.n, &n.first)
		return n, err
	}, `SELECT queue, CAST(state AS text), count(*), `+p.instant("min(scheduled_at)")+` FROM `+p.table("river_job")+`
		WHERE state IN `+p.states("available", "running", "retryable", "scheduled", "pending", "discarded")+` GROUP BY state, queue`) // in the order of the index
}

// pausedQueues returns the queues that some process has run, and since when each is paused, if it is.
func pausedQueues(ctx context.Context, c db.Conn) (map[string]*time.Time, error) {
	p := productOf(c)
	all := map[string]*time.Time{}
	err := db.Each(ctx, c, func(r db.Row) error {
		var name string
		var at time.Time
		err := r.Scan(&name, &at)
		all[name] = orNone(at)
		return err
	}, `SELECT name, `+p.instant("paused_at")+` FROM `+p.table("river_queue"))
	return all, err
}

// ensureQueue makes the row that holds whether a queue is paused: no process may have run it yet.
func ensureQueue(ctx context.Context, c db.Conn, name string, now time.Time) error {
	p := productOf(c)
	_, err := c.Exec(ctx, `INSERT INTO `+p.table("river_queue")+` (name, created_at, updated_at) VALUES ($1, `+p.param(2)+`, `+p.param(2)+`) ON CONFLICT (name) DO NOTHING`, name, p.at(now))
	return err
}

// retryJob lets a job run again now. One that was unique is so no more: an equal one may be waiting.
func retryJob(ctx context.Context, c db.Conn, job ID, now time.Time) (bool, error) {
	p := productOf(c)
	n, err := c.Exec(ctx, `UPDATE `+p.table("river_job")+` SET `+p.again(2)+` WHERE id = $1 AND state NOT IN `+p.states("running", "available"), int64(job), p.at(now))
	return n > 0, err
}

func (p product) again(now int) string {
	return `state = 'available', finalized_at = NULL, unique_key = NULL, unique_states = NULL, scheduled_at = ` + p.param(now) + `,
		max_attempts = CASE WHEN attempt >= max_attempts THEN attempt + 1 ELSE max_attempts END`
}

// retryDead lets up to n dead jobs run again, the oldest first.
func retryDead(ctx context.Context, c db.Conn, kind string, now time.Time, n int) (int64, error) {
	p := productOf(c)
	return c.Exec(ctx, `UPDATE `+p.table("river_job")+` SET `+p.again(1)+` WHERE state = 'discarded' AND id IN (
		SELECT id FROM `+p.table("river_job")+` WHERE state = 'discarded' AND ($2 = '' OR kind = $2) ORDER BY id LIMIT $3)`, p.at(now), kind, n)
}

// deleteJob removes a job that does not run.
func deleteJob(ctx context.Context, c db.Conn, job ID) (bool, error) {
	p := productOf(c)
	n, err := c.Exec(ctx, `DELETE FROM `+p.table("river_job")+` WHERE id = $1 AND state <> 'running'`, int64(job))
	return n > 0, err
}

// planned is a row of jobs_schedules.
type planned struct {
	name, spec string
	next, last time.Time
}

func listPlanned(ctx context.Context, c db.Conn) (map[string]planned, error) {
	all := map[string]planned{}
	err := db.Each(ctx, c, func(r db.Row) error {
		var p planned
		err := r.Scan(&p.name, &p.spec, &p.next, &p.last)
		all[p.name] = p
		return err
	}, `SELECT name, spec, next_at, last_at FROM jobs_schedules`)
	return all, err
}

func insertPlanned(ctx context.Context, c db.Conn, p planned) error {
	_, err := c.Exec(ctx, `INSERT INTO jobs_schedules (name, spec, next_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING`, p.name, p.spec, p.next)
	return err
}

// replan changes when a schedule is due next, unless another node was faster.
func replan(ctx context.Context, c db.Conn, was, is planned) (bool, error) {
	n, err := c.Exec(ctx, `UPDATE jobs_schedules SET spec = $4, next_at = $5, last_at = $6 WHERE name = $1 AND spec = $2 AND next_at = $3`,
		was.name, was.spec, was.next, is.spec, is.next, is.last)
	return n > 0, err
}

func beat(ctx context.Context, c db.Conn, node string) error {
	_, err := c.Exec(ctx, `INSERT INTO jobs_nodes (name, beat) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET beat = jobs_nodes.beat + 1`, node)
	return err
}

func beats(ctx context.Context, c db.Conn) (map[string]int64, error) {
	all := map[string]int64{}
	err := db.Each(ctx, c, func(r db.Row) error {
		var name string
		var n int64
		err := r.Scan(&name, &n)
		all[name] = n
		return err
	}, `SELECT name, beat FROM jobs_nodes`)
	return all, err
}

// buryNode removes a node that has not counted on since it was seen at n. Of many that
// notice, one does.
func buryNode(ctx context.Context, c db.Conn, node string, n int64) (bool, error) {
	rows, err := c.Exec(ctx, `DELETE FROM jobs_nodes WHERE name = $1 AND beat = $2`, node, n)
	return rows > 0, err
}

func leaveNode(ctx context.Context, c db.Conn, node string) error {
	_, err := c.Exec(ctx, `DELETE FROM jobs_nodes WHERE name = $1`, node)
	return err
}

// lost is a job whose process died.
type lost struct {
	id           ID
	attempt, max int
	cancelled    bool
}

func lostJobs(ctx context.Context, c db.Conn, node string) ([]lost, error) {
	p := productOf(c)
	by := `json_extract(attempted_by, '$[#-1]')`
	if p.postgres {
		by = `attempted_by[array_upper(attempted_by, 1)]`
	}
	return db.All(ctx, c, func(r db.Row) (l lost, err error) {
		err = r.Scan((*int64)(&l.id), &l.attempt, &l.max, &l.cancelled)
		return l, err
	}, `SELECT id, attempt, max_attempts, `+p.cancelRequested()+` FROM `+p.table("river_job")+` WHERE state = 'running' AND `+by+` = $1 ORDER BY id`, node)
}

// saved is what becomes of a lost job.
type saved struct {
	state       string
	scheduledAt time.Time
	finished    bool
	errorJSON   []byte
}

// saveJob ends an attempt that its process did not.
func saveJob(ctx context.Context, c db.Conn, l lost, s saved, now time.Time) error {
	p := productOf(c)
	state, failure, finished := `$3`, `jsonb_insert(coalesce(errors, jsonb('[]')), '$[#]', json($5))`, `NULL`
	if p.postgres {
		state, failure = `CAST($3 AS `+schemaName+`.river_job_state)`, `array_append(errors, CAST($5 AS jsonb))`
	}
	args := []any{int64(l.id), l.attempt, s.state, p.at(s.scheduledAt), string(s.errorJSON)}
	if s.finished {
		finished = p.param(6)
		args = append(args, p.at(now))
	}
	_, err := c.Exec(ctx, `UPDATE `+p.table("river_job")+` SET state = `+state+`, scheduled_at = `+p.param(4)+`, errors = `+failure+`, finalized_at = `+finished+`
		WHERE id = $1 AND attempt = $2 AND state = 'running'`, args...)
	return err
}

func upsertMinute(ctx context.Context, c db.Conn, node string, m minute) error {
	_, err := c.Exec(ctx, `INSERT INTO jobs_minutes (minute, queue, node, completed, failed, waits, runs) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (minute, queue, node) DO UPDATE SET completed = excluded.completed, failed = excluded.failed, waits = excluded.waits, runs = excluded.runs`,
		m.at, m.queue, node, m.completed, m.failed, db.JSON(m.waits), db.JSON(m.runs))
	return err
}

// minutesSince returns what each node counted for each queue.
func minutesSince(ctx context.Context, c db.Conn, since time.Time) ([]minute, error) {
	return db.All(ctx, c, func(r db.Row) (m minute, err error) {
		var waits, runs json.RawMessage
		if err = r.Scan(&m.at, &m.queue, &m.completed, &m.failed, &waits, &runs); err != nil {
			return m, err
		}
		if err = json.Unmarshal(waits, &m.waits); err == nil {
			err = json.Unmarshal(runs, &m.runs)
		}
		return m, err
	}, `SELECT minute, queue, completed, failed, waits, runs FROM jobs_minutes WHERE minute >= $1 ORDER BY minute`, since)
}

func forgetMinutes(ctx context.Context, c db.Conn, before time.Time) error {
	_, err := c.Exec(ctx, `DELETE FROM jobs_minutes WHERE minute < $1`, before)
	return err
}

// tuned is what we change in River's schema: every index is written three times for a job.
// Its two indexes of whole documents are used by nothing of ours or River's, and cost more
// at each insert than all others together; ours let the monitor turn pages among hundreds
// of thousands of jobs, and that of the kind serves in the place of River's.
func tuned(p product) []string {
	all := []string{
		`CREATE INDEX IF NOT EXISTS river_job_state_id ON ` + p.table("river_job") + ` (state, id)`,
		`CREATE INDEX IF NOT EXISTS river_job_kind_id ON ` + p.table("river_job") + ` (kind, id)`,
	}
	if !p.postgres {
		return slices.Delete(all, 1, 2) // an index of SQLite ends with the row's id by itself
	}
	for _, index := range []string{"river_job_args_index", "river_job_metadata_index", "river_job_kind"} {
		all = append(all, `DROP INDEX IF EXISTS `+p.table(index))
	}
	return all
}
