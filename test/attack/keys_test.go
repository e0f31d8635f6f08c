package attack

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/apikeys"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/observe"
	"github.com/tenonhq/tenon/tenontest"
)

// everyScope lists all that an owner may hand on.
func everyScope(app *tenontest.App) (all []authz.Permission) {
	for _, g := range app.Roles.All() {
		if app.Roles.Of(authz.Owner)[g.Perm] {
			all = append(all, g.Perm)
		}
	}
	return all
}

// F01: nobody makes a key for another, elsewhere, or with more than there is.
func TestF01NobodyMakesAKeyForAnother(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada, eve := app.User("ada"), app.User("eve")
		acme, evil := app.Org(ada, "acme"), app.Org(eve, "evil")
		made := func(u *tenontest.User, org id.Org, body string) *tenontest.Answer {
			return app.Call(u, "POST", "/orgs/"+org.String()+"/api-keys", body)
		}
		made(nil, acme, `{"name":"X","scopes":[],"user_id":"`+ada.ID.String()+`"}`).WantCode(t, 401, "auth.required")
		made(eve, acme, `{"name":"X","scopes":[]}`).WantCode(t, 404, "not_found")
		for _, field := range []string{`"user_id":"` + ada.ID.String() + `"`, `"account_id":"` + ada.ID.String() + `"`, `"org_id":"` + acme.String() + `"`, `"rate_limit":1000000000`,
			`"id":"key_01jd8x0q3cfetb3p3ccw2s5r2a"`, `"key":"tn_key_` + strings.Repeat("0", 32) + `_000000"`, `"prefix":"tn_key_x"`, `"hash":"00"`, `"expires_at":null,"user_id":"x"`, `"is_admin":true`} {
			made(eve, evil, `{"name":"X","scopes":[],`+field+`}`).Want(t, 422)
		}
		made(eve, evil, `{"name":"X","scopes":["*"]}`).WantCode(t, 422, "apikeys.scope_unknown")
		for _, org := range []id.Org{acme, evil} {
			if keys, err := app.APIKeys.List(t.Context(), org, nil, 10); err != nil || len(keys) > 0 {
				t.Errorf("there are %d keys, %v", len(keys), err)
			}
		}
	})
}

// F02, beside the sweep: a key is a bearer token and nothing else, and no operation that
// looks at credentials takes it for a person.
func TestF02AKeyIsABearerTokenOfAProgram(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada, bob := app.User("ada"), app.User("bob")
		acme, other := app.Org(ada, "acme"), app.Org(bob, "other")
		key := app.Key(ada, acme, everyScope(app)...)
		teams := "/orgs/" + acme.String() + "/teams"
		app.CallBy(key, "GET", teams, "").Want(t, 200)
		for _, h := range []string{"Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+key)), "Authorization: Basic " + key, "Authorization: " + key,
			"Authorization: ApiKey " + key, "Authorization: Bearer  " + key, "Authorization: Bearer " + key + " ", "Authorization: Bearer " + strings.ToLower(key),
			"Authorization: Bearer " + key[:len(key)-1], "X-Api-Key: " + key, "Cookie: tenon_session=" + key, "Cookie: __Host-tenon_session=" + key} {
			if got := app.Send(set(app.Request("GET", teams, ""), h)); got.Status != 401 {
				t.Errorf("%s: %d", h, got.Status)
			}
		}
		for _, name := range []string{"access_token", "api_key", "key", "token"} {
			app.Call(nil, "GET", teams+"?"+name+"="+key, "").Want(t, 401)
		}
		app.Call(bob, "POST", "/orgs/"+other.String()+"/invitations", `{"email":"ada@example.com","role":"admin"}`).Want(t, 201)
		token := app.MailedToken("ada@example.com")
		for _, path := range []string{"/invitations/accept", "/invitations/preview"} {
			app.CallBy(key, "POST", path, `{"token":"`+token+`"}`).WantCode(t, 403, "auth.not_by_key")
		}
		app.CallBy(key, "POST", "/orgs/"+acme.String()+"/leave", "").WantCode(t, 403, "auth.not_by_key")
		if got := len(app.Call(ada, "GET", "/orgs", "").Items()); got != 1 {
			t.Errorf("its owner belongs to %d organizations", got)
		}
		app.Call(ada, "POST", "/invitations/accept", `{"token":"`+token+`"}`).Want(t, 200)
		app.CallBy(key, "GET", "/orgs/"+other.String()+"/teams", "").WantCode(t, 404, "not_found")
	})
}

