package live

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/tenontest"
)

// C12: a page of another site cannot connect with the visitor's cookie.
func TestAnotherSiteDoesNotConnect(t *testing.T) {
	const partner = "https://partner.example"
	allow := tenontest.Configure(func(c *tenon.Config) { c.Web.AllowedOrigins = []string{partner} })
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		at, hers, token := listen(t, app), cookie(t, app, ada), "Bearer "+ada.Tokens.AccessToken
		for _, c := range []struct {
			name   string
			header http.Header
			status int
			code   string
		}{
			{"our page", http.Header{"Cookie": {hers}, "Origin": {at}}, http.StatusSwitchingProtocols, ""},
			{"an allowed page", http.Header{"Cookie": {hers}, "Origin": {partner}}, http.StatusSwitchingProtocols, ""},
			{"another site", http.Header{"Cookie": {hers}, "Origin": {"https://evil.example"}}, http.StatusForbidden, "request.origin"},
			{"a neighbour of ours", http.Header{"Cookie": {hers}, "Origin": {at + ".evil.example"}}, http.StatusForbidden, "request.origin"},
			{"another scheme", http.Header{"Cookie": {hers}, "Origin": {strings.Replace(at, "http", "https", 1)}}, http.StatusForbidden, "request.origin"},
			{"another port", http.Header{"Cookie": {hers}, "Origin": {"http://127.0.0.1:1"}}, http.StatusForbidden, "request.origin"},
			{"a sandboxed page", http.Header{"Cookie": {hers}, "Origin": {"null"}}, http.StatusForbidden, "request.origin"},
			{"an empty origin", http.Header{"Cookie": {hers}, "Origin": {""}}, http.StatusForbidden, "request.origin"},
			{"two origins", http.Header{"Cookie": {hers}, "Origin": {at, at}}, http.StatusForbidden, "request.origin"},
			{"another site with a token too", http.Header{"Cookie": {hers}, "Authorization": {token}, "Origin": {"https://evil.example"}}, http.StatusForbidden, "request.origin"},
			{"a bad token", http.Header{"Authorization": {token + "x"}}, http.StatusUnauthorized, "auth.invalid_token"},
		} {
			w, status, code := dial(t, at, c.header)
			if status != c.status || code != c.code {
				t.Errorf("%s: %d %s, want %d %s", c.name, status, code, c.status, c.code)
			}
			if w != nil && w.connect("").Connect == nil {
				t.Errorf("%s: is not connected", c.name)
			}
		}
		t.Run("without an origin the cookie counts for nothing", func(t *testing.T) {
			for _, header := range []http.Header{{"Cookie": {hers}}, {"Cookie": {hers}, "Sec-Fetch-Site": {"same-origin"}}} {
				w, _, _ := dial(t, at, header)
				w.raw(`{"id":1,"connect":{}}`)
				if code := w.closed(soon); code != 3500 {
					t.Errorf("closed with %d", code)
				}
				w, _, _ = dial(t, at, header)
				if r := w.connect(ada.Tokens.AccessToken); r.Connect == nil {
					t.Errorf("a token is refused: %+v", r.Error)
				}
			}
		})
		t.Run("nor for another site's server-sent events", func(t *testing.T) {
			for _, header := range []http.Header{{"Cookie": {hers}, "Sec-Fetch-Site": {"cross-site"}}, {"Cookie": {hers}}} {
				lines, _ := stream(t, at, header)
				if text := wait(t, lines); strings.Contains(text, `"connect"`) {
					t.Errorf("connected: %s", text)
				}
			}
			if _, status := stream(t, at, http.Header{"Cookie": {hers}, "Origin": {"https://evil.example"}}); status != http.StatusForbidden {
				t.Errorf("status %d", status)
			}
		})
		t.Run("a token in the address is refused", func(t *testing.T) {
			for _, path := range []string{"/ws/sse?cf_connect=" + url.QueryEscape(`{"id":1,"connect":{"token":"`+ada.Tokens.AccessToken+`"}}`),
				"/ws/sse?cf_connect=%7B%22connect%22%3A%7B%7D%7D&token=x", "/ws?token=" + ada.Tokens.AccessToken} {
				if a := app.Send(app.Request("GET", path, "")); a.Status != http.StatusBadRequest {
					t.Errorf("%s: %d %s", path, a.Status, a.Text)
				}
			}
		})
		t.Run("a second factor that is missing", func(t *testing.T) {
			app.TOTP(ada)
			q := app.Request("POST", "/auth/login", `{"email":"ada@example.com","password":"`+ada.Password+`","cookie":true}`)
			a := app.Send(q).Want(t, http.StatusOK)
			pending := a.Get("challenge_token")
			if pending == "" {
				t.Fatalf("no challenge: %s", a.Text)
			}
			if _, status, _ := dial(t, at, bearer(pending)); status != http.StatusUnauthorized {
				t.Errorf("who has not shown the second factor gets %d", status)
			}
			w, _, _ := dial(t, at, nil)
			if r := w.connect(pending); r.Error == nil {
				t.Errorf("is connected: %+v", r.Connect)
			}
		})
	}, allow)
}
