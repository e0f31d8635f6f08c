package attack

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/tenontest"
)

const because = `{"reason":"a good reason"}`

func atUser(u *tenontest.User) string { return "/admin/users/" + u.ID.String() }

// impersonate lets root act as u.
func impersonate(t *testing.T, app *tenontest.App, root, u *tenontest.User, write bool) *tenontest.User {
	t.Helper()
	got := app.Call(root, "POST", atUser(u)+"/impersonate", fmt.Sprintf(`{"reason":"a good reason","write":%t}`, write)).Want(t, 200)
	acting := &tenontest.User{Account: u.Account}
	acting.Tokens.AccessToken = got.Get("access_token")
	return acting
}

// An administrator is none in any organization, and members of whatever role are none of
// the installation; neither is somebody whom an administrator acts as.
func TestE02AdministratorsAndMembersAreTwoThings(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		root, owner, victim := app.Administrator("root"), app.User("owner"), app.User("victim")
		org := app.Org(owner, "acme")
		callers := map[string]*tenontest.User{"owner": owner}
		for _, role := range authz.BuiltIn() {
			callers["another "+string(role)] = app.Member(org, "a-"+string(role), role)
		}
		callers["looked at"], callers["worked as"] = impersonate(t, app, root, owner, false), impersonate(t, app, root, owner, true)
		operations := 0
		for _, op := range app.Web.Ops() {
			if op.Access.Kind() != "admin" {
				continue
			}
			operations++
			path := strings.NewReplacer("{person}", victim.ID.String(), "{organization}", org.String()).Replace(op.Path)
			app.Call(nil, op.Method, path, "").WantCode(t, 401, "auth.required")
			for name, caller := range callers {
				if got := app.Call(caller, op.Method, path, because); got.Status != 403 || got.Get("code") != "auth.denied" {
					t.Errorf("%s as %s got %d %s", op.ID, name, got.Status, got.Get("code"))
				}
			}
		}
		if operations < 15 {
			t.Errorf("only %d operations are for administrators", operations)
		}
		for _, path := range []string{"", "/members", "/events", "/invitations", "/roles"} {
			app.Call(root, "GET", "/orgs/"+org.String()+path, "").WantCode(t, 404, "not_found")
		}
		app.Call(victim, "GET", "/users/me", "").Want(t, 200)
	})
}

var pathParameter = regexp.MustCompile(`\{[a-z_]+\}`)

// Whoever acts as somebody to look changes nothing by any operation there is; whoever may
// write changes nothing that is the person's alone.
func TestE02ImpersonatorsChangeOnlyWhatTheyMay(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		root, owner := app.Administrator("root"), app.User("owner")
		org := app.Org(owner, "acme")
		looking, writing := impersonate(t, app, root, owner, false), impersonate(t, app, root, owner, true)
		tried := 0
		for _, op := range app.Web.Ops() {
			if op.Method == http.MethodGet || op.Access.Kind() == "public" && !op.Access.Honours() || op.WhileLooking {
				continue
			}
			tried++
			path := strings.ReplaceAll(op.Path, "{org}", org.String())
			path = pathParameter.ReplaceAllStringFunc(path, func(name string) string {
				if name == "{account}" {
					return owner.ID.String()
				}
				return "unknown"
			})
			refused := func(who string, got *tenontest.Answer) {
				if got.Status != 403 && got.Status != 404 {
					t.Errorf("%s, %s, got %d: %s", op.ID, who, got.Status, got.Text)
				}
			}
			refused("only looking", app.Call(looking, op.Method, path, `{}`))
			if op.Access.IsFresh() || op.Access.Kind() != "org" && !op.WhileImpersonating {
				refused("with the right to write", app.Call(writing, op.Method, path, `{}`))
			}
		}
		if tried < 25 {
			t.Errorf("only %d operations were tried", tried)
		}
		// What an impersonation is stays as it was given.
		for _, acting := range []*tenontest.User{looking, writing} {
			if got := app.Call(nil, "POST", "/auth/refresh", `{"refresh_token":"`+acting.Tokens.AccessToken+`"}`); got.Status < 400 {
				t.Errorf("an impersonation was refreshed: %s", got.Text)
			}
			app.Call(acting, "POST", "/auth/confirm", fmt.Sprintf(`{"password":%q}`, owner.Password)).Want(t, 403)
			app.Call(acting, "POST", atUser(owner)+"/impersonate", because).WantCode(t, 403, "auth.denied")
		}
	})
}

