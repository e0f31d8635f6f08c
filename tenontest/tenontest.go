// Package tenontest runs tests against a real app, on an empty SQLite and an empty
// PostgreSQL database. Your modules are tested with it as ours are:
//
//	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
//		ada := app.User("ada")
//		app.Call(ada, "POST", "/orgs", `{"name":"Acme","slug":"acme"}`).Want(t, 201)
//	}, tenontest.With(func(app *tenon.App) { app.Use(tasks.New(app).Module()) }))
package tenontest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/identities"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/tenontest/servers"
)

// App is an app under test: migrated, started, its jobs running.
type App struct {
	*tenon.App
	t    testing.TB
	stop func() error
}

// Option changes the app under test.
type Option func(*setup)

type setup struct {
	extend    []func(*tenon.App)
	configure []func(*tenon.Config)
}

// With adds modules to the app.
func With(extend func(*tenon.App)) Option {
	return func(s *setup) { s.extend = append(s.extend, extend) }
}

// Configure changes the app's configuration.
func Configure(fn func(*tenon.Config)) Option {
	return func(s *setup) { s.configure = append(s.configure, fn) }
}

// Each runs fn once on SQLite and once on PostgreSQL, each time in an app of its own
// on an empty database. Where PostgreSQL is not installed, that half is skipped.
func Each(t *testing.T, fn func(t *testing.T, app *App), options ...Option) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			fn(t, Start(t, dialect, options...))
		})
	}
}

// Start returns an app on an empty database of one product. It stops with the test.
func Start(t testing.TB, dialect db.Dialect, options ...Option) *App {
	t.Helper()
	return Node(t, Database(t, dialect, options...), options...)
}

// Node starts an app on a database from Database. Several nodes may share one.
func Node(t testing.TB, url string, options ...Option) *App {
	t.Helper()
	app := build(t, url, options)
	stop, err := app.Start(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatalf("start the app: %v", err)
	}
	a := &App{App: app, t: t, stop: stop}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("stop the app: %v", err)
		}
		app.Close()
	})
	return a
}

// rootSecret is shared by all nodes of a test.
const rootSecret = "for tests alone 8fK2pLq0vXw7Zr4T"

// someProvider is offered by every app under test. It cannot be reached; package idp
// has one that can.
const someProvider = "example"

func build(t testing.TB, url string, options []Option) *tenon.App {
	t.Helper()
	var s setup
	for _, o := range options {
		o(&s)
	}
	cfg := tenon.Config{
		Data: t.TempDir(), RootSecret: rootSecret, RateLimit: "off", Logger: logger(t),
		DB: db.Config{URL: url, MaxConns: 20, WriterWait: 5 * time.Second},
	}
	cfg.Jobs.QueueWorkers = map[string]int{"mail": 1} // letters arrive in the order in which they were written
	cfg.Identities.Providers = []identities.Provider{{ID: someProvider, Issuer: "https://provider.invalid", ClientID: "tenon", ClientSecret: "for tests"}}
	for _, configure := range s.configure {
		configure(&cfg)
	}
	app, err := tenon.New(cfg)
	if err != nil {
		t.Fatalf("build the app: %v", err)
	}
	app.Accounts.Passwords.Cheap(t) // package secret tests what they cost
	for _, extend := range s.extend {
		extend(app)
	}
	return app
}

