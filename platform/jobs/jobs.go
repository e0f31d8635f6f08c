// Package jobs does work later. A job is a struct of ids; enqueueing one is an
// INSERT in the caller's transaction, so it exists exactly if the change does.
//
// Jobs run at least once, possibly twice, and are written so that this is safe.
// Events travel the same way: publishing one enqueues a job for each subscriber.
package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

// Args is a job, or an event: a struct of ids that becomes JSON.
type Args interface {
	// Kind names the job "module.verb", the event "module.fact". It is never renamed.
	Kind() string
	// Scope says whose rows it is about; the worker opens that connection.
	Scope() Scope
}

// Scope is whose rows a job works on.
type Scope struct {
	org     id.Org
	account id.Account
	reason  string
}

// InOrg is the scope of a job that works within one organization.
func InOrg(org id.Org) Scope { return Scope{org: org} }

// OfAccount is the scope of a job about one person, across organizations.
func OfAccount(account id.Account) Scope { return Scope{account: account} }

// OnPlatform is the scope of a job that belongs to no tenant; reason says why.
func OnPlatform(reason string) Scope { return Scope{reason: reason} }

// Org is the organization of the scope, if it is one.
func (s Scope) Org() id.Org { return s.org }

// Account is the account of the scope, if it is one.
func (s Scope) Account() id.Account { return s.account }

func (s Scope) connect(d *db.DB) db.Conn {
	switch {
	case !s.org.IsZero():
		return d.Org(s.org)
	case !s.account.IsZero():
		return d.Account(s.account)
	}
	return d.Platform(s.reason)
}

// Handler runs the jobs of one kind.
type Handler struct {
	Kind string

	attempts int
	timeout  time.Duration
	queue    string
	workers  int // of the queue; 0 when nothing is said
	sealed   bool
	run      func(ctx context.Context, d *db.DB, payload []byte) error
}

// On declares how to run a job of type A.
func On[A Args](fn func(ctx context.Context, c db.Conn, job A) error, options ...HandlerOption) Handler {
	var zero A
	h := Handler{Kind: zero.Kind(), attempts: 25, timeout: time.Minute, queue: "default", run: decoded(fn)}
	for _, o := range options {
		o(&h)
	}
	return h
}

// HandlerOption changes how jobs of a kind are run.
type HandlerOption func(*Handler)

// Attempts is how often a failing job is tried before it is dead; the n-th retry
// waits n⁴ seconds. 25, about three weeks, when not set.
func Attempts(n int) HandlerOption { return func(h *Handler) { h.attempts = n } }

// Timeout is how long one attempt may take; a minute, when not set.
func Timeout(d time.Duration) HandlerOption { return func(h *Handler) { h.timeout = d } }

// InQueue runs the jobs in a queue of their own, so that a pile of them holds up no others.
func InQueue(name string) HandlerOption { return func(h *Handler) { h.queue = name } }

// Workers is how many jobs of the handler's queue run at once in a process, at most: for
// what takes memory, or keeps a neighbour busy. Where the handlers of a queue differ, the
// least holds. TENON_QUEUE_WORKERS overrules it.
func Workers(n int) HandlerOption { return func(h *Handler) { h.workers = n } }

// Sealed keeps the arguments of the jobs from everybody, administrators included.
func Sealed() HandlerOption { return func(h *Handler) { h.sealed = true } }

func decoded[A Args](fn func(context.Context, db.Conn, A) error) func(context.Context, *db.DB, []byte) error {
	return func(ctx context.Context, d *db.DB, payload []byte) error {
		var a A
		if err := json.Unmarshal(payload, &a); err != nil {
			return Cancel(fmt.Errorf("decode the arguments: %w", err))
		}
		return fn(ctx, a.Scope().connect(d), a)
	}
}

// Subscription is a module's reaction to an event.
type Subscription struct {
	Event   string
	Handler Handler
}

// Subscribe declares that module reacts to events of type E.
func Subscribe[E Args](module string, fn func(ctx context.Context, c db.Conn, event E) error, options ...HandlerOption) Subscription {
	h := On(fn, options...)
	event := h.Kind
	h.Kind = event + ">" + module
	return Subscription{Event: event, Handler: h}
}

// Option changes when one job runs.
type Option func(*insert)

type insert struct {
	at       time.Time
	priority int
	unique   bool
	periodic bool
}

// At delays the job until t.
func At(t time.Time) Option { return func(i *insert) { i.at = t } }

// Urgent lets the job overtake others of its queue.
func Urgent() Option { return func(i *insert) { i.priority = urgent } }

// periodically enqueues nothing while the job of the time before waits or runs: where a
// queue is paused, one run is enough to catch up.
func periodically() Option { return func(i *insert) { i.periodic = true } }

const (
	urgent = 1
	usual  = 2
)

// Unique enqueues nothing while an equal job waits or runs. It is for jobs that look
// for what is to be done: one that runs already may have looked too early, so what
// must not be missed is enqueued without it.
func Unique() Option { return func(i *insert) { i.unique = true } }
