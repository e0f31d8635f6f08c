package fault

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/tenonhq/tenon/tenontest/servers"
	"github.com/tenonhq/tenon/test/binary"
)

// tries is how many wrong passwords one account allows in a row.
const tries = 10

// wrongPasswords counts how many of n wrong passwords are looked at.
func wrongPasswords(t *testing.T, email string, n int, nodes ...*binary.Client) (looked int) {
	t.Helper()
	for i := range n {
		got := nodes[i%len(nodes)].With("").Call("POST", "/auth/login", map[string]any{"email": email, "password": "not the password"})
		switch got.Status {
		case http.StatusUnauthorized:
			looked++
		case http.StatusTooManyRequests:
		default:
			t.Fatalf("a wrong password got %d %s%v", got.Status, got.Text, got.Err)
		}
	}
	return looked
}

func TestTheProgramStartsWithoutRedisAndFindsItLater(t *testing.T) {
	t.Parallel()
	redis := servers.NewRedis(t)
	redis.Kill(t)
	node := binary.Serve(t, binary.Settings{"REDIS_URL": redis.URL()})
	c := binary.NewClient(node.URL)
	health := func() string { return c.Call("GET", "//health/ready", nil).Get("status") }
	if got := health(); got != "degraded" {
		t.Errorf("ready says %q without Redis, want degraded", got)
	}
	ada := c.SignUp(t, "ada@example.com")
	c.SignUp(t, "bob@example.com")
	if looked := wrongPasswords(t, "bob@example.com", 40, c); looked > tries+1 {
		t.Errorf("%d wrong passwords were looked at without Redis, want at most %d", looked, tries)
	}
	redis.Start(t)
	node.Await("find Redis", 10*time.Second, func() bool { return health() == "ok" })
	ada.Call("GET", "/users/me", nil).Want(t, 200)
}

// redisFaults are the ways in which Redis goes away, and comes back.
func redisFaults() map[string]struct {
	begin, end func(*testing.T, *servers.RedisServer)
} {
	type change = func(*testing.T, *servers.RedisServer)
	return map[string]struct{ begin, end change }{
		"killed": {
			func(t *testing.T, r *servers.RedisServer) { r.Kill(t) },
			func(t *testing.T, r *servers.RedisServer) { r.Start(t) },
		},
		"frozen": {
			func(t *testing.T, r *servers.RedisServer) { r.Stop(t) },
			func(t *testing.T, r *servers.RedisServer) { r.Continue(t) },
		},
	}
}

func TestRedisGoesAway(t *testing.T) {
	for name, fault := range redisFaults() {
		t.Run(name, func(t *testing.T) {
			redis := servers.NewRedis(t)
			s := binary.Settings{"DATABASE_URL": servers.Postgres(t).CreateDatabase(t), "REDIS_URL": redis.URL(), "TENON_ROOT_SECRET": secret,
				"TENON_PUBLIC_URL": "http://tenon.localhost"}
			a, b := binary.NewClient(binary.Serve(t, s).URL), binary.NewClient(binary.Serve(t, s).URL)
			ada := a.SignUp(t, "ada@example.com")
			a.SignUp(t, "bob@example.com")
			victim := a.SignIn(t, "ada@example.com")
			victim.At(b.URL).Call("GET", "/users/me", nil).Want(t, 200)
			stop := load(4, 30*time.Millisecond, func(user, _ int) binary.Answer {
				return ada.At([]*binary.Client{a, b}[user%2].URL).Call("GET", "/sessions", nil)
			})
			before := time.Now()
			time.Sleep(time.Second)
			fault.begin(t, redis)
			began := time.Now()
			time.Sleep(time.Second) // the breaker opens
			steady := time.Now()
			time.Sleep(time.Duration(rounds(1, 30)) * time.Second)
			calm := time.Now()

			// What is revoked is refused everywhere, as ever.
			ada.Call("DELETE", "/sessions/"+sessionID(t, victim), nil).Want(t, 204)
			revoked := time.Now()
			for victim.At(b.URL).Call("GET", "/users/me", nil).Status != 401 {
				if time.Since(revoked) > time.Second {
					t.Fatal("a revoked session is accepted on the other node after a second")
				}
			}
			if looked := wrongPasswords(t, "bob@example.com", 60, a, b); looked > 2*2*tries {
				t.Errorf("%d wrong passwords were looked at by two nodes, want at most %d", looked, 2*2*tries)
			}
			fault.end(t, redis)
			time.Sleep(2 * time.Second)
			outcomes := stop()
			refusedOnlyDuring(t, outcomes, nil)
			healthy, away := within(outcomes, before, began), within(outcomes, steady, calm)
			if added := p(0.99, away) - p(0.99, healthy); added > 50*time.Millisecond {
				t.Errorf("p99 rose by %s without Redis, from %s", added, p(0.99, healthy))
			}
			a.SignIn(t, "ada@example.com")
		})
	}
}

func within(outcomes []outcome, from, to time.Time) (some []outcome) {
	for _, o := range outcomes {
		if o.began.After(from) && o.ended.Before(to) {
			some = append(some, o)
		}
	}
	return some
}

func sessionID(t *testing.T, c *binary.Client) string {
	t.Helper()
	for _, s := range c.Call("GET", "/sessions", nil).Want(t, 200).Items() {
		if s["current"] == true {
			return fmt.Sprint(s["id"])
		}
	}
	t.Fatal("no session is the current one")
	return ""
}

func TestRedisForgetsEverything(t *testing.T) {
	t.Parallel()
	redis := servers.NewRedis(t)
	node := binary.Serve(t, binary.Settings{"REDIS_URL": redis.URL()})
	c := binary.NewClient(node.URL)
	ada := c.SignUp(t, "ada@example.com")
	c.SignUp(t, "bob@example.com")
	looked := wrongPasswords(t, "bob@example.com", 20, c)
	redis.Command(t, "FLUSHALL")
	looked += wrongPasswords(t, "bob@example.com", 20, c)
	if looked > 2*(tries+1) {
		t.Errorf("%d wrong passwords were looked at around one FLUSHALL, want at most %d", looked, 2*tries)
	}
	ada.Call("GET", "/users/me", nil).Want(t, 200) // nothing that matters lives there
}
