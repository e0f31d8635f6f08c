package ops

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tenonhq/tenon/modules/audit"
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
	mu   sync.Mutex
	last *look
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
	sharedFor = time.Second // how old a finding may be
	patience  = time.Second // how long the database may take to answer
)

// look is one look at the dependencies, shared by all who ask meanwhile.
type look struct {
	began time.Time
	done  chan struct{}
	found finding // once done is closed
}

func (l *look) usable(now time.Time) bool {
	select {
	case <-l.done:
		return now.Sub(l.began) < sharedFor
	default:
		return true // it is bounded by patience
	}
}

// find returns what the last look found, or looks anew. It fails only with ctx.
func (s *Service) find(ctx context.Context) (finding, error) {
	l := s.current(ctx)
	select {
	case <-l.done:
		return l.found, nil
	case <-ctx.Done():
		return finding{}, ctx.Err()
	}
}

func (s *Service) current(ctx context.Context) *look {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil || !s.last.usable(s.Now()) {
		l := &look{began: s.Now(), done: make(chan struct{})}
		s.last = l
		// The caller may hang up; the others still want to know.
		go s.look(context.WithoutCancel(ctx), l)
	}
	return s.last
}

func (s *Service) look(ctx context.Context, l *look) {
	defer close(l.done)
	l.found = finding{database: OK, cache: OK}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.DB.Ping(ctx); err != nil {
		s.Log.WarnContext(ctx, "the database does not answer", "err", err)
		l.found.database = Unavailable
	}
	l.found.latency = s.Now().Sub(l.began)
	if s.Redis != nil && !s.Redis.Healthy() {
		l.found.cache = Degraded
	}
}
