package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
)

// The outcomes of looking at jobs and changing them.
var (
	ErrNotFound         = errs.New(errs.NotFound, "jobs.not_found", "There is no such job. One that completed is kept for an hour.")
	ErrRunning          = errs.New(errs.Conflict, "jobs.running", "This job is running. Wait for its end, or cancel it first.")
	ErrFinished         = errs.New(errs.Conflict, "jobs.finished", "This job has ended already.")
	ErrQueueNotFound    = errs.New(errs.NotFound, "jobs.queue_not_found", "There is no such queue.")
	ErrScheduleNotFound = errs.New(errs.NotFound, "jobs.schedule_not_found", "There is no such schedule.")
)

// ID identifies a job: "job_" and a number that grows. It is text to whoever reads JSON,
// where numbers of this size lose their last digits.
type ID int64

const idPrefix = "job_"

// ParseID reads what String wrote.
func ParseID(text string) (ID, error) {
	digits, ok := strings.CutPrefix(text, idPrefix)
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 1 || ID(n).String() != text {
		return 0, errors.New("malformed job id")
	}
	return ID(n), nil
}

// String is the id as the API shows it.
func (i ID) String() string { return idPrefix + strconv.FormatInt(int64(i), 10) }

// MarshalText writes the API form.
func (i ID) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads the API form.
func (i *ID) UnmarshalText(b []byte) error {
	v, err := ParseID(string(b))
	*i = v
	return err
}

// State is where a job is in its life.
type State string

// The states.
const (
	Scheduled State = "scheduled" // waits for its time
	Available State = "available" // waits for a worker
	Running   State = "running"
	Retrying  State = "retrying" // failed, and will be tried again
	Completed State = "completed"
	Dead      State = "dead"      // failed for good: its attempts are used up, or its error is final
	Cancelled State = "cancelled" // somebody stopped it
)

func stateOf(stored string) State {
	switch stored {
	case "pending":
		return Scheduled
	case "retryable":
		return Retrying
	case "discarded":
		return Dead
	}
	return State(stored)
}

// stored lists what River calls the state.
func (s State) stored() []string {
	switch s {
	case Scheduled:
		return []string{"scheduled", "pending"}
	case Retrying:
		return []string{"retryable"}
	case Dead:
		return []string{"discarded"}
	}
	return []string{string(s)}
}

// Job is a job as operators see it.
type Job struct {
	ID              ID         `json:"id" example:"job_184467"`
	Kind            string     `json:"kind" example:"mail.send"`
	Queue           string     `json:"queue" example:"mail"`
	State           State      `json:"state" enum:"scheduled,available,running,retrying,completed,dead,cancelled"`
	Urgent          bool       `json:"urgent" doc:"It overtakes others of its queue"`
	Attempt         int        `json:"attempt" doc:"How often it was begun"`
	MaxAttempts     int        `json:"max_attempts"`
	Error           string     `json:"error" doc:"Of the last attempt that failed, shortened; empty when none did"`
	CancelRequested bool       `json:"cancel_requested" doc:"It is running and has been told to stop"`
	CreatedAt       time.Time  `json:"created_at"`
	ScheduledAt     time.Time  `json:"scheduled_at" doc:"When it may run, or could run first"`
	StartedAt       *time.Time `json:"started_at" doc:"Of the last attempt"`
	FinishedAt      *time.Time `json:"finished_at" doc:"When it ended for good"`

	priority int
}

// JobDetail is a Job with all that is known of it.
type JobDetail struct {
	Job
	Args     json.RawMessage `json:"args" doc:"Null unless asked for, and for kinds that are never shown. What looks like a secret is replaced"`
	Sealed   bool            `json:"sealed" doc:"Its arguments are never shown"`
	Attempts []Attempt       `json:"attempts" nullable:"false" doc:"Oldest first"`
}

// Attempt is one run of a job.
type Attempt struct {
	Number    int        `json:"number"`
	Node      string     `json:"node" doc:"The process that ran it"`
	Outcome   string     `json:"outcome" enum:"running,completed,failed,cancelled"`
	StartedAt *time.Time `json:"started_at" doc:"Known of the last attempt"`
	EndedAt   *time.Time `json:"ended_at"`
	Error     string     `json:"error"`
	Trace     string     `json:"trace" doc:"The stack, where it panicked"`
}

// Filter narrows a list of jobs. Zero fields do not narrow.
type Filter struct {
	State State
	Kind  string
	Queue string
	ID    ID
}

const monitoring = "operators see the jobs of everybody"

// List lists jobs, the newest first, from before the given one.
func (q *Queue) List(ctx context.Context, f Filter, after ID, n int) ([]Job, error) {
	return listJobs(ctx, q.db.Platform(monitoring), f, after, n)
}

