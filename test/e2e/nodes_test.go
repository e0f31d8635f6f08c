package e2e

import (
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/test/binary"
)

// pair is two nodes of one installation, addressed one by one.
func pair(t *testing.T, s binary.Settings) (a, b *binary.Client) {
	t.Helper()
	_, nodes := cluster(t, 2, s)
	return binary.NewClient(nodes[0].URL), binary.NewClient(nodes[1].URL)
}

func TestWhatOneNodeRevokesTheOtherRefusesWithinASecond(t *testing.T) {
	for name, redis := range map[string]bool{"with Redis": true, "without Redis": false} {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t, shared(t, redis))
			ada := a.SignUp(t, "ada@example.com")
			for range 5 {
				other := a.SignIn(t, "ada@example.com")
				thief := other.At(b.URL)
				thief.Call("GET", "/users/me", nil).Want(t, 200) // b remembers the session now
				ada.Call("DELETE", "/sessions/"+sessionOf(t, other), nil).Want(t, 204)
				revoked := time.Now()
				for thief.Call("GET", "/users/me", nil).Status != 401 {
					if time.Since(revoked) > time.Second {
						t.Fatal("the session is still accepted after a second")
					}
				}
				t.Logf("refused after %s", time.Since(revoked).Round(time.Millisecond))
			}
		})
	}
}

func sessionOf(t *testing.T, c *binary.Client) string {
	t.Helper()
	for _, s := range c.Call("GET", "/sessions", nil).Want(t, 200).Items() {
		if s["current"] == true {
			return fmt.Sprint(s["id"])
		}
	}
	t.Fatal("no session is the current one")
	return ""
}

func TestWhoLosesAPermissionOnOneNodeLosesItOnAllWithinASecond(t *testing.T) {
	a, b := pair(t, shared(t, false))
	ada, bob := a.SignUp(t, "ada@example.com"), a.SignUp(t, "bob@example.com")
	org := "/orgs/" + ada.Call("POST", "/orgs", map[string]any{"name": "Acme", "slug": "acme"}).Want(t, 201).Get("id")
	ada.Call("POST", org+"/invitations", map[string]any{"email": "bob@example.com", "role": "admin"}).Want(t, 201)
	joined := time.Now()
	for {
		got := bob.Call("POST", "/invitations/accept", map[string]any{"token": a.Mailed(t, "bob@example.com")})
		if got.Status == 200 {
			break
		}
		if time.Since(joined) > 20*time.Second {
			t.Fatal(got.Text)
		}
	}
	there := bob.At(b.URL)
	there.Call("GET", org+"/events", nil).Want(t, 200)
	me := bob.Call("GET", "/users/me", nil).Want(t, 200).Get("id")
	ada.Call("DELETE", org+"/members/"+me, nil).Want(t, 204)
	removed := time.Now()
	for there.Call("GET", org+"/events", nil).Status != 404 {
		if time.Since(removed) > time.Second {
			t.Fatal("a removed member still reads after a second")
		}
	}
}

func TestAllNodesShowTheSameSessions(t *testing.T) {
	a, b := pair(t, shared(t, true))
	ada := a.SignUp(t, "ada@example.com")
	b.SignIn(t, "ada@example.com")
	here, there := ada.Call("GET", "/sessions", nil).Want(t, 200), ada.At(b.URL).Call("GET", "/sessions", nil).Want(t, 200)
	if diff := cmp.Diff(here.Items(), there.Items()); diff != "" || len(here.Items()) != 2 {
		t.Errorf("%d sessions (-a +b):\n%s", len(here.Items()), diff)
	}
}

func TestOfTwoNodesOneDoesEachJob(t *testing.T) {
	a, b := pair(t, shared(t, true))
	const people = 40
	var all sync.WaitGroup
	for n := range people {
		all.Go(func() {
			node := []*binary.Client{a, b}[n%2]
			got := node.Call("POST", "/auth/register", map[string]any{"email": address(n), "password": binary.Password, "name": "Someone"})
			if got.Status != 202 {
				t.Errorf("%d %s %v", got.Status, got.Text, got.Err)
			}
		})
	}
	all.Wait()
	for n := range people {
		a.Mailed(t, address(n))
	}
	time.Sleep(time.Second) // for a second letter that must not come
	for n := range people {
		if letters := b.Letters(address(n)); len(letters) != 1 {
			t.Errorf("%s has %d letters, want 1", address(n), len(letters))
		}
	}
}

func address(n int) string { return fmt.Sprintf("person%d@example.com", n) }

func TestTriesToSignInAreCountedAcrossNodes(t *testing.T) {
	a, b := pair(t, shared(t, true))
	ada := a.SignUp(t, "ada@example.com")
	allowed := 0
	for n := range 40 {
		got := []*binary.Client{a, b}[n%2].Call("POST", "/auth/login", map[string]any{"email": "ada@example.com", "password": "not her password"})
		switch got.Status {
		case http.StatusUnauthorized:
			allowed++
		case http.StatusTooManyRequests:
			if got.Header.Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
		default:
			t.Fatalf("%d %s", got.Status, got.Text)
		}
	}
	if allowed < 10 || allowed > 11 { // ten in a row; one more trickles in with time
		t.Errorf("%d wrong passwords were tried on two nodes, want 10: the limit of one", allowed)
	}
	ada.Call("GET", "/users/me", nil).Want(t, 200) // she is still signed in
}

func TestAWorkerDoesWhatAnAPINodeLeaves(t *testing.T) {
	s := shared(t, false)
	s["TENON_ROOT_SECRET"] = "for tests alone 8fK2pLq0vXw7Zr4T"
	api := binary.Serve(t, s, "--api-only")
	c := binary.NewClient(api.URL)
	c.Call("POST", "/auth/register", map[string]any{"email": "ada@example.com", "password": binary.Password, "name": "Ada"}).Want(t, 202)
	time.Sleep(700 * time.Millisecond)
	if letters := c.Letters("ada@example.com"); len(letters) != 0 {
		t.Fatal("a node without workers sent mail")
	}
	worker := binary.Worker(t, s)
	c.Mailed(t, "ada@example.com")
	worker.Signal(syscall.SIGTERM)
	if code := worker.Wait(30 * time.Second); code != 0 {
		t.Errorf("the worker stopped with exit code %d", code)
	}
}
