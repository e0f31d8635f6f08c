package ratelimit_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/redis"
	"github.com/tenonhq/tenon/tenontest/servers"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestABurstIsAllowedAndThenOneAtATime(t *testing.T) {
	c := clock.NewManual(start)
	l := limiter(nil, c.Now)
	lim := ratelimit.Every(4, time.Minute)
	for i := range 4 {
		got := l.AllowLocal("k", lim)
		want := ratelimit.Result{Allowed: true, Limit: 4, Remaining: 3 - i, Reset: time.Duration(i+1) * 15 * time.Second}
		if i == 3 {
			want.RetryAfter = 15 * time.Second
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("attempt %d: %s", i+1, d)
		}
	}
	want := ratelimit.Result{Limit: 4, RetryAfter: 15 * time.Second, Reset: time.Minute}
	if d := cmp.Diff(want, l.AllowLocal("k", lim)); d != "" {
		t.Fatal(d)
	}
	if !l.AllowLocal("another", lim).Allowed {
		t.Fatal("one key's attempts counted for another")
	}
	c.Advance(15*time.Second - time.Microsecond)
	if l.AllowLocal("k", lim).Allowed {
		t.Fatal("allowed before RetryAfter")
	}
	c.Advance(time.Microsecond)
	if !l.AllowLocal("k", lim).Allowed || l.AllowLocal("k", lim).Allowed {
		t.Fatal("RetryAfter must bring exactly one attempt")
	}
	c.Advance(time.Hour)
	if n := allowed(10, func() ratelimit.Result { return l.AllowLocal("k", lim) }); n != 4 {
		t.Fatalf("an idle hour saved up %d attempts", n)
	}
}

func TestNoLimitIsEverExceededInAnyWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lim := ratelimit.Every(rapid.IntRange(1, 50).Draw(t, "burst"), time.Duration(rapid.Int64Range(1000, 1e10).Draw(t, "per")))
		c := clock.NewManual(start)
		l := limiter(nil, c.Now)
		began, got := c.Now(), 0
		for _, step := range rapid.SliceOfN(rapid.Int64Range(0, int64(lim.Per)/10), 1, 200).Draw(t, "steps") {
			c.Advance(time.Duration(step).Truncate(time.Microsecond))
			r := l.AllowLocal("k", lim)
			if r.Allowed {
				got++
			} else if r.RetryAfter <= 0 {
				t.Fatalf("refused without saying for how long: %+v", r)
			}
			// Intervals are whole microseconds, at least one.
			interval := max(lim.Per/time.Duration(lim.Burst)/time.Microsecond, 1) * time.Microsecond
			if most := lim.Burst + int(c.Now().Sub(began)/interval) + 1; got > most {
				t.Fatalf("%d allowed, at most %d may be", got, most)
			}
		}
	})
}

func TestTheZeroLimitAllowsNothingAndOffAllowsAll(t *testing.T) {
	l := limiter(nil, clock.System)
	if l.AllowLocal("k", ratelimit.Limit{}).Allowed || l.Allow(t.Context(), "k", ratelimit.Every(-1, time.Second)).Allowed {
		t.Fatal("a limit that was never set let everything through")
	}
	off := ratelimit.New(ratelimit.Options{Now: clock.System, Log: slog.New(slog.DiscardHandler), Off: true})
	if n := allowed(100, func() ratelimit.Result { return off.AllowLocal("k", ratelimit.Every(1, time.Hour)) }); n != 100 {
		t.Fatalf("off allowed %d of 100", n)
	}
}

func TestAClockSetBackLocksNobodyOut(t *testing.T) {
	c := clock.NewManual(start)
	l := limiter(nil, c.Now)
	lim := ratelimit.Every(2, time.Minute)
	allowed(2, func() ratelimit.Result { return l.AllowLocal("k", lim) })
	c.Advance(-24 * time.Hour)
	if r := l.AllowLocal("k", lim); r.Allowed || r.RetryAfter != 30*time.Second {
		t.Fatalf("got %+v", r)
	}
	c.Advance(30 * time.Second)
	if !l.AllowLocal("k", lim).Allowed {
		t.Fatal("locked out until the old time comes again")
	}
}

// each runs body without Redis and with it.
func each(t *testing.T, body func(t *testing.T, l *ratelimit.Limiter)) {
	t.Run("alone", func(t *testing.T) { body(t, limiter(nil, clock.System)) })
	t.Run("redis", func(t *testing.T) { body(t, limiter(open(t, patient(servers.Redis(t))), clock.System)) })
}

