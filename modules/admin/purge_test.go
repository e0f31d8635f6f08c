package admin_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tenonhq/tenon/modules/admin"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/tenontest"
)

func (w *world) sweep() {
	w.t.Helper()
	must(w.t, w.DB.Platform("test").Tx(w.t.Context(), func(tx *db.Tx) error { return w.Jobs.Enqueue(w.t.Context(), tx, admin.Sweep{}) }))
	w.Settle()
}

// mentions lists the tables in which a text stands, in any column; ids are found as text
// and as bytes.
func (w *world) mentions(texts ...string) map[string]int {
	w.t.Helper()
	c, found := w.DB.Platform("test"), map[string]int{}
	names := `SELECT m.name, group_concat('coalesce(CASE typeof("' || c.name || '") WHEN ''blob'' THEN hex("' || c.name || '") ELSE "' || c.name || '" END, '''')', '||''|''||')
		FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'schema_%' GROUP BY m.name`
	if w.DB.Dialect() == db.Postgres {
		names = `SELECT c.relname, 'x::text' FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT LIKE 'schema_%'
			UNION ALL SELECT 'river.river_job', 'x::text'`
	}
	type table struct{ name, row string }
	tables, err := db.All(w.t.Context(), c, func(r db.Row) (t table, err error) { return t, r.Scan(&t.name, &t.row) }, names)
	must(w.t, err)
	if len(tables) < 15 {
		w.t.Fatalf("only %d tables", len(tables))
	}
	for _, t := range tables {
		must(w.t, db.Each(w.t.Context(), c, func(r db.Row) error {
			var row string
			err := r.Scan(&row)
			for _, text := range texts {
				if strings.Contains(strings.ToLower(row), strings.ToLower(text)) {
					found[t.name]++
				}
			}
			return err
		}, `SELECT `+t.row+` FROM `+t.name+` x`))
	}
	return found
}

// spellings are how an id may stand in a database.
func spellings(account id.Account) []string {
	digits := fmt.Sprintf("%x", account[:])
	return []string{account.String(), digits, regexp.MustCompile(`^(.{8})(.{4})(.{4})(.{4})(.{12})$`).ReplaceAllString(digits, "$1-$2-$3-$4-$5")}
}

