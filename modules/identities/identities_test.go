package identities

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOnlyAPathOnThisHostIsGoneBackTo(t *testing.T) {
	for _, text := range []string{
		"", "evil.test", "//evil.test", "///evil.test", `/\evil.test`, `\evil.test`, "https:evil.test", "https://evil.test", "/%2f%2fevil.test", "/%2Fevil.test", "/%5cevil.test",
		"/%252f%252fevil.test", "https://app.test@evil.test", "https://app.test.evil.test", "javascript:alert(1)", "/\t/evil.test", "/\n/evil.test", " /x", "/x y", "/../..//evil.test",
		"/../evil", "/a/%2e%2e/b", "/./a", "/\u2215evil.test", "/%E2%88%95evil.test", "/\uff0fevil.test", "/%ef%bc%8fevil.test", "/%00", "/%", "/%ff", "?x=1", "#x",
		"/" + strings.Repeat("a", 64<<10),
	} {
		if got := safePath(text); got != "/" {
			t.Errorf("%.60q leads to %.60q", text, got)
		}
	}
	for _, text := range []string{"/", "/settings", "/settings/", "/orgs/acme?tab=members&q=a%2Fb#top", "/a-b_c.d~e", "/x?next=//evil.test", "/%C3%A4"} {
		if got := safePath(text); got != text {
			t.Errorf("%q leads to %q", text, got)
		}
	}
}

func FuzzSafePath(f *testing.F) {
	for _, text := range []string{"/settings", "//evil.test", "/%2f%2fevil.test", `/\evil.test`, "/a/../b", "/?a=%zz"} {
		f.Add(text)
	}
	base, _ := url.Parse("https://app.test/here")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := base.Parse(safePath(text))
		if err != nil || u.Scheme != "https" || u.Host != "app.test" || u.User != nil || strings.HasPrefix(u.Path, "//") {
			t.Errorf("%q leads to %v", text, u)
		}
	})
}

func TestANameIsOneShortLineOfVisibleText(t *testing.T) {
	for text, want := range map[string]string{
		"Ada Lovelace":                          "Ada Lovelace",
		"  Ada \t\n Lovelace ":                  "Ada Lovelace",
		"<b>Ada</b>":                            "<b>Ada</b>",
		"Ada\u202egnp.exe\u2066\u200b":          "Adagnp.exe",
		strings.Repeat("é", 1<<20):              strings.Repeat("é", 100),
		"":                                      "ada",
		"\u202e\x00":                            "ada",
		"Ada\xff":                               "Ada",
		strings.Repeat("a ", 60):                strings.TrimSpace(strings.Repeat("a ", 50)),
		strings.Repeat("\u200b", 2000) + "Ada.": "ada",
	} {
		if got := cleanName(text, "ada@example.com"); got != want {
			t.Errorf("%.40q became %.60q, want %.60q", text, got, want)
		}
	}
}

func TestALocaleIsALanguageOrNothing(t *testing.T) {
	for text, want := range map[string]string{"de": "de", "de_AT": "de-AT", "": "", "garbage!": "", strings.Repeat("de-", 100): "", "../../etc": ""} {
		if got := cleanLocale(text); got != want {
			t.Errorf("%.40q became %q, want %q", text, got, want)
		}
	}
}

func TestRulesGiveWhatTheySay(t *testing.T) {
	rules, err := parseRules("groups=engineering -> acme:member; groups=leads->acme:admin ;groups=admins -> *admin; realm_access.roles=ops -> ops-team:viewer; staff=true -> staff:member; a.b=x -> dots:member;")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		claims map[string]any
		roles  []ClaimedRole
		admin  bool
	}{
		{"nothing", map[string]any{}, nil, false},
		{"one of a list", map[string]any{"groups": []any{"x", "engineering"}}, []ClaimedRole{{"acme", "member"}}, false},
		{"a single value", map[string]any{"groups": "engineering"}, []ClaimedRole{{"acme", "member"}}, false},
		{"the first rule that fits", map[string]any{"groups": []any{"leads", "engineering"}}, []ClaimedRole{{"acme", "member"}}, false},
		{"another spelling", map[string]any{"groups": []any{"Engineering", "engineering ", "admins2"}}, nil, false},
		{"an administrator", map[string]any{"groups": []any{"admins"}}, nil, true},
		{"a nested claim", map[string]any{"realm_access": map[string]any{"roles": []any{"ops"}}}, []ClaimedRole{{"ops-team", "viewer"}}, false},
		{"a claim with a dot", map[string]any{"a.b": "x"}, []ClaimedRole{{"dots", "member"}}, false},
		{"a truth", map[string]any{"staff": true}, []ClaimedRole{{"staff", "member"}}, false},
		{"other types", map[string]any{"groups": map[string]any{"admins": true}, "staff": 1.0, "realm_access": "ops"}, nil, false},
	} {
		roles, admin := claimed(rules, c.claims)
		if diff := cmp.Diff(c.roles, roles); diff != "" || admin != c.admin {
			t.Errorf("%s: admin %v, roles (-want +got):\n%s", c.name, admin, diff)
		}
	}
	for _, text := range []string{"groups", "groups=x", "groups=x -> acme", "groups=x -> :member", "groups=x -> Acme:member", "=x -> a:b", "groups= -> acme:member", "groups=x -> acme:", "groups=x -> *owner"} {
		if _, err := parseRules(text); err == nil {
			t.Errorf("%q was taken for a rule", text)
		}
	}
}