// F04: what its owner loses, a key loses with them.
func TestF04AKeyFollowsItsOwner(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		acme := app.Org(ada, "acme")
		at := "/orgs/" + acme.String()
		xena := app.Member(acme, "xena", authz.Admin)
		key := app.Key(xena, acme, orgs.PermListTeams, orgs.PermManageTeams)
		n := 0
		may := func(list, manage int) {
			t.Helper()
			n++
			if got := app.CallBy(key, "GET", at+"/teams", ""); got.Status != list {
				t.Errorf("listing: %d, want %d", got.Status, list)
			}
			if got := app.CallBy(key, "POST", at+"/teams", fmt.Sprintf(`{"name":"X","slug":"x-%d"}`, n)); got.Status != manage {
				t.Errorf("managing: %d, want %d", got.Status, manage)
			}
		}
		role := func(key string) {
			app.Call(ada, "PATCH", at+"/members/"+xena.ID.String(), `{"role":"`+key+`"}`).Want(t, 200)
		}
		may(200, 201)
		role("viewer")
		may(200, 403)
		app.Call(ada, "POST", at+"/roles", `{"key":"nobody","name":"Nobody","permissions":["orgs.read"]}`).Want(t, 201)
		role("nobody")
		may(403, 403)
		app.Call(ada, "PATCH", at+"/roles/nobody", `{"permissions":["orgs.manage_teams"]}`).Want(t, 200)
		may(403, 201)
		role("owner")
		may(200, 201)
		app.CallBy(key, "GET", at+"/members", "").WantCode(t, 403, "auth.denied") // owners may, the key may not
		role("admin")

		stop := func(status string) {
			t.Helper()
			if err := app.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
				if _, err := tx.Exec(t.Context(), `UPDATE accounts SET status = $2 WHERE id = $1`, xena.ID, status); err != nil {
					return err
				}
				return app.Changed.Invalidate(t.Context(), tx, accounts.Tag(xena.ID))
			}); err != nil {
				t.Fatal(err)
			}
		}
		stop("suspended")
		may(401, 401)
		stop("deleting")
		may(401, 401)
		stop("active")
		may(200, 201)
	})
}

// E11: whoever is removed has nothing left that works, now or when they come back.
func TestE11AKeyDoesNotOutliveItsOwnersMembership(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		acme := app.Org(ada, "acme")
		at := "/orgs/" + acme.String()
		for name, part := range map[string]func(u *tenontest.User){
			"removed": func(u *tenontest.User) { app.Call(ada, "DELETE", at+"/members/"+u.ID.String(), "").Want(t, 204) },
			"left":    func(u *tenontest.User) { app.Call(u, "POST", at+"/leave", "").Want(t, 204) },
		} {
			mia := app.Member(acme, name, authz.Admin)
			key := app.Key(mia, acme, everyScopeOf(app, authz.Admin)...)
			app.CallBy(key, "GET", at+"/teams", "").Want(t, 200)
			part(mia)
			if got := app.CallBy(key, "GET", at+"/teams", ""); got.Status != 404 && got.Status != 401 {
				t.Errorf("%s: the key still gets %d", name, got.Status)
			}
			app.Settle()
			system := authz.With(t.Context(), &authz.Principal{Kind: authz.ActorSystem, Name: "test"})
			if _, err := app.Orgs.Join(system, acme, mia.ID, authz.Admin); err != nil {
				t.Fatal(err)
			}
			app.CallBy(key, "GET", at+"/teams", "").WantCode(t, 401, "auth.invalid_token")
		}
		if got := len(app.Call(ada, "GET", at+"/events?type=apikeys.revoked", "").Items()); got != 2 {
			t.Errorf("%d revocations in the log", got)
		}
	})
}

