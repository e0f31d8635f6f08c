package sessions_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
)

// eachAt runs fn on both databases, with a clock that moves only when told to.
func eachAt(t *testing.T, fn func(t *testing.T, app *tenontest.App, now *clock.Manual)) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			now := clock.NewManual(time.Now())
			fn(t, tenontest.Start(t, dialect, tenontest.Configure(func(c *tenon.Config) { c.Now = now.Now })), now)
		})
	}
}

func refresh(app *tenontest.App, token string) *tenontest.Answer {
	return app.Call(nil, "POST", "/auth/refresh", `{"refresh_token":"`+token+`"}`)
}

func bearer(app *tenontest.App, token string) int {
	q := app.Request("GET", "/users/me", "")
	q.Header.Set("Authorization", "Bearer "+token)
	return app.Send(q).Status
}

func eventTypes(t *testing.T, app *tenontest.App, token string) []string {
	t.Helper()
	q := app.Request("GET", "/users/me/events?limit=100", "")
	q.Header.Set("Authorization", "Bearer "+token)
	var types []string
	for _, e := range app.Send(q).Want(t, 200).Items() {
		types = append(types, e["type"].(string))
	}
	slices.Sort(types)
	return types
}

// A client that asks many times at once, as browsers with several tabs do, is neither
// signed out nor left with a token that does not work.
func TestManyRefreshesAtOnceLeaveOneSession(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		var mu sync.Mutex
		var all, ready sync.WaitGroup
		pairs := map[string]string{} // refresh token → access token
		ready.Add(50)
		for range 50 {
			all.Go(func() {
				ready.Done()
				ready.Wait()
				got := refresh(app, ada.Tokens.RefreshToken)
				mu.Lock()
				defer mu.Unlock()
				if got.Status != 200 {
					t.Errorf("a refresh got %d %s", got.Status, got.Text)
				}
				pairs[got.Get("refresh_token")] = got.Get("access_token")
			})
		}
		all.Wait()
		if len(pairs) != 1 {
			t.Fatalf("%d different refresh tokens were given out", len(pairs))
		}
		for newest, access := range pairs {
			if bearer(app, access) != 200 || bearer(app, ada.Tokens.AccessToken) != 200 {
				t.Error("an access token of the session does not work")
			}
			refresh(app, newest).Want(t, 200)
		}
		if n := len(app.Call(ada, "GET", "/sessions", "").Want(t, 200).Items()); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

func TestAStolenRefreshTokenEndsTheSession(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		ada := app.User("ada")
		first := ada.Tokens.RefreshToken
		second := refresh(app, first).Want(t, 200).Get("refresh_token")
		now.Advance(time.Hour)
		// The answer may have been lost: one step behind gets the same pair, at any time.
		if again := refresh(app, first).Want(t, 200).Get("refresh_token"); again != second {
			t.Errorf("one step behind got another token")
		}
		third := refresh(app, second).Want(t, 200).Get("refresh_token")
		now.Advance(30 * time.Second)
		if got := refresh(app, first).Want(t, 200).Get("refresh_token"); got != third { // within the grace window
			t.Error("two steps behind, soon, got another token")
		}
		now.Advance(time.Second)
		// Two steps behind, later: a copy is in other hands.
		refresh(app, first).WantCode(t, 401, "auth.invalid_refresh_token")
		refresh(app, third).WantCode(t, 401, "auth.invalid_refresh_token")
		if got := bearer(app, ada.Tokens.AccessToken); got != 401 {
			t.Errorf("the access token of the ended session gets %d", got)
		}
		ada.Tokens = app.SignIn(ada)
		if types := eventTypes(t, app, ada.Tokens.AccessToken); !slices.Contains(types, "sessions.refresh_reused") {
			t.Errorf("the log: %v", types)
		}
	})
}

func TestForgedRefreshTokensAreRefused(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada, bob := app.User("ada"), app.User("bob")
		token := ada.Tokens.RefreshToken
		for i := len("tn_rt_"); i < len(token); i += 7 {
			broken := []byte(token)
			broken[i] ^= 1
			if got := refresh(app, string(broken)); got.Status != 401 {
				t.Errorf("byte %d changed: %d", i, got.Status)
			}
		}
		for _, other := range []string{"", "x", ada.Tokens.SessionID.String(), token + "0", strings.ToUpper(token), " " + token} {
			refresh(app, other).Want(t, 401)
		}
		refresh(app, token).Want(t, 200)
		refresh(app, bob.Tokens.RefreshToken).Want(t, 200)
	})
}

