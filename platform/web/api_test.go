package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/observe"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/secret"
	"github.com/tenonhq/tenon/platform/web"
	"github.com/tenonhq/tenon/tenontest/servers"
)

type thingKind struct{}

func (thingKind) Prefix() string { return "thing" }

type thingID = id.ID[thingKind]

// api is a router with a few operations, whose callers are named by their credential:
// ada owns org, bob may only look, stale is ada an hour ago, eve belongs to another
// organization, root administrates.
type api struct {
	*web.Router
	db    *db.DB
	now   *clock.Manual
	log   *bytes.Buffer
	org   id.Org
	thing thingID

	mu   sync.Mutex
	made int                                    // how often something was made
	make func(ctx context.Context, n int) error // what making it comes to
}

type option func(*web.Options)

func configure(fn func(*web.Config)) option { return func(o *web.Options) { fn(&o.Config) } }

func limited(o *web.Options) {
	o.Limits = ratelimit.New(ratelimit.Options{Now: o.Now, Log: o.Log})
}

func each(t *testing.T, fn func(t *testing.T, a *api), options ...option) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) { fn(t, newAPI(t, dialect, options...)) })
	}
}

// lite is an api where the database does not matter.
func lite(t testing.TB, options ...option) *api { return newAPI(t, db.SQLite, options...) }

func newAPI(t testing.TB, dialect db.Dialect, options ...option) *api {
	t.Helper()
	url := "sqlite:" + filepath.Join(t.TempDir(), "test.db")
	if dialect == db.Postgres {
		url = servers.Postgres(t).Database(t, "web", func(url string) error { migrated(t, url).Close(); return nil })
	}
	d := migrated(t, url)
	t.Cleanup(d.Close)
	a := &api{db: d, now: clock.NewManual(time.Now()), log: &bytes.Buffer{}, org: id.New[id.OrgKind](), thing: id.New[thingKind]()}
	a.make = func(context.Context, int) error { return nil }
	keys := secret.NewKeyring(d, []byte("for tests alone 8fK2pLq0vXw7Zr4T"), a.now.Now)
	must(t, keys.Load(t.Context()))
	o := web.Options{Title: "Test", Version: "1", Config: web.Config{PublicURL: "https://app.test", AllowedOrigins: []string{"https://other.test"}},
		Log: observe.NewLogger(a.log, observe.Config{Format: "json"}), Now: a.now.Now, Keys: keys, DB: d}
	o.Limits = ratelimit.New(ratelimit.Options{Now: o.Now, Log: o.Log, Off: true})
	for _, change := range options {
		change(&o)
	}
	must(t, o.Config.Check(false))
	a.Router = web.NewRouter(o)
	a.Authenticate(web.Auth{Principal: a.principal, Membership: a.membership})
	a.PathID("thing", web.TypedID(func(_ context.Context, v thingID) (bool, error) { return v == a.thing, nil }))
	a.operations()
	return a
}

func migrated(t testing.TB, url string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: url, MaxConns: 5})
	must(t, err)
	must(t, d.Migrate(t.Context(), db.Config{}, []db.Schema{secret.Schema(), web.Schema()}))
	return d
}

var accounts = map[string]id.Account{"ada": id.New[id.AccountKind](), "bob": id.New[id.AccountKind](), "eve": id.New[id.AccountKind](), "root": id.New[id.AccountKind]()}

func (a *api) principal(_ context.Context, c web.Credential) (*authz.Principal, error) {
	name := strings.TrimPrefix(c.Bearer+c.Cookie, "session-of-")
	p := &authz.Principal{Kind: authz.ActorAccount, Account: accounts[name], Name: name, Admin: name == "root", AuthenticatedAt: a.now.Now(), ConfirmBy: []string{"password"}, Cookie: c.Cookie != ""}
	if name == "stale" {
		p.Account, p.AuthenticatedAt = accounts["ada"], a.now.Now().Add(-time.Hour)
	}
	if p.Account.IsZero() {
		return nil, web.ErrCredential(errors.New("nobody's"))
	}
	return p, nil
}

