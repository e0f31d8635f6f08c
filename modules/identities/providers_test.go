package identities_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/identities"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
	"github.com/tenonhq/tenon/tenontest/idp"
)

// gitHub answers as GitHub documents:
// https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
// https://docs.github.com/en/rest/users/emails
type gitHub struct {
	*httptest.Server
	mu        sync.Mutex
	user      string
	emails    string
	tokenForm url.Values
}

func startGitHub(t *testing.T) *gitHub {
	g := &gitHub{user: `{"login":"octocat","id":583231,"node_id":"MDQ6VXNlcjE=","avatar_url":"http://169.254.169.254/u","name":"The Octocat","email":"public@example.com","type":"User"}`,
		emails: `[{"email":"old@example.com","verified":true,"primary":false,"visibility":null},{"email":"octocat@example.com","verified":true,"primary":true,"visibility":"private"}]`}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login/oauth/access_token", func(w http.ResponseWriter, q *http.Request) {
		_ = q.ParseForm() // an empty form is refused below
		g.set(func() { g.tokenForm = q.PostForm })
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		if q.PostForm.Get("code") != "good-code" || q.PostForm.Get("client_id") != "app" || q.PostForm.Get("client_secret") != "secret" || q.PostForm.Get("code_verifier") == "" {
			fmt.Fprint(w, `{"error":"bad_verification_code","error_description":"The code passed is incorrect or expired.","error_uri":"https://docs.github.com/"}`)
			return
		}
		fmt.Fprint(w, `{"access_token":"gho_16C7e42F292c6912E7710c838347Ae178B4a","scope":"read:user,user:email","token_type":"bearer"}`)
	})
	answer := func(of *string) http.HandlerFunc {
		return func(w http.ResponseWriter, q *http.Request) {
			if q.Header.Get("Authorization") != "Bearer gho_16C7e42F292c6912E7710c838347Ae178B4a" {
				http.Error(w, `{"message":"Bad credentials"}`, http.StatusUnauthorized)
				return
			}
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			g.set(func() { fmt.Fprint(w, *of) })
		}
	}
	mux.HandleFunc("GET /api/v3/user", answer(&g.user))
	mux.HandleFunc("GET /api/v3/user/emails", answer(&g.emails))
	g.Server = httptest.NewServer(mux)
	t.Cleanup(g.Close)
	return g
}

func (g *gitHub) set(fn func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	fn()
}

// at starts an app on both databases that offers what offer returns.
func at(t *testing.T, offer func(t *testing.T) (identities.Provider, func(w *world))) {
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			p, run := offer(t)
			app := tenontest.Start(t, dialect, tenontest.Configure(func(c *tenon.Config) { c.Identities.Providers = []identities.Provider{p} }))
			run(&world{App: app, t: t})
		})
	}
}

func TestGitHubSaysWhoSomebodyIsByItsNumber(t *testing.T) {
	at(t, func(t *testing.T) (identities.Provider, func(w *world)) {
		g := startGitHub(t)
		return identities.Provider{Kind: identities.GitHub, Issuer: g.URL, ClientID: "app", ClientSecret: "secret"}, func(w *world) {
			signIn := func(code string) (*browser, *tenontest.Answer) {
				b := w.browser()
				to, _ := url.Parse(b.authorize("github", "/home"))
				if q := to.Query(); to.Path != "/login/oauth/authorize" || q.Get("code_challenge_method") != "S256" || q.Get("scope") != "read:user user:email" {
					t.Errorf("goes to %s", to)
				}
				return b, b.send("GET", "/auth/oauth/github/callback?"+url.Values{"code": {code}, "state": {to.Query().Get("state")}}.Encode(), "")
			}
			b, got := signIn("good-code")
			me := b.wantIn(got, "/home")
			if me.Get("email") != "octocat@example.com" || me.Get("name") != "The Octocat" || me.Get("avatar_url") != "" {
				t.Errorf("the account is %s", me.Text)
			}
			if g.tokenForm.Get("redirect_uri") != callbackOf("github") {
				t.Errorf("the code was exchanged with %v", g.tokenForm)
			}
			b, got = signIn("bad-code")
			b.wantOut(got, "identities.token_invalid")

			// Renamed and moved, but the same number; then the name with another number.
			g.set(func() {
				g.user, g.emails = `{"login":"renamed","id":583231}`, `[{"email":"moved@example.com","verified":false,"primary":true}]`
			})
			if b, got = signIn("good-code"); b.wantIn(got, "/home").Get("id") != me.Get("id") {
				t.Error("the same number is another account")
			}
			g.set(func() {
				g.user, g.emails = `{"login":"octocat","id":2}`, `[{"email":"octocat@example.com","verified":true,"primary":true}]`
			})
			b, got = signIn("good-code")
			b.wantOut(got, "identities.link_required")
			for _, emails := range []string{`[]`, `[{"email":"new@example.com","verified":false,"primary":true},{"email":"other@example.com","verified":true,"primary":false}]`} {
				g.set(func() { g.emails = emails })
				b, got = signIn("good-code")
				b.wantOut(got, "identities.email_unverified")
			}
			for _, user := range []string{`{"login":"nobody"}`, `{"id":-1}`} {
				g.set(func() { g.user = user })
				b, got = signIn("good-code")
				b.wantOut(got, "identities.token_invalid")
			}
		}
	})
}

