package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tenonhq/tenon/tenontest/servers"
	"github.com/tenonhq/tenon/test/binary"
)

func TestTheProgramWaitsForADatabaseThatStartsLater(t *testing.T) {
	t.Parallel()
	pg := servers.NewPostgres(t)
	database := pg.CreateDatabase(t)
	pg.Stop(t, servers.Fast)
	node := binary.Launch(t, binary.Settings{"DATABASE_URL": database})
	node.Await("be alive", 10*time.Second, func() bool { return node.Status("/health") == 200 })
	if got := node.Status("/health/ready"); got != 503 {
		t.Errorf("ready = %d without a database, want 503", got)
	}
	pg.Start(t)
	node.AwaitReady()
	binary.NewClient(node.URL).SignUp(t, "ada@example.com")
}

func TestAProgramStoppedWhileItStartsLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]func(*testing.T) binary.Settings{
		"SQLite":     func(*testing.T) binary.Settings { return nil },
		"PostgreSQL": func(t *testing.T) binary.Settings { return shared(t, false) },
	} {
		t.Run(name, func(t *testing.T) {
			node := binary.Launch(t, settings(t))
			// It migrates from where it was stopped, a little further each time.
			for pause := time.Duration(0); ; pause += 30 * time.Millisecond {
				node.Await("be alive", 10*time.Second, func() bool { return node.Status("/health") == 200 })
				time.Sleep(pause)
				ready := node.Status("/health/ready") == 200
				node.Signal(syscall.SIGTERM)
				if code := node.Wait(30 * time.Second); code != 0 {
					t.Fatalf("stopped %v after it was alive: exit code %d\n%s", pause, code, node.Log())
				}
				node.Start()
				if ready {
					break
				}
			}
			node.AwaitReady()
			binary.NewClient(node.URL).SignUp(t, "ada@example.com")
		})
	}
}

// ledger is what the product has promised to keep.
type ledger struct {
	mu    sync.Mutex
	slugs map[string]bool
}

func (l *ledger) add(slug string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slugs[slug] = true
}

// check reads back everything that was acknowledged.
func (l *ledger) check(t *testing.T, c *binary.Client) {
	t.Helper()
	kept := map[string]bool{}
	for cursor := ""; ; {
		page := c.Call("GET", "/orgs?limit=100&cursor="+url.QueryEscape(cursor), nil).Want(t, 200)
		for _, o := range page.Items() {
			kept[fmt.Sprint(o["slug"])] = true
		}
		if cursor = page.Get("next_cursor"); cursor == "" {
			break
		}
	}
	for slug := range l.slugs {
		if !kept[slug] {
			t.Errorf("organization %s was acknowledged and is gone", slug)
		}
	}
	t.Logf("%d writes acknowledged, %d kept", len(l.slugs), len(kept))
}

// PostgreSQL and Redis crash at the same time: the program stays, says "not now" and
// nothing else, opens no door, and works again by itself.
func TestEverythingIsAwayAtOnceAndComesBack(t *testing.T) {
	t.Parallel()
	pg, redis := servers.NewPostgres(t), servers.NewRedis(t)
	// Servers for tests do not wait for the disk otherwise; what is acknowledged must be kept.
	database := pg.CreateDatabase(t) + "&synchronous_commit=on"
	node := binary.Serve(t, binary.Settings{"DATABASE_URL": database, "REDIS_URL": redis.URL()})
	ada := binary.NewClient(node.URL).SignUp(t, "ada@example.com")
	kept := &ledger{slugs: map[string]bool{}}
	done := make(chan struct{})
	var users sync.WaitGroup
	for u := range 4 {
		users.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				case <-time.After(50 * time.Millisecond):
				}
				slug := fmt.Sprintf("org-%d-%d", u, n)
				switch got := ada.Call("POST", "/orgs", map[string]any{"name": "Acme", "slug": slug}); {
				case got.Status == http.StatusCreated:
					kept.add(slug)
				case got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "":
					t.Errorf("a write got %d %s%v, want 201, or 503 with Retry-After", got.Status, got.Text, got.Err)
				}
			}
		})
	}
	time.Sleep(500 * time.Millisecond)
	redis.Kill(t)
	pg.Stop(t, servers.Crash)
	time.Sleep(2 * time.Second)
	if got := node.Status("/health"); got != 200 {
		t.Errorf("alive = %d, want 200: liveness depends on nothing", got)
	}
	if got := ada.With("").Call("POST", "/auth/login", map[string]any{"email": "ada@example.com", "password": "wrong"}); got.Status != 503 {
		t.Errorf("a sign-in got %d without a database, want 503", got.Status)
	}
	if got := ada.Call("GET", "/users/me", nil); got.Status != 503 {
		t.Errorf("a caller got %d without a database, want 503: nobody knows whether the session still is", got.Status)
	}
	pg.Start(t)
	redis.Start(t)
	back := time.Now()
	node.Await("work again", 30*time.Second, func() bool {
		return node.Status("/health/ready") == 200 && ada.Call("GET", "/users/me", nil).Status == 200
	})
	t.Logf("working again after %s", time.Since(back).Round(time.Millisecond))
	time.Sleep(500 * time.Millisecond)
	close(done)
	users.Wait()
	kept.check(t, ada)
}