func everyScopeOf(app *tenontest.App, role authz.Role) (all []authz.Permission) {
	for p := range app.Roles.Of(role) {
		all = append(all, p)
	}
	return all
}

// E05 with keys: a narrow key of an owner hands on no more than it holds.
func TestE05AKeyHandsOnNoMoreThanItHolds(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		acme := app.Org(ada, "acme")
		at := "/orgs/" + acme.String()
		mia := app.Member(acme, "mia", authz.Viewer)
		bob := app.Member(acme, "bob", authz.Admin)
		app.Call(ada, "POST", at+"/roles", `{"key":"mighty","name":"Mighty","permissions":["orgs.delete"]}`).Want(t, 201)
		invited := app.Call(ada, "POST", at+"/invitations", `{"email":"guest@example.com","role":"owner"}`).Want(t, 201).Get("id")
		key := app.Key(ada, acme, orgs.PermManageMembers, orgs.PermManageRoles, orgs.PermInvite, apikeys.PermManage, apikeys.PermList)
		for _, c := range []struct{ method, path, body, code string }{
			{"PATCH", "/members/" + mia.ID.String(), `{"role":"owner"}`, "orgs.beyond_own_rights"},
			{"PATCH", "/members/" + mia.ID.String(), `{"role":"admin"}`, "orgs.beyond_own_rights"},
			{"PATCH", "/members/" + mia.ID.String(), `{"role":"mighty"}`, "orgs.beyond_own_rights"},
			{"PATCH", "/members/" + ada.ID.String(), `{"role":"viewer"}`, "orgs.beyond_own_rights"},
			{"PATCH", "/members/" + bob.ID.String(), `{"role":"viewer"}`, "orgs.beyond_own_rights"},
			{"DELETE", "/members/" + ada.ID.String(), "", "orgs.beyond_own_rights"},
			{"DELETE", "/members/" + bob.ID.String(), "", "orgs.beyond_own_rights"},
			{"POST", "/roles", `{"key":"mine","name":"Mine","permissions":["orgs.delete"]}`, "orgs.beyond_own_rights"},
			{"PATCH", "/roles/mighty", `{"name":"Mightier"}`, "orgs.beyond_own_rights"},
			{"PATCH", "/roles/mighty", `{"permissions":[]}`, "orgs.beyond_own_rights"},
			{"DELETE", "/roles/mighty", "", "orgs.beyond_own_rights"},
			{"POST", "/invitations", `{"email":"new@example.com","role":"owner"}`, "orgs.beyond_own_rights"},
			{"POST", "/invitations", `{"email":"new@example.com","role":"viewer"}`, "orgs.beyond_own_rights"},
			{"POST", "/invitations/" + invited + "/resend", "", "orgs.beyond_own_rights"},
			{"DELETE", "/invitations/" + invited, "", "orgs.beyond_own_rights"},
			{"POST", "/api-keys", `{"name":"X","scopes":[]}`, "auth.not_by_key"},
			{"DELETE", "", "", "auth.denied"},
			{"POST", "/transfer", `{"account_id":"` + mia.ID.String() + `"}`, "auth.denied"},
		} {
			if got := app.CallBy(key, c.method, at+c.path, c.body); got.Status != 403 || got.Get("code") != c.code {
				t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, got.Status, got.Text)
			}
		}
		// By another transport than a request of the router, too.
		other := app.Org(ada, "other")
		direct := authz.With(t.Context(), &authz.Principal{Kind: authz.ActorKey, Account: ada.ID, Key: &authz.Key{ID: "key_x", Org: acme, Scopes: authz.Permissions{orgs.PermManageMembers: true}}})
		if _, err := app.Orgs.SetRole(direct, acme, mia.ID, authz.Owner); !errors.Is(err, orgs.ErrBeyondRights) {
			t.Errorf("a key makes an owner: %v", err)
		}
		if _, err := app.Orgs.SetRole(direct, other, ada.ID, authz.Viewer); !errors.Is(err, orgs.ErrNotFound) {
			t.Errorf("a key acts in another organization: %v", err)
		}
		if _, _, err := app.APIKeys.Create(direct, acme, apikeys.NewKey{Name: "X"}); !errors.Is(err, authz.ErrNotByKey) {
			t.Errorf("a key makes a key: %v", err)
		}
		// What it holds it hands on.
		app.CallBy(key, "POST", at+"/roles", `{"key":"recruiter","name":"Recruiter","permissions":["orgs.invite"]}`).Want(t, 201)
		app.CallBy(key, "POST", at+"/invitations", `{"email":"new@example.com","role":"recruiter"}`).Want(t, 201)

		// With every scope it may do nearly what its owner may; it still makes no keys, and
		// does not get a new value of itself.
		all := app.Key(ada, acme, everyScope(app)...)
		own := app.CallBy(all, "GET", at+"/api-keys", "").Want(t, 200).Items()[0]["id"].(string)
		app.CallBy(all, "POST", at+"/api-keys/"+own+"/rotate", "").WantCode(t, 403, "auth.not_by_key")
		app.CallBy(all, "POST", at+"/api-keys", `{"name":"X","scopes":[]}`).WantCode(t, 403, "auth.not_by_key")
		app.CallBy(all, "PATCH", at+"/members/"+mia.ID.String(), `{"role":"owner"}`).Want(t, 200)
		app.CallBy(all, "DELETE", at+"/api-keys/"+own, "").Want(t, 204) // but it can end itself
		app.CallBy(all, "GET", at+"/teams", "").Want(t, 401)
	})
}