// microsoft is a provider whose documents have the shape of Microsoft's: the issuer has
// a placeholder for the directory, the token has the directory in it.
// https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc
func startMicrosoft(t *testing.T) (*idp.Provider, *httptest.Server) {
	p := idp.Start(t, callbackOf("microsoft"))
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path != "/common/v2.0/.well-known/openid-configuration" {
			http.NotFound(w, q)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{ // the client may be gone
			"issuer": "http://" + q.Host + "/{tenantid}/v2.0", "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/oauth/token",
			"jwks_uri": p.URL + "/keys", "userinfo_endpoint": p.URL + "/userinfo", "id_token_signing_alg_values_supported": []string{"RS256"},
			"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		})
	}))
	t.Cleanup(front.Close)
	return p, front
}

const (
	directory = "9188040d-6c67-4c5b-b112-36a304b66dad"
	elsewhere = "72f988bf-86f1-41af-91ab-2d7cd011db47"
)

func TestMicrosoftsAddressIsNoProofOfItself(t *testing.T) {
	at(t, func(t *testing.T) (identities.Provider, func(w *world)) {
		p, front := startMicrosoft(t)
		return identities.Provider{Kind: identities.Microsoft, Issuer: front.URL + "/common/v2.0", ClientID: idp.ClientID, ClientSecret: idp.ClientSecret}, func(w *world) {
			in := func(iss, tid string, edov any) (*browser, *tenontest.Answer) {
				p.As(idp.Person{Subject: "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", Email: "ada@example.com", EmailVerified: true, Name: "Ada"})
				p.Bend(func(k *idp.Token) {
					k.Claims["iss"], k.Claims["tid"], k.Claims["ver"] = front.URL+"/"+iss+"/v2.0", tid, "2.0"
					if edov != nil {
						k.Claims["xms_edov"] = edov
					}
				})
				b := w.browser()
				return b, b.signIn(p, "microsoft")
			}
			for _, edov := range []any{nil, false, "false", 0, "0", "yes"} {
				b, got := in(directory, directory, edov)
				b.wantOut(got, "identities.email_unverified")
			}
			for _, bad := range [][2]string{{elsewhere, directory}, {directory, ""}, {"{tenantid}", "{tenantid}"}, {"x", "x"}, {directory + "/v2.0/..", directory}} {
				b, got := in(bad[0], bad[1], true)
				b.wantOut(got, "identities.token_invalid")
			}
			b, got := in(directory, directory, true)
			me := b.wantIn(got, "/home")
			if b, got = in(directory, directory, nil); b.wantIn(got, "/home").Get("id") != me.Get("id") {
				t.Error("came back as somebody else")
			}
			// The same subject of another directory is somebody else, with an address that is taken.
			b, got = in(elsewhere, elsewhere, true)
			b.wantOut(got, "identities.link_required")
		}
	})
}

func TestADiscoveryThatLeadsAstrayIsNotFollowed(t *testing.T) {
	for name, document := range map[string]func(self string) (status int, location, body string){
		"to the cloud's credentials": func(string) (int, string, string) { return 302, "http://169.254.169.254/latest/meta-data", "" },
		"to a file":                  func(string) (int, string, string) { return 302, "file:///etc/passwd", "" },
		"in circles":                 func(self string) (int, string, string) { return 302, self + "/.well-known/openid-configuration", "" },
		"another issuer": func(self string) (int, string, string) {
			return 200, "", fmt.Sprintf(`{"issuer":"https://evil.test","authorization_endpoint":"%[1]s/a","token_endpoint":"%[1]s/t","jwks_uri":"%[1]s/k"}`, self)
		},
		"a script to sign in at": func(self string) (int, string, string) {
			return 200, "", fmt.Sprintf(`{"issuer":"%[1]s","authorization_endpoint":"javascript:alert(1)","token_endpoint":"%[1]s/t","jwks_uri":"%[1]s/k"}`, self)
		},
		"no endpoints": func(self string) (int, string, string) { return 200, "", fmt.Sprintf(`{"issuer":"%s"}`, self) },
		"too much":     func(string) (int, string, string) { return 200, "", `{"x":"` + strings.Repeat("x", 2<<20) + `"}` },
		"no document":  func(string) (int, string, string) { return 200, "", `<html>` },
	} {
		t.Run(name, func(t *testing.T) {
			var self string
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				status, location, body := document(self)
				w.Header().Set("Content-Type", "application/json")
				if location != "" {
					w.Header().Set("Location", location)
				}
				w.WriteHeader(status)
				fmt.Fprint(w, body)
			}))
			defer s.Close()
			self = s.URL
			app := tenontest.Start(t, db.SQLite, tenontest.Configure(func(c *tenon.Config) {
				c.Identities.Providers = []identities.Provider{{ID: "x", Issuer: s.URL, ClientID: "id", ClientSecret: "s"}}
			}))
			app.Call(nil, "GET", "/auth/oauth/x/authorize", "").WantCode(t, 503, "identities.provider_unavailable")
		})
	}
}