// Get returns a job, or ErrNotFound.
func (q *Queue) Get(ctx context.Context, job ID) (Job, error) {
	return known(jobByID(ctx, q.db.Platform(monitoring), job))
}

// Detail returns a job with its attempts, and with its arguments where withArgs asks for
// them and its kind allows that.
func (q *Queue) Detail(ctx context.Context, job ID, withArgs bool) (JobDetail, error) {
	s, err := known(storedJob(ctx, q.db.Platform(monitoring), job))
	if err != nil {
		return JobDetail{}, err
	}
	d := JobDetail{Job: s.job, Sealed: q.handlers[s.job.Kind].sealed}
	if withArgs && !d.Sealed {
		d.Args = redact(s.args)
	}
	d.Attempts, err = attemptsOf(s)
	return d, err
}

func known[T any](v T, err error) (T, error) {
	if errors.Is(err, db.ErrNoRows) {
		err = ErrNotFound
	}
	return v, err
}

// failure is an attempt that failed, as River notes it.
type failure struct {
	At      time.Time `json:"at"`
	Attempt int       `json:"attempt"`
	Error   string    `json:"error"`
	Trace   string    `json:"trace"`
}

// attemptsOf tells the story of a job. River notes each failure, and the process of each
// of the last hundred attempts; when an attempt began, only of the last.
func attemptsOf(s stored) ([]Attempt, error) {
	var failures []failure
	var nodes []string
	if err := errors.Join(unmarshal(s.errors, &failures), unmarshal(s.worked, &nodes)); err != nil {
		return nil, fmt.Errorf("read the attempts of %v: %w", s.job.ID, err)
	}
	all := map[int]*Attempt{}
	for _, f := range failures {
		text, trace := splitTrace(f.Error)
		all[f.Attempt] = &Attempt{Number: f.Attempt, Outcome: "failed", EndedAt: &f.At, Error: text, Trace: trace + f.Trace}
	}
	j := s.job
	if last := all[j.Attempt]; last != nil {
		last.StartedAt = j.StartedAt
	} else if j.Attempt > 0 && j.StartedAt != nil {
		a := &Attempt{Number: j.Attempt, StartedAt: j.StartedAt, EndedAt: j.FinishedAt}
		switch j.State {
		case Running, Completed, Cancelled:
			a.Outcome = string(j.State)
		default:
			a.Outcome = "cancelled" // interrupted, when its process stopped
		}
		all[j.Attempt] = a
	}
	for i, node := range nodes {
		if a := all[j.Attempt-len(nodes)+1+i]; a != nil {
			a.Node = node
		}
	}
	list := make([]Attempt, 0, len(all))
	for _, n := range slices.Sorted(maps.Keys(all)) {
		list = append(list, *all[n])
	}
	return list, nil
}

func unmarshal(b json.RawMessage, v any) error {
	if len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, v)
}

// redact replaces what looks like a secret. Numbers stay as they are, digit by digit.
func redact(args json.RawMessage) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(args))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return json.RawMessage(`null`) // nothing that could be read, so nothing to show
	}
	out, err := json.Marshal(withoutSecrets(v))
	if err != nil {
		return json.RawMessage(`null`)
	}
	return out
}

const hidden = "[redacted]"

func withoutSecrets(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			if secretName(key) {
				v[key] = hidden
			} else {
				v[key] = withoutSecrets(member)
			}
		}
	case []any:
		for i := range v {
			v[i] = withoutSecrets(v[i])
		}
	}
	return v
}

func secretName(key string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc([]string{"password", "passwd", "secret", "token", "sealed", "credential", "authorization", "cookie", "api_key", "apikey", "private", "code", "otp"},
		func(word string) bool { return strings.Contains(key, word) })
}

// QueueState is how a queue is.
type QueueState struct {
	Name        string     `json:"name" example:"mail"`
	Paused      bool       `json:"paused"`
	PausedAt    *time.Time `json:"paused_at"`
	Waiting     int64      `json:"waiting" doc:"Jobs that could run now"`
	Running     int64      `json:"running"`
	Scheduled   int64      `json:"scheduled" doc:"Jobs that wait for their time"`
	Retrying    int64      `json:"retrying"`
	Dead        int64      `json:"dead"`
	OldestWait  float64    `json:"oldest_wait_seconds" doc:"How long the first of those that wait has waited"`
	Throughput  float64    `json:"throughput" doc:"Jobs completed per second, over the last whole minute"`
	Concurrency int        `json:"concurrency" doc:"How many run at once, on each process that works on it"`
}

