package sessions_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

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
