package attack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/web"
	"github.com/tenonhq/tenon/tenontest"
)

// as asks for the caller's account with a cookie.
func as(app *tenontest.App, cookie string) *tenontest.Answer {
	return app.Send(set(app.Request("GET", "/users/me", ""), "Cookie: "+cookie))
}

// by sends a request of a browser's own page.
func by(app *tenontest.App, cookie, method, path, body string) *tenontest.Answer {
	return app.Send(set(app.Request(method, path, body), "Cookie: "+cookie, "Origin: "+publicURL))
}

func TestC01ASessionKnownBeforeIsNotTheOneAfter(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		mallory, ada := app.User("mallory"), app.User("ada")
		planted := browser(t, app, mallory)
		own := browser(t, app, ada, "Cookie: "+planted, "Origin: "+publicURL)
		if own == planted {
			t.Fatal("the planted session became the victim's")
		}
		if got := as(app, planted).Want(t, 200).Get("email"); got != mallory.Email {
			t.Errorf("the planted session is %s's", got)
		}
		for _, c := range []string{"__Host-tenon_session=tn_ses_" + strings.Repeat("0", 32) + "_000000", "__Host-tenon_session=", "__Host-tenon_session=x"} {
			if made := browser(t, app, ada, "Cookie: "+c, "Origin: "+publicURL); made == c {
				t.Errorf("%s was taken over", c)
			}
		}
		// A new id on every elevation.
		confirmed := cookieOf(t, by(app, own, "POST", "/auth/confirm", fmt.Sprintf(`{"password":%q}`, ada.Password)).Want(t, 204))
		as(app, own).Want(t, 401)
		as(app, confirmed).Want(t, 200)
	}, tenontest.Configure(atHome))
}

func TestC02OnlyTheSessionIsACookieAndItIsCleared(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		own := browser(t, app, ada)
		out := by(app, own, "POST", "/auth/logout", "").Want(t, 204)
		if out.Header.Get("Set-Cookie") != "__Host-tenon_session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax" || !strings.Contains(out.Header.Get("Clear-Site-Data"), `"storage"`) {
			t.Errorf("signing out answers %v", out.Header)
		}
		as(app, own).Want(t, 401)
		// Programs get tokens, no cookies.
		if got := login(app, ada.Email, ada.Password).Want(t, 200); got.Header.Get("Set-Cookie") != "" {
			t.Errorf("a program got a cookie: %s", got.Header.Get("Set-Cookie"))
		}
	}, tenontest.Configure(atHome))
}

func TestC03OtherSessionsEndWithTheCredentialThatBeganThem(t *testing.T) {
	type world struct {
		app *tenontest.App
		ada *tenontest.User
		own string
	}
	for name, change := range map[string]func(t *testing.T, w world) (next string){
		"change of password": func(t *testing.T, w world) string {
			return cookieOf(t, by(w.app, w.own, "PUT", "/users/me/password", fmt.Sprintf(`{"current_password":%q,"new_password":"another phrase of hers"}`, w.ada.Password)).Want(t, 204))
		},
		"reset by mail": func(t *testing.T, w world) string {
			w.app.Call(nil, "POST", "/auth/request-password-reset", `{"email":"ada@example.com"}`).Want(t, 202)
			w.app.Call(nil, "POST", "/auth/reset-password", `{"token":"`+w.app.MailedToken("ada@example.com")+`","new_password":"another phrase of hers"}`).Want(t, 204)
			return ""
		},
		"change of address": func(t *testing.T, w world) string {
			by(w.app, w.own, "POST", "/users/me/email", `{"new_email":"new@example.com"}`).Want(t, 202)
			return cookieOf(t, by(w.app, w.own, "POST", "/auth/confirm-email", `{"token":"`+w.app.MailedToken("new@example.com")+`"}`).Want(t, 200))
		},
		"signing out everywhere else": func(t *testing.T, w world) string {
			by(w.app, w.own, "DELETE", "/sessions/all?keep_current=true", "").Want(t, 204)
			return w.own
		},
		"signing out everywhere": func(t *testing.T, w world) string {
			by(w.app, w.own, "DELETE", "/sessions/all", "").Want(t, 204)
			return ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
				ada, bob := app.User("ada"), app.User("bob")
				w := world{app, ada, browser(t, app, ada)}
				other, refresh := browser(t, app, ada), ada.Tokens.RefreshToken
				for _, c := range []string{w.own, other} {
					as(app, c).Want(t, 200) // and now it is in memory
				}
				app.Call(ada, "GET", "/users/me", "").Want(t, 200)
				next := change(t, w)
				as(app, other).Want(t, 401)
				app.Call(ada, "GET", "/users/me", "").Want(t, 401)
				app.Call(nil, "POST", "/auth/refresh", `{"refresh_token":"`+refresh+`"}`).Want(t, 401)
				if next != w.own {
					as(app, w.own).Want(t, 401)
				}
				if next != "" {
					as(app, next).Want(t, 200)
				}
				app.Call(bob, "GET", "/users/me", "").Want(t, 200)
			}, tenontest.Configure(atHome))
		})
	}
}