// Database makes an empty, migrated database and returns its URL. It is copied from
// a template that is migrated once for each set of modules.
func Database(t testing.TB, dialect db.Dialect, options ...Option) string {
	t.Helper()
	migrate := func(url string) error {
		app := build(t, url, options)
		defer app.Close()
		return app.Migrate(context.WithoutCancel(t.Context()))
	}
	key := schemaKey(t, options)
	if dialect == db.Postgres {
		return servers.Postgres(t).Database(t, key, migrate)
	}
	template, err := sqliteTemplates.get(key, migrate)
	if err != nil {
		t.Fatalf("migrate a SQLite database: %v", err)
	}
	path := filepath.Join(t.TempDir(), "tenon.db")
	if err := os.WriteFile(path, template, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// plain is the schemaKey of the built-in modules alone.
var plain struct {
	sync.Mutex
	key string
}

// schemaKey names what the modules keep in the database.
func schemaKey(t testing.TB, options []Option) string {
	var s setup
	for _, o := range options {
		o(&s)
	}
	if len(s.extend) > 0 {
		return newSchemaKey(t, options)
	}
	plain.Lock()
	defer plain.Unlock()
	if plain.key == "" {
		plain.key = newSchemaKey(t, options)
	}
	return plain.key
}

func newSchemaKey(t testing.TB, options []Option) string {
	app := build(t, "sqlite:"+filepath.Join(t.TempDir(), "names.db"), options)
	defer app.Close()
	h := sha256.New()
	for _, s := range app.Schemas() {
		fmt.Fprintf(h, "%s %v\n", s.Name, s.Tables)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// templates are migrated SQLite databases, in memory.
type templates struct {
	mu    sync.Mutex
	files map[string][]byte
}

var sqliteTemplates = templates{files: map[string][]byte{}}

func (s *templates) get(key string, migrate func(url string) error) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.files[key]; ok {
		return f, nil
	}
	dir, err := os.MkdirTemp("", "tenontest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "template.db")
	if err := migrate("sqlite:" + path); err != nil {
		return nil, err
	}
	// Closing the last connection has moved everything from the write-ahead log into the file.
	f, err := os.ReadFile(path)
	if err == nil {
		s.files[key] = f
	}
	return f, err
}

// User is a person who is signed in.
type User struct {
	accounts.Account
	Password string
	Tokens   sessions.Tokens
}

// User makes an account, name@example.com with a proven address, and signs it in.
func (a *App) User(name string) *User {
	a.t.Helper()
	ctx := a.t.Context()
	u := &User{Password: "correct horse of " + name}
	p, err := a.Accounts.Prepare(ctx, accounts.NewAccount{Email: name + "@example.com", Name: name, Password: u.Password})
	a.must(err)
	a.must(a.DB.Platform("test").Tx(ctx, func(tx *db.Tx) error {
		u.Account, err = a.Accounts.In(tx).CreateVerified(ctx, p)
		return err
	}))
	u.Tokens = a.SignIn(u)
	return u
}

// Administrator makes a person, as User does, who administrates the installation.
func (a *App) Administrator(name string) *User {
	a.t.Helper()
	u := a.User(name)
	a.must(a.DB.Platform("test").Tx(a.t.Context(), func(tx *db.Tx) error { return a.Accounts.In(tx).MakeAdministrator(a.t.Context(), u.Account) }))
	u.IsAdmin = true
	return u
}

// SignIn opens another session of u, who has proved enough for it, and returns its tokens.
func (a *App) SignIn(u *User) sessions.Tokens {
	a.t.Helper()
	opened, err := a.Sessions.Begin(a.t.Context(), u.Account, sessions.Proof{Method: "password", Strong: true}, false)
	a.must(err)
	return *opened.Tokens
}

// As returns a context in which u is the caller, for calling verbs directly.
func (a *App) As(u *User) context.Context {
	return authz.With(a.Flags.With(a.t.Context()), &authz.Principal{Kind: authz.ActorAccount, Account: u.ID, Name: u.Name, Admin: u.IsAdmin,
		Session: u.Tokens.SessionID, AuthenticatedAt: a.Config.Now()})
}

// Answer is what a request got.
type Answer struct {
	Status int
	Header http.Header
	Text   string
	Body   map[string]any // nil when it is no JSON object
}

// Call sends a request as u (nil is a stranger) through the whole router. Paths are
// below /api/v1; one that begins with // is from the root.
func (a *App) Call(u *User, method, path, body string) *Answer {
	a.t.Helper()
	q := a.Request(method, path, body)
	if u != nil {
		q.Header.Set("Authorization", "Bearer "+u.Tokens.AccessToken)
	}
	return a.Send(q)
}

// Request makes a request to be changed before it is sent.
func (a *App) Request(method, path, body string) *http.Request {
	if root, ok := strings.CutPrefix(path, "//"); ok {
		path = "/" + root
	} else {
		path = "/api/v1" + path
	}
	q := httptest.NewRequestWithContext(a.t.Context(), method, path, strings.NewReader(body))
	if body == "" {
		q.Body, q.ContentLength = http.NoBody, 0
	} else {
		q.Header.Set("Content-Type", "application/json")
	}
	return q
}

// Send sends a request through the whole router.
func (a *App) Send(q *http.Request) *Answer {
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, q)
	out := &Answer{Status: w.Code, Header: w.Header(), Text: w.Body.String()}
	_ = json.Unmarshal(w.Body.Bytes(), &out.Body) // Body stays nil for what is no object
	return out
}

// Want fails the test unless the answer has the status.
func (r *Answer) Want(t testing.TB, status int) *Answer {
	t.Helper()
	if r.Status != status {
		t.Fatalf("status %d, want %d: %s", r.Status, status, r.Text)
	}
	return r
}

// WantCode fails the test unless the answer is a problem with the status and code.
func (r *Answer) WantCode(t testing.TB, status int, code string) *Answer {
	t.Helper()
	if r.Want(t, status).Body["code"] != code {
		t.Fatalf("code %v, want %s: %s", r.Body["code"], code, r.Text)
	}
	return r
}

// Get returns a member of the answer as text.
func (r *Answer) Get(key string) string { s, _ := r.Body[key].(string); return s }

// Items returns the items of a list.
func (r *Answer) Items() []map[string]any {
	list, _ := r.Body["items"].([]any)
	items := make([]map[string]any, len(list))
	for i := range list {
		items[i], _ = list[i].(map[string]any)
	}
	return items
}

// Settle waits until no job waits or runs.
func (a *App) Settle() {
	a.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		n, err := a.Jobs.Unfinished(a.t.Context())
		a.must(err)
		if n == 0 {
			return
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("%d jobs are still unfinished", n)
		}
	}
}

// Mail returns the mail that was sent to an address, newest first, once all jobs are done.
func (a *App) Mail(to string) []mail.BoxMessage {
	a.t.Helper()
	a.Settle()
	all, err := a.Box.List(a.t.Context())
	a.must(err)
	var mine []mail.BoxMessage
	for _, m := range all {
		if m.To == to {
			mine = append(mine, m)
		}
	}
	return mine
}

// MailedToken returns the token of the newest link that was mailed to an address.
func (a *App) MailedToken(to string) string {
	a.t.Helper()
	for _, m := range a.Mail(to) {
		for _, link := range m.Links {
			if _, token, ok := strings.Cut(link, "token="); ok {
				return token
			}
		}
	}
	a.t.Fatalf("no link was mailed to %s", to)
	return ""
}

func (a *App) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}
