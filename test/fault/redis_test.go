package fault

import (
	"bufio"
	"fmt"
	"net"
	neturl "net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tenonhq/tenon/tenontest/servers"
)

// passwordTries is how often one account's password may be tried before it takes time.
// They are counted in the database: it makes no difference how Redis is.
const passwordTries = 10

func TestARedisThatStartsAfterUsIsUsed(t *testing.T) {
	t.Parallel()
	r := servers.NewRedis(t)
	r.Kill(t)
	n := start(t, "REDIS_URL="+r.URL()+"?timeout=1s") // a busy machine is no ill Redis

	n.wantHealth(t, "degraded")
	ada := n.person(t, "ada")
	phone := n.again(t, ada)
	n.do(t, 204, ask{method: "DELETE", path: "/sessions/" + phone.Session, as: ada})
	n.do(t, 401, me(phone))
	n.do(t, 200, me(ada))
	if got := n.guesses(t, "alone@example.com", 3*passwordTries); got != passwordTries {
		t.Errorf("without Redis a password may be tried %d times, want %d", got, passwordTries)
	}

	r.Start(t)
	began := time.Now()
	servers.Within(t, 10*time.Second, "Redis is used", func() bool {
		n.send(login("somebody@example.com", "a wrong password"))
		return keys(t, r, "tenon:limit:*") > 0
	})
	n.wantHealth(t, "ok")
	t.Logf("Redis is used %v after its start", time.Since(began).Round(time.Millisecond))
	n.do(t, 401, me(phone))
	n.do(t, 200, me(ada))
	if got := n.guesses(t, "together@example.com", 3*passwordTries); got != passwordTries {
		t.Errorf("with Redis a password may be tried %d times, want %d", got, passwordTries)
	}
}

// illness is one way in which Redis fails.
type illness struct {
	name  string
	cause func(t testing.TB, r *servers.RedisServer) (cure func())
	mild  bool // it goes on answering
}

func illnesses() []illness {
	return []illness{
		{name: "killed", cause: func(t testing.TB, r *servers.RedisServer) func() {
			r.Kill(t)
			return func() { r.Start(t) }
		}},
		{name: "frozen", cause: func(t testing.TB, r *servers.RedisServer) func() {
			r.Stop(t)
			return func() { r.Continue(t) }
		}},
		{name: "flapping", cause: flap},
		{name: "flushed", mild: true, cause: func(t testing.TB, r *servers.RedisServer) func() {
			r.Command(t, "FLUSHALL")
			return func() {}
		}},
		{name: "out of memory", cause: func(t testing.TB, r *servers.RedisServer) func() {
			r.Command(t, "CONFIG SET maxmemory-policy noeviction")
			r.Command(t, "CONFIG SET maxmemory 1")
			return func() { r.Command(t, "CONFIG SET maxmemory 0") }
		}},
		{name: "a read-only replica", cause: func(t testing.TB, r *servers.RedisServer) func() {
			r.Command(t, "REPLICAOF 127.0.0.1 1")
			return func() { r.Command(t, "REPLICAOF NO ONE") }
		}},
	}
}

// flap kills and starts the server every half second.
func flap(t testing.TB, r *servers.RedisServer) (cure func()) {
	halt, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for up := true; ; up = !up {
			if up {
				r.Kill(t)
			} else {
				r.Start(t)
			}
			select {
			case <-halt:
				if up {
					r.Start(t)
				}
				return
			case <-time.After(500 * time.Millisecond):
			}
		}
	}()
	return func() { close(halt); <-done }
}

func TestAnIllRedisNeitherSlowsNorOpensAnything(t *testing.T) {
	t.Parallel()
	r := servers.NewRedis(t)
	settings := []string{"DATABASE_URL=" + servers.Postgres(t).CreateDatabase(t), "REDIS_URL=" + r.URL()}
	nodes := [2]*node{start(t, settings...), start(t, settings...)}
	owner, member := nodes[0].person(t, "owner"), nodes[0].person(t, "member")
	org := nodes[0].organization(t, owner, member)
	// Each counts the request on Redis or loads what Redis hastens to forget.
	traffic := func(i int) answer {
		n := nodes[i%2]
		if i%4 < 2 {
			return n.send(me(owner))
		}
		return n.send(ask{method: "POST", path: "/auth/verify-email", body: `{"token":"none"}`})
	}
	rate := size(40, 100)
	during(500*time.Millisecond, rate, traffic)
	calm := during(size(2*time.Second, 10*time.Second), rate, traffic)
	for i, ill := range illnesses() {
		t.Run(ill.name, func(t *testing.T) {
			phone := nodes[0].again(t, member)
			nodes[1].do(t, 200, me(phone))
			nodes[0].role(t, owner, org, member, "admin")
			servers.Within(t, 5*time.Second, "the other node knows the new role", func() bool { return nodes[1].managing(member, org) == 200 })

			sick := begin(rate, traffic)
			cure, ailing := ill.cause(t, r), time.Now()
			revokedEverywhere(t, nodes, owner, member, phone)
			nodes[0].role(t, owner, org, member, "member")
			servers.Within(t, 5*time.Second, "the other node knows that the role is lost", func() bool { return nodes[1].managing(member, org) == 403 })
			time.Sleep(size(time.Second, 30*time.Second))
			all := sick.stop().since(ailing.Add(300 * time.Millisecond)) // the breakers are open
			guessed := [2]int{}
			for k, n := range nodes {
				guessed[k] = n.guesses(t, fmt.Sprintf("victim%d@example.com", i), 3*passwordTries)
			}
			cure()
			servers.Within(t, 10*time.Second, "Redis is used again", func() bool { return nodes[0].health() == "ok" && nodes[1].health() == "ok" })
			for k, n := range nodes {
				n.do(t, 401, me(phone)) // Redis has brought nothing back
				if got := n.managing(member, org); got != 403 {
					t.Errorf("who lost the role is answered with %d", got)
				}
				guessed[k] += n.guesses(t, fmt.Sprintf("victim%d@example.com", i), 3*passwordTries)
			}
			if sum := guessed[0] + guessed[1]; sum > passwordTries {
				t.Errorf("one account's password could be tried %d times, the limit is %d", sum, passwordTries)
			}
			if !ill.mild && guessed[0]+guessed[1] == 0 {
				t.Error("nobody could sign in")
			}
			all.failed().wantNone(t, "failed")
			t.Logf("calm: %v; %s: %v; tries per node: %v", calm, ill.name, all, guessed)
			if added := all.percentile(50) - calm.percentile(50); added > 25*time.Millisecond {
				t.Errorf("it adds %v to the median", added)
			}
			if added := all.percentile(99) - calm.percentile(99); added > 50*time.Millisecond+noise {
				t.Errorf("it adds %v to the 99th percentile, want at most 50 ms", added)
			}
		})
	}
}

