package admin_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
)

// world has one administrator, and Ada, who is none.
type world struct {
	*tenontest.App
	t         *testing.T
	now       *clock.Manual
	root, ada *tenontest.User
}

// each runs fn on both databases, with a clock that moves only when told to.
func each(t *testing.T, fn func(t *testing.T, w *world), options ...tenontest.Option) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			w := &world{t: t, now: clock.NewManual(time.Now())}
			atMine := tenontest.Configure(func(c *tenon.Config) { c.Now = w.now.Now })
			w.App = tenontest.Start(t, dialect, append(slices.Clone(options), atMine)...)
			w.root, w.ada = w.Administrator("root"), w.User("ada")
			fn(t, w)
		})
	}
}

func at(u *tenontest.User) string { return "/admin/users/" + u.ID.String() }

const because = `{"reason":"a good reason"}`

// act lets the administrator do something to u.
func (w *world) act(u *tenontest.User, verb, body string) *tenontest.Answer {
	w.t.Helper()
	return w.Call(w.root, "POST", at(u)+"/"+verb, body)
}

// emails lists whom a query finds.
func (w *world) emails(query string) []string {
	w.t.Helper()
	found := []string{}
	for _, u := range w.Call(w.root, "GET", "/admin/users"+query, "").Want(w.t, 200).Items() {
		found = append(found, strings.TrimSuffix(u["email"].(string), "@example.com"))
	}
	return found
}

func (w *world) events(u *tenontest.User) []string {
	w.t.Helper()
	var types []string
	for _, e := range w.Call(w.root, "GET", at(u)+"/events?limit=100", "").Want(w.t, 200).Items() {
		types = append(types, e["type"].(string))
	}
	return types
}

func TestAdministratorsFindAccounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, name := range []string{"ada.byron", "a_b", "a%b", "grace"} {
			w.now.Advance(time.Second)
			w.User(name)
		}
		w.Call(nil, "POST", "/auth/register", `{"email":"new@example.com","password":"a phrase only you know","name":"New"}`).Want(t, 202)
		suspended := w.User("suspended")
		w.act(suspended, "suspend", because).Want(t, 200)
		deleted := w.User("deleted")
		w.Call(w.root, "DELETE", at(deleted), because).Want(t, 202)
		w.Call(w.ada, "PATCH", "/users/me", `{"name":"The Countess"}`).Want(t, 200)

		for query, want := range map[string][]string{
			"?q=ada":                         {"ada.byron", "ada"},
			"?q=COUNTESS":                    {"ada"},
			"?q=byron":                       {"ada.byron"},
			"?q=%25":                         {"a%b"},
			"?q=_":                           {"a_b"},
			"?q=nobody":                      {},
			"?q=" + w.ada.ID.String():        {"ada"},
			"?q=%5C":                         {},
			"?admin=true":                    {"root"},
			"?status=suspended":              {"suspended"},
			"?status=deleting":               {"deleted"},
			"?status=unverified":             {"new"},
			"?status=active&q=a@":            {"ada"},
			"?q=" + url.QueryEscape(" ada "): {"ada.byron", "ada"},
		} {
			if diff := cmp.Diff(want, w.emails(query)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", query, diff)
			}
		}
		w.Call(w.root, "GET", "/admin/users?status=nonsense", "").Want(t, 422)
		if got := w.Call(w.root, "GET", "/admin/users?q=%00", ""); got.Status >= 500 {
			t.Errorf("a zero byte got %d: %s", got.Status, got.Text)
		}

		// All of them, page by page, each once.
		var all []string
		for query := "?limit=3"; query != ""; {
			page := w.Call(w.root, "GET", "/admin/users"+query, "").Want(t, 200)
			for _, u := range page.Items() {
				all = append(all, u["email"].(string))
			}
			query = ""
			if next, _ := page.Body["next_cursor"].(string); next != "" {
				query = "?limit=3&cursor=" + next
			}
		}
		if slices.Sort(all); len(all) != 9 || len(slices.Compact(all)) != 9 {
			t.Errorf("pages hold %v", all)
		}
	})
}