// Queues tells how each queue is.
func (q *Queue) Queues(ctx context.Context) ([]QueueState, error) {
	c := q.db.Platform(monitoring)
	paused, err := pausedQueues(ctx, c)
	if err != nil {
		return nil, err
	}
	counts, err := countJobs(ctx, c)
	if err != nil {
		return nil, err
	}
	now := q.now()
	minutes, err := minutesSince(ctx, c, now.Truncate(time.Minute).Add(-time.Minute))
	if err != nil {
		return nil, err
	}
	all := map[string]*QueueState{}
	for name := range q.queueNames() {
		all[name] = &QueueState{Name: name}
	}
	of := func(name string) *QueueState {
		if all[name] == nil {
			all[name] = &QueueState{Name: name}
		}
		return all[name]
	}
	for name, at := range paused {
		s := of(name)
		s.Paused, s.PausedAt = at != nil, at
	}
	for _, n := range counts {
		of(n.queue).add(n, now)
	}
	for _, m := range minutes {
		if m.at.Before(now.Truncate(time.Minute)) {
			of(m.queue).Throughput += float64(m.completed) / 60
		}
	}
	list := make([]QueueState, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s := all[name]
		s.Concurrency = q.workers(name)
		list = append(list, *s)
	}
	return list, nil
}

func (s *QueueState) add(n count, now time.Time) {
	switch stateOf(n.state) {
	case Available:
		s.Waiting += n.n
		s.OldestWait = max(0, now.Sub(n.first).Seconds())
	case Running:
		s.Running += n.n
	case Scheduled:
		s.Scheduled += n.n
	case Retrying:
		s.Retrying += n.n
	case Dead:
		s.Dead += n.n
	}
}

// queueNames are the queues that handlers use.
func (q *Queue) queueNames() map[string]bool {
	names := map[string]bool{}
	for _, h := range q.handlers {
		names[h.queue] = true
	}
	return names
}

// KnowsQueue reports whether there is such a queue.
func (q *Queue) KnowsQueue(name string) bool { return q.queueNames()[name] }

// QueueState returns how one queue is, or ErrQueueNotFound.
func (q *Queue) QueueState(ctx context.Context, name string) (QueueState, error) {
	all, err := q.Queues(ctx)
	if err != nil {
		return QueueState{}, err
	}
	i := slices.IndexFunc(all, func(s QueueState) bool { return s.Name == name })
	if i < 0 {
		return QueueState{}, ErrQueueNotFound
	}
	return all[i], nil
}

// Retry lets a job run again now, in tx: one that is dead or was cancelled, or that waits
// for its time. One that completed runs once more.
func (q *Queue) Retry(ctx context.Context, tx *db.Tx, job ID) (Job, error) {
	changed, err := retryJob(ctx, tx, job, q.now())
	if err != nil {
		return Job{}, err
	}
	j, err := known(jobByID(ctx, tx, job))
	if err == nil && !changed && j.State == Running {
		err = ErrRunning
	}
	return j, err
}

// RetryDead lets up to n dead jobs run again, in tx, of one kind or of all; it returns how many.
func (q *Queue) RetryDead(ctx context.Context, tx *db.Tx, kind string, n int) (int64, error) {
	return retryDead(ctx, tx, kind, q.now(), n)
}

// Cancel says in tx that a job is not to run, or to stop when it is running.
func (q *Queue) Cancel(ctx context.Context, tx *db.Tx, job ID) (Job, error) {
	j, err := known(jobByID(ctx, tx, job))
	if err != nil {
		return j, err
	}
	if j.FinishedAt != nil {
		return j, ErrFinished
	}
	if err := q.client.cancel(ctx, tx, job); err != nil {
		return j, fmt.Errorf("cancel %v: %w", job, err)
	}
	return known(jobByID(ctx, tx, job))
}

// Delete removes a job in tx, unless it is running.
func (q *Queue) Delete(ctx context.Context, tx *db.Tx, job ID) (Job, error) {
	j, err := known(jobByID(ctx, tx, job))
	if err != nil {
		return j, err
	}
	gone, err := deleteJob(ctx, tx, job)
	if err == nil && !gone {
		err = ErrRunning
	}
	return j, err
}

// Pause stops, on every node, that jobs of a queue are begun; those that run go on. It
// reports whether that changed anything.
func (q *Queue) Pause(ctx context.Context, tx *db.Tx, queue string) (bool, error) {
	return q.setPaused(ctx, tx, queue, true)
}

// Resume ends what Pause began.
func (q *Queue) Resume(ctx context.Context, tx *db.Tx, queue string) (bool, error) {
	return q.setPaused(ctx, tx, queue, false)
}

func (q *Queue) setPaused(ctx context.Context, tx *db.Tx, queue string, paused bool) (bool, error) {
	if !q.KnowsQueue(queue) {
		return false, ErrQueueNotFound
	}
	if err := ensureQueue(ctx, tx, queue, q.now()); err != nil {
		return false, err
	}
	are, err := pausedQueues(ctx, tx)
	if err != nil || (are[queue] != nil) == paused {
		return false, err
	}
	return true, q.client.pause(ctx, tx, queue, paused)
}