func TestASessionEndsByItself(t *testing.T) {
	eachAt(t, func(t *testing.T, app *tenontest.App, now *clock.Manual) {
		idle, busy := app.User("idle"), app.User("busy")
		now.Advance(15*time.Minute - time.Second)
		if got := bearer(app, idle.Tokens.AccessToken); got != 200 {
			t.Errorf("within its life an access token gets %d", got)
		}
		now.Advance(time.Second)
		if got := bearer(app, idle.Tokens.AccessToken); got != 401 {
			t.Errorf("after its life an access token gets %d", got)
		}
		token := busy.Tokens.RefreshToken
		for day := 0; day < 84; day += 7 {
			now.Advance(7 * 24 * time.Hour)
			token = refresh(app, token).Want(t, 200).Get("refresh_token")
		}
		refresh(app, idle.Tokens.RefreshToken).Want(t, 401) // idle for longer than two weeks
		idle.Tokens = app.SignIn(idle)
		list, stats := app.Call(idle, "GET", "/sessions", "").Want(t, 200).Items(), app.Call(idle, "GET", "/sessions/stats", "").Want(t, 200)
		if len(list) != 1 || list[0]["id"] != idle.Tokens.SessionID.String() || stats.Body["active"] != 1.0 {
			t.Errorf("listed: %v; %s", list, stats.Text)
		}
		now.Advance(7 * 24 * time.Hour)
		refresh(app, token).Want(t, 401) // as busy as it may be, 90 days are all
	})
}

func TestWhatOneNodeRevokesAnotherRefusesWithinASecond(t *testing.T) {
	url := tenontest.Database(t, db.Postgres)
	here, there := tenontest.Node(t, url), tenontest.Node(t, url)
	for name, revoke := range map[string]func(u *tenontest.User){
		"signing out": func(u *tenontest.User) { here.Call(u, "POST", "/auth/logout", "").Want(t, 204) },
		"revoking": func(u *tenontest.User) {
			here.Call(u, "DELETE", "/sessions/"+u.Tokens.SessionID.String(), "").Want(t, 204)
		},
		"ending all": func(u *tenontest.User) { here.Call(u, "DELETE", "/sessions/all", "").Want(t, 204) },
		"a change elsewhere": func(u *tenontest.User) {
			other := here.SignIn(u)
			q := here.Request("PUT", "/users/me/password", fmt.Sprintf(`{"current_password":%q,"new_password":"another phrase of theirs"}`, u.Password))
			q.Header.Set("Authorization", "Bearer "+other.AccessToken)
			here.Send(q).Want(t, 204)
		},
	} {
		u := here.User(strings.ReplaceAll(name, " ", "-"))
		for range 3 {
			there.Call(u, "GET", "/users/me", "").Want(t, 200) // and now the other node remembers it
		}
		revoke(u)
		if got := here.Call(u, "GET", "/users/me", "").Status; got != 401 {
			t.Errorf("%s: this node still answers %d", name, got)
		}
		began := time.Now()
		for there.Call(u, "GET", "/users/me", "").Status == 200 {
			if time.Since(began) > time.Second {
				t.Fatalf("%s: the other node still lets it in", name)
			}
			time.Sleep(2 * time.Millisecond)
		}
		t.Logf("%s: seen after %v", name, time.Since(began).Round(time.Millisecond))
	}
}

