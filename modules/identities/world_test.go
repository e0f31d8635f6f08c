package identities_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/identities"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
	"github.com/tenonhq/tenon/tenontest/idp"
)

// world is an app that offers two providers, acme and other.
type world struct {
	*tenontest.App
	t           *testing.T
	acme, other *idp.Provider
}

// each runs fn on both databases, each time with providers of its own.
func each(t *testing.T, fn func(t *testing.T, w *world), options ...tenontest.Option) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			fn(t, newWorld(t, dialect, options...))
		})
	}
}

func newWorld(t *testing.T, dialect db.Dialect, options ...tenontest.Option) *world {
	t.Helper()
	w := &world{t: t, acme: idp.Start(t, callbackOf("acme")), other: idp.Start(t, callbackOf("other"))}
	offer := tenontest.Configure(func(c *tenon.Config) {
		c.Identities.Providers = []identities.Provider{
			{ID: "acme", Name: "Acme", Issuer: w.acme.URL, ClientID: idp.ClientID, ClientSecret: idp.ClientSecret},
			{ID: "other", Name: "Other", Issuer: w.other.URL, ClientID: idp.ClientID, ClientSecret: idp.ClientSecret},
		}
	})
	w.App = tenontest.Start(t, dialect, append([]tenontest.Option{offer}, options...)...)
	w.acme.As(idp.Person{Subject: "S1", Email: "ada@example.com", EmailVerified: true, Name: "Ada Lovelace"})
	w.other.As(idp.Person{Subject: "S1", Email: "ada@other.example", EmailVerified: true, Name: "Ada L."})
	return w
}

func callbackOf(provider string) string {
	return "http://127.0.0.1:8000/api/v1/auth/oauth/" + provider + "/callback"
}

// browser keeps cookies.
type browser struct {
	*world
	cookies map[string]string
}

func (w *world) browser() *browser { return &browser{w, map[string]string{}} }

func (b *browser) send(method, path, body string) *tenontest.Answer {
	b.t.Helper()
	q := b.Request(method, path, body)
	q.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range b.cookies {
		q.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	got := b.Send(q)
	for _, c := range (&http.Response{Header: got.Header}).Cookies() {
		if c.MaxAge < 0 || c.Value == "" {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return got
}

// authorize begins to sign in and returns where to go.
func (b *browser) authorize(provider, redirectTo string) string {
	b.t.Helper()
	return b.send("GET", "/auth/oauth/"+provider+"/authorize?redirect_to="+url.QueryEscape(redirectTo), "").Want(b.t, 200).Get("authorization_url")
}

// back is the path and query of an address that a provider sends a browser to.
func back(u *url.URL) string { return strings.TrimPrefix(u.RequestURI(), "/api/v1") }

// signIn goes all the way with a provider, and returns the answer of the callback.
func (b *browser) signIn(p *idp.Provider, name string) *tenontest.Answer {
	b.t.Helper()
	return b.send("GET", back(p.Browse(b.t, b.authorize(name, "/home"))), "")
}

// tokens goes the way of a client that takes the answer itself.
func (b *browser) tokens(p *idp.Provider, name string) *tenontest.Answer {
	b.t.Helper()
	return b.post(name, p.Browse(b.t, b.authorize(name, "/home")).Query())
}

func (b *browser) post(name string, q url.Values) *tenontest.Answer {
	b.t.Helper()
	return b.send("POST", "/auth/oauth/"+name+"/callback", fmt.Sprintf(`{"code":%q,"state":%q}`, q.Get("code"), q.Get("state")))
}

// wantIn fails the test unless the answer signed somebody in and led to a path.
func (b *browser) wantIn(got *tenontest.Answer, path string) *tenontest.Answer {
	b.t.Helper()
	if to := got.Want(b.t, 302).Header.Get("Location"); to != path {
		b.t.Errorf("went to %s, want %s", to, path)
	}
	return b.send("GET", "/users/me", "").Want(b.t, 200)
}

// wantOut fails the test if the answer signed somebody in.
func (b *browser) wantOut(got *tenontest.Answer, code string) {
	b.t.Helper()
	got.Want(b.t, 302)
	if to := got.Header.Get("Location"); to != "/sign-in?error="+code {
		b.t.Errorf("went to %s, want the error %s", to, code)
	}
	b.send("GET", "/users/me", "").Want(b.t, 401)
}

// link links an identity to whoever is signed in, who comes back to the answer.
func (b *browser) link(p *idp.Provider, name string) *tenontest.Answer {
	b.t.Helper()
	to := b.send("POST", "/users/me/identities/"+name+"/authorize", `{"redirect_to":"/settings"}`).Want(b.t, 200).Get("authorization_url")
	return b.send("GET", back(p.Browse(b.t, to)), "")
}

// as signs a browser in with a password.
func (w *world) as(u *tenontest.User) *browser {
	w.t.Helper()
	b := w.browser()
	b.send("POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q,"cookie":true}`, u.Email, u.Password)).Want(w.t, 200)
	return b
}

// count counts rows.
func (w *world) count(query string, args ...any) int {
	w.t.Helper()
	n, err := db.One(w.t.Context(), w.DB.Platform("test"), db.Scalar[int], query, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
