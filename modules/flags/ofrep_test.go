package flags_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/modules/flags"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
)

const ofrep = "//ofrep/v1/evaluate/flags"

// remote evaluates by way of OFREP with a bearer token.
func (w *world) remote(token, path, context string) *tenontest.Answer {
	w.t.Helper()
	return w.CallBy(token, "POST", ofrep+path, `{"context":`+context+`}`)
}

func (w *world) wantFailure(got *tenontest.Answer, status int, code string) {
	w.t.Helper()
	if got.Status != status || got.Body["errorCode"] != code || got.Get("errorDetails") == "" {
		w.t.Errorf("%d %s, want %d %s", got.Status, got.Text, status, code)
	}
}

func TestOFREPAnswersAsTheProtocolSays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.flag("plain", "")
		w.flag("off", `"enabled":false`)
		w.flag("half", `"default":{"split":{"weights":[{"variant":"on","percent":100},{"variant":"off","percent":0}]}}`)
		w.flag("ruled", `"rules":[{"conditions":[{"attribute":"country","operator":"one_of","values":["AT"]}],"serve":{"variant":"on"}}],"default":{"variant":"off"}`)
		w.flag("secret", `"client":false`)
		w.Call(w.root, "POST", "/admin/flags", `{"key":"text","type":"string","client":true,"enabled":true,"variants":[{"name":"empty","value":""}],"reason":"for the test"}`).Want(t, 201)
		ada := w.ada.Tokens.AccessToken

		for key, want := range map[string]map[string]any{
			"plain": {"key": "plain", "value": true, "variant": "on", "reason": "STATIC"},
			"off":   {"key": "off", "value": false, "variant": "off", "reason": "DISABLED"},
			"half":  {"key": "half", "value": true, "variant": "on", "reason": "SPLIT"},
			"ruled": {"key": "ruled", "value": true, "variant": "on", "reason": "TARGETING_MATCH"},
			"text":  {"key": "text", "value": "", "variant": "empty", "reason": "STATIC"},
		} {
			got := w.remote(ada, "/"+key, `{"targetingKey":"`+w.ada.ID.String()+`","country":"AT"}`).Want(t, 200)
			if diff := cmp.Diff(want, got.Body); diff != "" || got.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s, %s (-want +got):\n%s", key, got.Header.Get("Content-Type"), diff)
			}
		}
		for _, key := range []string{"nothing", "secret", "NOT A KEY"} {
			got := w.remote(ada, "/"+strings.ReplaceAll(key, " ", "%20"), `{}`)
			w.wantFailure(got, 404, "FLAG_NOT_FOUND")
			if diff := cmp.Diff(map[string]any{"key": key, "errorCode": "FLAG_NOT_FOUND", "errorDetails": "There is no such flag."}, got.Body); diff != "" {
				t.Errorf("%s (-want +got):\n%s", key, diff)
			}
		}

		all := w.remote(ada, "", `{"country":"DE"}`).Want(t, 200)
		keys := []string{}
		for _, f := range all.Body["flags"].([]any) {
			keys = append(keys, fmt.Sprint(f.(map[string]any)["key"], "=", f.(map[string]any)["variant"]))
		}
		if diff := cmp.Diff([]string{"half=on", "off=off", "plain=on", "ruled=off", "text=empty"}, keys); diff != "" {
			t.Errorf("all (-want +got):\n%s", diff)
		}
		again := func(country string) *tenontest.Answer {
			q := w.Request("POST", ofrep+"?flagConfigEtag=x&flagConfigLastModified=1771622898", `{"context":{"country":"`+country+`"}}`)
			q.Header.Set("Authorization", "Bearer "+ada)
			q.Header.Set("If-None-Match", all.Header.Get("ETag"))
			return w.Send(q)
		}
		if got := again("DE"); got.Status != 304 || got.Text != "" || got.Header.Get("ETag") != all.Header.Get("ETag") {
			t.Errorf("unchanged: %d %q %s", got.Status, got.Text, got.Header.Get("ETag"))
		}
		again("AT").Want(t, 200) // another context
		w.patch("plain", `"enabled":false`).Want(t, 200)
		again("DE").Want(t, 200)
	})
}

