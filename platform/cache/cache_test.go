package cache_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/cache"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/redis"
	"github.com/tenonhq/tenon/tenontest/servers"
)

var (
	quiet  = slog.New(slog.DiscardHandler)
	absent = errs.New(errs.NotFound, "test.absent", "There is no such thing.")
	alice  = cache.TagOf("account", id.New[accountKind]())
	bob    = cache.TagOf("account", id.New[accountKind]())
)

type accountKind struct{}

func (accountKind) Prefix() string { return "acc" }

// memo is a Memo over a value that the test changes, and counts its loads.
type memo struct {
	*cache.Memo[string, int64]
	value, loads atomic.Int64
}

func newMemo(b *cache.Bus, o cache.MemoOptions, tags ...cache.Tag) *memo {
	m := &memo{}
	m.Memo = cache.Memoize(b, o, func(context.Context, string) (int64, []cache.Tag, error) {
		m.loads.Add(1)
		return m.value.Load(), tags, nil
	})
	return m
}

func (m *memo) wants(t *testing.T, value, loads int64) {
	t.Helper()
	got, err := m.Get(t.Context(), "k")
	if err != nil || got != value || m.loads.Load() != loads {
		t.Fatalf("got %d (%v) after %d loads, want %d after %d", got, err, m.loads.Load(), value, loads)
	}
}

var minute = cache.MemoOptions{Name: "test", TTL: time.Minute}

func TestAValueIsLoadedOnceAndAgainWhenItsTimeIsUp(t *testing.T) {
	now := clock.NewManual(time.Now())
	m := newMemo(cache.NewBus(cache.Options{Now: now.Now, Log: quiet}), minute)
	m.wants(t, 0, 1)
	m.value.Store(7)
	now.Advance(time.Minute - time.Microsecond)
	m.wants(t, 0, 1)
	now.Advance(time.Microsecond)
	m.wants(t, 7, 2)
	now.Advance(-time.Hour)
	m.wants(t, 7, 3) // a clock set back does not prolong a life
}

func TestWhatIsSwitchedOffIsLoadedEachTime(t *testing.T) {
	b := cache.NewBus(cache.Options{Now: clock.System, Log: quiet})
	for _, o := range []cache.MemoOptions{{Off: true, TTL: time.Minute}, {}} {
		m := newMemo(b, o)
		m.wants(t, 0, 1)
		m.wants(t, 0, 2)
	}
}

func TestOnlyNotFoundIsRememberedAmongErrors(t *testing.T) {
	now := clock.NewManual(time.Now())
	b := cache.NewBus(cache.Options{Now: now.Now, Log: quiet})
	for _, c := range []struct {
		err   error
		loads int
	}{{absent.On("body.id"), 1}, {errors.New("broken"), 2}, {errs.New(errs.Forbidden, "test.no", "No."), 2}} {
		loads := 0
		m := cache.Memoize(b, cache.MemoOptions{TTL: time.Hour, NegativeTTL: time.Second}, func(context.Context, string) (int, []cache.Tag, error) {
			loads++
			return 0, nil, c.err
		})
		for range 2 {
			if _, err := m.Get(t.Context(), "k"); !errors.Is(err, c.err) {
				t.Fatalf("got %v, want %v", err, c.err)
			}
		}
		if loads != c.loads {
			t.Errorf("%v: %d loads, want %d", c.err, loads, c.loads)
		}
		now.Advance(time.Second)
		if _, _ = m.Get(t.Context(), "k"); loads != c.loads+1 {
			t.Errorf("%v was remembered longer than NegativeTTL", c.err)
		}
	}
}

func TestManyCallersShareOneLoad(t *testing.T) {
	b := cache.NewBus(cache.Options{Now: clock.System, Log: quiet})
	var loads atomic.Int64
	release := make(chan struct{})
	m := cache.Memoize(b, minute, func(context.Context, string) (int, []cache.Tag, error) {
		loads.Add(1)
		<-release
		return 7, nil, nil
	})
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if v, err := m.Get(t.Context(), "k"); v != 7 || err != nil {
				t.Errorf("got %d %v", v, err)
			}
		})
	}
	servers.Within(t, time.Second, "a load has begun", func() bool { return loads.Load() == 1 })
	close(release)
	wg.Wait()
	if loads.Load() != 1 {
		t.Fatalf("%d loads", loads.Load())
	}
}