// revokedEverywhere ends the session phone of member on one node: at once it is good
// for nothing there, within a second on the other node, and it stays so.
func revokedEverywhere(t *testing.T, nodes [2]*node, owner, member, phone *person) {
	t.Helper()
	nodes[0].do(t, 204, ask{method: "DELETE", path: "/sessions/" + phone.Session, as: member})
	revoked := time.Now()
	nodes[0].do(t, 401, me(phone))
	servers.Within(t, time.Second+noise, "the other node refuses a revoked session", func() bool { return nodes[1].send(me(phone)).status == 401 })
	t.Logf("revoked on the other node after %v", time.Since(revoked).Round(time.Millisecond))
	for range 20 {
		nodes[0].do(t, 401, me(phone))
		nodes[1].do(t, 401, me(phone))
	}
	nodes[1].do(t, 200, me(owner))
}

// guesses tries wrong passwords, and counts how many were looked at.
func (n *node) guesses(t testing.TB, email string, tries int) (looked int) {
	t.Helper()
	for range tries {
		switch a := n.send(login(email, "a wrong password")); a.status {
		case 401:
			looked++
		case 429:
			if a.header.Get("Retry-After") == "" {
				t.Error("a refusal does not say when to come again")
			}
		default:
			t.Errorf("a wrong password is answered with %v", a)
		}
	}
	return looked
}

// organization makes one that the members are in.
func (n *node) organization(t testing.TB, owner *person, members ...*person) (org string) {
	t.Helper()
	org = n.do(t, 201, ask{method: "POST", path: "/orgs", as: owner, body: `{"name":"Acme","slug":"acme"}`}).get("id")
	for _, member := range members {
		n.join(t, owner, org, member)
	}
	return org
}

func (n *node) join(t testing.TB, owner *person, org string, member *person) {
	t.Helper()
	n.do(t, 201, ask{method: "POST", path: "/orgs/" + org + "/invitations", as: owner, body: fmt.Sprintf(`{"email":%q,"role":"member"}`, member.Email)})
	token := ""
	servers.Within(t, 10*time.Second, "the invitation is mailed", func() bool {
		token = invited.FindString(n.send(ask{method: "GET", path: "//_dev/mail/messages?to=" + member.Email}).text)
		return token != ""
	})
	n.do(t, 200, ask{method: "POST", path: "/invitations/accept", as: member, body: fmt.Sprintf(`{"token":%q}`, token)})
}

// invited finds the token of an invitation in a mail.
var invited = regexp.MustCompile(`tn_(inv|invite|invitation)_\w+`)

func (n *node) role(t testing.TB, owner *person, org string, member *person, role string) {
	t.Helper()
	n.do(t, 200, ask{method: "PATCH", path: "/orgs/" + org + "/members/" + member.ID, as: owner, body: fmt.Sprintf(`{"role":%q}`, role)})
}

// managing is how a node answers p who asks for what only administrators of org may see.
func (n *node) managing(p *person, org string) int {
	return n.send(ask{method: "GET", path: "/orgs/" + org + "/invitations", as: p}).status
}

func (n *node) health() string {
	return n.send(ask{method: "GET", path: "//health/ready"}).get("status")
}

func (n *node) wantHealth(t testing.TB, want string) {
	t.Helper()
	servers.Within(t, 3*time.Second, "the node is ready and "+want, func() bool {
		got := n.send(ask{method: "GET", path: "//health/ready"})
		return got.status == 200 && got.get("status") == want
	})
}

// keys counts those on the server that match.
func keys(t testing.TB, r *servers.RedisServer, pattern string) int {
	t.Helper()
	u, err := neturl.Parse(r.URL())
	must(t, err)
	c, err := net.Dial("tcp", u.Host)
	must(t, err)
	defer c.Close()
	_, err = fmt.Fprintf(c, "EVAL \"return #redis.call('keys','%s')\" 0\r\n", pattern)
	must(t, err)
	line, err := bufio.NewReader(c).ReadString('\n')
	must(t, err)
	count, err := strconv.Atoi(strings.Trim(line, ":\r\n"))
	must(t, err)
	return count
}