func TestOFREPRefusesAsTheProtocolSays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.flag("plain", "")
		ada := w.ada.Tokens.AccessToken
		other := w.Org(w.User("eve"), "other")
		for _, path := range []string{"/plain", ""} {
			for _, body := range []string{`{}`, `{"context":null}`, `{"context":[]}`, `{"context":"x"}`, `{"context":{"targetingKey":7}}`, `{"context":{"targetingKey":"` + w.bob.ID.String() + `"}}`,
				`{"context":{"org_id":"` + other.String() + `"}}`, `{"context":{"org_id":"org_x"}}`, `{"context":{"org_id":1}}`, `{"context":{"x":"` + strings.Repeat("x", 1025) + `"}}`} {
				got := w.CallBy(ada, "POST", ofrep+path, body)
				w.wantFailure(got, 400, "INVALID_CONTEXT")
				if (path != "") != (got.Body["key"] == "plain") || got.Header.Get("Content-Type") != "application/json" {
					t.Errorf("%s %s: %s", path, body, got.Text)
				}
			}
			for body, want := range map[string]struct {
				status int
				code   string
			}{`{"context":`: {400, "PARSE_ERROR"}, `{"context":{},"context":{}}`: {400, "PARSE_ERROR"}, `{"context":{},"flags":[]}`: {422, "GENERAL"}} {
				w.wantFailure(w.CallBy(ada, "POST", ofrep+path, body), want.status, want.code)
			}
			w.wantFailure(w.CallBy(ada, "POST", ofrep+path, `{"context":{"x":"`+strings.Repeat("x", 64<<10)+`"}}`), 413, "GENERAL")
			w.Call(nil, "POST", ofrep+path, `{"context":{}}`).WantCode(t, 401, "auth.required")
		}
		w.Call(w.ada, "GET", "//ofrep/v1/configuration", "").WantCode(t, 404, "not_found") // of 0.2, gone in 0.3
	})
}

func TestAKeyEvaluatesForItsOrganizationAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		eve := w.User("eve")
		other := w.Org(eve, "other")
		w.flag("owners", `"rules":[{"conditions":[{"attribute":"role","operator":"one_of","values":["owner"]},{"attribute":"org_id","operator":"one_of","values":["`+w.org.String()+`"]}],"serve":{"variant":"on"}}],"default":{"variant":"off"}`)
		w.flag("secret", `"client":false`)
		key, without := w.Key(w.ada, w.org, flags.PermEvaluate), w.Key(w.ada, w.org, "orgs.read")
		theirs := w.Key(eve, other, flags.PermEvaluate)

		want := func(token, context, variant string) {
			t.Helper()
			if got := w.remote(token, "/owners", context).Want(t, 200); got.Get("variant") != variant {
				t.Errorf("%s: %s", context, got.Text)
			}
		}
		want(key, `{"targetingKey":"`+w.ada.ID.String()+`"}`, "on")
		want(key, `{"targetingKey":"`+w.bob.ID.String()+`"}`, "off")
		want(key, `{"targetingKey":"`+w.bob.ID.String()+`","role":"owner"}`, "off") // the role is ours to know
		want(key, `{"targetingKey":"visitor-7","role":"owner"}`, "off")
		want(key, `{"targetingKey":"`+w.ada.ID.String()+`","org_id":"`+w.org.String()+`"}`, "on")
		w.wantFailure(w.remote(key, "/owners", `{}`), 400, "TARGETING_KEY_MISSING")
		w.wantFailure(w.remote(key, "", `{"targetingKey":""}`), 400, "TARGETING_KEY_MISSING")
		w.wantFailure(w.remote(key, "/owners", `{"targetingKey":"`+eve.ID.String()+`"}`), 400, "INVALID_CONTEXT")
		w.wantFailure(w.remote(key, "/owners", `{"targetingKey":"x","org_id":"`+other.String()+`"}`), 400, "INVALID_CONTEXT")
		w.wantFailure(w.remote(theirs, "/owners", `{"targetingKey":"`+w.ada.ID.String()+`"}`), 400, "INVALID_CONTEXT")
		want(theirs, `{"targetingKey":"x"}`, "off")
		w.wantFailure(w.remote(key, "/secret", `{"targetingKey":"x"}`), 404, "FLAG_NOT_FOUND")

		if got := w.remote(without, "/owners", `{"targetingKey":"x"}`); got.Status != 403 || got.Get("code") != "auth.denied" {
			t.Errorf("without the scope: %s", got.Text)
		}
		w.CallBy(key, "POST", "/flags/evaluate", `{}`).WantCode(t, 403, "auth.not_by_key")
		w.CallBy(key, "GET", "/users/me", "").WantCode(t, 403, "auth.not_by_key")

		// What its owner loses, the key loses: at once.
		w.Call(w.ada, "PATCH", "/orgs/"+w.org.String()+"/members/"+w.bob.ID.String(), `{"role":"admin"}`).Want(t, 200)
		bobs := w.Key(w.bob, w.org, flags.PermEvaluate)
		want(bobs, `{"targetingKey":"x"}`, "off")
		w.Call(w.ada, "PATCH", "/orgs/"+w.org.String()+"/members/"+w.bob.ID.String(), `{"role":"member"}`).Want(t, 200)
		w.remote(bobs, "/owners", `{"targetingKey":"x"}`).WantCode(t, 403, "auth.denied")
		w.Call(w.ada, "DELETE", "/orgs/"+w.org.String()+"/members/"+w.bob.ID.String(), "").Want(t, 204)
		if got := w.remote(bobs, "/owners", `{"targetingKey":"x"}`); got.Status != 401 && got.Status != 403 {
			t.Errorf("the key of someone who left: %s", got.Text)
		}
	})
}

func TestAPersonEvaluatesForThemselvesAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.flag("bobs", `"rules":[{"id":"who","conditions":[{"attribute":"user_id","operator":"one_of","values":["`+w.bob.ID.String()+`"]}],"serve":{"variant":"on"}}],"default":{"variant":"off"}`)
		w.flag("roots", `"rules":[{"conditions":[{"attribute":"administrator","operator":"one_of","values":[true]}],"serve":{"variant":"on"}}],"default":{"variant":"off"}`)
		w.flag("secret", `"client":false`)
		for _, attributes := range []string{`{}`, `{"user_id":"` + w.bob.ID.String() + `","targetingKey":"` + w.bob.ID.String() + `","administrator":true,"role":"owner","email_domain":"x","plan":"x","org_id":"` + w.org.String() + `"}`} {
			got := w.Call(w.ada, "POST", "/flags/evaluate", `{"attributes":`+attributes+`}`).Want(t, 200)
			want := map[string]any{"bobs": map[string]any{"variant": "off", "value": false, "reason": "TARGETING_MATCH"}, "roots": map[string]any{"variant": "off", "value": false, "reason": "TARGETING_MATCH"}}
			if diff := cmp.Diff(any(want), got.Body["flags"]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", attributes, diff)
			}
			for _, hidden := range []string{"rules", "conditions", "who", w.bob.ID.String(), "secret"} {
				if strings.Contains(got.Text, `"`+hidden) {
					t.Errorf("the answer tells %s: %s", hidden, got.Text)
				}
			}
		}
		other := w.Org(w.User("eve"), "other")
		w.Call(w.ada, "POST", "/flags/evaluate", `{"org_id":"`+other.String()+`"}`).WantCode(t, 422, "flags.org_unknown")
		w.Call(w.ada, "POST", "/flags/evaluate", `{"user_id":"`+w.bob.ID.String()+`"}`).Want(t, 422)
		w.Call(w.ada, "POST", "/flags/evaluate", `{"keys":["secret","nothing"]}`).Want(t, 200)
		for _, call := range [][2]string{{"GET", "/admin/flags"}, {"GET", "/admin/flags/bobs"}, {"GET", "/admin/flags/bobs/changes"}, {"GET", "/admin/flags/bobs/usage"}} {
			w.Call(w.ada, call[0], call[1], "").WantCode(t, 403, "auth.denied")
			w.Call(nil, call[0], call[1], "").WantCode(t, 401, "auth.required")
		}
		for _, call := range [][3]string{{"POST", "", `{"key":"x","type":"boolean","reason":"for me"}`}, {"PATCH", "/bobs", `{"enabled":false,"reason":"for me"}`}, {"POST", "/bobs/archive", `{"reason":"for me"}`},
			{"POST", "/bobs/restore", `{"reason":"for me"}`}, {"DELETE", "/bobs", `{"reason":"for me"}`}, {"POST", "/bobs/test", `{"context":{}}`}} {
			w.Call(w.ada, call[0], "/admin/flags"+call[1], call[2]).WantCode(t, 403, "auth.denied")
		}
		many := []string{}
		for i := range 101 {
			many = append(many, fmt.Sprintf(`"a%d":1`, i))
		}
		w.Call(w.ada, "POST", "/flags/evaluate", `{"attributes":{`+strings.Join(many, ",")+`}}`).WantCode(t, 422, "flags.context_invalid")
		w.Call(w.ada, "POST", "/flags/evaluate", `{"attributes":{"x":"`+strings.Repeat("x", 1025)+`"}}`).WantCode(t, 422, "flags.context_invalid")
		w.Call(w.ada, "POST", "/flags/evaluate", `{"attributes":{"x":"`+strings.Repeat("x", 65<<10)+`"}}`).Want(t, 413)
	})
}

// A thousand flags are the most, and all of them are evaluated quickly.
func TestAThousandFlagsAreTheMost(t *testing.T) {
	app := tenontest.Start(t, db.SQLite)
	w := &world{App: app, t: t, root: app.Administrator("root")}
	if err := app.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
			INSERT INTO flags (id, key, type, description, owner, tags, client, enabled, salt, definition, buckets, created_at, updated_at)
			SELECT randomblob(16), 'flag-' || i, 'boolean', '', '', '[]', 1, 1, 'salt', '{"variants":[{"name":"on","value":true},{"name":"off","value":false}],"off_variant":"off","rules":[{"id":"r","conditions":[{"attribute":"country","operator":"one_of","values":["AT"]}],"serve":{"variant":"on"}}],"default":{"variant":"off"}}', '{}', 0, 0 FROM n`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	w.Call(w.root, "POST", "/admin/flags", `{"key":"one-more","type":"boolean","reason":"too many"}`).WantCode(t, 409, "flags.too_many")
	if err := app.Flags.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	ada := app.User("ada")
	got := w.CallBy(ada.Tokens.AccessToken, "POST", ofrep, `{"context":{"country":"AT"}}`).Want(t, 200)
	if n := len(got.Body["flags"].([]any)); n != 1000 {
		t.Errorf("%d flags were evaluated", n)
	}
	if err := app.Flags.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Call(w.root, "GET", "/admin/flags?limit=100", "").Want(t, 200)
}
