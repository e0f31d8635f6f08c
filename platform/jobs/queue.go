package jobs

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
)

//go:embed migrations
var migrations embed.FS

// Config says how this process runs jobs.
type Config struct {
	// Workers is how many jobs of each queue run at once in this process, at most; mail, pictures and purge have fewer.
	Workers int `env:"TENON_WORKERS" envDefault:"200"`
	// QueueWorkers is the same for single queues, such as mail:5,purge:1.
	QueueWorkers map[string]int `env:"TENON_QUEUE_WORKERS"`
	// Queues are the only queues whose jobs this process runs; all, unless set.
	Queues []string `env:"TENON_QUEUES"`
	// PollOnly does without LISTEN, which connection poolers in transaction mode do not pass on.
	PollOnly bool `env:"TENON_JOBS_POLL_ONLY"`
	// LostAfter is how long a process may give no sign of life before others take over the
	// jobs that it was running.
	LostAfter time.Duration `env:"TENON_JOBS_LOST_AFTER" envDefault:"30s"`

	Now clock.Now // the machine's clock when nil; schedules keep to it
}

// Check refuses what cannot work.
func (c Config) Check() error {
	if c.Workers < 0 {
		return errors.New("TENON_WORKERS must not be negative")
	}
	for queue, n := range c.QueueWorkers {
		if n < 1 || n > maxWorkers {
			return fmt.Errorf("TENON_QUEUE_WORKERS: %s must have between 1 and %d workers, not %d", queue, maxWorkers, n)
		}
	}
	if c.LostAfter != 0 && c.LostAfter < time.Second {
		return errors.New("TENON_JOBS_LOST_AFTER must be a second at least")
	}
	return nil
}

const maxWorkers = 10_000

// Queue enqueues jobs and runs them.
type Queue struct {
	db            *db.DB
	cfg           Config
	log           *slog.Logger
	client        client
	handlers      map[string]Handler
	subscriptions map[string][]string // event → kinds of the jobs that react to it
	carry         []func(context.Context) context.Context
	schedules     []schedule
	node          string // names this process to the others
	now           clock.Now
	meter         meter

	mu      sync.Mutex
	working client
	loops   sync.WaitGroup
	end     context.CancelFunc // of the loops
}

// client is River on one of the two databases.
type client interface {
	insert(ctx context.Context, tx *db.Tx, args river.JobArgs, o *river.InsertOpts) (ID, error)
	insertMany(ctx context.Context, tx *db.Tx, all []river.InsertManyParams) error
	cancel(ctx context.Context, tx *db.Tx, job ID) error
	pause(ctx context.Context, tx *db.Tx, queue string, paused bool) error
	start(ctx context.Context) error
	stop(ctx context.Context) error
}

