package cache

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

func TestWhatIsForgottenCountsAsChanged(t *testing.T) {
	m := newMemory(time.Hour, time.Hour)
	tag := Tag{Kind: "first"}
	m.note([]row{{id.New[rowKind](), tag}}, 1, 0)
	if m.changed(1, []Tag{tag}) || !m.changed(0, []Tag{tag}) {
		t.Fatal("a change counts for what was loaded before it, and only for that")
	}
	before := m.version([]Tag{tag}, 0)
	for seq := uint64(2); seq < 2*maxTags+3; seq++ {
		m.note([]row{{id.New[rowKind](), Tag{Kind: "flood", ID: id.New[tagKind]()}}}, seq, time.Second)
	}
	if held := len(m.tags.young) + len(m.tags.old); held > 2*maxTags {
		t.Fatalf("%d tags held", held)
	}
	if !m.changed(0, []Tag{tag}) {
		t.Fatal("a forgotten change no longer counts")
	}
	if m.version([]Tag{tag}, time.Second) == before || m.version([]Tag{tag}, time.Second) == (version{}) {
		t.Fatal("a forgotten change brought back an old version")
	}
}

func TestARowCountsOnce(t *testing.T) {
	m := newMemory(time.Hour, time.Hour)
	r := []row{{id.New[rowKind](), Tag{Kind: "a"}}}
	if len(m.note(r, 1, 0)) != 1 || len(m.note(r, 2, 0)) != 0 {
		t.Fatal("a row that is read again is no new change")
	}
}

func TestVersionsDoNotDependOnTheOrderOfRows(t *testing.T) {
	a, b := newMemory(time.Hour, time.Hour), newMemory(time.Hour, time.Hour)
	tag := Tag{Kind: "a"}
	r1, r2 := row{id.New[rowKind](), tag}, row{id.New[rowKind](), tag}
	a.note([]row{r1}, 1, 0)
	a.note([]row{r2}, 2, 0)
	b.note([]row{r2, r1}, 1, 0)
	if a.version([]Tag{tag}, 0) != b.version([]Tag{tag}, 0) {
		t.Fatal("two nodes that know the same changes disagree")
	}
}

func TestAHitAllocatesNothing(t *testing.T) {
	b := NewBus(Options{Now: func() time.Time { return time.Unix(1e9, 0) }})
	tag := Tag{Kind: "a"}
	m := Memoize[string, int](b, MemoOptions{TTL: time.Minute}, nil)
	m.Put(b.Begin(), "k", 7, tag)
	b.apply([]row{{id.New[rowKind](), Tag{Kind: "another"}}})
	n := testing.AllocsPerRun(1000, func() {
		if v, err := m.Get(t.Context(), "k"); v != 7 || err != nil {
			t.Fatalf("got %d %v", v, err)
		}
	})
	if n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func TestOneCallerLeavingDoesNotEndTheLoadOfOthersButAllLeavingDoes(t *testing.T) {
	b := NewBus(Options{Now: clock.System})
	began, release, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	m := Memoize(b, MemoOptions{TTL: time.Minute}, func(ctx context.Context, k string) (int, []Tag, error) {
		close(began)
		select {
		case <-release:
			return 7, nil, nil
		case <-ctx.Done():
			ended <- ctx.Err()
			return 0, nil, ctx.Err()
		}
	})
	first, leave := context.WithCancel(t.Context())
	left, got := make(chan error), make(chan int)
	go func() {
		_, err := m.Get(first, "k")
		left <- err
	}()
	<-began
	go func() {
		v, _ := m.Get(t.Context(), "k") // its error would show as a wrong value
		got <- v
	}()
	for joined := 0; joined < 2; time.Sleep(time.Millisecond) {
		m.mu.Lock()
		joined = m.flights["k"].waiting
		m.mu.Unlock()
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Fatalf("the caller who left got %v", err)
	}
	close(release)
	if v := <-got; v != 7 {
		t.Fatalf("the caller who stayed got %d", v)
	}

	began, release = make(chan struct{}), make(chan struct{})
	second, leave := context.WithCancel(t.Context())
	go func() {
		_, err := m.Get(second, "another")
		left <- err
	}()
	<-began
	leave()
	<-left
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("the load nobody waits for got %v", err)
	}
}

func TestAfterALongBlackoutEverythingCountsAsChanged(t *testing.T) {
	d := openSQLite(t)
	b := NewBus(Options{DB: d, Now: clock.System})
	m := Memoize(b, MemoOptions{TTL: time.Hour}, func(context.Context, string) (int, []Tag, error) { return 2, nil, nil })
	shared := NewShared(b, "test", 10)
	tag := Tag{Kind: "a"}
	m.Put(b.Begin(), "k", 1, tag)
	shared.At("k", tag).Set(t.Context(), []byte("v"), time.Minute)

	for _, blackout := range []struct {
		lasted time.Duration
		want   int
	}{{time.Minute, 1}, {history, 2}} {
		b.polled.Store(int64(time.Since(b.began) - blackout.lasted))
		if err := b.poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v, err := m.Get(t.Context(), "k"); v != blackout.want || err != nil {
			t.Fatalf("after %v without a poll: %d %v, want %d", blackout.lasted, v, err, blackout.want)
		}
		if _, found := shared.At("k", tag).Get(t.Context()); found != (blackout.want == 1) {
			t.Fatalf("after %v without a poll the shared value is found: %v", blackout.lasted, found)
		}
	}
}

func TestOldRowsArePurged(t *testing.T) {
	d := openSQLite(t)
	c := d.Platform("test")
	if err := insertRows(t.Context(), c, []row{{id.New[rowKind](), Tag{Kind: "a"}}}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		age  time.Duration
		left int
	}{{time.Minute, 1}, {-time.Minute, 0}} {
		if err := deleteRowsOlderThan(t.Context(), c, step.age); err != nil {
			t.Fatal(err)
		}
		rows, err := rowsSince(t.Context(), c, time.Hour)
		if err != nil || len(rows) != step.left {
			t.Fatalf("%d rows left (%v), want %d", len(rows), err, step.left)
		}
	}
}

func openSQLite(t *testing.T) *db.DB {
	t.Helper()
	cfg := db.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")}
	d, err := db.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	if err := d.Migrate(t.Context(), cfg, []db.Schema{Schema()}); err != nil {
		t.Fatal(err)
	}
	return d
}
