package ops

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/blob"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/redis"
	"github.com/tenonhq/tenon/platform/secret"
)

// Deps is what the module needs. Every field but Redis is required.
type Deps struct {
	DB    *db.DB
	Audit *audit.Service
	Redis *redis.Client // nil where the cache is this process alone
	Keys  *secret.Keyring
	Jobs  *jobs.Queue
	Blobs blob.Store
	// Sealed lists the encrypted columns of all modules.
	Sealed func() []secret.Column
	// Ready returns why this process should get no requests: it is starting, its
	// migrations are not applied, it is about to stop. It is asked on every request
	// for readiness, so it must be cheap.
	Ready func() error
	Now   clock.Now
	Log   *slog.Logger
}

// Service knows how the process is.
type Service struct {
	Deps
	vital   shared[finding]
	storage shared[Status]
	queues  shared[Status]
}

// New returns the service.
func New(d Deps) *Service { return &Service{Deps: d} }

// RotateKey makes a new key. What the old one encrypted is encrypted anew once every
// process uses the new one.
func (s *Service) RotateKey(ctx context.Context, use secret.Use) error {
	if err := s.Keys.Rotate(ctx, use); err != nil || use != secret.Encryption {
		return err
	}
	return s.DB.Platform(resealing).Tx(ctx, func(tx *db.Tx) error {
		return s.Jobs.Enqueue(ctx, tx, Reseal{}, jobs.At(s.Now().Add(2*secret.Settle)))
	})
}

// Health reports how the dependencies are, as found at most a second ago.
func (s *Service) Health(ctx context.Context) (Health, error) {
	f, err := s.find(ctx)
	return f.health(), err
}

// Database reports how the database is, as found at most a second ago.
func (s *Service) Database(ctx context.Context) (Database, error) {
	f, err := s.find(ctx)
	return f.databaseOnly(), err
}

// Readiness reports whether this process should get requests: as Health, and
// unavailable while Ready says so.
func (s *Service) Readiness(ctx context.Context) (Health, error) {
	h, err := s.Health(ctx)
	if err != nil {
		return h, err
	}
	if why := s.Ready(); why != nil {
		s.Log.DebugContext(ctx, "not ready", "err", why)
		h.Status = Unavailable
	}
	return h, nil
}

const (
	sharedFor   = time.Second // how old a finding may be
	patience    = time.Second // how long the database may take to answer
	storageWait = 5 * time.Second
	// longWait is how long jobs wait where too few processes run them, or none.
	longWait = 5 * time.Minute
)

// find looks at what every request needs.
func (s *Service) find(ctx context.Context) (finding, error) {
	return s.vital.find(ctx, s.Now, func(ctx context.Context) finding {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		f, began := finding{database: OK, cache: OK}, s.Now()
		if err := s.DB.Ping(ctx); err != nil {
			s.Log.WarnContext(ctx, "the database does not answer", "err", err)
			f.database = Unavailable
		}
		f.latency = s.Now().Sub(began)
		if s.Redis != nil && !s.Redis.Healthy() {
			f.cache = Degraded
		}
		return f
	})
}

// Cache reports how Redis is: off where there is none, and none is missed.
func (s *Service) Cache() Status {
	switch {
	case s.Redis == nil:
		return Off
	case s.Redis.Healthy():
		return OK
	}
	return Degraded
}

// Storage reports whether files can be reached, by asking for one that nobody has.
func (s *Service) Storage(ctx context.Context) (Status, error) {
	return s.storage.find(ctx, s.Now, func(ctx context.Context) Status {
		ctx, cancel := context.WithTimeout(ctx, storageWait)
		defer cancel()
		if _, err := s.Blobs.Open(ctx, "health/none"); !errors.Is(err, blob.ErrNotFound) {
			s.Log.WarnContext(ctx, "files cannot be reached", "err", err)
			return Unavailable
		}
		return OK
	})
}

// Queues reports whether jobs are run: degraded, where some have waited for long.
func (s *Service) Queues(ctx context.Context) (Status, error) {
	return s.queues.find(ctx, s.Now, func(ctx context.Context) Status {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		all, err := s.Jobs.Queues(ctx)
		if err != nil {
			s.Log.WarnContext(ctx, "the queues cannot be read", "err", err)
			return Unavailable
		}
		for _, q := range all {
			if slow(q) {
				s.Log.WarnContext(ctx, "jobs wait for long", "queue", q.Name, "oldest_wait_seconds", q.OldestWait)
				return Degraded
			}
		}
		return OK
	})
}

func slow(q jobs.QueueState) bool { return !q.Paused && q.OldestWait > longWait.Seconds() }

// shared is a finding of one look, shared by all who ask meanwhile and for a second after.
type shared[T any] struct {
	mu   sync.Mutex
	last *look[T]
}

type look[T any] struct {
	began time.Time
	done  chan struct{}
	found T // once done is closed
}

func (l *look[T]) usable(now time.Time) bool {
	select {
	case <-l.done:
		return now.Sub(l.began) < sharedFor
	default:
		return true // every look has an end
	}
}

// find returns what the last look found, or looks anew. It fails only with ctx.
func (s *shared[T]) find(ctx context.Context, now clock.Now, how func(context.Context) T) (T, error) {
	l := s.current(ctx, now(), how)
	select {
	case <-l.done:
		return l.found, nil
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func (s *shared[T]) current(ctx context.Context, now time.Time, how func(context.Context) T) *look[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil || !s.last.usable(now) {
		l := &look[T]{began: now, done: make(chan struct{})}
		s.last = l
		go func() {
			defer close(l.done)
			l.found = how(context.WithoutCancel(ctx)) // the caller may hang up; the others still want to know
		}()
	}
	return s.last
}