func TestAPanicInALoadReachesItsCaller(t *testing.T) {
	b := cache.NewBus(cache.Options{Now: clock.System, Log: quiet})
	m := cache.Memoize(b, minute, func(context.Context, string) (int, []cache.Tag, error) { panic("oh no") })
	for range 2 {
		func() {
			defer func() {
				if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), "oh no") {
					t.Errorf("recovered %v", err)
				}
			}()
			_, err := m.Get(t.Context(), "k")
			t.Errorf("returned %v", err)
		}()
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	b := cache.NewBus(cache.Options{Now: clock.System, Log: quiet})
	var loads atomic.Int64
	m := cache.Memoize(b, cache.MemoOptions{TTL: time.Hour, Size: 100}, func(context.Context, int) (int, []cache.Tag, error) {
		loads.Add(1)
		return 0, nil, nil
	})
	get := func(k int) {
		if _, err := m.Get(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	for k := range 10_000 {
		get(k)
	}
	servers.Within(t, 5*time.Second, "most values are forgotten", func() bool {
		before := loads.Load()
		for k := range 10_000 {
			get(k)
		}
		return loads.Load()-before >= 9_800
	})
}

// each runs body on SQLite and on PostgreSQL, with a Bus that is running.
func each(t *testing.T, body func(t *testing.T, d *db.DB, b *cache.Bus)) {
	for _, product := range []string{"sqlite", "postgres"} {
		t.Run(product, func(t *testing.T) {
			var d *db.DB
			if product == "sqlite" {
				d = openDB(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
			} else {
				d = openDB(t, servers.Postgres(t).CreateDatabase(t))
			}
			body(t, d, runBus(t, cache.Options{DB: d}))
		})
	}
}

func TestACommittedInvalidationTakesEffectAtOnceAndARolledBackOneNever(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, b *cache.Bus) {
		m, other := newMemo(b, minute, alice), newMemo(b, minute, bob)
		m.wants(t, 0, 1)
		other.wants(t, 0, 1)
		m.value.Store(1)

		undo := errors.New("undo")
		err := d.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
			return errors.Join(b.Invalidate(t.Context(), tx, alice), undo)
		})
		if !errors.Is(err, undo) {
			t.Fatal(err)
		}
		m.wants(t, 0, 1)

		invalidate(t, d, b, alice, cache.Tag{Kind: "account"})
		m.wants(t, 1, 2)
		m.wants(t, 1, 2)
		other.wants(t, 0, 1)
	})
}

func TestATenantsTransactionMayInvalidate(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, b *cache.Bus) {
		m := newMemo(b, minute, alice)
		m.wants(t, 0, 1)
		err := d.Org(id.Org(alice.ID)).Tx(t.Context(), func(tx *db.Tx) error { return b.Invalidate(t.Context(), tx, alice) })
		if err != nil {
			t.Fatal(err)
		}
		m.wants(t, 0, 2)
	})
}

func TestALoadBegunBeforeAnInvalidationIsNeitherKeptNorShared(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, b *cache.Bus) {
		var value atomic.Int64
		read, release := make(chan struct{}), make(chan struct{})
		first := true
		m := cache.Memoize(b, minute, func(context.Context, string) (int64, []cache.Tag, error) {
			v := value.Load()
			if first {
				first = false
				close(read)
				<-release
			}
			return v, []cache.Tag{alice}, nil
		})
		early := make(chan int64)
		get := func() {
			v, err := m.Get(t.Context(), "k")
			if err != nil {
				t.Error(err)
			}
			early <- v
		}
		go get()
		<-read
		value.Store(1)
		invalidate(t, d, b, alice)
		go get() // arrives after the change, while the old load is under way
		time.AfterFunc(20*time.Millisecond, func() { close(release) })
		a, z := <-early, <-early
		if a+z != 1 {
			t.Fatalf("got %d and %d, want the old value for the early caller only", a, z)
		}
		if v, err := m.Get(t.Context(), "k"); v != 1 || err != nil {
			t.Fatalf("the old value was kept: %d %v", v, err)
		}
	})
}

