package apikeys_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/tenontest"
)

// world is an organization with an owner, an admin and a member, at a time of its own.
type world struct {
	*tenontest.App
	t                    *testing.T
	now                  *clock.Manual
	owner, admin, member *tenontest.User
	org                  id.Org
	at                   string // path of the organization
}

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			now := clock.NewManual(time.Now())
			fn(t, newWorld(t, tenontest.Start(t, dialect, tenontest.Configure(func(c *tenon.Config) { c.Now = now.Now })), now))
		})
	}
}

func newWorld(t *testing.T, app *tenontest.App, now *clock.Manual) *world {
	t.Helper()
	w := &world{App: app, t: t, now: now, owner: app.User("owner")}
	w.org = app.Org(w.owner, "acme")
	w.admin, w.member = app.Member(w.org, "admin", authz.Admin), app.Member(w.org, "member", authz.Member)
	w.at = "/orgs/" + w.org.String()
	return w
}

func (w *world) call(u *tenontest.User, method, path, body string) *tenontest.Answer {
	w.t.Helper()
	return w.Call(u, method, w.at+path, body)
}

// by sends a request of a program, with a key.
func (w *world) by(key, method, path, body string) *tenontest.Answer {
	w.t.Helper()
	return w.CallBy(key, method, w.at+path, body)
}

// made makes a key that may list teams, and returns its id and value.
func (w *world) made(u *tenontest.User, more string) (keyID, value string) {
	w.t.Helper()
	got := w.call(u, "POST", "/api-keys", `{"name":"Export","scopes":["orgs.list_teams"]`+more+`}`).Want(w.t, 201)
	return got.Get("id"), got.Get("key")
}

func TestAKeyIsShownOnceUsedAndRevoked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		body := `{"name":" Nightly export ","scopes":["orgs.read","orgs.list_teams","orgs.read"],"expires_at":"` + w.now.Now().Add(time.Hour).Format(time.RFC3339) + `"}`
		q := w.Request("POST", w.at+"/api-keys", body)
		q.Header.Set("Authorization", "Bearer "+w.admin.Tokens.AccessToken)
		q.Header.Set("Idempotency-Key", "once")
		again := q.Clone(t.Context())
		again.Body = w.Request("POST", w.at+"/api-keys", body).Body
		made := w.Send(q).Want(t, 201)
		value, keyID := made.Get("key"), made.Get("id")
		if !regexp.MustCompile(`^tn_key_[A-Za-z0-9]{32,}_[0-9a-z]{6}$`).MatchString(value) || !strings.HasPrefix(value, made.Get("prefix")) || len(made.Get("prefix")) != 15 {
			t.Errorf("the key: %s", made.Text)
		}
		if made.Get("name") != "Nightly export" || fmt.Sprint(made.Body["scopes"]) != "[orgs.list_teams orgs.read]" || made.Get("account_id") != w.admin.ID.String() || made.Get("expires_at") == "" {
			t.Errorf("made as %s", made.Text)
		}
		if replay := w.Send(again).Want(t, 201); replay.Get("id") != keyID || replay.Body["key"] != nil {
			t.Errorf("the replay: %s", replay.Text)
		}
		for _, path := range []string{"/api-keys", "/api-keys/" + keyID, "/events"} {
			if got := w.call(w.owner, "GET", path, "").Want(t, 200); strings.Contains(got.Text, value[15:]) || !strings.Contains(got.Text, keyID) {
				t.Errorf("%s shows %s", path, got.Text)
			}
		}
		w.by(value, "GET", "/teams", "").Want(t, 200)
		if renamed := w.call(w.owner, "PATCH", "/api-keys/"+keyID, `{"name":"Export"}`).Want(t, 200); renamed.Get("name") != "Export" {
			t.Errorf("renamed to %s", renamed.Text)
		}
		w.call(w.owner, "DELETE", "/api-keys/"+keyID, "").Want(t, 204)
		w.by(value, "GET", "/teams", "").WantCode(t, 401, "auth.invalid_token")
		w.call(w.owner, "DELETE", "/api-keys/"+keyID, "").WantCode(t, 404, "apikeys.not_found")
		w.call(w.owner, "GET", "/api-keys/"+keyID, "").WantCode(t, 404, "apikeys.not_found")
		if n := len(w.call(w.owner, "GET", "/api-keys", "").Items()); n != 0 {
			t.Errorf("%d keys are listed", n)
		}
		for kind, n := range map[string]int{"apikeys.created": 1, "apikeys.renamed": 1, "apikeys.revoked": 1, "apikeys.rotated": 0} {
			if got := len(w.call(w.owner, "GET", "/events?type="+kind+"&target="+keyID, "").Items()); got != n {
				t.Errorf("%d events %s, want %d", got, kind, n)
			}
		}
	})
}