// B11: where a second factor is asked for, a key is no way around it.
func TestB11AKeyOpensNoSession(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		acme := app.Org(ada, "acme")
		at := "/orgs/" + acme.String()
		key := app.Key(ada, acme, everyScope(app)...)
		if err := app.DB.Account(ada.ID).Tx(t.Context(), func(tx *db.Tx) error {
			return app.Accounts.In(tx).SetSecondFactor(t.Context(), ada.ID, accounts.TOTP, true)
		}); err != nil {
			t.Fatal(err)
		}
		half := login(app, ada.Email, ada.Password).Want(t, 200).Get("challenge_token")
		if half == "" {
			t.Fatal("no challenge")
		}
		for _, path := range []string{at + "/api-keys", at + "/teams", "/users/me"} {
			app.CallBy(half, "GET", path, "").Want(t, 401)
		}
		app.CallBy(half, "POST", at+"/api-keys", `{"name":"X","scopes":[]}`).Want(t, 401)
		app.CallBy(key, "GET", at+"/teams", "").Want(t, 200)
		for _, c := range [][3]string{{"POST", "/auth/confirm", `{"password":"` + ada.Password + `"}`}, {"GET", "/users/me", ""}, {"GET", "/sessions", ""}, {"DELETE", "/sessions/all", ""},
			{"POST", "/auth/logout", ""}, {"PUT", "/users/me/password", `{"current_password":"` + ada.Password + `","new_password":"another phrase of hers"}`},
			{"POST", "/users/me/email", `{"new_email":"new@example.com"}`}} {
			app.CallBy(key, c[0], c[1], c[2]).WantCode(t, 403, "auth.not_by_key")
		}
		app.CallBy("tn_key_"+half, "GET", at+"/teams", "").Want(t, 401)
		app.Call(nil, "POST", "/auth/refresh", `{"refresh_token":"`+key+`"}`).Want(t, 401)
	})
}

