package attack

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
)

// mailSignIn asks for a letter and returns the flow and the link's token.
func mailSignIn(t *testing.T, app *tenontest.App, email string) (flow, token string) {
	t.Helper()
	flow = app.Call(nil, "POST", "/auth/magic-link", fmt.Sprintf(`{"email":%q}`, email)).Want(t, 202).Get("flow_token")
	return flow, app.MailedToken(email)
}

func TestB11AMagicLinkDoesNotSkipTheSecondFactor(t *testing.T) {
	for name, give := range map[string]func(t *testing.T, app *tenontest.App, u *tenontest.User){
		"passkey": func(_ *testing.T, app *tenontest.App, u *tenontest.User) { app.AddPasskey(u) },
		"totp": func(t *testing.T, app *tenontest.App, u *tenontest.User) {
			if err := app.DB.Account(u.ID).Tx(t.Context(), func(tx *db.Tx) error {
				return app.Accounts.In(tx).SetSecondFactor(t.Context(), u.ID, accounts.TOTP, true)
			}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
				ada := app.User("ada")
				give(t, app, ada)
				flow, token := mailSignIn(t, app, ada.Email)
				half := app.Call(nil, "POST", "/auth/magic-link/verify", fmt.Sprintf(`{"token":%q,"flow_token":%q}`, token, flow)).Want(t, 200)
				if half.Get("status") != "second_factor_required" || half.Get("access_token") != "" || strings.Contains(strings.Join(half.Header.Values("Set-Cookie"), ""), "session=") {
					t.Errorf("the link opens %s %v", half.Text, half.Header)
				}
				q := set(app.Request("GET", "/users/me", ""), "Authorization: Bearer "+half.Get("challenge_token"))
				app.Send(q).Want(t, 401)
			})
		})
	}
}

// A session that only a link has opened is not fresh for longer than any other, and the
// halves of a sign-in do not stand in for one another.
func TestB11TheTokensOfASignInOpenNothingElse(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		k := app.AddPasskey(ada)
		flow, token := mailSignIn(t, app, ada.Email)
		begun := app.Call(nil, "POST", "/auth/passkey/options", `{}`).Want(t, 200).Get("challenge_token")
		for _, secret := range []string{flow, token, begun, k.Passkey.ID.String()} {
			for _, h := range []string{"Authorization: Bearer " + secret, "Cookie: tenon_session=" + secret} {
				app.Send(set(app.Request("GET", "/users/me", ""), h)).Want(t, 401)
			}
			app.Call(nil, "POST", "/auth/second-factor/passkey-options", `{"challenge_token":"`+secret+`"}`).Want(t, 401)
			app.Call(nil, "POST", "/auth/reset-password", `{"token":"`+secret+`","new_password":"a phrase only she knows"}`).Want(t, 422)
			app.Call(nil, "POST", "/auth/verify-email", `{"token":"`+secret+`"}`).Want(t, 422)
		}
		app.Call(nil, "POST", "/auth/magic-link/verify", fmt.Sprintf(`{"token":%q,"flow_token":%q}`, flow, token)).Want(t, 401)
		app.Call(nil, "GET", "/auth/magic-link/verify?token="+token, "").Want(t, 405)
		app.Call(nil, "POST", "/auth/magic-link/verify", fmt.Sprintf(`{"token":%q,"flow_token":%q}`, token, flow)).Want(t, 200)
	})
}

func TestA10LinksToSignInBeginWithThePublicURL(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		app.User("ada")
		for _, h := range [][]string{{"Host: evil.test"}, {"X-Forwarded-Host: evil.test", "X-Forwarded-Proto: javascript"}, {"Forwarded: host=evil.test;proto=http"}, {"X-Original-Host: evil.test"}, {"Referer: https://evil.test/"}} {
			app.Send(set(app.Request("POST", "/auth/magic-link", `{"email":"ada@example.com"}`), h...))
			for _, m := range app.Mail("ada@example.com") {
				for _, link := range m.Links {
					if !strings.HasPrefix(link, publicURL+"/") {
						t.Errorf("%v: %s", h, link)
					}
				}
			}
		}
		if len(app.Mail("ada@example.com")) == 0 {
			t.Error("nothing was mailed")
		}
	}, tenontest.Configure(atHome))
}

func TestA13NobodyLearnsByMagicLinkWhoHasAnAccount(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		app.User("e1")
		register(t, app, "e2@example.com")
		suspend(t, app, app.User("e4"))
		for _, cookie := range []string{"true", "false"} {
			want := ""
			for _, who := range []string{"e1", "e2", "e3", "e4"} {
				got := app.Call(nil, "POST", "/auth/magic-link", fmt.Sprintf(`{"email":"%s@example.com","cookie":%s}`, who, cookie)).Want(t, 202)
				delete(got.Body, "flow_token") // random, of one length
				if want == "" {
					want = shape(got)
				}
				if shape(got) != want {
					t.Errorf("%s:\n%s\nis not\n%s", who, shape(got), want)
				}
			}
		}
		flow := app.Call(nil, "POST", "/auth/magic-link", `{"email":"e3@example.com"}`).Want(t, 202).Get("flow_token")
		want := ""
		for _, who := range []string{"e1", "e2", "e3", "e4"} {
			got := app.Call(nil, "POST", "/auth/magic-link/verify", fmt.Sprintf(`{"email":"%s@example.com","code":"0000 0000","flow_token":%q}`, who, flow)).Want(t, 401)
			if want == "" {
				want = shape(got)
			}
			if shape(got) != want {
				t.Errorf("%s:\n%s\nis not\n%s", who, shape(got), want)
			}
		}
	})
}

func TestA13NobodyLearnsByPasskeyWhoHasOne(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada, bob := app.User("ada"), app.User("bob")
		known, gone, stranger := app.AddPasskey(ada), app.AddPasskey(bob), app.Authenticator()
		suspend(t, app, bob)
		known.Origin = "https://evil.test"
		want := ""
		for name, k := range map[string]*tenontest.Authenticator{"wrong": known, "suspended": gone, "unknown": stranger} {
			b := app.Call(nil, "POST", "/auth/passkey/options", `{}`).Want(t, 200)
			options, _ := b.Body["options"].(map[string]any)
			raw := jsonOf(t, options)
			got := app.Call(nil, "POST", "/auth/passkey", fmt.Sprintf(`{"challenge_token":%q,"credential":%s}`, b.Get("challenge_token"), k.Get(raw))).Want(t, 401)
			if want == "" {
				want = shape(got)
			}
			if shape(got) != want {
				t.Errorf("%s:\n%s\nis not\n%s", name, shape(got), want)
			}
		}
	})
}

func jsonOf(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
