package jobs

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"github.com/tenonhq/tenon/platform/authz"
)

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
	began := time.Now()
	err := w.attempt(ctx, job.Args.payload)
	ended := time.Now()
	w.q.meter.note(w.handler.queue, ended.UTC(), max(0, began.Sub(job.ScheduledAt)), ended.Sub(began), err != nil)
	if err == nil {
		return nil
	}
	err = shorten(err)
	if errors.Is(ctx.Err(), context.Canceled) {
		w.q.log.WarnContext(ctx, "job interrupted", "job", w.handler.Kind, "job_id", job.ID, "attempt", job.Attempt)
		return err
	}
	w.q.log.WarnContext(ctx, "job failed", "job", w.handler.Kind, "job_id", job.ID, "attempt", job.Attempt, "of", job.MaxAttempts, "err", err)
	if _, final := errors.AsType[cancelled](err); final {
		job.MaxAttempts = job.Attempt // River takes it for the last, and the job is dead; the row keeps its own number
	}
	return err
}

// grace is how long a job may take to notice that its time is up.
const grace = 5 * time.Second

var errAbandoned = errors.New("it went on after its time was up, without looking at its context, and was left behind")

// attempt runs the job once. One that panics fails, and one that does not stop when it is
// told to is left behind, so that it holds up no other: it is not tried again, since each
// attempt would take one more processor.
func (w *worker) attempt(ctx context.Context, payload []byte) error {
	done := make(chan error, 1)
	go func() { done <- w.guarded(ctx, payload) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(grace):
	}
	w.q.log.ErrorContext(ctx, "a job does not stop; it is left behind until the process ends", "job", w.handler.Kind, "job_id", InfoFrom(ctx).ID)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return Cancel(errAbandoned)
	}
	return ctx.Err()
}

// guarded turns a panic into an error that ends with the stack.
func (w *worker) guarded(ctx context.Context, payload []byte) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked{shortText(fmt.Sprint("panic: ", v), maxError) + "\n\n" + shortText(string(debug.Stack()), maxTrace)}
		}
	}()
	return w.handler.run(ctx, w.q.db, payload)
}

type panicked struct{ text string }

func (p panicked) Error() string { return p.text }

const (
	maxError = 8 << 10
	maxTrace = 16 << 10
)

// shortened is an error whose text the database can take.
type shortened struct {
	error
	text string
}

func (s shortened) Error() string { return s.text }
func (s shortened) Unwrap() error { return s.error }

func shorten(err error) error {
	limit := maxError
	if _, ok := errors.AsType[panicked](err); ok {
		limit += maxTrace + 2
	}
	return shortened{err, shortText(err.Error(), limit)}
}

// shortText is text that PostgreSQL stores: no more than limit, and no zero bytes.
func shortText(text string, limit int) string {
	if len(text) > limit {
		text = text[:limit-3] + "..."
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", "?")
}

// splitTrace parts the text of an error from the stack of a panic.
func splitTrace(text string) (message, trace string) {
	message, trace, found := strings.Cut(text, "\n\ngoroutine ")
	if !found {
		return text, ""
	}
	return message, "goroutine " + trace
}

// Info is what a running job may know of itself.
type Info struct {
	ID      int64
	Attempt int // 1 on the first
}

type infoKey struct{}

// InfoFrom returns what the job running in ctx knows of itself.
func InfoFrom(ctx context.Context) Info { i, _ := ctx.Value(infoKey{}).(Info); return i }

// Cancel marks an error as final: the job is not tried again. It is dead at once, and
// stays to be seen.
func Cancel(err error) error { return cancelled{err} }

type cancelled struct{ error }

func (c cancelled) Unwrap() error { return c.error }
