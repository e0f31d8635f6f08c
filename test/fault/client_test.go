package fault

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// person is an account that is signed in.
type person struct {
	ID, Email, Token, Session string
}

// ask is one request.
type ask struct {
	method, path, body string // below /api/v1, or from the root when it begins with //
	as                 *person
	from               string // client address; another one for each request when empty
}

// answer is what came of it.
type answer struct {
	began  time.Time
	took   time.Duration
	status int // 0: none came
	header http.Header
	text   string
	body   map[string]any
	err    error
}

var client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}

var addresses atomic.Uint32

// another returns an address that nobody has used: limits by address are not what is tested.
func another() string {
	n := addresses.Add(1)
	return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
}

// send sends a request to a node, or to a proxy, at url.
func send(url string, a ask) answer {
	path := "/api/v1" + a.path
	if root, ok := strings.CutPrefix(a.path, "//"); ok {
		path = "/" + root
	}
	var body io.Reader
	if a.body != "" {
		body = strings.NewReader(a.body)
	}
	q, err := http.NewRequestWithContext(context.Background(), a.method, url+path, body)
	if err != nil {
		return answer{err: err}
	}
	a.dress(q.Header)
	out := answer{began: time.Now()}
	defer func() { out.took = time.Since(out.began) }()
	r, err := client.Do(q)
	if err != nil {
		out.err = err
		return out
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		out.err = err
		return out
	}
	out.took, out.status, out.header, out.text = time.Since(out.began), r.StatusCode, r.Header, string(text)
	if bytes.HasPrefix(text, []byte("{")) {
		out.err = json.Unmarshal(text, &out.body)
	}
	return out
}

// dress sets the headers of a request.
func (a ask) dress(h http.Header) {
	if a.body != "" {
		h.Set("Content-Type", "application/json")
	}
	if a.as != nil {
		h.Set("Authorization", "Bearer "+a.as.Token)
	}
	if a.from == "" {
		a.from = another()
	}
	h.Set("X-Forwarded-For", a.from)
}

func (n *node) send(a ask) answer { return send(n.url, a) }

// do sends a request that has to succeed with the status.
func (n *node) do(t testing.TB, want int, a ask) answer {
	t.Helper()
	got := n.send(a)
	if got.status != want {
		t.Fatalf("%s %s: status %d, want %d: %s %v", a.method, a.path, got.status, want, got.text, got.err)
	}
	return got
}

func (r answer) get(key string) string { s, _ := r.body[key].(string); return s }

func (r answer) String() string {
	if r.err != nil {
		return r.err.Error()
	}
	return fmt.Sprintf("%d after %v: %.200s", r.status, r.took.Round(time.Millisecond), r.text)
}

// ready is the status of /health/ready, 0 when nobody answers.
func (n *node) ready() int { return n.send(ask{method: "GET", path: "//health/ready"}).status }

const password = "correct horse of everyone"

// person signs somebody up, on a node that wants no proof of the address.
func (n *node) person(t testing.TB, name string) *person {
	t.Helper()
	p := &person{Email: name + "@example.com"}
	got := n.do(t, 201, ask{method: "POST", path: "/auth/register", body: fmt.Sprintf(`{"email":%q,"password":%q,"name":%q}`, p.Email, password, name)})
	p.Token, p.Session = got.get("access_token"), got.get("session_id")
	p.ID = n.do(t, 200, ask{method: "GET", path: "/users/me", as: p}).get("id")
	return p
}

// again signs p in once more.
func (n *node) again(t testing.TB, p *person) *person {
	t.Helper()
	got := n.do(t, 200, login(p.Email, password))
	return &person{ID: p.ID, Email: p.Email, Token: got.get("access_token"), Session: got.get("session_id")}
}

func login(email, password string) ask {
	return ask{method: "POST", path: "/auth/login", body: fmt.Sprintf(`{"email":%q,"password":%q}`, email, password)}
}

func me(p *person) ask { return ask{method: "GET", path: "/users/me", as: p} }