func TestWhatAKeyCannotBe(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			by     *tenontest.User
			body   string
			status int
			code   string
		}{
			{w.member, `{"name":"X","scopes":[]}`, 403, "auth.denied"},
			{w.admin, `{"name":"X","scopes":["orgs.delete"]}`, 403, "orgs.beyond_own_rights"},
			{w.admin, `{"name":"X","scopes":["orgs.read","orgs.transfer"]}`, 403, "orgs.beyond_own_rights"},
			{w.owner, `{"name":"X","scopes":["*"]}`, 422, "apikeys.scope_unknown"},
			{w.owner, `{"name":"X","scopes":["orgs.read","orgs.nothing"]}`, 422, "apikeys.scope_unknown"},
			{w.owner, `{"name":"X","scopes":null}`, 422, "request.invalid"},
			{w.owner, `{"name":"X"}`, 422, "request.invalid"},
			{w.owner, `{"name":"X","scopes":[],"expires_at":"soon"}`, 422, "request.invalid"},
			{w.owner, `{"name":"X","scopes":[],"expires_at":"` + w.now.Now().Format(time.RFC3339Nano) + `"}`, 422, "apikeys.expiry_past"},
			{w.owner, `{"name":" ","scopes":[]}`, 422, "apikeys.name_invalid"},
			{w.owner, `{"name":"two\nlines","scopes":[]}`, 422, "apikeys.name_invalid"},
			{w.owner, `{"name":"` + strings.Repeat("x", 101) + `","scopes":[]}`, 422, "apikeys.name_invalid"},
		} {
			if got := w.call(c.by, "POST", "/api-keys", c.body); got.Status != c.status || got.Get("code") != c.code {
				t.Errorf("%s by %s: %d %s", c.body, c.by.Name, got.Status, got.Text)
			}
		}
		if n := len(w.call(w.owner, "GET", "/api-keys", "").Items()); n != 0 {
			t.Errorf("%d keys were made", n)
		}
		w.now.Advance(authz.FreshFor - time.Minute)
		w.made(w.owner, "")
		w.now.Advance(2 * time.Minute)
		w.owner.Tokens = w.SignIn(w.owner)
		w.made(w.owner, "")
	})
}

func TestAnOrganizationHasAtMostFiveHundredKeys(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first, _ := w.made(w.owner, "")
		for n := range 499 {
			if _, err := w.DB.Platform("test").Exec(t.Context(), `INSERT INTO api_keys (org_id, id, account_id, name, prefix, hash, scopes, expires_at, last_used_ip, created_at) VALUES ($1, $2, $3, 'X', '', $4, '[]', $5, '', $6)`,
				w.org, id.New[id.OrgKind](), w.owner.ID, []byte(fmt.Sprint(n)), w.now.Now().Add(time.Hour), w.now.Now()); err != nil {
				t.Fatal(err)
			}
		}
		w.call(w.owner, "POST", "/api-keys", `{"name":"X","scopes":[]}`).WantCode(t, 409, "apikeys.too_many")
		w.call(w.owner, "DELETE", "/api-keys/"+first, "").Want(t, 204)
		w.made(w.owner, "")
		w.call(w.owner, "POST", "/api-keys", `{"name":"X","scopes":[]}`).WantCode(t, 409, "apikeys.too_many")
		w.now.Advance(time.Hour) // now the others have expired
		w.owner.Tokens = w.SignIn(w.owner)
		w.made(w.owner, "")
	})
}

