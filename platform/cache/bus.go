// Package cache remembers values that were derived from rows, and forgets them when
// the rows change: at once in this process, within a second on every node.
//
// It owns the table cache_invalidations. A change is a row written in the changing
// transaction, and nodes poll the rows: no push has to arrive. A value that was
// loaded before a change is never served to anyone who asks after it took effect.
package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/redis"
)

const (
	margin     = 10 * time.Second       // a commit may still succeed after its client gave up
	hurryGap   = 50 * time.Millisecond  // between polls that hints ask for
	retention  = 15 * time.Minute       // of rows
	history    = 10 * time.Minute       // how far back a node can catch up; below retention
	purgeEvery = time.Minute            // also by every other node: deleting twice is harmless
	hints      = "cache_invalidations"  // the Redis channel
	reason     = "cache: invalidations" // they belong to no tenant
)

// Tag names something that cached values were derived from, such as {"account", id}.
// The zero ID is allowed: it stands for all of the kind, to who tags values so.
type Tag struct {
	Kind string
	ID   [16]byte
}

// TagOf returns the tag of an entity.
func TagOf[K id.Kind](kind string, i id.ID[K]) Tag { return Tag{Kind: kind, ID: i} }

// Options configure a Bus. Now and Log are required.
type Options struct {
	DB    *db.DB        // nil: values only expire
	Redis *redis.Client // nil: other nodes notice at their next poll
	Now   clock.Now
	Log   *slog.Logger

	Poll     time.Duration // how often changes by other processes are looked for; 300 ms
	MaxStale time.Duration // age of the last good poll, or of a value itself, beyond which it is not served; 900 ms
	MaxTx    time.Duration // the longest a transaction may last, see db.Config; 30 s
}

// Bus knows which tags changed, on this node and on others. One per process.
type Bus struct {
	o      Options
	began  time.Time // with its monotonic reading, which a clock set back does not move
	polled atomic.Int64

	seq      atomic.Uint64 // of the latest change known here
	mu       sync.RWMutex
	memory   memory
	watchers map[Tag][]chan struct{}

	wake, publish chan struct{}
}

// NewBus returns a Bus that knows of no change yet.
func NewBus(o Options) *Bus {
	or := func(d *time.Duration, standard time.Duration) {
		if *d == 0 {
			*d = standard
		}
	}
	or(&o.Poll, 300*time.Millisecond)
	or(&o.MaxStale, 900*time.Millisecond)
	or(&o.MaxTx, 30*time.Second)
	b := &Bus{o: o, began: time.Now(), wake: make(chan struct{}, 1), publish: make(chan struct{}, 1), watchers: map[Tag][]chan struct{}{}}
	b.polled.Store(never)
	b.memory = newMemory(MaxSharedTTL+o.MaxTx+margin, o.MaxTx+2*margin)
	return b
}

// never is the time of the last good poll before the first one.
const never = int64(-1 << 62)

// Invalidate says, in the transaction that changes them, which things changed. It takes
// effect when tx commits, and not at all when tx is rolled back.
func (b *Bus) Invalidate(ctx context.Context, tx *db.Tx, tags ...Tag) error {
	if len(tags) == 0 {
		return nil
	}
	rows := make([]row, len(tags))
	for i, t := range tags {
		rows[i] = row{id.New[rowKind](), t}
	}
	if err := insertRows(ctx, tx, rows); err != nil {
		return fmt.Errorf("invalidate cached values: %w", err)
	}
	tx.AfterCommit(func() {
		b.apply(rows)
		signal(b.publish)
	})
	return nil
}

// Watch returns a channel that gets a value after tag changed, or may have. It is for who
// keeps serving what they have while the database is away, and so cannot use a Memo:
// several changes may arrive as one, so load anew whatever tag stands for.
func (b *Bus) Watch(tag Tag) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed := make(chan struct{}, 1)
	b.watchers[tag] = append(b.watchers[tag], changed)
	return changed
}

// Fresh reports whether this node knows of all changes older than MaxStale; while it
// does not, nothing is served that was loaded longer ago than that. In the one process of
// SQLite it always does.
func (b *Bus) Fresh() bool {
	if b.o.DB == nil || b.o.DB.Dialect() == db.SQLite {
		return true
	}
	return int64(time.Since(b.began))-b.polled.Load() <= int64(b.o.MaxStale)
}

// Mark is the moment at which a load began. Take it before reading anything.
type Mark struct {
	seq   uint64
	at    time.Time
	after time.Duration // since the Bus began
}

// Begin marks the beginning of a load whose result Memo.Put will remember.
func (b *Bus) Begin() Mark { return Mark{b.seq.Load(), b.o.Now(), time.Since(b.began)} }

