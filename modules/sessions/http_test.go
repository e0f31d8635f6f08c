package sessions_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/internal/geoip/geoiptest"
	"github.com/tenonhq/tenon/tenontest"
)

func TestAPersonSignsUpConfirmsAndSignsIn(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		const who = `"email":"Ada@Example.com","password":"a phrase only you know"`
		app.Call(nil, "POST", "/auth/register", `{`+who+`,"name":"Ada"}`).Want(t, 202)
		app.Call(nil, "POST", "/auth/login", `{`+who+`}`).WantCode(t, 403, "accounts.unverified")
		token := app.MailedToken("ada@example.com")
		app.Call(nil, "POST", "/auth/verify-email", `{"token":"`+token+`"}`).Want(t, 200)
		app.Call(nil, "POST", "/auth/verify-email", `{"token":"`+token+`"}`).WantCode(t, 422, "accounts.token_invalid")
		got := app.Call(nil, "POST", "/auth/login", `{`+who+`}`).Want(t, 200)

		q := app.Request("GET", "/users/me", "")
		q.Header.Set("Authorization", "Bearer "+got.Get("access_token"))
		me := app.Send(q).Want(t, 200)
		if me.Get("email") != "ada@example.com" || me.Body["email_verified"] != true {
			t.Errorf("me = %s", me.Text)
		}
		next := app.Call(nil, "POST", "/auth/refresh", `{"refresh_token":"`+got.Get("refresh_token")+`"}`).Want(t, 200)
		if next.Get("session_id") != got.Get("session_id") || next.Get("refresh_token") == got.Get("refresh_token") {
			t.Errorf("refreshed to %s", next.Text)
		}
		q = app.Request("GET", "/users/me/events", "")
		q.Header.Set("Authorization", "Bearer "+next.Get("access_token"))
		var types []any
		for _, e := range app.Send(q).Want(t, 200).Items() {
			types = append(types, e["type"])
		}
		want := []any{"sessions.signed_in", "accounts.email_verified", "accounts.registered"}
		if diff := cmp.Diff(want, types); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSessionsAreListedWithTheirPlaces(t *testing.T) {
	cities := filepath.Join(t.TempDir(), "cities.mmdb")
	geoiptest.Write(t, cities, "Vienna")
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		for _, address := range []string{"203.0.113.9:4711", "198.51.100.1:4711"} {
			q := app.Request("POST", "/auth/login", `{"email":"ada@example.com","password":"`+ada.Password+`"}`)
			q.RemoteAddr = address
			app.Send(q).Want(t, 200)
		}
		places := map[any][]any{}
		for _, s := range app.Call(ada, "GET", "/sessions", "").Want(t, 200).Items() {
			places[s["ip_address"]] = []any{s["country"], s["city"]}
		}
		if diff := cmp.Diff([]any{"Austria", "Vienna"}, places["203.0.113.9"]); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]any{"", ""}, places["198.51.100.1"]); diff != "" {
			t.Error(diff)
		}
		if stats := app.Call(ada, "GET", "/sessions/stats", "").Want(t, 200); stats.Body["active"] != 3.0 {
			t.Errorf("stats: %s", stats.Text)
		}
	}, tenontest.Configure(func(c *tenon.Config) { c.Sessions.Places = cities }))
}