func TestTheEnvironmentNamesProviders(t *testing.T) {
	vars := map[string]string{
		"TENON_OIDC_OKTA_ISSUER": "https://acme.okta.com", "TENON_OIDC_OKTA_CLIENT_ID": "id", "TENON_OIDC_OKTA_CLIENT_SECRET": "secret",
		"TENON_OIDC_OKTA_LABEL": "Acme", "TENON_OIDC_OKTA_SCOPES": "openid email,groups", "TENON_OIDC_OKTA_ROLES": "groups=x -> acme:member",
		"TENON_OIDC_MY_IDP_ISSUER": "http://127.0.0.1:9000", "TENON_OIDC_MY_IDP_CLIENT_ID": "id",
		"TENON_OIDC_KEYCLOAK_LABEL": "Staff",
	}
	c := Config{
		GoogleClientID: "g", GoogleClientSecret: "s", GitHubClientID: "h", GitHubClientSecret: "s", MicrosoftClientID: "m", MicrosoftClientSecret: "s", MicrosoftTenant: "organizations",
		KeycloakServerURL: "https://sso.example.com/", KeycloakRealm: "people", KeycloakClientID: "k", KeycloakClientSecret: "s",
		Named: []string{"okta", "my-idp"},
	}
	c.ReadEnv(func(name string) string { return vars[name] })
	for range 2 { // checking twice changes nothing
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, p := range c.Providers {
		got = append(got, p.ID+" "+p.Name+" "+string(p.Kind)+" "+p.Issuer)
	}
	want := []string{
		"google Google google https://accounts.google.com", "github GitHub github https://github.com",
		"microsoft Microsoft microsoft https://login.microsoftonline.com/organizations/v2.0",
		"keycloak Staff keycloak https://sso.example.com/realms/people", "okta Acme oidc https://acme.okta.com", "my-idp my-idp oidc http://127.0.0.1:9000",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("providers (-want +got):\n%s", diff)
	}
	if okta := c.Providers[4]; len(okta.rules) != 1 || !cmp.Equal(okta.Scopes, []string{"openid", "email", "groups"}) {
		t.Errorf("okta is %+v", okta)
	}
}

func TestAConfigurationThatCannotWorkIsRefused(t *testing.T) {
	one := func(p Provider) Config { return Config{Providers: []Provider{p}} }
	for name, c := range map[string]Config{
		"half of Google":             {GoogleClientID: "id"},
		"half of GitHub":             {GitHubClientSecret: "secret"},
		"Keycloak without a realm":   {KeycloakClientID: "id", KeycloakClientSecret: "s", KeycloakServerURL: "https://sso.example.com"},
		"a name without an issuer":   {Named: []string{"okta"}},
		"plain HTTP to the world":    one(Provider{ID: "x", Issuer: "http://login.example.com", ClientID: "id"}),
		"plain HTTP to the cloud":    one(Provider{ID: "x", Issuer: "http://169.254.169.254", ClientID: "id"}),
		"a file":                     one(Provider{ID: "x", Issuer: "file:///etc/passwd", ClientID: "id"}),
		"a password in the URL":      one(Provider{ID: "x", Issuer: "https://a:b@login.example.com", ClientID: "id"}),
		"no client":                  one(Provider{ID: "x", Issuer: "https://login.example.com"}),
		"an unfit id":                one(Provider{ID: "X/../y", Issuer: "https://login.example.com", ClientID: "id"}),
		"an unknown kind":            one(Provider{ID: "x", Kind: "saml", Issuer: "https://login.example.com", ClientID: "id"}),
		"a rule that is none":        one(Provider{ID: "x", Issuer: "https://login.example.com", ClientID: "id", Roles: "admins"}),
		"rules for GitHub":           one(Provider{Kind: GitHub, ClientID: "id", Roles: "login=ada -> *admin"}),
		"two of one name":            {Providers: []Provider{{Kind: Google, ClientID: "a"}, {Kind: Google, ClientID: "b"}}},
		"a switch that is no switch": {AllowPrivate: "yes"},
	} {
		if err := c.Check(); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestOnlyWhatTheOperatorNamedIsReachedInPrivate(t *testing.T) {
	for _, c := range []struct {
		issuer, allow string
		want          int
	}{
		{"https://login.example.com", "", 0}, {"http://keycloak:8080", "", 0}, {"https://169.254.169.254", "", 0},
		{"http://127.0.0.1:9000", "", 1}, {"http://10.1.2.3", "", 1}, {"http://localhost:9000", "", 2}, {"http://keycloak:8080", "on", 6},
	} {
		u, err := url.Parse(c.issuer)
		if err != nil {
			t.Fatal(err)
		}
		got := Config{AllowPrivate: c.allow}.privateNetworks(u)
		if len(got) != c.want {
			t.Errorf("%s: %v, want %d networks", c.issuer, got, c.want)
		}
		for _, network := range got {
			if network.Contains(netip.MustParseAddr("169.254.169.254")) {
				t.Errorf("%s opens the way to the cloud's credentials", c.issuer)
			}
		}
	}
}
