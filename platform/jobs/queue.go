package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
)

// Config says how this process runs jobs.
type Config struct {
	// Workers is how many jobs of each queue run at once.
	Workers int `env:"TENON_WORKERS" envDefault:"20"`
	// PollOnly does without LISTEN, which connection poolers in transaction mode do not pass on.
	PollOnly bool `env:"TENON_JOBS_POLL_ONLY"`
}

// Queue enqueues jobs and runs them.
type Queue struct {
	db            *db.DB
	cfg           Config
	log           *slog.Logger
	client        client
	handlers      map[string]Handler
	subscriptions map[string][]string // event → kinds of the jobs that react to it
	periodic      []Periodic
	carry         []func(context.Context) context.Context

	mu      sync.Mutex
	working client
}

// client is River on one of the two databases.
type client interface {
	insert(ctx context.Context, tx *db.Tx, args river.JobArgs, o *river.InsertOpts) error
	start(ctx context.Context) error
	stop(ctx context.Context) error
}

// New returns a queue that knows no jobs yet.
func New(d *db.DB, cfg Config, log *slog.Logger) (*Queue, error) {
	if cfg.Workers == 0 {
		cfg.Workers = 20
	}
	q := &Queue{db: d, cfg: cfg, log: log, handlers: map[string]Handler{}, subscriptions: map[string][]string{}}
	var err error
	q.client, err = q.open(&river.Config{})
	return q, err
}

// Add declares handlers. Two for one kind are a programming error.
func (q *Queue) Add(handlers ...Handler) {
	for _, h := range handlers {
		if _, dup := q.handlers[h.Kind]; dup {
			panic("jobs: two handlers for " + h.Kind)
		}
		q.handlers[h.Kind] = h
	}
}

// Subscribe declares reactions to events.
func (q *Queue) Subscribe(subscriptions ...Subscription) {
	for _, s := range subscriptions {
		q.Add(s.Handler)
		q.subscriptions[s.Event] = append(q.subscriptions[s.Event], s.Handler.Kind)
	}
}

// Repeat declares periodic jobs.
func (q *Queue) Repeat(periodic ...Periodic) { q.periodic = append(q.periodic, periodic...) }

// Carry lets every job that runs carry what with adds to its context.
func (q *Queue) Carry(with func(context.Context) context.Context) { q.carry = append(q.carry, with) }

// Enqueue stores a job in tx. There is no other way: a job outside of a
// transaction could run before, or without, the change that it follows.
func (q *Queue) Enqueue(ctx context.Context, tx *db.Tx, job Args, options ...Option) error {
	return q.enqueue(ctx, tx, job.Kind(), job, options)
}

// Publish enqueues, in tx, a job for each subscriber of an event. Only package
// audit calls it: an event is always recorded too.
func (q *Queue) Publish(ctx context.Context, tx *db.Tx, event Args) error {
	for _, kind := range q.subscriptions[event.Kind()] {
		if err := q.enqueue(ctx, tx, kind, event, nil); err != nil {
			return err
		}
	}
	return nil
}

func (q *Queue) enqueue(ctx context.Context, tx *db.Tx, kind string, job Args, options []Option) error {
	h, ok := q.handlers[kind]
	if !ok {
		return fmt.Errorf("enqueue %s: no module handles it", kind)
	}
	payload, err := json.Marshal(job)
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", kind, err)
	}
	in := insert{priority: 2}
	for _, o := range options {
		o(&in)
	}
	opts := &river.InsertOpts{MaxAttempts: h.attempts, Priority: in.priority, Queue: h.queue, ScheduledAt: in.at}
	if in.unique {
		opts.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: waiting()}
	}
	if err := q.client.insert(ctx, tx, rawArgs{kind, payload}, opts); err != nil {
		return fmt.Errorf("enqueue %s: %w", kind, err)
	}
	return nil
}

// waiting are the states of a job that has yet to finish.
func waiting() []rivertype.JobState {
	return []rivertype.JobState{rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
		rivertype.JobStateRetryable, rivertype.JobStateScheduled}
}

