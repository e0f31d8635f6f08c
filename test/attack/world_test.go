package attack

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
)

const publicURL = "https://app.test"

// atHome is an app behind TLS, as in production.
func atHome(c *tenon.Config) { c.Web.PublicURL = publicURL }

// limits are on, as in production.
func limits(c *tenon.Config) { c.RateLimit = "" }

// eachAt is tenontest.Each with a clock that moves only when told to.
func eachAt(t *testing.T, fn func(t *testing.T, app *tenontest.App, now *clock.Manual), configure ...func(*tenon.Config)) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			now := clock.NewManual(time.Now())
			options := []tenontest.Option{tenontest.Configure(func(c *tenon.Config) { c.Now = now.Now })}
			for _, c := range configure {
				options = append(options, tenontest.Configure(c))
			}
			fn(t, tenontest.Start(t, dialect, options...), now)
		})
	}
}

const goodPassword = "a phrase only you know"

// register signs somebody up, without the proof of the address.
func register(t *testing.T, app *tenontest.App, email string) {
	t.Helper()
	app.Call(nil, "POST", "/auth/register", fmt.Sprintf(`{"email":%q,"password":%q,"name":"Somebody"}`, email, goodPassword)).Want(t, 202)
}

func login(app *tenontest.App, email, password string) *tenontest.Answer {
	return app.Call(nil, "POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, email, password))
}

// suspend stops an account, as an administrator would.
func suspend(t *testing.T, app *tenontest.App, u *tenontest.User) {
	t.Helper()
	if _, err := app.DB.Platform("test").Exec(t.Context(), `UPDATE accounts SET status = 'suspended' WHERE id = $1`, u.ID); err != nil {
		t.Fatal(err)
	}
}

// browser signs u in as a browser and returns its cookie, name=value.
func browser(t *testing.T, app *tenontest.App, u *tenontest.User, headers ...string) string {
	t.Helper()
	q := app.Request("POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q,"cookie":true}`, u.Email, u.Password))
	set(q, headers...)
	return cookieOf(t, app.Send(q).Want(t, 200))
}

func cookieOf(t *testing.T, a *tenontest.Answer) string {
	t.Helper()
	value, _, _ := strings.Cut(a.Header.Get("Set-Cookie"), ";")
	if value == "" {
		t.Fatalf("no cookie was set: %v", a.Header)
	}
	return value
}

// set sets headers, written "Name: value".
func set(q *http.Request, headers ...string) *http.Request {
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			q.Host = value
		} else {
			q.Header.Add(name, value)
		}
	}
	return q
}

// shape is what tells answers apart: status, members and names of headers.
func shape(a *tenontest.Answer) string {
	names, members := []string{}, []string{}
	for name := range a.Header {
		names = append(names, name)
	}
	for name, value := range a.Body {
		if name != "request_id" {
			name += fmt.Sprintf("=%v", value)
		}
		members = append(members, name)
	}
	slices.Sort(names)
	slices.Sort(members)
	return fmt.Sprintf("%d %d bytes\n%s\n%s", a.Status, len(a.Text), strings.Join(members, "\n"), strings.Join(names, " "))
}
