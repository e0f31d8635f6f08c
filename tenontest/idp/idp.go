// Package idp is an identity provider for tests: a real one (zitadel/oidc), on a port
// of this machine, whose answers can be bent. Whoever comes to it is signed in at once,
// as the person that the test has said.
//
// Owns: nothing that lasts. Start it, give its URL to the app as an issuer, and let
// Browse play the browser.
package idp

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
)

// The client that the provider knows.
const (
	ClientID     = "tenon"
	ClientSecret = "a secret of the client: only for tests"
)

// Person is who signs in.
type Person struct {
	Subject       string
	Email         string
	EmailVerified bool
	Name          string
	Claims        map[string]any // further ones
}

// Provider is a running provider.
type Provider struct {
	URL string

	t         testing.TB
	server    *httptest.Server
	handler   http.Handler
	redirects []string

	mu        sync.Mutex
	person    Person
	bend      func(*Token)
	onlyInfo  bool
	down      bool
	keysDown  bool
	key       *rsa.PrivateKey
	keyID     int
	requests  map[string]*request // by id
	codes     map[string]string   // id by code
	tokens    map[string]Person   // by id of the access token
	authorize []url.Values
	exchanges []url.Values
}

// Start starts a provider that sends people back to one of redirects. It stops with the test.
func Start(t testing.TB, redirects ...string) *Provider {
	t.Helper()
	p := &Provider{t: t, redirects: redirects, requests: map[string]*request{}, codes: map[string]string{}, tokens: map[string]Person{}}
	p.Rotate()
	p.server = httptest.NewServer(http.HandlerFunc(p.serve))
	p.URL = p.server.URL
	t.Cleanup(p.server.Close)
	provider, err := op.NewProvider(&op.Config{CryptoKey: sha256.Sum256([]byte("tests alone")), CodeMethodS256: true, AuthMethodPost: true},
		&storage{p: p}, op.StaticIssuer(p.URL), op.WithAllowInsecure())
	if err != nil {
		t.Fatalf("start an identity provider: %v", err)
	}
	p.handler = provider
	return p
}

// As says who signs in from now on.
func (p *Provider) As(who Person) { p.set(func() { p.person = who }) }

// Bend changes every ID token from now on, before it is signed; nil changes none.
func (p *Provider) Bend(fn func(*Token)) { p.set(func() { p.bend = fn }) }

// OnlyUserInfo says whether ID tokens hold nothing but a subject: the rest is to be
// asked of the user info endpoint.
func (p *Provider) OnlyUserInfo(only bool) { p.set(func() { p.onlyInfo = only }) }

// Down says whether every request fails.
func (p *Provider) Down(down bool) { p.set(func() { p.down = down }) }

// KeysDown says whether only its keys cannot be had.
func (p *Provider) KeysDown(down bool) { p.set(func() { p.keysDown = down }) }

// Rotate replaces the key that the provider signs with.
func (p *Provider) Rotate() {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		p.t.Fatal(err)
	}
	p.set(func() { p.key, p.keyID = key, p.keyID+1 })
}

// Authorized are the queries that people came with.
func (p *Provider) Authorized() (all []url.Values) {
	p.set(func() { all = append(all, p.authorize...) })
	return all
}

// Exchanged are the forms that codes were exchanged with.
func (p *Provider) Exchanged() (all []url.Values) {
	p.set(func() { all = append(all, p.exchanges...) })
	return all
}

func (p *Provider) set(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn()
}

// Browse goes to an authorization URL as a browser does, and returns the address that
// the provider sends it back to, without going there.
func (p *Provider) Browse(t testing.TB, authorizationURL string) *url.URL {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 10 * time.Second}
	next := authorizationURL
	for range 5 {
		res, err := client.Get(next)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		to, err := res.Location()
		if err != nil {
			t.Fatalf("%s answered %d without a way on", next, res.StatusCode)
		}
		if q := to.Query(); q.Has("state") && (q.Has("code") || q.Has("error")) {
			return to
		}
		next = to.String()
	}
	t.Fatal("the provider sends the browser around in circles")
	return nil
}

func (p *Provider) serve(w http.ResponseWriter, q *http.Request) {
	var down bool
	p.set(func() { down = p.down || p.keysDown && q.URL.Path == "/keys" })
	switch {
	case down:
		http.Error(w, "out of order", http.StatusBadGateway)
	case q.URL.Path == "/login":
		p.login(w, q)
	case q.URL.Path == "/authorize":
		p.set(func() { p.authorize = append(p.authorize, q.URL.Query()) })
		p.handler.ServeHTTP(w, q)
	case q.URL.Path == "/oauth/token":
		p.exchange(w, q)
	default:
		p.handler.ServeHTTP(w, q)
	}
}

// login signs in whoever comes, as the person that the test has said.
func (p *Provider) login(w http.ResponseWriter, q *http.Request) {
	id := q.URL.Query().Get("id")
	p.set(func() {
		if r := p.requests[id]; r != nil {
			r.person, r.done = p.person, true
		}
	})
	http.Redirect(w, q, p.URL+"/authorize/callback?id="+url.QueryEscape(id), http.StatusFound)
}

func (p *Provider) find(id string) (r *request, err error) {
	p.set(func() { r = p.requests[id] })
	if r == nil {
		return nil, fmt.Errorf("no request %s", id)
	}
	return r, nil
}

func (s *storage) Health(context.Context) error { return nil }