func TestManyAtOnceNeverExceedTheBurst(t *testing.T) {
	each(t, func(t *testing.T, l *ratelimit.Limiter) {
		if n := storm(t.Context(), "k", ratelimit.Every(20, time.Hour), 200, l); n != 20 {
			t.Fatalf("%d of 200 were allowed, want 20", n)
		}
	})
}

func TestCheckCountsNothingAndChargeAndRefundDo(t *testing.T) {
	each(t, func(t *testing.T, l *ratelimit.Limiter) {
		ctx, lim := t.Context(), ratelimit.Every(5, time.Hour)
		for range 10 {
			if r := l.Check(ctx, "k", lim); !r.Allowed || r.Remaining != 5 {
				t.Fatalf("check: %+v", r)
			}
		}
		if r := l.Charge(ctx, "k", lim, 3); !r.Allowed || r.Remaining != 2 {
			t.Fatalf("charge 3: %+v", r)
		}
		if r := l.Charge(ctx, "k", lim, 3); r.Allowed || r.Remaining != 0 {
			t.Fatalf("charge 3 of the remaining 2: %+v", r)
		}
		if r := l.Check(ctx, "k", lim); r.Allowed || r.RetryAfter <= 0 {
			t.Fatalf("check an empty bucket: %+v", r)
		}
		if r := l.Refund(ctx, "k", lim, 2); r.Remaining != 2 {
			t.Fatalf("refund 2: %+v", r)
		}
		if n := allowed(5, func() ratelimit.Result { return l.Allow(ctx, "k", lim) }); n != 2 {
			t.Fatalf("%d allowed after a refund of 2", n)
		}
		if r := l.Refund(ctx, "k", lim, 100); r.Remaining != 5 || r.Reset != 0 {
			t.Fatalf("a refund filled more than the bucket: %+v", r)
		}
	})
}

func TestAnAttemptCountsAlsoWhenItsCallerHungUp(t *testing.T) {
	each(t, func(t *testing.T, l *ratelimit.Limiter) {
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if n := allowed(10, func() ratelimit.Result { return l.Allow(gone, "k", ratelimit.Every(4, time.Hour)) }); n != 4 {
			t.Fatalf("%d allowed, want 4", n)
		}
	})
}

func TestALimitRefillsOnRedis(t *testing.T) {
	l := limiter(open(t, patient(servers.Redis(t))), clock.System)
	lim := ratelimit.Every(2, 200*time.Millisecond)
	servers.Within(t, 5*time.Second, "the bucket runs empty", func() bool { return !l.Allow(t.Context(), "k", lim).Allowed })
	servers.Within(t, 5*time.Second, "the bucket is full again", func() bool { return l.Check(t.Context(), "k", lim).Remaining == 2 })
}

func TestTwoNodesShareALimit(t *testing.T) {
	s := servers.NewRedis(t)
	a, b := limiter(open(t, patient(s)), clock.System), limiter(open(t, patient(s)), clock.System)
	if n := storm(t.Context(), "k", ratelimit.Every(10, time.Hour), 60, a, b); n != 10 {
		t.Fatalf("two nodes allowed %d, want 10", n)
	}
}

func TestASkewedClockRefillsNothing(t *testing.T) {
	s := servers.NewRedis(t)
	ahead := func() time.Time { return clock.System().Add(48 * time.Hour) }
	a, b := limiter(open(t, patient(s)), clock.System), limiter(open(t, patient(s)), ahead)
	if n := storm(t.Context(), "k", ratelimit.Every(10, time.Hour), 60, a, b); n != 10 {
		t.Fatalf("two nodes allowed %d, want 10", n)
	}
}