// C03, for keys: they are kept when their owner signs in by something else, and a letter says so.
func TestC03KeysAreKeptAndListed(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		acme := app.Org(ada, "acme")
		key := app.Key(ada, acme, orgs.PermListTeams)
		address := ada.Email
		told := 0
		kept := func(what string) {
			t.Helper()
			app.CallBy(key, "GET", "/orgs/"+acme.String()+"/teams", "").Want(t, 200)
			letters := 0
			for _, m := range app.Mail(address) {
				if strings.Contains(m.Text, key[:15]) {
					letters++
				}
				if strings.Contains(m.Text+m.HTML, key) {
					t.Errorf("%s: the letter holds the key", what)
				}
			}
			if told++; letters != told {
				t.Errorf("%s: %d letters list the key, want %d", what, letters, told)
			}
		}
		app.Call(ada, "PUT", "/users/me/password", fmt.Sprintf(`{"current_password":%q,"new_password":"another phrase of hers"}`, ada.Password)).Want(t, 204)
		kept("change of password")
		app.Call(nil, "POST", "/auth/request-password-reset", `{"email":"ada@example.com"}`).Want(t, 202)
		app.Call(nil, "POST", "/auth/reset-password", `{"token":"`+app.MailedToken(address)+`","new_password":"a third phrase of hers"}`).Want(t, 204)
		kept("reset by mail")
		ada.Tokens = app.SignIn(ada)
		app.Call(ada, "POST", "/users/me/email", `{"new_email":"new@example.com"}`).Want(t, 202)
		app.Call(ada, "POST", "/auth/confirm-email", `{"token":"`+app.MailedToken("new@example.com")+`"}`).Want(t, 200)
		address, told = "new@example.com", 0
		kept("change of address")
	})
}