func TestAnAccountIsShownWithWhatItTakesPartIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		org := w.Org(w.ada, "acme")
		other := w.Org(w.root, "other")
		w.now.Advance(10 * time.Minute)
		w.SignIn(w.ada)
		u := w.Call(w.root, "GET", at(w.ada), "").Want(t, 200)
		delete(u.Body, "$schema")
		for key, want := range map[string]any{"id": w.ada.ID.String(), "email": "ada@example.com", "status": "active", "sessions": 2.0, "is_admin": false, "has_password": true,
			"suspended_at": nil, "purge_at": nil, "last_sign_in_at": w.now.Now().Format(time.RFC3339Nano), "last_active_at": w.now.Now().Format(time.RFC3339Nano)} {
			if u.Body[key] != want {
				t.Errorf("%s is %v, want %v", key, u.Body[key], want)
			}
		}
		if diff := cmp.Diff([]any{map[string]any{"id": org.String(), "slug": "acme", "name": "acme", "status": "active", "role": "owner"}}, u.Body["organizations"]); diff != "" {
			t.Error(diff)
		}
		if text := u.Text; strings.Contains(text, "argon2") || strings.Contains(text, "password_hash") {
			t.Errorf("it shows too much: %s", text)
		}
		unknown := strings.Replace(at(w.ada), w.ada.ID.String()[4:], "01jd8x0q3cfetb3p3ccw2s5r2a", 1)
		for _, path := range []string{unknown, unknown + "/events"} {
			w.Call(w.root, "GET", path, "").WantCode(t, 404, "accounts.not_found")
		}

		list := w.Call(w.root, "GET", "/admin/orgs", "").Want(t, 200).Items()
		if len(list) != 2 || list[0]["slug"] != "other" || list[1]["slug"] != "acme" || list[1]["members"] != 1.0 || list[1]["owners"] != 1.0 {
			t.Errorf("organizations: %v", list)
		}
		if got := w.Call(w.root, "GET", "/admin/orgs?q=ACM&status=active", "").Want(t, 200).Items(); len(got) != 1 || got[0]["id"] != org.String() {
			t.Errorf("found %v", got)
		}
		w.Call(w.ada, "DELETE", "/orgs/"+org.String(), "").Want(t, 202)
		if got := w.Call(w.root, "GET", "/admin/orgs/"+org.String(), "").Want(t, 200); got.Body["status"] != "deleting" || got.Body["purge_at"] == nil {
			t.Errorf("the deleted one: %s", got.Text)
		}
		if got := w.Call(w.root, "GET", "/admin/orgs/"+other.String(), "").Want(t, 200); got.Body["slug"] != "other" {
			t.Errorf("got %s", got.Text)
		}
	})
}

func TestASuspendedAccountStopsAtOnceAndByEveryMeans(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		browser := w.Call(nil, "POST", "/auth/login", fmt.Sprintf(`{"email":"ada@example.com","password":%q,"cookie":true}`, w.ada.Password)).Want(t, 200)
		cookie, _, _ := strings.Cut(browser.Header.Get("Set-Cookie"), ";")
		byCookie := func() int {
			q := w.Request("GET", "/users/me", "")
			q.Header.Set("Cookie", cookie)
			return w.Send(q).Status
		}
		w.Call(nil, "POST", "/auth/request-password-reset", `{"email":"ada@example.com"}`).Want(t, 202)
		reset := w.MailedToken("ada@example.com")
		if got := byCookie(); got != 200 {
			t.Fatalf("the cookie gets %d", got)
		}
		got := w.act(w.ada, "suspend", `{"reason":"  sends spam  "}`).Want(t, 200)
		if got.Get("status") != "suspended" || got.Body["suspended_at"] == nil || got.Body["sessions"] != 0.0 {
			t.Errorf("got %s", got.Text)
		}
		w.act(w.ada, "suspend", because).WantCode(t, 409, "accounts.not_active")

		still := func() {
			t.Helper()
			w.Call(w.ada, "GET", "/users/me", "").Want(t, 401)
			if got := byCookie(); got != 401 {
				t.Errorf("the cookie gets %d", got)
			}
			w.Call(nil, "POST", "/auth/refresh", `{"refresh_token":"`+w.ada.Tokens.RefreshToken+`"}`).WantCode(t, 401, "auth.invalid_refresh_token")
			w.Call(nil, "POST", "/auth/reset-password", `{"token":"`+reset+`","new_password":"quite another phrase"}`).WantCode(t, 422, "accounts.token_invalid")
		}
		still()
		login := fmt.Sprintf(`{"email":"ada@example.com","password":%q}`, w.ada.Password)
		w.Call(nil, "POST", "/auth/login", login).WantCode(t, 401, "auth.invalid_credentials")
		before := len(w.Mail("ada@example.com"))
		w.Call(nil, "POST", "/auth/request-password-reset", `{"email":"ada@example.com"}`).Want(t, 202)
		if n := len(w.Mail("ada@example.com")) - before; n != 0 {
			t.Errorf("%d letters to a suspended account", n)
		}
		w.act(w.ada, "send-password-reset", "").WantCode(t, 409, "accounts.not_active")

		w.act(w.ada, "reinstate", "").Want(t, 200)
		w.act(w.ada, "reinstate", "").WantCode(t, 409, "accounts.not_suspended")
		still() // what was open before stays closed
		w.Call(nil, "POST", "/auth/login", login).Want(t, 200)

		// The reason is in its own log, for administrator and owner.
		w.ada.Tokens = w.SignIn(w.ada)
		for who, path := range map[*tenontest.User]string{w.root: at(w.ada) + "/events", w.ada: "/users/me/events"} {
			list := w.Call(who, "GET", path+"?type=accounts.suspended", "").Want(t, 200).Items()
			if len(list) != 1 || !strings.Contains(fmt.Sprint(list[0]["changes"]), "sends spam") || list[0]["actor"].(map[string]any)["id"] != w.root.ID.String() {
				t.Errorf("%s sees %v", who.Name, list)
			}
		}
	})
}

