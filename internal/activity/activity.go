// Package activity remembers what was used when, until it is written down: once a
// minute, and once more at the end. A request that uses something costs no write.
package activity

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Log remembers the latest use of each K. Its methods may be called from many goroutines.
type Log[K comparable, V any] struct {
	write func(ctx context.Context, uses []Use[K, V]) error
	log   *slog.Logger

	mu   sync.Mutex
	seen map[K]V
}

// Use is the latest use of something since the last time that it was written down.
type Use[K comparable, V any] struct {
	What K
	Use  V
}

// New returns an empty log. write keeps a few hundred uses, in one transaction; what it
// fails to keep is lost but for a warning: the next minute tells nearly the same.
func New[K comparable, V any](log *slog.Logger, write func(ctx context.Context, uses []Use[K, V]) error) *Log[K, V] {
	return &Log[K, V]{write: write, log: log, seen: map[K]V{}}
}

// Saw notes a use.
func (l *Log[K, V]) Saw(what K, use V) {
	l.mu.Lock()
	l.seen[what] = use
	l.mu.Unlock()
}

// Last returns the latest use that is not written down yet, as far as this node knows.
func (l *Log[K, V]) Last(what K) (V, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	use, ok := l.seen[what]
	return use, ok
}

const (
	// every is how exact "last used" is.
	every = time.Minute
	// chunk keeps the transactions of a busy minute short.
	chunk = 200
)

// Run writes down what was used until ctx is done.
func (l *Log[K, V]) Run(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			l.Flush(last)
			return nil
		case <-tick.C:
			l.Flush(ctx)
		}
	}
}

// Flush writes down what was used since the last time.
func (l *Log[K, V]) Flush(ctx context.Context) {
	uses := make([]Use[K, V], 0, chunk)
	write := func() {
		if len(uses) == 0 {
			return
		}
		if err := l.write(ctx, uses); err != nil {
			l.log.WarnContext(ctx, "write down activity", "err", err)
		}
		uses = uses[:0]
	}
	for what, use := range l.take() {
		if uses = append(uses, Use[K, V]{what, use}); len(uses) == chunk {
			write()
		}
	}
	write()
}

func (l *Log[K, V]) take() map[K]V {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.seen
	l.seen = make(map[K]V, len(taken))
	return taken
}
