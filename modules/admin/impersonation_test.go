package admin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/tenontest"
)

// impersonate lets the administrator act as u, and returns who they are then.
func (w *world) impersonate(u *tenontest.User, more string) *tenontest.User {
	w.t.Helper()
	got := w.act(u, "impersonate", `{"reason":"she asked us to"`+more+`}`).Want(w.t, 200)
	return as(w.t, u, got)
}

func as(t *testing.T, u *tenontest.User, got *tenontest.Answer) *tenontest.User {
	t.Helper()
	acting := &tenontest.User{Account: u.Account}
	acting.Tokens.AccessToken = got.Get("access_token")
	if got.Get("refresh_token") != "" {
		t.Errorf("an impersonation can be refreshed: %s", got.Text)
	}
	return acting
}

func TestAnAdministratorLooksAtSomebodysAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		org := w.Org(w.ada, "acme")
		got := w.act(w.ada, "impersonate", `{"reason":"her export is empty"}`).Want(t, 200)
		if got.Body["expires_in"] != 1800.0 || got.Get("refresh_token") != "" || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("got %s", got.Text)
		}
		acting := as(t, w.ada, got)

		// What she sees, and by whom it is seen.
		me := w.Call(acting, "GET", "/users/me", "").Want(t, 200)
		until := w.now.Now().Add(30 * time.Minute).Format(time.RFC3339Nano)
		if diff := cmp.Diff(map[string]any{"name": "root", "may_write": false, "until": until}, me.Body["impersonator"]); diff != "" || me.Get("email") != "ada@example.com" {
			t.Errorf("me = %s\n%s", me.Text, diff)
		}
		w.Call(acting, "GET", "/orgs/"+org.String(), "").Want(t, 200)
		if own := w.Call(w.ada, "GET", "/users/me", ""); strings.Contains(own.Text, "impersonator") {
			t.Errorf("her own: %s", own.Text)
		}
		// Nothing is changed, and nothing of an administrator's is open.
		w.Call(acting, "PATCH", "/users/me", `{"name":"X"}`).WantCode(t, 403, "auth.looks_only")
		w.Call(acting, "PATCH", "/orgs/"+org.String(), `{"name":"X"}`).WantCode(t, 403, "auth.looks_only")
		w.Call(acting, "POST", "/orgs", `{"name":"X","slug":"xxx"}`).WantCode(t, 403, "auth.looks_only")
		w.Call(acting, "PUT", "/users/me/password", `{"current_password":"x","new_password":"y"}`).WantCode(t, 403, "auth.not_by_impersonation")
		w.Call(acting, "GET", "/admin/users", "").WantCode(t, 403, "auth.denied")
		w.Call(acting, "POST", at(w.root)+"/impersonate", because).WantCode(t, 403, "auth.denied")

		// She is told: by mail, in her log, in the list of her sessions.
		letter := w.Mail("ada@example.com")[0]
		if letter.Subject != "An administrator acts in your account" || !strings.Contains(letter.Text, "root, who administrates") ||
			!strings.Contains(letter.Text, "can change nothing") || !strings.Contains(letter.Text, "her export is empty") {
			t.Errorf("the letter: %s\n%s", letter.Subject, letter.Text)
		}
		event := w.Call(w.ada, "GET", "/users/me/events?type=sessions.impersonation_started", "").Want(t, 200).Items()[0]
		actor := event["actor"].(map[string]any)
		if actor["id"] != w.root.ID.String() || actor["name"] != "root" || !strings.Contains(fmt.Sprint(event["changes"]), "her export is empty") || strings.Contains(fmt.Sprint(event["data"]), "export") {
			t.Errorf("the event: %v", event)
		}
		list := w.Call(w.ada, "GET", "/sessions", "").Want(t, 200).Items()
		i := slices.IndexFunc(list, func(s map[string]any) bool { return s["impersonator"] != nil })
		if len(list) != 2 || i < 0 || fmt.Sprint(list[i]["impersonator"]) != "map[name:root]" || list[i]["ip_address"] != "" || list[1-i]["impersonator"] != nil {
			t.Fatalf("her sessions: %v", list)
		}
		if stats := w.Call(w.ada, "GET", "/sessions/stats", ""); stats.Body["active"] != 1.0 {
			t.Errorf("her sessions: %s", stats.Text)
		}
		// And ends it when she likes.
		w.Call(w.ada, "DELETE", "/sessions/"+list[i]["id"].(string), "").Want(t, 204)
		w.Call(acting, "GET", "/users/me", "").Want(t, 401)
		if got := w.events(w.ada)[0]; got != "sessions.impersonation_ended" {
			t.Errorf("the end is told as %s", got)
		}
	})
}

func TestAnAdministratorWorksInSomebodysAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		org := w.Org(w.ada, "acme")
		acting := w.impersonate(w.ada, `,"write":true`)
		w.Call(acting, "PATCH", "/users/me", `{"name":"Countess"}`).Want(t, 200)
		w.Call(acting, "PATCH", "/orgs/"+org.String(), `{"name":"Engines"}`).Want(t, 200)
		for _, list := range []*tenontest.Answer{w.Call(w.ada, "GET", "/users/me/events?type=accounts.updated", ""), w.Call(w.ada, "GET", "/orgs/"+org.String()+"/events?type=orgs.updated", "")} {
			e := list.Want(t, 200).Items()[0]["actor"].(map[string]any)
			if e["id"] != w.root.ID.String() || e["name"] != "root" || e["on_behalf_of"] != w.ada.ID.String() {
				t.Errorf("it was done by %v", e)
			}
		}
		if !strings.Contains(w.Mail("ada@example.com")[0].Text, "works in your account as you do") {
			t.Errorf("the letter: %s", w.Mail("ada@example.com")[0].Text)
		}
		// What is hers alone stays so.
		own := w.ada.Tokens.SessionID.String()
		for call, body := range map[string]string{
			"PUT /users/me/password": `{"current_password":"x","new_password":"a phrase of root"}`, "POST /users/me/email": `{"new_email":"root2@example.com"}`,
			"POST /auth/confirm": `{"password":"x"}`, "DELETE /sessions/all": "", "DELETE /sessions/all?keep_current=true": "", "DELETE /sessions/" + own: "",
			"DELETE /orgs/" + org.String(): "", "POST /invitations/accept": `{"token":"x"}`, "POST /orgs/" + org.String() + "/transfer": `{"account_id":"` + w.root.ID.String() + `"}`,
		} {
			method, path, _ := strings.Cut(call, " ")
			if got := w.Call(acting, method, path, body); got.Status != 403 || got.Get("code") != "auth.not_by_impersonation" {
				t.Errorf("%s got %d %s", call, got.Status, got.Get("code"))
			}
		}
		w.Call(w.ada, "GET", "/users/me", "").Want(t, 200)
		w.Call(acting, "POST", "/auth/logout", "").Want(t, 204)
		w.Call(acting, "GET", "/users/me", "").Want(t, 401)
		w.Call(w.ada, "GET", "/users/me", "").Want(t, 200)
		if got := w.events(w.ada); got[0] != "sessions.impersonation_ended" || slices.Contains(got, "sessions.signed_out") {
			t.Errorf("events: %v", got)
		}
	})
}

func TestAnImpersonationEndsWithItsTimeToTheMoment(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.act(w.ada, "impersonate", `{"reason":"too long","minutes":61}`).Want(t, 422)
		w.act(w.ada, "impersonate", `{"reason":"too short","minutes":0}`).Want(t, 422)
		acting := w.impersonate(w.ada, `,"minutes":60,"write":true`)
		w.now.Advance(time.Hour - time.Microsecond)
		w.Call(acting, "GET", "/users/me", "").Want(t, 200)
		w.now.Advance(time.Microsecond)
		w.Call(acting, "GET", "/users/me", "").Want(t, 401)
		w.Settle()

		// The end is noted by a job that waits for it.
		w.ada.Tokens, w.root.Tokens = w.SignIn(w.ada), w.SignIn(w.root)
		list := w.Call(w.root, "GET", at(w.ada)+"/events?type=sessions.impersonation_started", "").Items()
		session, err := id.Parse[idKind](list[0]["data"].(map[string]any)["session_id"].(string))
		must(t, err)
		must(t, w.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
			return w.Jobs.Enqueue(t.Context(), tx, sessions.EndImpersonation{AccountID: w.ada.ID, SessionID: sessions.ID(session)})
		}))
		w.Settle()
		ended := w.Call(w.ada, "GET", "/users/me/events?type=sessions.impersonation_ended", "").Items()
		if len(ended) != 1 || ended[0]["data"].(map[string]any)["reason"] != "expired" || ended[0]["data"].(map[string]any)["administrator_id"] != w.root.ID.String() {
			t.Errorf("ended: %v", ended)
		}
	})
}

