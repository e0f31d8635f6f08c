package cache

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenonhq/tenon/platform/errs"
)

// MemoOptions configure a Memo.
type MemoOptions struct {
	Name        string        // for errors
	TTL         time.Duration // how long a value is remembered at most; zero: not at all
	NegativeTTL time.Duration // how long "not found" is remembered; zero: not at all
	Size        int           // how many are remembered at most; 10,000 when zero
	Off         bool          // load every time
}

// Memo is a function that remembers its results. Its methods may be called from many
// goroutines; what it returns is shared, so nobody may change it.
type Memo[K comparable, V any] struct {
	bus     *Bus
	o       MemoOptions
	load    func(context.Context, K) (V, []Tag, error)
	entries entries // of *entry[K, V], by sum
	seed    maphash.Seed

	mu      sync.Mutex
	flights map[K]*flight[V]
}

type entry[K comparable, V any] struct {
	key      K
	value    V
	err      error // "not found", remembered
	tags     []Tag
	mark     Mark
	ttl      time.Duration
	verified atomic.Uint64
}

// Memoize returns load with a memory. load returns with its value the tags of all that
// the value was derived from; with an error of kind errs.NotFound, the tags whose change
// would let it be found. Other errors are never remembered. load must not read from a
// transaction that began before it was called.
func Memoize[K comparable, V any](b *Bus, o MemoOptions, load func(context.Context, K) (V, []Tag, error)) *Memo[K, V] {
	if o.Size <= 0 {
		o.Size = 10_000
	}
	o.Off = o.Off || o.TTL <= 0
	b.keep(max(o.TTL, o.NegativeTTL))
	return &Memo[K, V]{
		bus:     b,
		o:       o,
		load:    load,
		entries: newEntries(o.Size),
		seed:    maphash.MakeSeed(),
		flights: map[K]*flight[V]{},
	}
}

// Get returns the value of k, remembered or loaded. Callers that need the same value at
// the same time share one load, which goes on while any of them waits.
func (m *Memo[K, V]) Get(ctx context.Context, k K) (V, error) {
	if m.o.Off {
		return m.loadAlone(ctx, k)
	}
	if e, ok := m.entries.get(m.sum(k)).(*entry[K, V]); ok && e.key == k && m.bus.current(e.mark) && m.usable(e) {
		return e.value, e.err
	}
	return m.loadShared(ctx, k)
}

// Put remembers a value that the caller loaded by other means. mark is from Bus.Begin,
// taken before the load; if one of tags changed since then, nothing is remembered.
func (m *Memo[K, V]) Put(mark Mark, k K, v V, tags ...Tag) {
	m.remember(k, mark, v, tags, nil)
}

// sum is where k is remembered. Of two keys with one sum, which hardly ever are, one is
// remembered at a time.
func (m *Memo[K, V]) sum(k K) uint64 { return maphash.Comparable(m.seed, k) }

func (m *Memo[K, V]) usable(e *entry[K, V]) bool {
	age := m.bus.o.Now().Sub(e.mark.at)
	return age >= 0 && age < e.ttl && m.bus.unchanged(e.mark.seq, e.tags, &e.verified)
}

func (m *Memo[K, V]) remember(k K, mark Mark, v V, tags []Tag, err error) {
	e := &entry[K, V]{key: k, value: v, err: err, tags: tags, mark: mark, ttl: m.o.TTL}
	if err != nil {
		e.ttl = m.o.NegativeTTL
	}
	if !m.o.Off && (err == nil || isNotFound(err)) && m.usable(e) {
		m.entries.set(m.sum(k), e)
	}
}

func (m *Memo[K, V]) loadAlone(ctx context.Context, k K) (V, error) {
	mark := m.bus.Begin()
	v, tags, err := m.load(ctx, k)
	m.remember(k, mark, v, tags, err)
	return v, err
}

// flight is one load that several callers wait for.
type flight[V any] struct {
	mark    Mark
	cancel  context.CancelFunc
	waiting int // guarded by Memo.mu
	done    chan struct{}

	// Set before done is closed.
	value    V
	tags     []Tag
	err      error
	panicked error
}

func (m *Memo[K, V]) loadShared(ctx context.Context, k K) (V, error) {
	arrived := m.bus.seq.Load()
	f := m.join(ctx, k)
	defer m.leave(k, f)
	select {
	case <-f.done:
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
	if f.panicked != nil {
		panic(f.panicked)
	}
	if arrived > f.mark.seq && m.outdated(f) {
		return m.loadAlone(ctx, k)
	}
	return f.value, f.err
}

// outdated reports whether a flight is of no use to a caller that came after some change:
// one of its tags changed since it began, or, having failed, it cannot tell its tags.
func (m *Memo[K, V]) outdated(f *flight[V]) bool {
	var verified atomic.Uint64
	return f.err != nil && !isNotFound(f.err) || !m.bus.unchanged(f.mark.seq, f.tags, &verified)
}

// join returns the flight for k, which it starts if there is none.
func (m *Memo[K, V]) join(ctx context.Context, k K) *flight[V] {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f, ok := m.flights[k]; ok && m.bus.current(f.mark) {
		f.waiting++
		return f
	}
	// The load keeps the first caller's values, such as its trace, but not its end.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight[V]{mark: m.bus.Begin(), cancel: cancel, waiting: 1, done: make(chan struct{})}
	m.flights[k] = f
	go m.fly(ctx, k, f)
	return f
}

// leave ends the load when nobody waits for it any more.
func (m *Memo[K, V]) leave(k K, f *flight[V]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.waiting--; f.waiting == 0 {
		f.cancel()
		m.land(k, f)
	}
}

// land lets the next caller start a flight of its own; m.mu is held.
func (m *Memo[K, V]) land(k K, f *flight[V]) {
	if m.flights[k] == f {
		delete(m.flights, k)
	}
}

func (m *Memo[K, V]) fly(ctx context.Context, k K, f *flight[V]) {
	f.err = fmt.Errorf("load %s: %w", m.o.Name, errNoResult)
	defer func() {
		// A panic belongs to the callers, who may recover from it; here it would end the process.
		if p := recover(); p != nil {
			f.panicked = fmt.Errorf("load %s: panic: %v\n%s", m.o.Name, p, debug.Stack())
		}
		m.mu.Lock()
		m.land(k, f)
		m.mu.Unlock()
		close(f.done)
	}()
	v, tags, err := m.load(ctx, k)
	f.value, f.tags, f.err = v, tags, err
	m.remember(k, f.mark, v, tags, err)
}

var errNoResult = errors.New("the load ended without a result")

func isNotFound(err error) bool { return err != nil && errs.KindOf(err) == errs.NotFound }