// transcript is a log that can be read while it is written.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *transcript) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// F05: the key is in the answer that made it and nowhere else, whatever happens to it.
func TestF05AKeyIsNowhere(t *testing.T) {
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			log := &transcript{}
			app := tenontest.Start(t, dialect, tenontest.Configure(func(c *tenon.Config) {
				c.Logger = observe.NewLogger(log, observe.Config{Level: slog.LevelDebug})
			}))
			ada := app.User("ada")
			acme := app.Org(ada, "acme")
			at := "/orgs/" + acme.String()
			made := app.Send(set(app.Request("POST", at+"/api-keys", `{"name":"Robot","scopes":["orgs.list_teams","orgs.manage_teams","audit.read"]}`),
				"Authorization: Bearer "+ada.Tokens.AccessToken, "Idempotency-Key: made once")).Want(t, 201)
			first := made.Get("key")
			rotated := app.Send(set(app.Request("POST", at+"/api-keys/"+made.Get("id")+"/rotate", `{}`),
				"Authorization: Bearer "+ada.Tokens.AccessToken, "Idempotency-Key: rotated once")).Want(t, 201)
			second := rotated.Get("key")
			secrets := []string{first, second}
			var answers strings.Builder
			send := func(q *http.Request) {
				got := app.Send(q)
				fmt.Fprintln(&answers, got.Text, got.Header)
			}
			for _, key := range []string{first, second} {
				if !regexp.MustCompile(`^tn_[a-z]+_[A-Za-z0-9]{32,}_[0-9a-z]{6}$`).MatchString(key) {
					t.Errorf("%s… is not of the form that scanners look for", key[:15])
				}
			}
			for i, key := range secrets {
				bearer := "Authorization: Bearer " + key
				send(set(app.Request("GET", at+"/teams", ""), bearer))
				send(set(app.Request("POST", at+"/teams", fmt.Sprintf(`{"name":"T","slug":"t-%d"}`, i)), bearer, "Idempotency-Key: "+key, "User-Agent: robot "+key, "X-Request-Id: "+key))
				send(set(app.Request("POST", at+"/teams", `{"name":"T","slug":"`+key+`"}`), bearer, "Idempotency-Key: x"+key))
				send(set(app.Request("POST", at+"/teams", `{"`+key+`":1}`), bearer, "Idempotency-Key: y"+key))
				send(set(app.Request("POST", at+"/teams", `{"name":`+key), bearer))
				send(set(app.Request("GET", at+"/teams?cursor="+key, ""), bearer))
				send(set(app.Request("GET", at+"/teams?"+key+"=1", ""), bearer))
				send(set(app.Request("GET", at+"/teams/"+key, ""), bearer))
				send(set(app.Request("GET", "/orgs/"+key+"/teams", ""), bearer))
				send(set(app.Request("GET", "//"+key, ""), bearer))
				send(set(app.Request("GET", "/users/me", ""), bearer))
				send(set(app.Request("GET", "/users/me", ""), "Authorization: Basic "+key))
				send(set(app.Request("GET", "/users/me", ""), "Cookie: tenon_session="+key))
				send(set(app.Request("GET", "/users/me", ""), "Authorization: "+key))
				send(set(app.Request("POST", "/auth/refresh", `{"refresh_token":"`+key+`"}`)))
				send(set(app.Request("POST", "/auth/login", `{"email":"ada@example.com","password":"`+key+`"}`)))
				send(set(app.Request("GET", at+"/events?actor="+key, ""), "Authorization: Bearer "+ada.Tokens.AccessToken))
			}
			for _, path := range []string{"/api-keys", "/api-keys/" + made.Get("id"), "/events", "/events/export?format=jsonl"} {
				send(set(app.Request("GET", at+path, ""), "Authorization: Bearer "+ada.Tokens.AccessToken))
			}
			app.Settle()
			time.Sleep(50 * time.Millisecond) // failed sign-ins are noted a little later
			dump := dumped(t, app)
			for i, key := range secrets {
				// The part that no prefix shows.
				hidden := key[15:]
				for where, text := range map[string]string{"an answer": answers.String(), "the log": log.String(), "the database": dump} {
					if at := strings.Index(text, hidden); at >= 0 {
						t.Errorf("key %d is in %s: …%s…", i, where, text[max(0, at-200):min(len(text), at+50)])
					}
				}
			}
			if !strings.Contains(log.String(), `"key_id":"`+made.Get("id")+`"`) {
				t.Error("the log does not say which key it was")
			}
			if !strings.Contains(dump, first[:15]) && !strings.Contains(dump, second[:15]) || !strings.Contains(log.String(), "/teams") {
				t.Error("what was searched is not what was written")
			}
		})
	}
}

// dumped is all that the database holds, as text.
func dumped(t *testing.T, app *tenontest.App) string {
	t.Helper()
	if app.DB.Dialect() == db.SQLite {
		var all strings.Builder
		path := strings.TrimPrefix(app.Config.DB.URL, "sqlite:")
		for _, file := range []string{path, path + "-wal"} {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(b)
		}
		return all.String()
	}
	c := app.DB.Platform("test")
	tables, err := db.All(t.Context(), c, db.Scalar[string], `SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`)
	if err != nil || len(tables) < 20 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	var all strings.Builder
	read := func(query string) {
		rows, err := db.All(t.Context(), c, db.Scalar[string], query)
		if err != nil {
			t.Fatal(query, err)
		}
		all.WriteString(strings.Join(rows, "\n"))
	}
	for _, table := range tables {
		read(`SELECT x::text FROM ` + table + ` x`)
	}
	ofBytes, err := db.All(t.Context(), c, db.Scalar[string], `SELECT format('SELECT coalesce(encode(%I, ''escape''), '''') FROM %I.%I', column_name, table_schema, table_name)
		FROM information_schema.columns WHERE data_type = 'bytea' AND table_schema NOT IN ('pg_catalog', 'information_schema')`)
	if err != nil || len(ofBytes) < 5 {
		t.Fatalf("%d columns of bytes, %v", len(ofBytes), err)
	}
	for _, query := range ofBytes {
		read(query)
	}
	return all.String()
}