func TestADeletedAccountCanBeRestoredForAMonth(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		got := w.Call(w.root, "DELETE", at(w.ada), because).Want(t, 202)
		if want := w.now.Now().Add(30 * 24 * time.Hour).Format(time.RFC3339Nano); got.Get("status") != "deleting" || got.Get("purge_at") != want {
			t.Errorf("got %s, want %s", got.Text, want)
		}
		w.Call(w.ada, "GET", "/users/me", "").Want(t, 401)
		w.Call(w.root, "DELETE", at(w.ada), because).WantCode(t, 409, "accounts.deleting")
		w.act(w.ada, "suspend", because).WantCode(t, 409, "accounts.not_active")
		w.act(w.ada, "restore", "").Want(t, 200)
		w.act(w.ada, "restore", "").WantCode(t, 409, "accounts.not_deleting")
		if got := w.Call(w.root, "GET", at(w.ada), ""); got.Get("status") != "active" || got.Body["purge_at"] != nil {
			t.Errorf("restored: %s", got.Text)
		}
		w.Call(nil, "POST", "/auth/login", fmt.Sprintf(`{"email":"ada@example.com","password":%q}`, w.ada.Password)).Want(t, 200)

		// Who was suspended before is suspended afterwards.
		w.act(w.ada, "suspend", because).Want(t, 200)
		w.Call(w.root, "DELETE", at(w.ada), because).Want(t, 202)
		w.act(w.ada, "reinstate", "").WantCode(t, 409, "accounts.not_suspended")
		if got := w.act(w.ada, "restore", "").Want(t, 200); got.Get("status") != "suspended" {
			t.Errorf("restored: %s", got.Text)
		}
		w.Call(w.root, "DELETE", at(w.ada), because).Want(t, 202)
		w.now.Advance(30*24*time.Hour + time.Second)
		w.root.Tokens = w.SignIn(w.root)
		w.act(w.ada, "restore", "").WantCode(t, 409, "accounts.not_deleting")
	})
}

func TestAdministratorsMakeEachOther(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Call(w.ada, "GET", "/admin/users", "").WantCode(t, 403, "auth.denied")
		w.act(w.ada, "grant-administrator", "").Want(t, 200)
		w.Call(w.ada, "GET", "/admin/users", "").Want(t, 200)
		if got := w.Mail("ada@example.com"); len(got) != 1 || got[0].Subject != "You administrate Tenon now" || !strings.Contains(got[0].Text, "root made you an administrator") {
			t.Errorf("letters: %v", got)
		}
		if got := w.act(w.ada, "grant-administrator", "").Want(t, 200); got.Body["is_admin"] != true || len(w.Mail("ada@example.com")) != 1 {
			t.Errorf("a second time: %s", got.Text)
		}
		w.Call(w.ada, "POST", at(w.root)+"/revoke-administrator", "").Want(t, 200)
		w.Call(w.root, "GET", "/admin/users", "").WantCode(t, 403, "auth.denied")
		w.Call(w.root, "GET", "/users/me", "").Want(t, 200)
		if got := w.Mail("root@example.com"); len(got) != 1 || got[0].Subject != "You no longer administrate Tenon" {
			t.Errorf("letters: %v", got)
		}
		w.Call(w.ada, "POST", at(w.ada)+"/revoke-administrator", "").WantCode(t, 409, "admin.last_administrator")
		w.Call(w.ada, "POST", at(w.root)+"/revoke-administrator", "").Want(t, 200) // nothing to do
		if got := w.Mail("root@example.com"); len(got) != 1 {
			t.Errorf("%d letters about nothing", len(got))
		}
		// Not who cannot sign in, or may be somebody else.
		w.Call(w.ada, "POST", at(w.root)+"/suspend", because).Want(t, 200)
		w.Call(w.ada, "POST", at(w.root)+"/grant-administrator", "").WantCode(t, 409, "accounts.not_active")
		w.Call(nil, "POST", "/auth/register", `{"email":"new@example.com","password":"a phrase only you know","name":"New"}`).Want(t, 202)
		fresh := w.Call(w.ada, "GET", "/admin/users?q=new@", "").Want(t, 200).Items()[0]["id"].(string)
		w.Call(w.ada, "POST", "/admin/users/"+fresh+"/grant-administrator", "").WantCode(t, 409, "accounts.unproven")
	})
}