func TestC05NobodyEndsOrSeesAnothersSession(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada, bob := app.User("ada"), app.User("bob")
		theirs := bob.Tokens.SessionID.String()
		foreign, unknown := app.Call(ada, "DELETE", "/sessions/"+theirs, "").Want(t, 404), app.Call(ada, "DELETE", "/sessions/"+id.New[kindOfSession]().String(), "").Want(t, 404)
		if shape(foreign) != shape(unknown) {
			t.Errorf("another's session is not answered like an unknown one:\n%s\n%s", shape(foreign), shape(unknown))
		}
		app.Call(bob, "GET", "/users/me", "").Want(t, 200)
		for _, q := range []string{"?user_id=" + bob.ID.String(), "?account_id=" + bob.ID.String(), "?account=" + bob.ID.String()} {
			app.Call(ada, "GET", "/sessions"+q, "").Want(t, 422)
		}
		list := app.Call(ada, "GET", "/sessions", "").Want(t, 200)
		if strings.Contains(list.Text, theirs) || len(list.Items()) != 1 || list.Items()[0]["id"] != ada.Tokens.SessionID.String() {
			t.Errorf("the list: %s", list.Text)
		}
		// The id of a session opens nothing.
		own := ada.Tokens.SessionID.String()
		for _, h := range []string{"Authorization: Bearer " + own, "Cookie: tenon_session=" + own, "Cookie: __Host-tenon_session=" + own, "Authorization: Bearer " + ada.Tokens.RefreshToken} {
			app.Send(set(app.Request("GET", "/users/me", ""), h)).Want(t, 401)
		}
		app.Call(nil, "POST", "/auth/refresh", `{"refresh_token":"`+own+`"}`).Want(t, 401)
		app.Call(nil, "POST", "/auth/refresh", `{"refresh_token":"`+ada.Tokens.AccessToken+`"}`).Want(t, 422) // longer than any
		// What the database keeps of it does not either.
		app.Call(bob, "DELETE", "/sessions/"+theirs, "").Want(t, 204)
		app.Call(bob, "GET", "/users/me", "").Want(t, 401)
		app.Call(ada, "GET", "/users/me", "").Want(t, 200)
	})
}

type kindOfSession struct{}

func (kindOfSession) Prefix() string { return "ses" }

var param = regexp.MustCompile(`\{[a-z_]+\}`)