var errNoMember = errs.New(errs.NotFound, "test.no_member", "There is none.")

func (a *api) membership(ctx context.Context, org id.Org) (*authz.Membership, error) {
	m := &authz.Membership{Org: org, Role: authz.Owner, Perms: authz.Permissions{"test.look": true, "test.make": true}}
	switch who := authz.From(ctx).Account; {
	case org == a.org && who == accounts["ada"]:
	case org == a.org && who == accounts["bob"]:
		m.Role, m.Perms = authz.Viewer, authz.Permissions{"test.look": true}
	default:
		return nil, errNoMember
	}
	return m, nil
}

type makeInput struct {
	Body struct {
		Name  string   `json:"name" minLength:"1" maxLength:"20"`
		Count int      `json:"count,omitempty" maximum:"1000"`
		Tags  []string `json:"tags,omitempty"`
	}
}

type makeOutput struct {
	Body struct {
		N      int    `json:"n"`
		Secret string `json:"secret"`
	}
}

var errTaken = errs.New(errs.Conflict, "test.taken", "It is taken.").On("body.name")

func (a *api) create(ctx context.Context, in *makeInput) (*makeOutput, error) {
	a.mu.Lock()
	a.made++
	n := a.made
	a.mu.Unlock()
	if in.Body.Name == "taken" {
		return nil, errTaken
	}
	out := &makeOutput{}
	out.Body.N, out.Body.Secret = n, "shown once"
	return out, a.make(ctx, n)
}

func (a *api) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.made
}

type listInput struct {
	web.Page
	Q string `query:"q"`
}

type textOutput struct {
	SetCookie string `header:"Set-Cookie"`
	Body      struct {
		Text string `json:"text"`
	}
}

func say(text string) *textOutput { o := &textOutput{}; o.Body.Text = text; return o }

// numbers lists 1 to 10.
func numbers(ctx context.Context, in *listInput) (*web.ListOutput[int], error) {
	return web.Paged(ctx, in.Page, func(after *int, n int) ([]int, error) {
		from := 1
		if after != nil {
			from = *after + 1
		}
		list := []int{}
		for i := from; i <= 10 && len(list) < n; i++ {
			list = append(list, i)
		}
		return list, nil
	}, func(n int) int { return n })
}

func (a *api) operations() {
	op := func(id, method, path string, access authz.Access) web.Op {
		return web.Op{ID: "test." + id, Method: method, Path: path, Access: access}
	}
	creating := op("make", "POST", "/things", authz.SignedIn())
	creating.Status, creating.ShownOnce = 201, []string{"secret"}
	web.Handle(a.Router, creating, a.create)
	inOrg := op("make_in_org", "POST", "/orgs/{org}/things/{thing}", authz.InOrg("test.make").Fresh())
	inOrg.BodyLimit = 1000
	web.Handle(a.Router, inOrg, func(ctx context.Context, in *struct {
		web.InOrg
		Thing thingID `path:"thing"`
		makeInput
	}) (*makeOutput, error) {
		return a.create(ctx, &in.makeInput)
	})
	few := op("few", "POST", "/few", authz.Public())
	few.Limit = ratelimit.Every(3, time.Minute)
	web.Handle(a.Router, few, a.create)
	web.Handle(a.Router, op("list", "GET", "/numbers", authz.SignedIn()), numbers)
	web.Handle(a.Router, op("list_other", "GET", "/other-numbers", authz.SignedIn()), numbers)
	web.Handle(a.Router, op("list_in_org", "GET", "/orgs/{org}/numbers", authz.InOrg("test.look")), func(ctx context.Context, in *struct {
		web.InOrg
		web.Page
		Q string `query:"q"`
	}) (*web.ListOutput[int], error) {
		return numbers(ctx, &listInput{in.Page, in.Q})
	})
	web.Handle(a.Router, op("show", "GET", "/things/{thing}", authz.Public()), func(context.Context, *struct {
		Thing thingID `path:"thing"`
	}) (*textOutput, error) {
		return say("thing"), nil
	})
	web.Handle(a.Router, op("remove", "DELETE", "/things/{thing}", authz.SignedIn()), func(context.Context, *struct {
		Thing thingID `path:"thing"`
	}) (*web.Empty, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.made++
		return nil, nil
	})
	web.Handle(a.Router, op("root", "GET", "/root", authz.Administrator()), func(context.Context, *web.Empty) (*textOutput, error) { return say("root"), nil })
	web.Handle(a.Router, op("who", "GET", "/who", authz.PublicOrSignedIn()), func(ctx context.Context, _ *web.Empty) (*textOutput, error) { return say(authz.From(ctx).Name), nil })
	web.Handle(a.Router, op("from", "GET", "/from", authz.Public()), func(ctx context.Context, _ *web.Empty) (*textOutput, error) {
		return say(web.ClientFrom(ctx).Bucket()), nil
	})
	web.Handle(a.Router, op("panic", "POST", "/panic", authz.SignedIn()), func(context.Context, *web.Empty) (*web.Empty, error) { panic("secret detail") })
	web.Handle(a.Router, op("fail", "GET", "/fail", authz.Public()), func(context.Context, *web.Empty) (*web.Empty, error) {
		return nil, errors.New("password=hunter2 at /srv/secret.go:42")
	})
	web.Handle(a.Router, op("cookie", "GET", "/cookie", authz.Public()), func(context.Context, *web.Empty) (*textOutput, error) {
		out := say("in")
		out.SetCookie = a.SessionCookie("tn_ses_x", a.now.Now().Add(time.Hour))
		return out, nil
	})
	web.Handle(a.Router, op("no_cookie", "GET", "/no-cookie", authz.Public()), func(context.Context, *web.Empty) (*textOutput, error) {
		out := say("out")
		out.SetCookie = a.ClearSessionCookie()
		return out, nil
	})
}