func TestNobodyStopsThemselvesOrTheLastAdministrator(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.act(w.root, "suspend", because).WantCode(t, 409, "admin.yourself")
		w.Call(w.root, "DELETE", at(w.root), because).WantCode(t, 409, "admin.yourself")
		for _, body := range []string{`{}`, `{"reason":"no"}`, `{"reason":"    x   "}`, `{"reason":"` + strings.Repeat("x", 501) + `"}`, `{"reason":"two\nlines"}`} {
			w.act(w.ada, "suspend", body).Want(t, 422)
			w.Call(w.root, "DELETE", at(w.ada), body).Want(t, 422)
		}
		// A suspended administrator is none that could sign in.
		w.act(w.ada, "grant-administrator", "").Want(t, 200)
		w.act(w.ada, "suspend", because).Want(t, 200)
		w.act(w.root, "revoke-administrator", "").WantCode(t, 409, "admin.last_administrator")
		w.act(w.ada, "revoke-administrator", "").Want(t, 200)
		w.act(w.ada, "reinstate", "").Want(t, 200)
		w.Call(w.ada, "GET", "/users/me", "").Want(t, 401)
	})
}

func TestOrganizationsAreNotLeftWithoutAnOwner(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		org := w.Org(w.ada, "acme")
		for _, refused := range []*tenontest.Answer{w.act(w.ada, "suspend", because), w.Call(w.root, "DELETE", at(w.ada), because)} {
			refused.WantCode(t, 409, "orgs.last_owner")
			want := []any{map[string]any{"id": org.String(), "slug": "acme", "name": "acme", "status": "active", "role": "owner"}}
			if diff := cmp.Diff(want, refused.Body["organizations"]); diff != "" {
				t.Error(diff)
			}
		}
		w.Call(w.ada, "GET", "/users/me", "").Want(t, 200)

		// Another owner who can sign in is enough, and one who cannot is not.
		bob := w.Member(org, "bob", authz.Owner)
		w.act(bob, "suspend", because).Want(t, 200)
		w.act(w.ada, "suspend", because).WantCode(t, 409, "orgs.last_owner")
		w.Call(w.ada, "POST", "/orgs/"+org.String()+"/leave", "").WantCode(t, 409, "orgs.last_owner")
		w.Call(w.ada, "POST", "/orgs/"+org.String()+"/transfer", `{"account_id":"`+bob.ID.String()+`"}`).WantCode(t, 409, "orgs.member_stopped")
		w.act(bob, "reinstate", "").Want(t, 200)
		w.act(w.ada, "suspend", because).Want(t, 200)
		if got := w.Call(w.root, "GET", "/admin/orgs/"+org.String(), ""); got.Body["owners"] != 1.0 || got.Body["members"] != 2.0 {
			t.Errorf("the organization: %s", got.Text)
		}

		// Whoever must be stopped can be.
		w.act(bob, "suspend", because).WantCode(t, 409, "orgs.last_owner")
		w.act(bob, "suspend", `{"reason":"an abuser","orphan_organizations":true}`).Want(t, 200)
		if got := w.Call(w.root, "GET", "/admin/orgs/"+org.String(), ""); got.Body["owners"] != 0.0 {
			t.Errorf("the organization: %s", got.Text)
		}
		// One that has no owner already does not stand in the way of a deletion.
		w.Call(w.root, "DELETE", at(bob), because).Want(t, 202)
		w.act(bob, "restore", "").Want(t, 200)
		if got := w.Call(w.root, "GET", "/admin/orgs/"+org.String(), ""); got.Body["owners"] != 0.0 {
			t.Errorf("restored to be suspended, but owns: %s", got.Text)
		}
		w.act(bob, "reinstate", "").Want(t, 200)
		if got := w.Call(w.root, "GET", "/admin/orgs/"+org.String(), ""); got.Body["owners"] != 1.0 {
			t.Errorf("reinstated, but: %s", got.Text)
		}
	})
}