// current reports whether what was loaded from m on may be served: all changes older than
// MaxStale are known, or the load saw them itself. Without the latter a node that is too busy to
// poll in time would load everything each time, and be busier still.
func (b *Bus) current(m Mark) bool {
	return b.Fresh() || time.Since(b.began)-m.after <= b.o.MaxStale
}

// Run looks for changes by other processes until ctx is done. With SQLite that is
// the command line beside the server; with PostgreSQL nothing is served from a cache
// without it.
func (b *Bus) Run(ctx context.Context) error {
	if b.o.DB == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	var side sync.WaitGroup
	defer side.Wait()
	if b.o.Redis != nil {
		side.Go(func() { b.o.Redis.Subscribe(ctx, hints, func([]byte) { signal(b.wake) }) })
		side.Go(func() { b.hasten(ctx) })
	}
	side.Go(func() { b.purge(ctx) })

	failing := false
	for ctx.Err() == nil {
		began := time.Now()
		err := b.poll(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !failing:
			b.o.Log.Error("invalidations cannot be read: values are cached for less than a second", "error", err)
		case err == nil && failing:
			b.o.Log.Info("invalidations are read again")
		}
		failing = err != nil
		b.rest(ctx, began)
	}
	return ctx.Err()
}

// poll applies what is new. It reads as far back as a transaction may have stayed open
// since the last good poll, because rows become visible in the order of commits, which
// is neither the order of their ids nor that of their times.
func (b *Bus) poll(ctx context.Context) error {
	began := time.Since(b.began)
	reach, missed := history, false
	if last := b.polled.Load(); last != never {
		reach = began - time.Duration(last) + b.o.MaxTx + margin
		if reach > history {
			reach, missed = history, true
		}
	}
	limited, cancel := context.WithTimeout(ctx, max(b.o.Poll, b.o.MaxStale))
	defer cancel()
	rows, err := rowsSince(limited, b.o.DB.Platform(reason), reach)
	if err != nil {
		return fmt.Errorf("read invalidations: %w", err)
	}
	if missed {
		b.applyAll()
	}
	b.apply(rows)
	b.polled.Store(int64(began))
	return nil
}

// rest waits for the next poll: its time, or a hint.
func (b *Bus) rest(ctx context.Context, began time.Time) {
	timer := time.NewTimer(time.Until(began.Add(b.o.Poll)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-b.wake:
		gap := time.NewTimer(time.Until(began.Add(min(hurryGap, b.o.Poll))))
		defer gap.Stop()
		select {
		case <-ctx.Done():
		case <-gap.C:
		}
	}
}

// hasten tells other nodes to poll now. A lost hint costs them one interval.
func (b *Bus) hasten(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.publish:
			_ = b.o.Redis.Publish(ctx, hints, nil) // the client logs its own failures, and polls follow anyway
		}
	}
}

func (b *Bus) purge(ctx context.Context) {
	ticker := time.NewTicker(purgeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			err := deleteRowsOlderThan(ctx, b.o.DB.Platform(reason), retention)
			if err != nil && !errors.Is(err, context.Canceled) {
				b.o.Log.Warn("old invalidations stay for another minute", "error", err)
			}
		}
	}
}

// apply makes changes effective in this process, each row once. The memory is written
// before seq: who sees the new seq finds the change.
func (b *Bus) apply(rows []row) {
	if len(rows) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.seq.Load() + 1
	changed := b.memory.note(rows, next, time.Since(b.began))
	if len(changed) == 0 {
		return
	}
	b.seq.Store(next)
	for _, tag := range changed {
		for _, w := range b.watchers[tag] {
			signal(w)
		}
	}
}

// applyAll is the change of everything.
func (b *Bus) applyAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.seq.Load() + 1
	b.memory.forget(next, time.Since(b.began))
	b.seq.Store(next)
	for _, watching := range b.watchers {
		for _, w := range watching {
			signal(w)
		}
	}
}

// unchanged reports whether none of tags changed since a load began at seq. verified
// remembers up to where that was looked up, and spares the next look.
func (b *Bus) unchanged(since uint64, tags []Tag, verified *atomic.Uint64) bool {
	now := b.seq.Load()
	if now == since || now == verified.Load() {
		return true
	}
	b.mu.RLock()
	changed := b.memory.changed(since, tags)
	b.mu.RUnlock()
	if !changed {
		verified.Store(now)
	}
	return !changed
}

// keep makes the Bus remember changes at least as long as a value lives.
func (b *Bus) keep(ttl time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.memory.tags.age = max(b.memory.tags.age, ttl)
}

func (b *Bus) version(tags []Tag) version {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.memory.version(tags, time.Since(b.began))
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