// Start begins to run jobs.
func (q *Queue) Start(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	cfg := &river.Config{Workers: river.NewWorkers(), Queues: map[string]river.QueueConfig{}, PeriodicJobs: q.schedule(), RescueStuckJobsAfter: 2 * time.Minute}
	for _, h := range q.handlers {
		// A job that still runs must not be taken for one whose process died.
		cfg.RescueStuckJobsAfter = max(cfg.RescueStuckJobsAfter, h.timeout+time.Minute)
		cfg.Queues[h.queue] = river.QueueConfig{MaxWorkers: q.cfg.Workers}
		river.AddWorkerArgs(cfg.Workers, rawArgs{kind: h.Kind}, &worker{q: q, handler: h})
	}
	if len(cfg.Queues) == 0 {
		return nil
	}
	c, err := q.open(cfg)
	if err != nil {
		return err
	}
	if err := c.start(ctx); err != nil {
		return fmt.Errorf("start the workers: %w", err)
	}
	q.working = c
	return nil
}

// Stop lets running jobs finish until ctx ends, then cancels them; they run again later.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.working == nil {
		return nil
	}
	err := q.working.stop(ctx)
	q.working = nil
	return err
}

func (q *Queue) schedule() []*river.PeriodicJob {
	var all []*river.PeriodicJob
	for _, p := range q.periodic {
		payload, err := json.Marshal(p.Job)
		if err != nil {
			panic("jobs: periodic " + p.Job.Kind() + ": " + err.Error())
		}
		h, ok := q.handlers[p.Job.Kind()]
		if !ok {
			panic("jobs: no handler for the periodic job " + p.Job.Kind())
		}
		all = append(all, river.NewPeriodicJob(river.PeriodicInterval(p.Every), func() (river.JobArgs, *river.InsertOpts) {
			return rawArgs{h.Kind, payload}, &river.InsertOpts{MaxAttempts: h.attempts, Queue: h.queue,
				// A new leader may fire again at once: an equal job of this period, or one still waiting, is enough.
				UniqueOpts: river.UniqueOpts{ByArgs: true, ByPeriod: p.Every}}
		}, &river.PeriodicJobOpts{RunOnStart: true}))
	}
	return all
}

// rawArgs carries a payload that is JSON already, under the kind of its handler.
type rawArgs struct {
	kind    string
	payload json.RawMessage
}

func (r rawArgs) Kind() string                  { return r.kind }
func (r rawArgs) MarshalJSON() ([]byte, error)  { return r.payload, nil }
func (r *rawArgs) UnmarshalJSON(b []byte) error { r.payload = slices.Clone(b); return nil }

// worker runs the jobs of one kind for River.
type worker struct {
	river.WorkerDefaults[rawArgs]
	q       *Queue
	handler Handler
}

func (w *worker) Timeout(*river.Job[rawArgs]) time.Duration { return w.handler.timeout }

func (w *worker) Work(ctx context.Context, job *river.Job[rawArgs]) error {
	ctx = authz.With(ctx, &authz.Principal{Kind: authz.ActorJob, Name: w.handler.Kind})
	ctx = context.WithValue(ctx, infoKey{}, Info{ID: job.ID, Attempt: job.Attempt})
	for _, with := range w.q.carry {
		ctx = with(ctx)
	}
	err := w.handler.run(ctx, w.q.db, job.Args.payload)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		w.q.log.WarnContext(ctx, "job interrupted", "job", w.handler.Kind, "job_id", job.ID, "attempt", job.Attempt)
	default:
		w.q.log.WarnContext(ctx, "job failed", "job", w.handler.Kind, "job_id", job.ID, "attempt", job.Attempt, "of", job.MaxAttempts, "err", err)
	}
	if c, ok := errors.AsType[cancelled](err); ok {
		return river.JobCancel(c.error)
	}
	return err
}

// Info is what a running job may know of itself.
type Info struct {
	ID      int64
	Attempt int // 1 on the first
}

type infoKey struct{}