func TestPutKeepsOnlyWhatWasLoadedAfterTheLastChange(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, b *cache.Bus) {
		m := newMemo(b, minute, alice)
		m.Put(b.Begin(), "k", 5, alice)
		m.wants(t, 5, 0)
		mark := b.Begin()
		invalidate(t, d, b, alice)
		m.Put(mark, "k", 6, alice)
		m.wants(t, 0, 1)
	})
}

func TestReadersNeverSeeAValueOlderThanTheCommit(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, b *cache.Bus) {
		m := newMemo(b, minute, alice)
		var committed atomic.Int64
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					atLeast := committed.Load()
					if v, err := m.Get(t.Context(), "k"); err != nil || v < atLeast {
						t.Errorf("got %d (%v), but %d was committed before", v, err, atLeast)
						return
					}
				}
			})
		}
		for n := range int64(100) {
			m.value.Store(n) // as visible as a committed row: the load reads it from now on
			invalidate(t, d, b, alice)
			committed.Store(n)
		}
		close(stop)
		wg.Wait()
	})
}

func TestAnotherNodeNoticesWithinASecondWithoutAnyPush(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t).CreateDatabase(t)
	d1, d2 := openDB(t, url), openDB(t, url)
	here, there := runBus(t, cache.Options{DB: d1}), runBus(t, cache.Options{DB: d2})
	m := newMemo(there, minute, alice)
	m.wants(t, 0, 1)
	invalidate(t, d1, here, alice)
	servers.Within(t, time.Second, "the other node loads again", func() bool {
		_, err := m.Get(t.Context(), "k")
		return err == nil && m.loads.Load() == 2
	})
}

func TestATransactionThatStayedOpenIsNoticedAlthoughLaterOnesCommittedBefore(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t).CreateDatabase(t)
	d1, d2 := openDB(t, url), openDB(t, url)
	here, there := runBus(t, cache.Options{DB: d1}), runBus(t, cache.Options{DB: d2})
	slow, quick := newMemo(there, minute, alice), newMemo(there, minute, bob)
	slow.wants(t, 0, 1)

	err := d1.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
		if err := here.Invalidate(t.Context(), tx, alice); err != nil {
			return err
		}
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			loads := quick.loads.Load()
			if _, err := quick.Get(t.Context(), "k"); err != nil {
				return err
			}
			if quick.loads.Load() == loads { // remembered: change it
				invalidate(t, d2, here, bob)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if quick.loads.Load() < 3 {
		t.Fatalf("the other transactions were not noticed meanwhile: %d loads", quick.loads.Load())
	}
	servers.Within(t, time.Second, "the slow transaction is noticed", func() bool {
		_, err := slow.Get(t.Context(), "k")
		return err == nil && slow.loads.Load() > 1
	})
	loads := slow.loads.Load()
	time.Sleep(time.Second) // three polls read the row again
	slow.wants(t, 0, loads)
}