// C09, for every operation that changes something: no other site makes a browser do it.
func TestC09NoOtherSiteUsesTheCookie(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		own := browser(t, app, ada)
		tried := 0
		for _, op := range app.Web.Ops() {
			path, fromRoot := strings.CutPrefix(op.Path, "//")
			if path = param.ReplaceAllString(path, "x"); fromRoot {
				path = "//" + path
			}
			if op.Method == http.MethodGet {
				continue
			}
			tried++
			for name, c := range map[string]struct {
				headers []string
				body    string
			}{
				"a: cross-site":       {[]string{"Sec-Fetch-Site: cross-site"}, `{}`},
				"b: same-site":        {[]string{"Sec-Fetch-Site: same-site"}, `{}`},
				"c: foreign origin":   {[]string{"Origin: https://evil.test"}, `{}`},
				"c: without a body":   {[]string{"Origin: https://evil.test"}, ``},
				"d: origin null":      {[]string{"Origin: null"}, `{}`},
				"e: without TLS":      {[]string{"Origin: http://app.test"}, `{}`},
				"f: a form as text":   {[]string{"Content-Type: text/plain"}, `{}`},
				"g: a form":           {[]string{"Content-Type: application/x-www-form-urlencoded"}, url.Values{"a": {"b"}}.Encode()},
				"h: with an override": {[]string{"Origin: https://evil.test", "X-HTTP-Method-Override: GET"}, `{}`},
			} {
				q := app.Request(op.Method, path, c.body)
				for _, h := range c.headers {
					if strings.HasPrefix(h, "Content-Type") {
						q.Header.Del("Content-Type")
					}
				}
				if got := app.Send(set(q, append(c.headers, "Cookie: "+own)...)); got.Status != 403 || got.Get("code") != "request.origin" {
					t.Errorf("%s %s, %s: %d %s", op.Method, op.Path, name, got.Status, got.Text)
				}
			}
			// A program with a token is told what it lacks, not where it comes from. What becomes a
			// connection refuses other sites whatever they send (C12).
			if op.ID == "realtime.http_stream" {
				continue
			}
			q := set(app.Request(op.Method, path, `{}`), "Origin: https://evil.test", "Authorization: Bearer "+ada.Tokens.AccessToken)
			if got := app.Send(q); got.Get("code") == "request.origin" {
				t.Errorf("%s %s: a program is taken for a browser", op.Method, op.Path)
			}
			if op.ID == "sessions.logout" || op.ID == "sessions.revoke_all" {
				ada.Tokens = app.SignIn(ada)
			}
		}
		if tried < 20 {
			t.Errorf("only %d operations were tried", tried)
		}
		// i: the same by GET changes nothing.
		for _, op := range app.Web.Ops() {
			if op.Method == http.MethodGet || strings.Contains(op.Path, "{") {
				continue
			}
			if slices.ContainsFunc(app.Web.Ops(), func(o web.Op) bool { return o.Method == http.MethodGet && covers(o.Path, op.Path) }) {
				continue
			}
			if got := app.Send(set(app.Request("GET", op.Path, ""), "Cookie: "+own)); got.Status != 405 && got.Status != 404 {
				t.Errorf("GET %s: %d", op.Path, got.Status)
			}
		}
	}, tenontest.Configure(atHome))
}

// covers reports whether a path, or one with parameters, is another one as well.
func covers(pattern, path string) bool {
	of, is := strings.Split(pattern, "/"), strings.Split(path, "/")
	return slices.EqualFunc(of, is, func(a, b string) bool { return a == b || strings.HasPrefix(a, "{") })
}

// A document that anyone may read says of each operation who may call it, and no
// operation answers a stranger with more than it says.
func TestJ10PublicAnswersHoldNothingOfTheInside(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		for _, op := range app.Web.Ops() {
			if op.Method != http.MethodGet || op.Access.Kind() != "public" || strings.Contains(op.Path, "{") {
				continue
			}
			got := app.Call(nil, "GET", op.Path, "")
			if got.Status >= 500 {
				t.Errorf("%s: %d %s", op.ID, got.Status, got.Text)
			}
			for _, word := range []string{"postgres://", "sqlite:", "/root/", "goroutine ", app.Config.RootSecret} {
				if strings.Contains(got.Text, word) {
					t.Errorf("%s answers with %q", op.ID, word)
				}
			}
		}
		for _, path := range []string{"//metrics", "//debug/pprof/", "//debug/vars", "//.git/config", "//.env", "//admin", "//api/v1/../../etc/passwd"} {
			if got := app.Call(nil, "GET", path, ""); got.Status != 404 {
				t.Errorf("%s: %d", path, got.Status)
			}
		}
	})
}

// Nothing that opens something is in the database, in a log line or in a list.
func TestSecretsAreKeptAsHashes(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		cookie := browser(t, app, ada)
		app.Call(nil, "POST", "/auth/request-password-reset", `{"email":"ada@example.com"}`).Want(t, 202)
		reset := app.MailedToken("ada@example.com")
		_, secret, _ := strings.Cut(cookie, "=")
		for _, path := range []string{"/users/me", "/users/me/events", "/sessions", "/sessions/stats"} {
			got := app.Call(ada, "GET", path, "").Want(t, 200)
			for _, s := range []string{secret, reset, ada.Tokens.RefreshToken, ada.Password, "argon2", "password_hash", "cookie_hash"} {
				if strings.Contains(got.Text, s) {
					t.Errorf("%s holds %q", path, s)
				}
			}
		}
		raw, err := json.Marshal(ada.Account)
		if err != nil || strings.Contains(string(raw), "argon2") {
			t.Errorf("an account as JSON: %s, %v", raw, err)
		}
	})
}