func TestAKeyEndsAtTheVeryInstant(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		end := w.now.Now().Add(time.Minute)
		keyID, value := w.made(w.owner, `,"expires_at":"`+end.Format(time.RFC3339Nano)+`"`)
		w.now.Advance(time.Minute - time.Microsecond)
		w.by(value, "GET", "/teams", "").Want(t, 200)
		w.now.Advance(time.Microsecond)
		w.by(value, "GET", "/teams", "").WantCode(t, 401, "auth.invalid_token")
		w.call(w.owner, "POST", "/api-keys/"+keyID+"/rotate", "").WantCode(t, 409, "apikeys.expired")
		w.sweep()
		w.call(w.owner, "GET", "/api-keys/"+keyID, "").Want(t, 200)
		w.now.Advance(90*24*time.Hour + time.Microsecond)
		w.owner.Tokens = w.SignIn(w.owner)
		w.sweep()
		w.call(w.owner, "GET", "/api-keys/"+keyID, "").Want(t, 404)
	})
}

func TestRotationOverlaps(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		keyID, first := w.made(w.owner, "")
		rotate := func(u *tenontest.User, body string) *tenontest.Answer {
			return w.call(u, "POST", "/api-keys/"+keyID+"/rotate", body)
		}
		works := func(values map[string]bool) {
			t.Helper()
			for value, want := range values {
				if got := w.by(value, "GET", "/teams", "").Status == 200; got != want {
					t.Errorf("%s… works: %t, want %t", value[:15], got, want)
				}
			}
		}
		works(map[string]bool{first: true})
		rotate(w.admin, "").WantCode(t, 403, "apikeys.not_yours")
		for _, body := range []string{`{"overlap_seconds":-1}`, `{"overlap_seconds":604801}`, `{"expires_at":"2001-01-01T00:00:00Z"}`} {
			rotate(w.owner, body).Want(t, 422)
		}
		got := rotate(w.owner, "").Want(t, 201)
		second := got.Get("key")
		if got.Get("id") != keyID || got.Get("prefix") != second[:15] || got.Get("previous_expires_at") != w.now.Now().Add(24*time.Hour).Format(time.RFC3339Nano) || second == first {
			t.Errorf("rotated: %s", got.Text)
		}
		works(map[string]bool{first: true, second: true})
		rotate(w.owner, `{"overlap_seconds":60}`).WantCode(t, 409, "apikeys.rotation_running")
		w.now.Advance(24*time.Hour - time.Microsecond)
		works(map[string]bool{first: true, second: true})
		w.now.Advance(time.Microsecond)
		works(map[string]bool{first: false, second: true})
		w.owner.Tokens = w.SignIn(w.owner)
		third := rotate(w.owner, `{"overlap_seconds":604800,"expires_at":"`+w.now.Now().Add(time.Hour).Format(time.RFC3339Nano)+`"}`).Want(t, 201).Get("key")
		works(map[string]bool{first: false, second: true, third: true})
		// Somebody has seen them: all but the newest end.
		last := rotate(w.owner, `{"overlap_seconds":0}`).Want(t, 201)
		works(map[string]bool{first: false, second: false, third: false, last.Get("key"): true})
		if last.Body["previous_expires_at"] != nil || last.Get("expires_at") == "" {
			t.Errorf("rotated: %s", last.Text)
		}
		overlapping := rotate(w.owner, "").Want(t, 201).Get("key")
		works(map[string]bool{last.Get("key"): true, overlapping: true})
		w.now.Advance(time.Hour) // the key's end is the end of both
		works(map[string]bool{last.Get("key"): false, overlapping: false})
		w.sweep()
		w.owner.Tokens = w.SignIn(w.owner)
		w.call(w.owner, "DELETE", "/api-keys/"+keyID, "").Want(t, 204)
		if n := len(w.call(w.owner, "GET", "/events?type=apikeys.rotated", "").Items()); n != 4 {
			t.Errorf("%d rotations in the log", n)
		}
	})
}

