package redis_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/redis"
	"github.com/tenonhq/tenon/tenontest/servers"
)

func TestValuesAreKeptUntilTheyExpireOrAreDeleted(t *testing.T) {
	c := open(t, patient(servers.Redis(t)))
	ctx := t.Context()
	long := strings.Repeat("k", 5000)
	for _, key := range []string{"a", long} {
		if err := c.Set(ctx, key, []byte("v\x00"+key[:1]), time.Minute); err != nil {
			t.Fatal(err)
		}
		if v, found, err := c.Get(ctx, key); string(v) != "v\x00"+key[:1] || !found || err != nil {
			t.Fatalf("got %q %v %v", v, found, err)
		}
	}
	if err := c.Delete(ctx, "a", long); err != nil {
		t.Fatal(err)
	}
	if _, found, err := c.Get(ctx, "a"); found || err != nil {
		t.Fatalf("a deleted key: %v %v", found, err)
	}
	if err := c.Set(ctx, "b", []byte("1"), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	servers.Within(t, time.Second, "the key has expired", func() bool {
		_, found, _ := c.Get(ctx, "b")
		return !found
	})
}

func TestAScriptSurvivesTheServerForgettingIt(t *testing.T) {
	s := servers.NewRedis(t)
	c := open(t, patient(s))
	script := redis.NewScript(`return {tonumber(ARGV[1]) + 1, 7}`)
	for range 2 {
		got, err := c.Eval(t.Context(), script, "k", "41")
		if err != nil || !slices.Equal(got, []int64{42, 7}) {
			t.Fatalf("got %v %v", got, err)
		}
		s.Command(t, "SCRIPT FLUSH")
	}
}

func TestAWrongCommandDoesNotOpenTheBreaker(t *testing.T) {
	c := open(t, patient(servers.Redis(t)))
	if _, err := c.Eval(t.Context(), redis.NewScript(`return redis.call('NOSUCH')`), "k"); err == nil {
		t.Fatal("a wrong script succeeded")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Ping(gone); err == nil {
		t.Fatal("a cancelled command succeeded")
	}
	if !c.Healthy() {
		t.Fatal("one caller's mistake shut Redis off for all")
	}
}

func TestAFrozenRedisCostsOneTimeLimitAndThenNothing(t *testing.T) {
	s := servers.NewRedis(t)
	c := open(t, s.URL())
	s.Stop(t)
	defer s.Continue(t)
	var wg sync.WaitGroup
	for range 700 {
		wg.Go(func() {
			began := time.Now()
			if err := c.Ping(t.Context()); err == nil {
				t.Error("a frozen server answered")
			}
			if took := time.Since(began); took > time.Second { // 50 ms, and room for a busy machine
				t.Errorf("one command took %v", took)
			}
		})
	}
	wg.Wait()
	began := time.Now()
	for range 1000 {
		if err := c.Ping(t.Context()); !errors.Is(err, redis.ErrUnavailable) {
			t.Fatalf("got %v", err)
		}
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Fatalf("a thousand refusals took %v", took)
	}
	s.Continue(t)
	servers.Within(t, 10*time.Second, "the client recovers", c.Healthy)
}

func TestARedisThatCannotBeWrittenIsUnhealthy(t *testing.T) {
	for _, ill := range []struct{ name, cause, cure string }{
		{"out of memory", "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"},
		{"read-only", "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"},
	} {
		t.Run(ill.name, func(t *testing.T) {
			s := servers.NewRedis(t)
			c := open(t, patient(s))
			s.Command(t, ill.cause)
			if err := c.Set(t.Context(), "k", nil, time.Second); err == nil {
				t.Fatal("the write succeeded")
			}
			if c.Healthy() {
				t.Fatal("the breaker stayed closed")
			}
			s.Command(t, ill.cure)
			servers.Within(t, 10*time.Second, "the client recovers", c.Healthy)
		})
	}
}

func TestRedisMayStartLaterAndRestart(t *testing.T) {
	s := down(t)
	c := open(t, patient(s))
	if c.Healthy() {
		t.Fatal("healthy without a server")
	}
	for range 2 {
		s.Start(t)
		servers.Within(t, 10*time.Second, "the client recovers", func() bool { return c.Ping(t.Context()) == nil })
		s.Kill(t)
		servers.Within(t, 10*time.Second, "an idle client notices", func() bool { return !c.Healthy() })
	}
}

func TestASubscriptionOutlivesARestart(t *testing.T) {
	s := servers.NewRedis(t)
	c := open(t, patient(s))
	got := make(chan string, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Subscribe(ctx, "news", func(m []byte) {
			select {
			case got <- string(m):
			default:
			}
		})
	}()
	for _, word := range []string{"before", "after"} {
		servers.Within(t, 10*time.Second, "a message arrives "+word, func() bool {
			if err := c.Publish(t.Context(), "news", []byte(word)); err != nil {
				return false
			}
			select {
			case m := <-got:
				return m == word
			case <-time.After(20 * time.Millisecond):
				return false
			}
		})
		if word == "before" {
			s.Kill(t)
			s.Start(t)
		}
	}
	cancel()
	<-done
}

func TestAMalformedURLIsRefusedWithoutRepeatingItsPassword(t *testing.T) {
	for _, u := range []string{"http://x:hunter2@h", "redis://x:hunter2@h:port/0", "redis://x:hunter2@h/0?timeout=soon", "", "://hunter2"} {
		_, err := redis.Open(u, slog.New(slog.DiscardHandler))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", u, err)
		}
	}
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

// patient makes the client wait longer than the product does: tests share their machine.
func patient(s *servers.RedisServer) string { return s.URL() + "?timeout=2s" }

// down returns a server that is not running yet.
func down(t *testing.T) *servers.RedisServer {
	t.Helper()
	s := servers.NewRedis(t)
	s.Kill(t)
	return s
}