// answer is what a request got.
type answer struct {
	*httptest.ResponseRecorder
	body map[string]any
}

func (a answer) code() string { s, _ := a.body["code"].(string); return s }

// send sends a request through the whole router. change lines are "Header: value";
// a bare word is the bearer token.
func (a *api) send(method, path string, body any, headers ...string) answer {
	var r io.Reader
	switch b := body.(type) {
	case string:
		r = strings.NewReader(b)
	case []byte:
		r = bytes.NewReader(b)
	case io.Reader:
		r = b
	}
	if r == nil {
		r = http.NoBody
	}
	q := httptest.NewRequest(method, "https://app.test/", r)
	path = strings.TrimPrefix("/api/v1"+path, "/api/v1//") // from the root, when it begins with //
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	u, err := q.URL.Parse(path)
	if err != nil {
		panic(err)
	}
	q.URL, q.RequestURI = u, path
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, found := strings.Cut(h, ": ")
		switch {
		case !found:
			q.Header.Set("Authorization", "Bearer "+h)
		case name == "Host":
			q.Host = value
		case name == "From":
			q.RemoteAddr = value
		case value == "-":
			q.Header.Del(name)
		default:
			q.Header.Add(name, value)
		}
	}
	if types := q.Header["Content-Type"]; len(types) > 1 && slices.Contains(types, "application/json") && types[0] == "application/json" {
		q.Header["Content-Type"] = types[1:] // the test's own
	}
	return a.do(q)
}

func (a *api) do(q *http.Request) answer {
	w := httptest.NewRecorder()
	a.ServeHTTP(w, q)
	out := answer{ResponseRecorder: w}
	_ = json.Unmarshal(w.Body.Bytes(), &out.body) // what is no object has no members
	return out
}

func (a answer) want(t *testing.T, what string, status int, code string) {
	t.Helper()
	if a.Code != status || code != "" && a.code() != code {
		t.Errorf("%s: %d %s, want %d %s: %s", what, a.Code, a.code(), status, code, a.Body)
	}
	if a.Code >= 400 {
		if a.Header().Get("Content-Type") != "application/problem+json" || a.code() == "" ||
			a.body["request_id"] != a.Header().Get("X-Request-Id") && a.Header().Get("Idempotent-Replayed") == "" {
			t.Errorf("%s: the refusal is no problem document: %v %s", what, a.Header(), a.Body)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