// InfoFrom returns what the job running in ctx knows of itself.
func InfoFrom(ctx context.Context) Info { i, _ := ctx.Value(infoKey{}).(Info); return i }

// Cancel marks an error as final: the job is not tried again, and stays visible.
func Cancel(err error) error { return cancelled{err} }

type cancelled struct{ error }

func (c cancelled) Unwrap() error { return c.error }

// schemaName is where River's tables live on PostgreSQL.
const schemaName = "river"

func (q *Queue) open(cfg *river.Config) (client, error) {
	cfg.Logger = slog.New(quiet{q.log.Handler()})
	cfg.CompletedJobRetentionPeriod = time.Hour
	cfg.FetchCooldown = 10 * time.Millisecond
	cfg.FetchPollInterval = 500 * time.Millisecond
	cfg.ReindexerIndexNames = []string{} // rebuilding indexes needs ownership, which we do not have
	cfg.SkipUnknownJobCheck = true
	pool, lite := db.RawPool(q.db)
	if pool != nil {
		cfg.Schema, cfg.PollOnly = schemaName, q.cfg.PollOnly
		c, err := river.NewClient(riverpgxv5.New(pool), cfg)
		return pgClient{c}, err
	}
	c, err := river.NewClient(riversqlite.New(lite), cfg)
	return sqliteClient{c}, err
}

type pgClient struct{ c *river.Client[pgx.Tx] }

func (p pgClient) insert(ctx context.Context, tx *db.Tx, args river.JobArgs, o *river.InsertOpts) error {
	t, _ := db.RawTx(tx)
	_, err := p.c.InsertTx(ctx, t, args, o)
	return err
}
func (p pgClient) start(ctx context.Context) error { return p.c.Start(ctx) }
func (p pgClient) stop(ctx context.Context) error {
	return stopClient(ctx, p.c.Stop, p.c.StopAndCancel)
}

// Schema is River's own tables.
func (q *Queue) Schema() db.Schema {
	s := db.Schema{Name: "jobs", Up: migrate, Version: version(q.db)}
	if q.db.Dialect() == db.Postgres {
		// Tenants enqueue in their transactions; they neither read nor change the queue otherwise.
		s.Grants = []string{
			`GRANT USAGE ON SCHEMA river TO tenon_app, tenon_platform`,
			`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA river TO tenon_platform`,
			`GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA river TO tenon_app, tenon_platform`,
			`GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA river TO tenon_app, tenon_platform`,
			`GRANT SELECT, INSERT, UPDATE ON river.river_job TO tenon_app`,
		}
	}
	return s
}

func migrate(ctx context.Context, d *db.DB) error {
	pool, lite := db.RawPool(d)
	if pool != nil {
		if _, err := pool.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS river`); err != nil {
			return err
		}
		m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: schemaName})
		return up(ctx, m, err)
	}
	m, err := rivermigrate.New(riversqlite.New(lite), nil)
	return up(ctx, m, err)
}

func up[T any](ctx context.Context, m *rivermigrate.Migrator[T], err error) error {
	if err == nil {
		_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	return err
}

// version names the newest migration that this River brings.
func version(d *db.DB) string {
	pool, lite := db.RawPool(d)
	if pool != nil {
		return newest(rivermigrate.New(riverpgxv5.New(pool), nil))
	}
	return newest(rivermigrate.New(riversqlite.New(lite), nil))
}

func newest[T any](m *rivermigrate.Migrator[T], err error) string {
	if err != nil {
		return "unknown"
	}
	all := m.AllVersions()
	return "river-" + strconv.Itoa(all[len(all)-1].Version)
}

// Unfinished counts the jobs that wait or run right now, without those that wait for
// a later time: tests, and a node about to leave, wait for none.
func (q *Queue) Unfinished(ctx context.Context) (int, error) {
	table := "river_job"
	if q.db.Dialect() == db.Postgres {
		table = schemaName + ".river_job"
	}
	return db.One(ctx, q.db.Platform("the queue belongs to the installation"), db.Scalar[int],
		`SELECT count(*) FROM `+table+` WHERE state IN ('available', 'running')`)
}
