package identities_test

import (
	"bytes"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
	"github.com/tenonhq/tenon/tenontest/idp"
)

func withRules(rules string) tenontest.Option {
	return tenontest.Configure(func(c *tenon.Config) { c.Identities.Providers[0].Roles = rules })
}

func TestClaimsBecomeRolesWhereTheOperatorSaysSo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		boss := w.User("boss")
		org := w.Org(boss, "acme")
		w.Call(boss, "POST", "/orgs/"+org.String()+"/roles", `{"key":"dev","name":"Developer","permissions":["orgs.read"]}`).Want(t, 201)
		groups := func(names ...any) *browser {
			w.acme.As(idp.Person{Subject: "S1", Email: "ada@example.com", EmailVerified: true, Name: "Ada", Claims: map[string]any{"groups": names}})
			b := w.browser()
			b.wantIn(b.signIn(w.acme, "acme"), "/home")
			w.Settle()
			return b
		}
		role := func(b *browser) string {
			items := b.send("GET", "/orgs", "").Want(t, 200).Items()
			if len(items) == 0 {
				return ""
			}
			r, _ := items[0]["role"].(string)
			return r
		}
		for _, c := range []struct {
			groups []any
			want   string
		}{
			{[]any{"sales"}, ""}, {[]any{"engineering", "sales"}, "member"}, {[]any{"engineering"}, "member"}, {[]any{"developers"}, "dev"},
			{[]any{"nowhere"}, "dev"}, {[]any{"phantoms"}, "dev"}, {[]any{}, "dev"}, {[]any{"engineering"}, "member"},
		} {
			if got := role(groups(c.groups...)); got != c.want {
				t.Errorf("with the groups %v the role is %q, want %q", c.groups, got, c.want)
			}
		}
		// Only the configured provider's word counts.
		w.other.As(idp.Person{Subject: "E", Email: "eve@example.com", EmailVerified: true, Claims: map[string]any{"groups": []any{"engineering", "admins"}}})
		eve := w.browser()
		if me := eve.wantIn(eve.signIn(w.other, "other"), "/home"); me.Body["is_admin"] != false || role(eve) != "" {
			t.Error("another provider's groups gave roles")
		}
		b := groups("admins")
		if me := b.send("GET", "/users/me", ""); me.Body["is_admin"] != true {
			t.Error("the operator's rule made no administrator")
		}
	}, withRules("groups=engineering -> acme:member; groups=developers -> acme:dev; groups=nowhere -> no-such-org:member; groups=phantoms -> acme:phantom; groups=admins -> *admin"))
}

func TestARuleNeverTakesTheLastOwner(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.acme.As(idp.Person{Subject: "S1", Email: "ada@example.com", EmailVerified: true, Claims: map[string]any{"groups": "engineering"}})
		b := w.browser()
		b.wantIn(b.signIn(w.acme, "acme"), "/home")
		made := b.send("POST", "/orgs", `{"name":"Acme","slug":"acme"}`).Want(t, 201)
		w.Settle()
		again := w.browser()
		again.wantIn(again.signIn(w.acme, "acme"), "/home")
		w.Settle()
		if got := again.send("GET", "/orgs/"+made.Get("id"), "").Want(t, 200).Get("role"); got != string(authz.Owner) {
			t.Errorf("the last owner became %s", got)
		}
	}, withRules("groups=engineering -> acme:member"))
}

// captured is a log at its most talkative.
type captured struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (c *captured) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all.Write(b)
}

func (c *captured) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all.String()
}

func TestNoSecretOfAFlowIsEverLogged(t *testing.T) {
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			log := &captured{}
			w := newWorld(t, dialect, tenontest.Configure(func(c *tenon.Config) {
				c.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			}))
			secrets := w.everyWayThrough()
			text := log.text()
			if !strings.Contains(text, "/auth/oauth/acme/callback") || !strings.Contains(text, "refused") {
				t.Fatal("the log says nothing about all this")
			}
			for _, s := range secrets {
				if len(s) > 5 && strings.Contains(text, s) {
					t.Errorf("%.12s… is in the log", s)
				}
			}
		})
	}
}

// everyWayThrough goes well and goes wrong in some ways, and returns every secret that
// there was on the way.
func (w *world) everyWayThrough() (secrets []string) {
	keep := func(q url.Values) {
		for _, name := range []string{"code", "state", "nonce", "code_verifier"} {
			secrets = append(secrets, q.Get(name))
		}
	}
	for _, bend := range []func(*idp.Token){
		nil, func(k *idp.Token) { k.Claims["nonce"] = "another" }, func(k *idp.Token) { k.SignedBy = idp.ByStranger },
		func(k *idp.Token) { k.SignedBy = idp.ByNobody }, func(k *idp.Token) { k.Claims["iss"] = "https://evil.test" }, func(k *idp.Token) { k.Raw = "junk.junk.junk" },
	} {
		w.acme.Bend(bend)
		b := w.browser()
		to, err := url.Parse(b.authorize("acme", "/home"))
		if err != nil {
			w.t.Fatal(err)
		}
		came := w.acme.Browse(w.t, to.String())
		keep(to.Query())
		keep(came.Query())
		secrets = append(secrets, b.cookies["tenon_flow"])
		b.send("GET", back(came), "").Want(w.t, 302)
		secrets = append(secrets, b.cookies["tenon_session"], b.cookies["tenon_device"])
	}
	w.acme.Bend(nil)
	program := w.browser().tokens(w.acme, "acme").Want(w.t, 200)
	b := w.browser()
	came := w.acme.Browse(w.t, b.authorize("acme", "/home")).Query()
	keep(came)
	b.post("acme", url.Values{"code": {"a wrong code of somebody"}, "state": {came.Get("state")}}).Want(w.t, 400)
	for _, form := range w.acme.Exchanged() {
		keep(form)
	}
	return append(secrets, program.Get("access_token"), program.Get("refresh_token"), "a wrong code of somebody", idp.ClientSecret)
}