func TestAPurgeLeavesNothingOfAPersonButWhatIsRetained(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		// Zenobia takes part in everything there is.
		zenobia := w.User("zenobia")
		w.Call(zenobia, "PATCH", "/users/me", `{"name":"Zenobia Quux"}`).Want(t, 200)
		acme, kept := w.Org(w.ada, "acme"), w.Org(zenobia, "palmyra")
		system := authz.With(t.Context(), &authz.Principal{Kind: authz.ActorSystem, Name: "test"})
		must(t, failed(w.Orgs.Join(system, acme, zenobia.ID, authz.Admin)))
		must(t, failed(w.Orgs.Join(system, kept, w.ada.ID, authz.Owner)))
		team := w.Call(zenobia, "POST", "/orgs/"+kept.String()+"/teams", `{"name":"Camels","slug":"camels"}`).Want(t, 201).Get("id")
		w.Call(zenobia, "PUT", "/orgs/"+kept.String()+"/teams/"+team+"/members/"+zenobia.ID.String(), "").Want(t, 204)
		w.Call(zenobia, "POST", "/orgs/"+kept.String()+"/invitations", `{"email":"bob@example.com","role":"member"}`).Want(t, 201)
		third := w.Org(w.root, "rome")
		w.Call(w.root, "POST", "/orgs/"+third.String()+"/invitations", `{"email":"zenobia@example.com","role":"member"}`).Want(t, 201)
		q := w.Request("POST", "/orgs", `{"name":"Zenobia Quux","slug":"vanity"}`)
		q.Header.Set("Authorization", "Bearer "+zenobia.Tokens.AccessToken)
		q.Header.Set("Idempotency-Key", "zenobia@example.com")
		vanity, err := id.Parse[id.OrgKind](w.Send(q).Want(t, 201).Get("id"))
		must(t, err)
		w.Call(nil, "POST", "/auth/login", `{"email":"zenobia@example.com","password":"wrong"}`).Want(t, 401)
		w.Call(nil, "POST", "/auth/request-password-reset", `{"email":"zenobia@example.com"}`).Want(t, 202)
		w.act(zenobia, "grant-administrator", "").Want(t, 200)
		w.Call(zenobia, "POST", at(w.ada)+"/impersonate", because).Want(t, 200)
		w.Call(zenobia, "POST", at(w.ada)+"/send-password-reset", "").Want(t, 202)
		w.act(zenobia, "revoke-administrator", "").Want(t, 200)
		w.act(zenobia, "impersonate", because).Want(t, 200)
		w.Call(w.ada, "PATCH", "/orgs/"+acme.String()+"/members/"+zenobia.ID.String(), `{"role":"viewer"}`).Want(t, 200)
		w.Call(w.ada, "PATCH", "/orgs/"+vanity.String(), `{}`).Want(t, 404)
		w.Settle()

		texts := append(spellings(zenobia.ID), "zenobia@example.com", "Zenobia Quux")
		before := w.mentions(texts...)
		for _, table := range []string{"accounts", "account_emails", "account_tokens", "sessions", "session_devices", "org_members", "team_members", "org_invitations", "events", "event_details", "idempotency_keys", "mail_dev"} {
			if before[table] == 0 {
				t.Errorf("there is nothing of her in %s that could be erased", table)
			}
		}

		w.Call(w.root, "DELETE", at(zenobia), `{"reason":"she asked for it"}`).WantCode(t, 409, "orgs.last_owner") // of the vanity
		w.Call(w.root, "DELETE", at(zenobia), `{"reason":"she asked for it","orphan_organizations":true}`).Want(t, 202)
		w.now.Advance(30*24*time.Hour - time.Second)
		w.sweep()
		if w.mentions(texts...)["accounts"] == 0 {
			t.Fatal("she was purged too early")
		}
		w.now.Advance(time.Second)
		w.sweep()

		// What was said to others about her is theirs: letters, and organizations that are called so.
		must(t, w.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), `DELETE FROM mail_dev WHERE recipient <> 'zenobia@example.com'`)
			return err
		}))
		retained := map[string]bool{"events": true, "cache_invalidations": true, "river.river_job": true, "river_job": true}
		for table, n := range w.mentions(spellings(zenobia.ID)...) {
			if !retained[table] {
				t.Errorf("%s holds her id, %d times", table, n)
			}
		}
		for table, n := range w.mentions("zenobia@example.com") {
			t.Errorf("%s holds her address, %d times", table, n)
		}
		for table, n := range w.mentions("Zenobia Quux") {
			if table != "orgs" && !(table == "event_details" && n == 1) { // the organization, and the event that it was made
				t.Errorf("%s holds her name, %d times", table, n)
			}
		}

		// Others are as they were, and the log still says that something happened.
		w.root.Tokens, w.ada.Tokens = w.SignIn(w.root), w.SignIn(w.ada)
		w.Call(w.root, "GET", at(zenobia), "").WantCode(t, 404, "accounts.not_found")
		w.Call(w.root, "GET", at(zenobia)+"/events", "").Want(t, 404)
		if n := len(w.Call(w.ada, "GET", "/orgs/"+acme.String()+"/members", "").Want(t, 200).Items()); n != 1 {
			t.Errorf("acme has %d members", n)
		}
		changed := w.Call(w.ada, "GET", "/orgs/"+acme.String()+"/events?type=orgs.member_role_changed", "").Want(t, 200).Items()
		if len(changed) != 1 || changed[0]["target"].(map[string]any)["id"] != zenobia.ID.String() || changed[0]["target"].(map[string]any)["name"] != "" {
			t.Errorf("the log of acme: %v", changed)
		}
		created := w.Call(w.ada, "GET", "/orgs/"+acme.String()+"/events?type=orgs.created", "").Want(t, 200).Items()
		if len(created) != 1 || created[0]["actor"].(map[string]any)["name"] != "ada" {
			t.Errorf("what others did: %v", created)
		}
		if list := w.Call(w.ada, "GET", "/orgs/"+kept.String()+"/invitations", "").Want(t, 200).Items(); len(list) != 1 {
			t.Errorf("her invitation of bob: %v", list)
		}

		// Her address is free.
		w.Call(nil, "POST", "/auth/register", `{"email":"zenobia@example.com","password":"a phrase only you know","name":"Another"}`).Want(t, 202)
		w.Call(nil, "POST", "/auth/verify-email", `{"token":"`+w.MailedToken("zenobia@example.com")+`"}`).Want(t, 200)
		w.sweep()
		w.Call(nil, "POST", "/auth/login", `{"email":"zenobia@example.com","password":"a phrase only you know"}`).Want(t, 200)
	})
}

// A purge that was broken off goes on with the next sweep, and what was restored at the
// last moment stays.
func TestAPurgeGoesOnWhereItWasBrokenOff(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bob, eve := w.User("bob"), w.User("eve")
		for _, u := range []*tenontest.User{w.ada, bob, eve} {
			w.Call(w.root, "DELETE", at(u), because).Want(t, 202)
		}
		w.act(eve, "restore", "").Want(t, 200)
		w.now.Advance(30 * 24 * time.Hour)
		// Ada's ended right after it began.
		_, due, err := w.Accounts.Bury(t.Context(), w.ada.ID)
		must(t, err)
		if !due {
			t.Fatal("it was not due")
		}
		for _, purge := range []admin.Purge{{AccountID: bob.ID}, {AccountID: bob.ID}, {AccountID: eve.ID}} {
			must(t, w.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error { return w.Jobs.Enqueue(t.Context(), tx, purge) }))
		}
		w.sweep()
		w.root.Tokens = w.SignIn(w.root)
		for u, status := range map[*tenontest.User]int{w.ada: 404, bob: 404, eve: 200} {
			w.Call(w.root, "GET", at(u), "").Want(t, status)
		}
		purged, err := db.One(t.Context(), w.DB.Platform("test"), db.Scalar[int], `SELECT count(*) FROM events WHERE type = 'accounts.purged'`)
		if err != nil || purged != 2 {
			t.Errorf("%d purges are in the log, %v", purged, err)
		}
	})
}