func TestANodeThatCannotPollRemembersForLessThanASecond(t *testing.T) {
	t.Parallel()
	d := openDB(t, servers.Postgres(t).CreateDatabase(t))
	ctx, stop := context.WithCancel(t.Context())
	const moment = 900 * time.Millisecond
	b := cache.NewBus(cache.Options{DB: d, Now: clock.System, Log: quiet, MaxStale: moment})
	m := newMemo(b, minute, alice)
	unpolled := func() {
		before, began := m.loads.Load(), time.Now()
		last, changed := m.value.Load(), began
		for time.Since(began) < 3*moment {
			asked := time.Now()
			got, err := m.Get(t.Context(), "k")
			if err != nil {
				t.Fatal(err)
			}
			if got != last {
				if age := asked.Sub(changed); age > moment+100*time.Millisecond {
					t.Errorf("an old value was served %v after it changed", age)
				}
				last = got
			}
			if m.value.Load() == last && time.Since(changed) > moment/2 {
				m.value.Add(1) // as another node would, without a word
				changed = time.Now()
			}
			time.Sleep(5 * time.Millisecond)
		}
		if loads := m.loads.Load() - before; loads < 2 || loads > 5 {
			t.Errorf("%d loads in %v: want one in each %v", loads, time.Since(began), moment)
		}
	}
	if b.Fresh() {
		t.Fatal("fresh before the first poll")
	}
	unpolled()
	done := make(chan error)
	go func() { done <- b.Run(ctx) }()
	servers.Within(t, 5*time.Second, "the node is fresh", b.Fresh)
	got, err := m.Get(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	loads := m.loads.Load()
	time.Sleep(2 * moment)
	m.wants(t, got, loads) // what was loaded before is still good: the poll looked far back
	stop()
	<-done
	servers.Within(t, 2*time.Second, "the node is stale", func() bool { return !b.Fresh() })
	unpolled()
}

func TestAnotherProcessOnSQLiteIsNoticed(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + filepath.Join(t.TempDir(), "test.db")
	server, cli := openDB(t, url), openDB(t, url)
	m := newMemo(runBus(t, cache.Options{DB: server}), minute, alice)
	m.wants(t, 0, 1)
	invalidate(t, cli, cache.NewBus(cache.Options{DB: cli, Now: clock.System, Log: quiet}), alice)
	servers.Within(t, 2*time.Second, "the server loads again", func() bool {
		_, err := m.Get(t.Context(), "k")
		return err == nil && m.loads.Load() == 2
	})
}

func TestRedisHastensOtherNodes(t *testing.T) {
	t.Parallel()
	url, r := servers.Postgres(t).CreateDatabase(t), servers.NewRedis(t)
	d1, d2 := openDB(t, url), openDB(t, url)
	o := cache.Options{DB: d1, Redis: openRedis(t, patient(r))}
	here := runBus(t, o)
	// So slow a poll that only a hint explains what the other node knows.
	o = cache.Options{DB: d2, Redis: openRedis(t, patient(r)), Poll: time.Minute, MaxStale: 2 * time.Minute}
	m := newMemo(runBus(t, o), minute, alice)
	m.wants(t, 0, 1)
	servers.Within(t, 10*time.Second, "the other node loads again", func() bool {
		invalidate(t, d1, here, alice) // again and again: the subscription may not have begun
		time.Sleep(100 * time.Millisecond)
		_, err := m.Get(t.Context(), "k")
		return err == nil && m.loads.Load() >= 2
	})
}

func TestASharedValueIsFoundByOtherNodesUntilItsTagChanges(t *testing.T) {
	t.Parallel()
	url, r := servers.Postgres(t).CreateDatabase(t), servers.NewRedis(t)
	d1, d2 := openDB(t, url), openDB(t, url)
	here, there := runBus(t, cache.Options{DB: d1, Redis: openRedis(t, patient(r))}), runBus(t, cache.Options{DB: d2, Redis: openRedis(t, patient(r))})
	a, b := cache.NewShared(here, "pages", 10), cache.NewShared(there, "pages", 10)
	late := a.At("k", alice)
	late.Set(t.Context(), []byte("old"), time.Minute)
	if v, ok := b.At("k", alice).Get(t.Context()); !ok || string(v) != "old" {
		t.Fatalf("the other node found %q %v", v, ok)
	}
	if _, ok := cache.NewShared(there, "others", 10).At("k", alice).Get(t.Context()); ok {
		t.Fatal("found under another name")
	}
	invalidate(t, d1, here, alice)
	if v, ok := a.At("k", alice).Get(t.Context()); ok {
		t.Fatalf("found %q after the change", v)
	}
	late.Set(t.Context(), []byte("loaded before the change"), time.Minute)
	servers.Within(t, time.Second, "the other node finds nothing", func() bool {
		_, ok := b.At("k", alice).Get(t.Context())
		return !ok
	})
	b.At("k", alice).Set(t.Context(), []byte("new"), time.Minute)
	if v, ok := a.At("k", alice).Get(t.Context()); !ok || string(v) != "new" {
		t.Fatalf("both know of the change, but share nothing: %q %v", v, ok)
	}
	// A node that starts only now learns of the change from the rows.
	c := cache.NewShared(runBus(t, cache.Options{DB: openDB(t, url), Redis: openRedis(t, patient(r))}), "pages", 10)
	if v, ok := c.At("k", alice).Get(t.Context()); !ok || string(v) != "new" {
		t.Fatalf("a new node found %q %v", v, ok)
	}
	r.Command(t, "FLUSHALL")
	if _, ok := a.At("k", alice).Get(t.Context()); ok {
		t.Fatal("found in an empty Redis")
	}
}

func TestASharedValueSurvivesInTheProcessWhenRedisDies(t *testing.T) {
	r := servers.NewRedis(t)
	now := clock.NewManual(time.Now())
	s := cache.NewShared(cache.NewBus(cache.Options{Redis: openRedis(t, patient(r)), Now: now.Now, Log: quiet}), "pages", 10)
	s.At("k").Set(t.Context(), []byte("v"), time.Minute)
	r.Kill(t)
	if v, ok := s.At("k").Get(t.Context()); !ok || string(v) != "v" {
		t.Fatalf("found %q %v", v, ok)
	}
	now.Advance(time.Minute)
	if _, ok := s.At("k").Get(t.Context()); ok {
		t.Fatal("found after its time")
	}
	s.At("k").Set(t.Context(), []byte("w"), time.Minute)
	s.At("k").Delete(t.Context())
	if _, ok := s.At("k").Get(t.Context()); ok {
		t.Fatal("found after its deletion")
	}
}

func TestAWatcherHearsOfItsTagAlone(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, b *cache.Bus) {
		mine, other := b.Watch(cache.Tag{Kind: "mine"}), b.Watch(cache.Tag{Kind: "other"})
		invalidate(t, d, b, cache.Tag{Kind: "mine"})
		invalidate(t, d, b, cache.Tag{Kind: "mine"}) // several changes may arrive as one
		if len(mine) != 1 || len(other) != 0 {
			t.Errorf("%d and %d values wait, want 1 and 0", len(mine), len(other))
		}
	})
}