func TestAdministratorsHelpWithoutSeeingSecrets(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		got := w.act(w.ada, "send-password-reset", "").Want(t, 202)
		token := w.MailedToken("ada@example.com")
		if strings.Contains(got.Text, token) || got.Get("status") != "mailed" {
			t.Errorf("the administrator got %s", got.Text)
		}
		if events := w.Call(w.root, "GET", at(w.ada)+"/events", "").Text; strings.Contains(events, token) {
			t.Errorf("the token is in the log: %s", events)
		}
		w.Call(nil, "POST", "/auth/reset-password", `{"token":"`+token+`","new_password":"quite another phrase"}`).Want(t, 204)

		w.ada.Tokens = w.SignIn(w.ada)
		second := w.SignIn(w.ada)
		w.act(w.ada, "sign-out", "").Want(t, 204)
		w.Call(w.ada, "GET", "/users/me", "").Want(t, 401)
		w.Call(nil, "POST", "/auth/refresh", `{"refresh_token":"`+second.RefreshToken+`"}`).Want(t, 401)
		w.Call(nil, "POST", "/auth/login", `{"email":"ada@example.com","password":"quite another phrase"}`).Want(t, 200)
	})
}

func TestAnAdministratorResetsLostSecondFactors(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.TOTP(w.ada)
		w.AddPasskey(w.ada)
		login := `{"email":"ada@example.com","password":"` + w.ada.Password + `"}`
		half := w.Call(nil, "POST", "/auth/login", login).Want(t, 200)
		if half.Get("status") != "second_factor_required" {
			t.Fatalf("ada signs in without a second factor: %s", half.Text)
		}
		const reset, lost = "reset-second-factors", `{"reason":"lost her phone"}`
		w.act(w.ada, reset, `{"reason":" x "}`).Want(t, 422)
		w.Call(w.root, "POST", at(w.root)+"/"+reset, lost).WantCode(t, 409, "admin.yourself")
		w.Call(w.ada, "POST", at(w.root)+"/"+reset, lost).Want(t, 403)

		got := w.act(w.ada, reset, lost).Want(t, 200)
		if factors, _ := got.Body["second_factors"].([]any); len(factors) != 0 {
			t.Errorf("it still has %v", factors)
		}
		w.Call(w.ada, "GET", "/users/me", "").Want(t, 401) // signed out
		letter := w.Mail("ada@example.com")[0]
		if !strings.Contains(letter.Text, "lost her phone") {
			t.Errorf("ada was told %q", letter.Text)
		}
		if events := w.events(w.ada); !slices.Contains(events, "mfa.reset") || !slices.Contains(events, "passkeys.removed") {
			t.Errorf("her log says %v", events)
		}
		if whole := w.Call(nil, "POST", "/auth/login", login).Want(t, 200); whole.Get("access_token") == "" {
			t.Errorf("her password is not enough: %s", whole.Text)
		}
		w.ada.Tokens = w.SignIn(w.ada)
		w.Call(w.ada, "GET", "/totp/status", "").Want(t, 200)
		w.act(w.ada, reset, lost).WantCode(t, 409, "mfa.no_second_factor")
		if codes := w.TOTP(w.ada).BackupCodes; len(codes) != 10 {
			t.Errorf("a new first app came with %d backup codes", len(codes))
		}
	})
}

// From where an administrator acts is not the owner's business; who they are is.
func TestOwnersSeeWhoActedButNotFromWhere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.Request("POST", at(w.ada)+"/send-password-reset", "")
		q.Header.Set("Authorization", "Bearer "+w.root.Tokens.AccessToken)
		q.Header.Set("User-Agent", "Office/1.0")
		q.RemoteAddr = "198.51.100.7:1234"
		w.Send(q).Want(t, 202)
		const query = "?type=accounts.password_reset_requested"
		mine := w.Call(w.ada, "GET", "/users/me/events"+query, "").Want(t, 200).Items()[0]
		theirs := w.Call(w.root, "GET", at(w.ada)+"/events"+query, "").Want(t, 200).Items()[0]
		if mine["ip_address"] != "" || mine["user_agent"] != "" || mine["actor"].(map[string]any)["name"] != "root" {
			t.Errorf("the owner sees %v", mine)
		}
		if theirs["ip_address"] != "198.51.100.7" || theirs["user_agent"] != "Office/1.0" {
			t.Errorf("administrators see %v", theirs)
		}
	})
}