func TestALimitHoldsWhenRedisDies(t *testing.T) {
	s := servers.NewRedis(t)
	var log syncBuffer
	l := ratelimit.New(ratelimit.Options{Redis: open(t, patient(s)), Now: clock.System, Log: slog.New(slog.NewTextHandler(&log, nil))})
	lim := ratelimit.Every(10, time.Hour)
	if n := storm(t.Context(), "used", lim, 30, l); n != 10 {
		t.Fatalf("%d allowed with Redis", n)
	}
	s.Kill(t)
	if n := storm(t.Context(), "used", lim, 30, l); n != 0 {
		t.Fatalf("an exhausted limit gave %d more when Redis died", n)
	}
	if n := storm(t.Context(), "fresh", lim, 30, l); n != 5 {
		t.Fatalf("%d allowed without Redis, want half of 10", n)
	}
	if n := storm(t.Context(), "one", ratelimit.Every(1, time.Hour), 30, l); n != 1 {
		t.Fatalf("%d allowed without Redis, want 1 of 1", n)
	}
	s.Start(t)
	servers.Within(t, 10*time.Second, "the limit is shared again", func() bool {
		return l.Check(t.Context(), "again", lim).Remaining == 10
	})
	if lines := strings.Count(log.String(), "\n"); lines != 2 {
		t.Fatalf("want one line for each change of state, got %d:\n%s", lines, log.String())
	}
}

func TestAFlushedRedisGivesNothingBackOnTheSameNode(t *testing.T) {
	s := servers.NewRedis(t)
	l := limiter(open(t, patient(s)), clock.System)
	n := 0
	for range 5 {
		n += storm(t.Context(), "k", ratelimit.Every(10, time.Hour), 20, l)
		s.Command(t, "FLUSHALL")
	}
	if n != 10 {
		t.Fatalf("%d allowed through five flushes, want 10", n)
	}
}

func TestAFrozenRedisNeitherDelaysNorOpens(t *testing.T) {
	s := servers.NewRedis(t)
	l := limiter(open(t, s.URL()), clock.System)
	s.Stop(t)
	defer s.Continue(t)
	began := time.Now()
	if n := storm(t.Context(), "k", ratelimit.Every(10, time.Hour), 50, l); n > 5 {
		t.Fatalf("%d allowed, want at most half of 10", n)
	}
	if took := time.Since(began); took > time.Second { // 50 ms, and room for a busy machine
		t.Fatalf("the first requests took %v", took)
	}
	began = time.Now()
	for range 1000 {
		l.Allow(t.Context(), "k", ratelimit.Every(10, time.Hour))
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Fatalf("a thousand later requests took %v", took)
	}
}

func TestRedisMayComeLater(t *testing.T) {
	s := down(t)
	l := limiter(open(t, patient(s)), clock.System)
	lim := ratelimit.Every(10, time.Hour)
	if n := storm(t.Context(), "k", lim, 30, l); n != 5 {
		t.Fatalf("%d allowed before Redis came, want half of 10", n)
	}
	s.Start(t)
	servers.Within(t, 10*time.Second, "the limit is shared", func() bool {
		return l.Check(t.Context(), "other", lim).Remaining == 10
	})
}

// storm lets n goroutines try at the same instant, and reports how many were allowed.
func storm(ctx context.Context, key string, lim ratelimit.Limit, n int, limiters ...*ratelimit.Limiter) int {
	var yes atomic.Int64
	var wg sync.WaitGroup
	barrier := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-barrier
			if limiters[i%len(limiters)].Allow(ctx, key, lim).Allowed {
				yes.Add(1)
			}
		})
	}
	close(barrier)
	wg.Wait()
	return int(yes.Load())
}

func allowed(n int, try func() ratelimit.Result) int {
	yes := 0
	for range n {
		if try().Allowed {
			yes++
		}
	}
	return yes
}

func limiter(r *redis.Client, now clock.Now) *ratelimit.Limiter {
	return ratelimit.New(ratelimit.Options{Redis: r, Now: now, Log: slog.New(slog.DiscardHandler)})
}

func open(t *testing.T, url string) *redis.Client {
	t.Helper()
	c, err := redis.Open(url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func BenchmarkAllowLocal(b *testing.B) {
	l := limiter(nil, clock.System)
	keys := make([]string, 1024)
	for i := range keys {
		keys[i] = fmt.Sprintf("192.0.2.%d", i)
	}
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for i := 0; p.Next(); i++ {
			l.AllowLocal(keys[i%len(keys)], ratelimit.Every(1000, time.Second))
		}
	})
}

// patient makes the client wait longer than the product does: tests share their machine.
func patient(s *servers.RedisServer) string { return s.URL() + "?timeout=2s" }

// down returns a server that is not running yet.
func down(t *testing.T) *servers.RedisServer {
	t.Helper()
	s := servers.NewRedis(t)
	s.Kill(t)
	return s
}
