package live

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/realtime"
	"github.com/tenonhq/tenon/tenontest"
)

// within is what C13 asks for: so long may a connection outlive what it was good for.
const within = 5 * time.Second

// world is an organization of which bob is a member, who is connected and will not say a word.
type world struct {
	*tenontest.App
	now            *clock.Manual
	root, ada, bob *tenontest.User
	org            id.Org
	at, cookie     string // of bob's browser
	silent         *wire
}

// C13: whatever ends a right ends what was connected by it, whether or not the client speaks.
func TestAConnectionDoesNotOutliveItsRight(t *testing.T) {
	narrow := func(w *world) realtime.Channel { return realtime.OrgWith(w.org, audit.PermRead) }
	wide := func(w *world) realtime.Channel { return realtime.Org(w.org) }
	for _, c := range []struct {
		name    string
		role    authz.Role
		channel func(*world) realtime.Channel
		end     func(t *testing.T, w *world)
		drops   bool // the channel, not the connection
	}{
		{"signed out of a browser", authz.Member, wide, func(t *testing.T, w *world) {
			q := w.Request("POST", "/auth/logout", "")
			q.Header.Set("Cookie", w.cookie)
			q.Header.Set("Origin", w.Config.Web.PublicURL)
			w.silent = open(t, w.at, http.Header{"Cookie": {w.cookie}, "Origin": {w.at}})
			w.Send(q).Want(t, http.StatusNoContent)
		}, false},
		{"signed out", authz.Member, wide, func(t *testing.T, w *world) {
			w.Call(w.bob, "POST", "/auth/logout", "").Want(t, http.StatusNoContent)
		}, false},
		{"session revoked", authz.Member, wide, func(t *testing.T, w *world) {
			elsewhere := *w.bob
			elsewhere.Tokens = w.SignIn(w.bob)
			w.Call(&elsewhere, "DELETE", "/sessions/"+w.bob.Tokens.SessionID.String(), "").Want(t, http.StatusNoContent)
		}, false},
		{"account suspended", authz.Member, wide, func(t *testing.T, w *world) {
			w.Call(w.root, "POST", "/admin/users/"+w.bob.ID.String()+"/suspend", `{"reason":"test"}`).Want(t, http.StatusOK)
		}, false},
		{"account deleted", authz.Member, wide, func(t *testing.T, w *world) {
			w.Call(w.root, "DELETE", "/admin/users/"+w.bob.ID.String(), `{"reason":"test"}`).Want(t, http.StatusAccepted)
		}, false},
		{"removed", authz.Member, wide, func(t *testing.T, w *world) {
			w.Call(w.ada, "DELETE", "/orgs/"+w.org.String()+"/members/"+w.bob.ID.String(), "").Want(t, http.StatusNoContent)
		}, true},
		{"a weaker role", authz.Admin, narrow, func(t *testing.T, w *world) {
			w.Call(w.ada, "PATCH", "/orgs/"+w.org.String()+"/members/"+w.bob.ID.String(), `{"role":"viewer"}`).Want(t, http.StatusOK)
		}, true},
		{"organization deleted", authz.Member, wide, func(t *testing.T, w *world) {
			w.Call(w.ada, "DELETE", "/orgs/"+w.org.String(), "").Want(t, http.StatusAccepted)
		}, true},
		{"session expired while idle", authz.Member, wide, func(_ *testing.T, w *world) {
			w.silent = open(w.silent.t, w.at, http.Header{"Cookie": {w.cookie}, "Origin": {w.at}})
			w.now.Advance(w.Sessions.Config.Idle + time.Hour)
		}, false},
	} {
		for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
			t.Run(c.name+"/"+string(dialect), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, dialect, c.role)
				channel := c.channel(w)
				w.silent.join(channel.Name())
				publish(t, w.App, channel, "test.before", nil)
				w.silent.wants(channel.Name(), `{"type":"test.before"}`)
				c.end(t, w)
				if c.drops {
					w.silent.dropped(channel.Name(), within)
					publish(t, w.App, channel, "test.after", nil)
					w.silent.hears(channel.Name(), false)
					return
				}
				if code := w.silent.closed(within); code != 3500 {
					t.Errorf("closed with %d", code)
				}
			})
		}
	}
}

func newWorld(t *testing.T, dialect db.Dialect, role authz.Role) *world {
	t.Helper()
	w := &world{now: clock.NewManual(time.Now())}
	w.App = tenontest.Start(t, dialect, tenontest.Configure(func(c *tenon.Config) { c.Now = w.now.Now }))
	w.root, w.ada = w.Administrator("root"), w.User("ada")
	w.org = w.Org(w.ada, "lovelace")
	w.bob = w.Member(w.org, "bob", role)
	w.at = listen(t, w.App)
	w.cookie = cookie(t, w.App, w.bob)
	w.silent = open(t, w.at, bearer(w.bob.Tokens.AccessToken))
	return w
}

// dropped waits until the server ends a subscription.
func (w *wire) dropped(channel string, within time.Duration) {
	w.t.Helper()
	for end := time.Now().Add(within); ; {
		m, err := w.next(time.Until(end))
		if err != nil {
			w.t.Fatalf("%s was not dropped: %v", channel, err)
		}
		if m.Push != nil && m.Push.Channel == channel && m.Push.Unsubscribe != nil {
			return
		}
	}
}

// hears asks for a reply, and whether a publication in the channel comes before it.
func (w *wire) hears(channel string, want bool) {
	w.t.Helper()
	heard := false
	w.id++
	w.raw(`{"id":` + strconv.Itoa(w.id) + `,"presence":{"channel":"` + channel + `"}}`)
	for {
		m, err := w.next(soon)
		if err != nil {
			w.t.Fatal(err)
		}
		if m.ID == w.id {
			break
		}
		heard = heard || m.Push != nil && m.Push.Channel == channel && m.Push.Pub != nil
	}
	if heard != want {
		w.t.Errorf("heard: %v", heard)
	}
}

// A token is replaced while the connection stays: by another of the same account, and no other.
func TestAConnectionOutlivesItsToken(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada, eve := app.User("ada"), app.User("eve")
		w, _, _ := dial(t, listen(t, app), nil)
		r := w.connect(ada.Tokens.AccessToken)
		if r.Connect == nil || !r.Connect.Expires || r.Connect.TTL <= 0 {
			t.Fatalf("when to bring another token is not said: %+v", r.Connect)
		}
		for _, token := range []string{eve.Tokens.AccessToken, "nonsense"} {
			if r := w.ask(`"refresh":{"token":"` + token + `"}`); r.Error == nil {
				t.Errorf("the token %q of somebody else is taken", token)
			}
		}
		next := *ada
		next.Tokens = app.SignIn(ada)
		if r := w.ask(`"refresh":{"token":"` + next.Tokens.AccessToken + `"}`); r.Error != nil {
			t.Fatalf("the next token is refused: %+v", *r.Error)
		}
		app.Call(ada, "POST", "/auth/logout", "").Want(t, http.StatusNoContent) // of the first session
		time.Sleep(2 * time.Second)                                             // for the connection to be asked about
		publish(t, app, realtime.User(ada.ID), "test.still", nil)
		w.wants(realtime.User(ada.ID).Name(), `{"type":"test.still"}`)
		app.Call(&next, "POST", "/auth/logout", "").Want(t, http.StatusNoContent)
		if code := w.closed(within); code != 3500 {
			t.Errorf("closed with %d", code)
		}
	})
}
