package fault

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/tenonhq/tenon/tenontest/servers"
	"github.com/tenonhq/tenon/test/binary"
)

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

// readsAndWrites is a user who looks three times and then makes an organization.
func readsAndWrites(c *binary.Client, l *ledger) func(user, n int) binary.Answer {
	return func(user, n int) binary.Answer {
		switch n % 4 {
		case 0, 1:
			return c.Call("GET", "/users/me", nil)
		case 2:
			return c.Call("GET", "/sessions", nil)
		}
		slug := fmt.Sprintf("org-%d-%d", user, n)
		got := c.Call("POST", "/orgs", map[string]any{"name": "Acme", "slug": slug})
		if got.Status == http.StatusCreated {
			l.add(slug)
		}
		return got
	}
}

// durable is a database that has written what it acknowledges: servers for tests do not
// wait for that otherwise.
func durable(t *testing.T, pg *servers.PG) (url string) {
	t.Helper()
	return pg.CreateDatabase(t) + "&synchronous_commit=on"
}

func TestPostgreSQLRestartsUnderLoad(t *testing.T) {
	pg := servers.NewPostgres(t)
	node := binary.Serve(t, binary.Settings{"DATABASE_URL": durable(t, pg), "TENON_RATELIMIT": "off"})
	ada := binary.NewClient(node.URL).SignUp(t, "ada@example.com")
	kept := &ledger{slugs: map[string]bool{}}
	stop := load(8, 10*time.Millisecond, readsAndWrites(ada, kept))
	var outages []outage
	for range rounds(1, 5) {
		for _, mode := range []servers.Mode{servers.Fast, servers.Crash} {
			time.Sleep(time.Second)
			o := outage{from: time.Now()}
			pg.Stop(t, mode)
			time.Sleep(500 * time.Millisecond)
			pg.Start(t)
			o.to = time.Now()
			outages = append(outages, o)
			node.Await("be ready again", 10*time.Second, func() bool { return node.Status("/health/ready") == 200 })
		}
	}
	time.Sleep(recovery + time.Second)
	refusedOnlyDuring(t, stop(), outages)
	kept.check(t, ada)
}

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

func TestEverythingIsAwayAtOnceAndComesBack(t *testing.T) {
	pg, redis := servers.NewPostgres(t), servers.NewRedis(t)
	node := binary.Serve(t, binary.Settings{"DATABASE_URL": durable(t, pg), "REDIS_URL": redis.URL()})
	ada := binary.NewClient(node.URL).SignUp(t, "ada@example.com")
	kept := &ledger{slugs: map[string]bool{}}
	stop := load(4, 50*time.Millisecond, readsAndWrites(ada, kept))
	time.Sleep(500 * time.Millisecond)
	o := outage{from: time.Now()}
	redis.Kill(t)
	pg.Stop(t, servers.Crash)
	time.Sleep(time.Duration(rounds(3, 120)) * time.Second)
	if got := node.Status("/health"); got != 200 {
		t.Errorf("alive = %d, want 200: liveness depends on nothing", got)
	}
	if got := ada.With("").Call("POST", "/auth/login", map[string]any{"email": "ada@example.com", "password": "wrong"}); got.Status != 503 {
		t.Errorf("a sign-in got %d without a database, want 503", got.Status)
	}
	pg.Start(t)
	redis.Start(t)
	o.to = time.Now()
	node.Await("be ready again", 30*time.Second, func() bool { return node.Status("/health/ready") == 200 })
	time.Sleep(recovery + time.Second)
	refusedOnlyDuring(t, stop(), []outage{o})
	kept.check(t, ada)
}