// New returns a queue that knows no jobs yet.
func New(d *db.DB, cfg Config, log *slog.Logger) (*Queue, error) {
	if cfg.Workers == 0 {
		cfg.Workers = 200
	}
	if cfg.LostAfter == 0 {
		cfg.LostAfter = 30 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = clock.System
	}
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	q := &Queue{db: d, cfg: cfg, log: log, handlers: map[string]Handler{}, subscriptions: map[string][]string{}, node: nodeName(), now: cfg.Now}
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

// Repeat declares periodic jobs. One that can never run, or has the name of another, is a
// programming error.
func (q *Queue) Repeat(periodic ...Periodic) {
	for _, p := range periodic {
		s := p.checked()
		if q.KnowsSchedule(s.Name) {
			panic("jobs: two schedules have the name " + s.Name)
		}
		q.schedules = append(q.schedules, s)
	}
}

// Carry lets every job that runs carry what with adds to its context.
func (q *Queue) Carry(with func(context.Context) context.Context) { q.carry = append(q.carry, with) }

// Enqueue stores a job in tx. There is no other way: a job outside of a
// transaction could run before, or without, the change that it follows.
func (q *Queue) Enqueue(ctx context.Context, tx *db.Tx, job Args, options ...Option) error {
	_, err := q.enqueue(ctx, tx, job.Kind(), job, options)
	return err
}

// EnqueueAll stores many jobs in tx, at the cost of a few: tens of thousands in a second.
func (q *Queue) EnqueueAll(ctx context.Context, tx *db.Tx, all []Args, options ...Option) error {
	params := make([]river.InsertManyParams, 0, len(all))
	for _, job := range all {
		args, opts, err := q.insertion(job.Kind(), job, options)
		if err != nil {
			return err
		}
		if opts.UniqueOpts.ByArgs {
			return fmt.Errorf("enqueue %s: Unique is for single jobs", job.Kind())
		}
		params = append(params, river.InsertManyParams{Args: args, InsertOpts: opts})
	}
	if len(params) == 0 {
		return nil
	}
	if err := q.client.insertMany(ctx, tx, params); err != nil {
		return fmt.Errorf("enqueue %d jobs: %w", len(all), err)
	}
	return nil
}

// Publish enqueues, in tx, a job for each subscriber of an event. Only package
// audit calls it: an event is always recorded too.
func (q *Queue) Publish(ctx context.Context, tx *db.Tx, event Args) error {
	for _, kind := range q.subscriptions[event.Kind()] {
		if _, err := q.enqueue(ctx, tx, kind, event, nil); err != nil {
			return err
		}
	}
	return nil
}

func (q *Queue) enqueue(ctx context.Context, tx *db.Tx, kind string, job Args, options []Option) (ID, error) {
	args, opts, err := q.insertion(kind, job, options)
	if err != nil {
		return 0, err
	}
	made, err := q.client.insert(ctx, tx, args, opts)
	if err != nil {
		return 0, fmt.Errorf("enqueue %s: %w", kind, err)
	}
	return made, nil
}

// insertion is a job as River takes it.
func (q *Queue) insertion(kind string, job Args, options []Option) (rawArgs, *river.InsertOpts, error) {
	h, ok := q.handlers[kind]
	if !ok {
		return rawArgs{}, nil, fmt.Errorf("enqueue %s: no module handles it", kind)
	}
	payload, err := json.Marshal(job)
	if err != nil {
		return rawArgs{}, nil, fmt.Errorf("enqueue %s: %w", kind, err)
	}
	in := insert{priority: usual}
	for _, o := range options {
		o(&in)
	}
	opts := &river.InsertOpts{MaxAttempts: h.attempts, Priority: in.priority, Queue: h.queue, ScheduledAt: in.at}
	switch {
	case in.unique:
		opts.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: waiting()}
	case in.periodic:
		opts.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: waiting()[1:]}
	}
	return rawArgs{kind, payload}, opts, nil
}

// waiting are the states of a job that has yet to finish; the first is that of one that
// failed, which may wait for days.
func waiting() []rivertype.JobState {
	return []rivertype.JobState{rivertype.JobStateRetryable, rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
		rivertype.JobStateScheduled}
}

// Start begins to run jobs, and to enqueue the periodic ones.
func (q *Queue) Start(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	cfg, err := q.workConfig()
	if err != nil || len(cfg.Queues) == 0 {
		return err
	}
	c, err := q.open(cfg)
	if err != nil {
		return err
	}
	if err := c.start(ctx); err != nil {
		return fmt.Errorf("start the workers: %w", err)
	}
	loops, end := context.WithCancel(ctx)
	q.working, q.end = c, end
	q.loops.Go(func() { q.keepTime(loops) })
	q.loops.Go(func() { q.live(loops) })
	return nil
}