// K04: whatever happens to an account is in its log, once.
func TestTheLogOfAnAccountIsComplete(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		const who, password = "ada@example.com", "a phrase only you know"
		call := func(token, method, path, body string) *tenontest.Answer {
			q := app.Request(method, path, body)
			if token != "" {
				q.Header.Set("Authorization", "Bearer "+token)
			}
			return app.Send(q)
		}
		login := func(password string) *tenontest.Answer {
			return call("", "POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, who, password))
		}
		call("", "POST", "/auth/register", fmt.Sprintf(`{"email":%q,"password":%q,"name":"Ada"}`, who, password)).Want(t, 202)
		call("", "POST", "/auth/verify-email", `{"token":"`+app.MailedToken(who)+`"}`).Want(t, 200)
		first := login(password).Want(t, 200)
		token := first.Get("access_token")
		login("wrong").Want(t, 401)
		second := login(password).Want(t, 200)
		call(token, "PATCH", "/users/me", `{"name":"Augusta","locale":"de"}`).Want(t, 200)
		call(token, "PATCH", "/users/me", `{"name":"Augusta"}`).Want(t, 200) // changes nothing, and says nothing
		call(token, "POST", "/auth/confirm", fmt.Sprintf(`{"password":%q}`, password)).Want(t, 204)
		call(token, "DELETE", "/sessions/"+second.Get("session_id"), "").Want(t, 204)
		call(login(password).Want(t, 200).Get("access_token"), "POST", "/auth/logout", "").Want(t, 204)
		call(token, "PUT", "/users/me/password", fmt.Sprintf(`{"current_password":%q,"new_password":"another phrase"}`, password)).Want(t, 204)
		call("", "POST", "/auth/request-password-reset", fmt.Sprintf(`{"email":%q}`, who)).Want(t, 202)
		reset := app.MailedToken(who)
		call(token, "POST", "/users/me/email", `{"new_email":"augusta@example.com"}`).Want(t, 202)
		call(token, "POST", "/auth/confirm-email", `{"token":"`+app.MailedToken("augusta@example.com")+`"}`).Want(t, 200)
		call("", "POST", "/auth/reset-password", `{"token":"`+reset+`","new_password":"yet another phrase"}`).Want(t, 422) // void since the address changed
		want := []string{
			"accounts.email_changed", "accounts.email_verified", "accounts.password_changed", "accounts.password_reset_requested", "accounts.registered", "accounts.updated",
			"sessions.confirmed", "sessions.revoked", "sessions.sign_in_failed", "sessions.signed_in", "sessions.signed_in", "sessions.signed_in", "sessions.signed_out",
		}
		var got []string
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) { // a failed sign-in is noted a moment later
			if got = eventTypes(t, app, token); len(got) >= len(want) || time.Now().After(deadline) {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +logged): %s", diff)
		}
		for _, e := range call(token, "GET", "/users/me/events?limit=100", "").Items() {
			actor := e["actor"].(map[string]any)
			if actor["id"] == "" && e["type"] != "sessions.sign_in_failed" && e["type"] != "accounts.password_reset_requested" {
				t.Errorf("%s was done by nobody: %v", e["type"], actor)
			}
			if e["request_id"] == "" && actor["kind"] != "job" {
				t.Errorf("%s belongs to no request", e["type"])
			}
			if changes, _ := e["changes"].(map[string]any); e["type"] == "accounts.updated" && (len(changes) != 2 || strings.Contains(fmt.Sprint(e["data"]), "Augusta")) {
				t.Errorf("what changed: %v, data: %v", changes, e["data"])
			}
		}
	})
}

func TestAnImportedHashIsMadeAnewAtSignIn(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		imported, err := bcrypt.GenerateFromPassword([]byte(ada.Password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		c := app.DB.Platform("test")
		if _, err := c.Exec(t.Context(), `UPDATE accounts SET password_hash = $1 WHERE id = $2`, string(imported), ada.ID); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			app.Call(nil, "POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, ada.Email, ada.Password)).Want(t, 200)
			hash, err := db.One(t.Context(), c, db.Scalar[string], `SELECT password_hash FROM accounts WHERE id = $1`, ada.ID)
			if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$") {
				t.Errorf("the hash is %.40s, %v", hash, err)
			}
		}
	})
}

// Statements per operation are exact and repeatable; each costs two thirds of a request.
func TestOperationsCostFewStatements(t *testing.T) {
	for _, c := range []struct {
		cache string
		want  map[string]int64
	}{
		{"", map[string]int64{"me": 0, "list": 1, "stats": 1, "refresh": 1, "org": 1, "members": 1, "inbox": 1, "unread": 1}},
		{"off", map[string]int64{"me": 1, "list": 2, "stats": 2, "refresh": 1}},
	} {
		tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
			ada := app.User("ada")
			acme := "/orgs/" + app.Org(ada, "acme").String()
			app.Settle()
			token := ada.Tokens.RefreshToken
			calls := map[string]func(){
				"me":    func() { app.Call(ada, "GET", "/users/me", "").Want(t, 200) },
				"list":  func() { app.Call(ada, "GET", "/sessions", "").Want(t, 200) },
				"stats": func() { app.Call(ada, "GET", "/sessions/stats", "").Want(t, 200) },
				"refresh": func() {
					token = refresh(app, token).Want(t, 200).Get("refresh_token")
				},
				"org":     func() { app.Call(ada, "GET", acme, "").Want(t, 200) },
				"members": func() { app.Call(ada, "GET", acme+"/members", "").Want(t, 200) },
				"inbox":   func() { app.Call(ada, "GET", "/notifications", "").Want(t, 200) },
				"unread":  func() { app.Call(ada, "GET", "/notifications/summary", "").Want(t, 200) },
			}
			for name, want := range c.want {
				calls[name]() // so that what is remembered is in memory
				fewest := int64(1000)
				for range 20 { // work in the background counts too, now and then
					before := app.DB.Stats().Statements.Load()
					calls[name]()
					fewest = min(fewest, app.DB.Stats().Statements.Load()-before)
				}
				if fewest != want {
					t.Errorf("cache %q: %s costs %d statements, want %d", c.cache, name, fewest, want)
				}
			}
		}, tenontest.Configure(func(cfg *tenon.Config) { cfg.Cache = c.cache }))
	}
}