// Each operation of an administrator is one event, with the real actor, of the one it
// happened to; refused ones are none, and without the event there is no change.
func TestK04EveryOperationOfAnAdministratorIsOneEvent(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		root, other := app.Administrator("root"), app.User("other")
		c := app.DB.Platform("test")
		events := func() int {
			n, err := db.One(t.Context(), c, db.Scalar[int], `SELECT count(*) FROM events WHERE type NOT IN ('sessions.signed_in', 'sessions.sign_in_failed')`)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		app.TOTP(other)
		covered := map[string]bool{}
		for _, step := range []struct{ op, method, verb, body, event string }{
			{"admin.send_password_reset", "POST", "/send-password-reset", "", "accounts.password_reset_requested"},
			{"admin.impersonate", "POST", "/impersonate", because, "sessions.impersonation_started"},
			{"", "", "", "", ""}, // the impersonation ends
			{"admin.sign_out_user", "POST", "/sign-out", "", "sessions.revoked"},
			{"admin.reset_second_factors", "POST", "/reset-second-factors", because, "mfa.reset"},
			{"admin.grant_administrator", "POST", "/grant-administrator", "", "accounts.made_administrator"},
			{"admin.revoke_administrator", "POST", "/revoke-administrator", "", "accounts.administrator_revoked"},
			{"admin.suspend_user", "POST", "/suspend", because, "accounts.suspended"},
			{"admin.reinstate_user", "POST", "/reinstate", "", "accounts.reinstated"},
			{"admin.delete_user", "DELETE", "", because, "accounts.deleted"},
			{"admin.restore_user", "POST", "/restore", "", "accounts.restored"},
		} {
			if step.op == "" {
				for _, s := range app.Call(other, "GET", "/sessions", "").Want(t, 200).Items() {
					if s["impersonator"] != nil {
						app.Call(other, "DELETE", "/sessions/"+s["id"].(string), "").Want(t, 204)
					}
				}
				continue
			}
			covered[step.op] = true
			before := events()
			app.Call(other, step.method, atUser(other)+step.verb, step.body)
			app.Call(nil, step.method, atUser(other)+step.verb, step.body).Want(t, 401)
			app.Call(root, step.method, atUser(other)+step.verb+"?nonsense=1", step.body).Want(t, 422)
			if n := events() - before; n != 0 {
				t.Errorf("%s: refused, it left %d events", step.op, n)
			}
			q := app.Request(step.method, atUser(other)+step.verb, step.body)
			q.Header.Set("Authorization", "Bearer "+root.Tokens.AccessToken)
			q.Header.Set("User-Agent", "Office/1.0")
			got := app.Send(q)
			if got.Status >= 300 {
				t.Fatalf("%s got %d %s", step.op, got.Status, got.Text)
			}
			if n := events() - before; n != 1 {
				t.Errorf("%s left %d events", step.op, n)
			}
			e := app.Call(root, "GET", atUser(other)+"/events?limit=1&type="+step.event, "").Want(t, 200).Items()
			if len(e) != 1 || e[0]["actor"].(map[string]any)["id"] != root.ID.String() || e[0]["target"].(map[string]any)["id"] != other.ID.String() ||
				e[0]["ip_address"] == "" || e[0]["user_agent"] != "Office/1.0" || e[0]["request_id"] != got.Header.Get("X-Request-Id") {
				t.Errorf("%s is told as %v", step.op, e)
			}
		}
		for _, op := range app.Web.Ops() {
			if op.Access.Kind() == "admin" && op.Method != http.MethodGet && !covered[op.ID] && strings.HasPrefix(op.ID, "admin.") {
				t.Errorf("%s was not tried", op.ID)
			}
		}
	})
}

func TestK04WithoutItsEventNothingIsChanged(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		root, ada := app.Administrator("root"), app.User("ada")
		app.TOTP(ada)
		letters := len(app.Mail("ada@example.com"))
		breakEvents(t, app)
		for _, step := range []struct{ method, verb, body string }{
			{"POST", "/suspend", because}, {"DELETE", "", because}, {"POST", "/grant-administrator", ""}, {"POST", "/impersonate", because},
			{"POST", "/send-password-reset", ""}, {"POST", "/sign-out", ""}, {"POST", "/reset-second-factors", because},
		} {
			if got := app.Call(root, step.method, atUser(ada)+step.verb, step.body); got.Status < 500 {
				t.Errorf("%s %s got %d", step.method, step.verb, got.Status)
			}
		}
		me := app.Call(ada, "GET", "/users/me", "").Want(t, 200)
		if n := len(app.Call(ada, "GET", "/sessions", "").Want(t, 200).Items()); n != 1 || me.Body["is_admin"] != false {
			t.Errorf("%d sessions, me = %s", n, me.Text)
		}
		if n := len(app.Mail("ada@example.com")); n != letters {
			t.Errorf("%d letters, of which %d are from before", n, letters)
		}
	})
}

// breakEvents makes the log refuse every event.
func breakEvents(t *testing.T, app *tenontest.App) {
	t.Helper()
	statements := []string{`CREATE TRIGGER broken BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'broken'); END`}
	if app.DB.Dialect() == db.Postgres {
		statements = []string{`CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$`,
			`CREATE TRIGGER broken BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION broken()`}
	}
	for _, statement := range statements {
		if _, err := app.DB.Platform("test").Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if app.DB.Dialect() == db.Postgres { // the database is used again
		t.Cleanup(func() {
			if _, err := app.DB.Platform("test").Exec(context.WithoutCancel(t.Context()), `DROP FUNCTION broken() CASCADE`); err != nil {
				t.Error(err)
			}
		})
	}
}

// What an administrator reads or changes about one account says nothing of another: ids
// of other kinds, of nobody and of what is gone are all the same.
func TestE01AdministratorsNameAccountsAndNothingElse(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		root := app.Administrator("root")
		org := app.Org(root, "acme")
		for _, op := range app.Web.Ops() {
			if !strings.Contains(op.Path, "{person}") {
				continue
			}
			for _, person := range []string{org.String(), id.New[id.AccountKind]().String(), root.Tokens.SessionID.String(), "%00", "1", "acc_"} {
				if got := app.Call(root, op.Method, strings.ReplaceAll(op.Path, "{person}", person), because); got.Status != 404 && got.Status != 422 && got.Status != 400 {
					t.Errorf("%s %s got %d %s", op.ID, person, got.Status, got.Text)
				}
			}
		}
	})
}