// workConfig is how River runs our handlers.
func (q *Queue) workConfig() (*river.Config, error) {
	if kind := q.schedulesUnhandled(); kind != "" {
		return nil, fmt.Errorf("no module handles the periodic job %s", kind)
	}
	cfg := &river.Config{ID: q.node, Workers: river.NewWorkers(), Queues: map[string]river.QueueConfig{}, RescueStuckJobsAfter: 2 * time.Minute}
	for _, h := range q.handlers {
		// A job that still runs must not be taken for one whose process died.
		cfg.RescueStuckJobsAfter = max(cfg.RescueStuckJobsAfter, h.timeout+time.Minute)
		if len(q.cfg.Queues) == 0 || slices.Contains(q.cfg.Queues, h.queue) {
			cfg.Queues[h.queue] = river.QueueConfig{MaxWorkers: q.workers(h.queue)}
		}
		river.AddWorkerArgs(cfg.Workers, rawArgs{kind: h.Kind}, &worker{q: q, handler: h})
	}
	known := q.queueNames()
	for _, name := range q.cfg.Queues {
		if !known[name] {
			return nil, fmt.Errorf("there is no queue %q; there are: %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	return cfg, nil
}

// workers is how many jobs of a queue run at once in this process.
func (q *Queue) workers(queue string) int {
	if n, ok := q.cfg.QueueWorkers[queue]; ok {
		return n
	}
	n := q.cfg.Workers
	for _, h := range q.handlers {
		if h.queue == queue && h.workers > 0 {
			n = min(n, h.workers)
		}
	}
	return n
}

// schedulesUnhandled is the kind of a periodic job that nobody handles, if there is one.
func (q *Queue) schedulesUnhandled() string {
	for _, s := range q.schedules {
		if _, ok := q.handlers[s.Job.Kind()]; !ok {
			return s.Job.Kind()
		}
	}
	return ""
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
	q.end()
	q.loops.Wait()
	// What was measured last, and the sign of life, are of no use if they cannot be written.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if lerr := errors.Join(q.writeMinutes(last), leaveNode(last, q.db.Platform(monitoring), q.node)); lerr != nil {
		q.log.DebugContext(last, "take leave of the other nodes", "err", lerr)
	}
	return err
}

// rawArgs carries a payload that is JSON already, under the kind of its handler.
type rawArgs struct {
	kind    string
	payload json.RawMessage
}

func (r rawArgs) Kind() string                  { return r.kind }
func (r rawArgs) MarshalJSON() ([]byte, error)  { return r.payload, nil }
func (r *rawArgs) UnmarshalJSON(b []byte) error { r.payload = slices.Clone(b); return nil }

// schemaName is where River's tables live on PostgreSQL.
const schemaName = "river"

func (q *Queue) open(cfg *river.Config) (client, error) {
	cfg.Logger = slog.New(quiet{q.log.Handler()})
	cfg.CompletedJobRetentionPeriod, cfg.CancelledJobRetentionPeriod, cfg.DiscardedJobRetentionPeriod = time.Hour, 7*24*time.Hour, 30*24*time.Hour
	// The least that River allows: it is also how soon after a notification the next is sent,
	// and with more a job enqueued right after another waits for the poll.
	cfg.FetchCooldown = time.Millisecond
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

func (p pgClient) insert(ctx context.Context, tx *db.Tx, args river.JobArgs, o *river.InsertOpts) (ID, error) {
	t, _ := db.RawTx(tx)
	return inserted(p.c.InsertTx(ctx, t, args, o))
}

func (p pgClient) insertMany(ctx context.Context, tx *db.Tx, all []river.InsertManyParams) error {
	t, _ := db.RawTx(tx)
	_, err := p.c.InsertManyFastTx(ctx, t, all)
	return err
}

func (p pgClient) cancel(ctx context.Context, tx *db.Tx, job ID) error {
	t, _ := db.RawTx(tx)
	_, err := p.c.JobCancelTx(ctx, t, int64(job))
	return err
}

func (p pgClient) pause(ctx context.Context, tx *db.Tx, queue string, paused bool) error {
	t, _ := db.RawTx(tx)
	if paused {
		return p.c.QueuePauseTx(ctx, t, queue, nil)
	}
	return p.c.QueueResumeTx(ctx, t, queue, nil)
}

// inserted is the id of a job that was, or had been, enqueued.
func inserted(r *rivertype.JobInsertResult, err error) (ID, error) {
	if err != nil {
		return 0, err
	}
	return ID(r.Job.ID), nil
}

func (p pgClient) start(ctx context.Context) error { return p.c.Start(ctx) }
func (p pgClient) stop(ctx context.Context) error {
	return stopClient(ctx, p.c.Stop, p.c.StopAndCancel)
}

// Schema is River's own tables.
func (q *Queue) Schema() db.Schema {
	machinery := db.Retain("holds no personal data", 0)
	s := db.Schema{Name: "jobs", FS: migrations, Up: migrate, Version: version(q.db), Tables: []db.Table{
		{Name: "jobs_schedules", Scope: db.ByPlatform, Others: []string{"name"}, Life: machinery},
		{Name: "jobs_nodes", Scope: db.ByPlatform, Others: []string{"name"}, Life: machinery},
		{Name: "jobs_minutes", Scope: db.ByPlatform, Life: machinery},
	}}
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
		if err := up(ctx, m, err); err != nil {
			return err
		}
	} else {
		m, err := rivermigrate.New(riversqlite.New(lite), nil)
		if err := up(ctx, m, err); err != nil {
			return err
		}
	}
	c := d.Platform("migrations")
	for _, statement := range tuned(productOf(c)) {
		if _, err := c.Exec(ctx, statement); err != nil {
			return fmt.Errorf("tune the tables of River: %w", err)
		}
	}
	return nil
}

func up[T any](ctx context.Context, m *rivermigrate.Migrator[T], err error) error {
	if err == nil {
		_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	return err
}

// tuning changes when tuned does, so that the next migration runs it again.
const tuning = "-tuned-1"

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
	return "river-" + strconv.Itoa(all[len(all)-1].Version) + tuning
}

// Unfinished counts the jobs that wait or run right now, without those that wait for
// a later time: tests, and a node about to leave, wait for none.
func (q *Queue) Unfinished(ctx context.Context) (int, error) {
	c := q.db.Platform("the queue belongs to the installation")
	return db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM `+productOf(c).table("river_job")+` WHERE state IN ('available', 'running')`)
}