// idKind reads the id of a session from an event.
type idKind struct{}

func (idKind) Prefix() string { return "ses" }

func TestAnImpersonationEndsWithWhatItsAdministratorIs(t *testing.T) {
	for name, end := range map[string]func(w *world, other *tenontest.User){
		"signs out":            func(w *world, _ *tenontest.User) { w.Call(w.root, "POST", "/auth/logout", "").Want(w.t, 204) },
		"signs out everywhere": func(w *world, _ *tenontest.User) { w.Call(w.root, "DELETE", "/sessions/all", "").Want(w.t, 204) },
		"is revoked": func(w *world, other *tenontest.User) {
			w.Call(other, "POST", at(w.root)+"/revoke-administrator", "").Want(w.t, 200)
		},
		"is suspended": func(w *world, other *tenontest.User) {
			w.Call(other, "POST", at(w.root)+"/suspend", because).Want(w.t, 200)
		},
		"is deleted": func(w *world, other *tenontest.User) { w.Call(other, "DELETE", at(w.root), because).Want(w.t, 202) },
		"is signed out": func(w *world, other *tenontest.User) {
			w.Call(other, "POST", at(w.root)+"/sign-out", "").Want(w.t, 204)
		},
		"ends the session": func(w *world, _ *tenontest.User) {
			w.Call(w.root, "DELETE", "/sessions/"+w.root.Tokens.SessionID.String(), "").Want(w.t, 204)
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				other := w.Administrator("other")
				first := w.impersonate(w.ada, "")
				w.Call(first, "GET", "/users/me", "").Want(t, 200) // it is in memory
				end(w, other)
				w.Call(first, "GET", "/users/me", "").Want(t, 401)
				w.Settle()
				if n := len(w.Call(w.ada, "GET", "/sessions", "").Want(t, 200).Items()); n != 1 {
					t.Errorf("she has %d sessions", n)
				}
				ended := w.Call(w.ada, "GET", "/users/me/events?type=sessions.impersonation_ended", "").Want(t, 200).Items()
				if len(ended) != 1 {
					t.Errorf("the end is noted %d times", len(ended))
				}
			})
		})
	}
	t.Run("resets the password by mail", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			acting := w.impersonate(w.ada, "")
			w.Call(acting, "GET", "/users/me", "").Want(t, 200)
			w.Call(nil, "POST", "/auth/request-password-reset", `{"email":"root@example.com"}`).Want(t, 202)
			w.Call(nil, "POST", "/auth/reset-password", `{"token":"`+w.MailedToken("root@example.com")+`","new_password":"quite another phrase"}`).Want(t, 204)
			w.Call(acting, "GET", "/users/me", "").Want(t, 401)
		})
	})
	t.Run("is the one of two sessions that stays", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			acting := w.impersonate(w.ada, "")
			w.SignIn(w.root)
			w.Call(w.root, "DELETE", "/sessions/all?keep_current=true", "").Want(t, 204)
			w.Settle()
			w.Call(acting, "GET", "/users/me", "").Want(t, 200)
		})
	})
}