func openDB(t *testing.T, url string) *db.DB {
	t.Helper()
	cfg := db.Config{URL: url}
	d, err := db.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	if err := d.Migrate(t.Context(), cfg, []db.Schema{cache.Schema()}); err != nil {
		t.Fatal(err)
	}
	return d
}

func openRedis(t *testing.T, url string) *redis.Client {
	t.Helper()
	c, err := redis.Open(url, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// runBus returns a running Bus that has polled.
func runBus(t *testing.T, o cache.Options) *cache.Bus {
	t.Helper()
	o.Now, o.Log = clock.System, quiet
	if o.MaxStale == 0 {
		o.MaxStale = 5 * time.Second // tests share their machine; staleness has a test of its own
	}
	b := cache.NewBus(o)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	servers.Within(t, 10*time.Second, "the bus is fresh", b.Fresh)
	return b
}

func invalidate(t *testing.T, d *db.DB, b *cache.Bus, tags ...cache.Tag) {
	t.Helper()
	err := d.Platform("test").Tx(t.Context(), func(tx *db.Tx) error { return b.Invalidate(t.Context(), tx, tags...) })
	if err != nil {
		t.Fatal(err)
	}
}

func BenchmarkHit(b *testing.B) {
	bus := cache.NewBus(cache.Options{Now: clock.System, Log: quiet})
	m := newMemo(bus, minute, alice, bob)
	ctx := context.Background()
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := m.Get(ctx, "k"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// patient makes the client wait longer than the product does: tests share their machine.
func patient(s *servers.RedisServer) string { return s.URL() + "?timeout=2s" }