// Revoking ends every value that a key has.
func TestRevokingEndsTheOldValueToo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		keyID, first := w.made(w.owner, "")
		second := w.call(w.owner, "POST", "/api-keys/"+keyID+"/rotate", "").Want(t, 201).Get("key")
		for _, value := range []string{first, second} {
			w.by(value, "GET", "/teams", "").Want(t, 200)
		}
		w.call(w.admin, "DELETE", "/api-keys/"+keyID, "").Want(t, 204)
		for _, value := range []string{first, second} {
			w.by(value, "GET", "/teams", "").Want(t, 401)
		}
	})
}

func TestAKeyActsUnderItsOwnName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		got := w.call(w.owner, "POST", "/api-keys", `{"name":"Robot","scopes":["orgs.manage_teams","orgs.list_teams","audit.read"]}`).Want(t, 201)
		key := got.Get("key")
		w.by(key, "POST", "/teams", `{"name":"Design","slug":"design"}`).Want(t, 201)
		actor, _ := w.by(key, "GET", "/events?type=orgs.team_created", "").Want(t, 200).Items()[0]["actor"].(map[string]any)
		if actor["kind"] != "api_key" || actor["id"] != got.Get("id") || actor["name"] != "Robot" || actor["on_behalf_of"] != w.owner.ID.String() {
			t.Errorf("the actor is %v", actor)
		}
	})
}

// What a key asks for under an Idempotency-Key is not what its owner asked for.
func TestAKeyHasIdempotencyKeysOfItsOwn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		key := w.Key(w.owner, w.org, "orgs.manage_teams")
		send := func(token string) *tenontest.Answer {
			q := w.Request("POST", w.at+"/teams", `{"name":"Design","slug":"design"}`)
			q.Header.Set("Authorization", "Bearer "+token)
			q.Header.Set("Idempotency-Key", "same")
			return w.Send(q)
		}
		send(w.owner.Tokens.AccessToken).Want(t, 201)
		send(key).WantCode(t, 409, "orgs.team_slug_taken")
		if got := send(key).WantCode(t, 409, "orgs.team_slug_taken"); got.Header.Get("Idempotent-Replayed") != "true" {
			t.Error("its own answer is not repeated")
		}
	})
}

func TestALetterListsTheKeysThatGoOn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.made(w.owner, "")
		_, expired := w.made(w.owner, `,"expires_at":"`+w.now.Now().Add(time.Second).Format(time.RFC3339Nano)+`"`)
		w.now.Advance(time.Second)
		newPassword := func(u *tenontest.User) {
			w.Call(u, "PUT", "/users/me/password", fmt.Sprintf(`{"current_password":%q,"new_password":"another phrase of theirs"}`, u.Password)).Want(t, 204)
		}
		letters := func(to string) (kept []string) {
			for _, m := range w.Mail(to) {
				if strings.Contains(m.Subject, "API") {
					kept = append(kept, m.Subject+"\n"+m.Text)
				}
			}
			return kept
		}
		newPassword(w.member)
		if got := letters(w.member.Email); len(got) != 0 {
			t.Errorf("whoever has no keys gets a letter about them: %s", got)
		}
		newPassword(w.owner)
		got := letters(w.owner.Email)
		if len(got) != 1 || strings.Count(got[0], "tn_key_") != 1 || !strings.Contains(got[0], "Export (acme, tn_key_") || strings.Contains(got[0], expired[:15]) ||
			!strings.Contains(got[0], "password") || strings.Contains(got[0], " more.") {
			t.Errorf("the letter: %s", got)
		}
		w.Call(w.owner, "PATCH", "/users/me", `{"locale":"de"}`).Want(t, 200)
		for range 12 {
			w.made(w.owner, "")
		}
		w.Call(w.owner, "POST", "/users/me/email", `{"new_email":"new@example.com"}`).Want(t, 202)
		w.Call(w.owner, "POST", "/auth/confirm-email", `{"token":"`+w.MailedToken("new@example.com")+`"}`).Want(t, 200)
		got = letters("new@example.com")
		if len(got) != 1 || strings.Count(got[0], "tn_key_") != 10 || !strings.Contains(got[0], "Und 3 weitere.") || !strings.Contains(got[0], "die Adresse deines Kontos") {
			t.Errorf("the letter: %s", got)
		}
	})
}