func TestAnImpersonationEndsWithWhatItsOwnerIs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, end := range map[string]func(u *tenontest.User){
			"suspended":     func(u *tenontest.User) { w.act(u, "suspend", because).Want(t, 200) },
			"administrator": func(u *tenontest.User) { w.act(u, "grant-administrator", "").Want(t, 200) },
			"signs-out":     func(u *tenontest.User) { w.Call(u, "DELETE", "/sessions/all", "").Want(t, 204) },
			"password": func(u *tenontest.User) {
				w.Call(u, "PUT", "/users/me/password", fmt.Sprintf(`{"current_password":%q,"new_password":"quite another phrase"}`, u.Password)).Want(t, 204)
			},
		} {
			u := w.User(name)
			acting := w.impersonate(u, "")
			w.Call(acting, "GET", "/users/me", "").Want(t, 200)
			end(u)
			if got := w.Call(acting, "GET", "/users/me", "").Status; got != 401 {
				t.Errorf("%s: the administrator gets %d", name, got)
			}
		}
	})
}

func TestWhoIsNotImpersonated(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		other := w.Administrator("other")
		w.act(other, "impersonate", because).WantCode(t, 403, "auth.not_impersonated")
		w.act(w.root, "impersonate", because).WantCode(t, 403, "auth.not_impersonated")
		for _, body := range []string{`{}`, `{"reason":"x"}`, `{"reason":"      "}`, `{"reason":"` + strings.Repeat("x", 501) + `"}`} {
			w.act(w.ada, "impersonate", body).Want(t, 422)
		}
		w.act(w.ada, "suspend", because).Want(t, 200)
		w.act(w.ada, "impersonate", because).WantCode(t, 409, "accounts.not_active")
		if n := len(w.Mail("other@example.com")) + len(w.Mail("ada@example.com")); n != 0 {
			t.Errorf("%d letters about what did not happen", n)
		}
		// Only with a recent proof of identity.
		w.now.Advance(authz.FreshFor + time.Second)
		_, err := w.DB.Platform("test").Exec(t.Context(), `UPDATE sessions SET authenticated_at = $2 WHERE account_id = $1`, w.root.ID, w.now.Now().Add(-authz.FreshFor-time.Second))
		must(t, err)
		tokens := w.Call(nil, "POST", "/auth/refresh", `{"refresh_token":"`+w.root.Tokens.RefreshToken+`"}`).Want(t, 200)
		w.root.Tokens.AccessToken = tokens.Get("access_token")
		w.act(w.ada, "impersonate", because).WantCode(t, 401, "auth.fresh_required")
	})
}

func TestABrowserActsAsSomebody(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		got := w.act(w.ada, "impersonate", `{"reason":"she asked us to","cookie":true,"minutes":10}`).Want(t, 200)
		cookies := got.Header.Values("Set-Cookie")
		if len(cookies) != 1 || got.Get("access_token") != "" || !strings.Contains(cookies[0], w.now.Now().Add(10*time.Minute).UTC().Format("15:04:05 GMT")) {
			t.Fatalf("got %s, cookies %v", got.Text, cookies)
		}
		cookie, _, _ := strings.Cut(cookies[0], ";")
		q := w.Request("GET", "/users/me", "")
		q.Header.Set("Cookie", cookie)
		if me := w.Send(q).Want(t, 200); me.Get("email") != "ada@example.com" || me.Body["impersonator"] == nil {
			t.Errorf("me = %s", me.Text)
		}
		// It is no device of hers: neither does she hear of one, nor is it known later.
		if letters := w.Mail("ada@example.com"); len(letters) != 1 {
			t.Errorf("%d letters", len(letters))
		}
	})
}

func TestTheNoticeOfAnImpersonationCanBeOff(t *testing.T) {
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			app := tenontest.Start(t, dialect, tenontest.Configure(func(c *tenon.Config) { c.Sessions.ImpersonationNotice = "off" }))
			root, ada := app.Administrator("root"), app.User("ada")
			app.Call(root, "POST", at(ada)+"/impersonate", because).Want(t, 200)
			if n := len(app.Mail("ada@example.com")); n != 0 {
				t.Errorf("%d letters", n)
			}
			if n := len(app.Call(ada, "GET", "/users/me/events?type=sessions.impersonation_started", "").Items()); n != 1 {
				t.Errorf("%d events", n)
			}
		})
	}
}
