package identities

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Config says which providers people may sign in with.
type Config struct {
	// GoogleClientID is the client id of an OAuth client at Google.
	GoogleClientID string `env:"GOOGLE_CLIENT_ID"`
	// GoogleClientSecret is its secret.
	GoogleClientSecret string `env:"GOOGLE_CLIENT_SECRET"`
	// GitHubClientID is the client id of an OAuth app at GitHub.
	GitHubClientID string `env:"GITHUB_CLIENT_ID"`
	// GitHubClientSecret is its secret.
	GitHubClientSecret string `env:"GITHUB_CLIENT_SECRET"`
	// MicrosoftClientID is the application id at Microsoft Entra.
	MicrosoftClientID string `env:"MICROSOFT_CLIENT_ID"`
	// MicrosoftClientSecret is its secret.
	MicrosoftClientSecret string `env:"MICROSOFT_CLIENT_SECRET"`
	// MicrosoftTenant says who may sign in: common, organizations, consumers, or the id of one directory.
	MicrosoftTenant string `env:"MICROSOFT_TENANT" envDefault:"common"`
	// KeycloakServerURL is where Keycloak is, such as https://sso.example.com.
	KeycloakServerURL string `env:"KEYCLOAK_SERVER_URL"`
	// KeycloakRealm is the realm whose people may sign in.
	KeycloakRealm string `env:"KEYCLOAK_REALM"`
	// KeycloakClientID is the id of a confidential client of the realm.
	KeycloakClientID string `env:"KEYCLOAK_CLIENT_ID"`
	// KeycloakClientSecret is its secret.
	KeycloakClientSecret string `env:"KEYCLOAK_CLIENT_SECRET"`
	// Named are further OpenID Connect providers, such as okta,acme. Each is described by
	// TENON_OIDC_OKTA_ISSUER, _CLIENT_ID, _CLIENT_SECRET, and if need be _LABEL, _SCOPES
	// and _ROLES; the last three may be set for google, github, microsoft and keycloak too.
	Named []string `env:"TENON_OIDC_PROVIDERS"`
	// AllowPrivate says, with "on", that providers may be in a private network and be called by
	// a name there, such as http://keycloak:8080. One that is named by its private address,
	// or is on this machine, needs no permission.
	AllowPrivate string `env:"TENON_OIDC_ALLOW_PRIVATE"`

	// Providers are set in Go; those of the environment come after them.
	Providers []Provider

	lookup func(name string) string
}

// Kind is the sort of a provider.
type Kind string

// The kinds of providers.
const (
	Google    Kind = "google"
	GitHub    Kind = "github"
	Microsoft Kind = "microsoft"
	Keycloak  Kind = "keycloak"
	OIDC      Kind = "oidc"
)

// Provider is a site that people may sign in with.
type Provider struct {
	ID           string // in paths; the kind unless set
	Name         string // for people; that of the kind unless set
	Kind         Kind   // OIDC unless set
	Issuer       string // where the provider is; that of the kind unless set. For GitHub, the site
	ClientID     string
	ClientSecret string   // empty for a public client
	Scopes       []string // what is asked for; what signing in needs unless set
	Roles        string   // rules such as "groups=engineering -> acme:member; groups=admins -> *admin"

	rules []rule
}

// ReadEnv lets Check read the variables of named providers with lookup.
func (c *Config) ReadEnv(lookup func(name string) string) { c.lookup = lookup }

// Check completes the list of providers and refuses what makes no sense.
func (c *Config) Check() error {
	if c.AllowPrivate != "" && c.AllowPrivate != "on" && c.AllowPrivate != "off" {
		return fmt.Errorf("TENON_OIDC_ALLOW_PRIVATE must be on or off, not %q", c.AllowPrivate)
	}
	fromEnv, err := c.fromEnv()
	if err != nil {
		return err
	}
	all := slices.Clone(c.Providers)
	for _, p := range fromEnv {
		if !slices.ContainsFunc(all, func(o Provider) bool { return o.ID == p.ID }) { // Check may have been here before
			all = append(all, p)
		}
	}
	for i := range all {
		if err := all[i].check(*c); err != nil {
			return err
		}
		if slices.ContainsFunc(all[:i], func(o Provider) bool { return o.ID == all[i].ID }) {
			return fmt.Errorf("two identity providers are called %q", all[i].ID)
		}
	}
	c.Providers = all
	return nil
}

// fromEnv lists the providers that variables describe.
func (c *Config) fromEnv() ([]Provider, error) {
	var list []Provider
	for _, p := range []struct {
		Provider
		variable string
	}{
		{Provider{ID: "google", Kind: Google, ClientID: c.GoogleClientID, ClientSecret: c.GoogleClientSecret}, "GOOGLE"},
		{Provider{ID: "github", Kind: GitHub, ClientID: c.GitHubClientID, ClientSecret: c.GitHubClientSecret}, "GITHUB"},
		{Provider{ID: "microsoft", Kind: Microsoft, ClientID: c.MicrosoftClientID, ClientSecret: c.MicrosoftClientSecret, Issuer: microsoftIssuer(c.MicrosoftTenant)}, "MICROSOFT"},
		{Provider{ID: "keycloak", Kind: Keycloak, ClientID: c.KeycloakClientID, ClientSecret: c.KeycloakClientSecret, Issuer: c.keycloakIssuer()}, "KEYCLOAK"},
	} {
		if (p.ClientID == "") != (p.ClientSecret == "") {
			return nil, fmt.Errorf("%s_CLIENT_ID and %s_CLIENT_SECRET go together; set both or neither", p.variable, p.variable)
		}
		if p.ClientID == "" {
			continue
		}
		if p.Kind == Keycloak && p.Issuer == "" {
			return nil, errors.New("KEYCLOAK_SERVER_URL and KEYCLOAK_REALM must be set with KEYCLOAK_CLIENT_ID")
		}
		list = append(list, c.described(p.Provider))
	}
	for _, name := range c.Named {
		p := c.described(Provider{ID: strings.TrimSpace(name), Kind: OIDC})
		p.Issuer, p.ClientID, p.ClientSecret = c.variable(p.ID, "ISSUER"), c.variable(p.ID, "CLIENT_ID"), c.variable(p.ID, "CLIENT_SECRET")
		list = append(list, p)
	}
	return list, nil
}

func (c *Config) described(p Provider) Provider {
	p.Name, p.Roles = c.variable(p.ID, "LABEL"), c.variable(p.ID, "ROLES")
	p.Scopes = strings.FieldsFunc(c.variable(p.ID, "SCOPES"), func(r rune) bool { return r == ' ' || r == ',' })
	return p
}

func (c *Config) variable(provider, name string) string {
	if c.lookup == nil {
		return ""
	}
	return strings.TrimSpace(c.lookup(variableName(provider) + "_" + name))
}

func variableName(provider string) string {
	return "TENON_OIDC_" + strings.ToUpper(strings.ReplaceAll(provider, "-", "_"))
}

func microsoftIssuer(tenant string) string {
	if tenant == "" {
		tenant = "common"
	}
	return "https://login.microsoftonline.com/" + url.PathEscape(tenant) + "/v2.0"
}

func (c *Config) keycloakIssuer() string {
	if c.KeycloakServerURL == "" || c.KeycloakRealm == "" {
		return ""
	}
	return strings.TrimRight(c.KeycloakServerURL, "/") + "/realms/" + url.PathEscape(c.KeycloakRealm)
}

// check fills in what the kind says, and refuses what cannot work.
func (p *Provider) check(c Config) (err error) {
	if p.Kind == "" {
		p.Kind = OIDC
	}
	byKind := map[Kind]struct{ name, issuer string }{
		Google: {"Google", "https://accounts.google.com"}, GitHub: {"GitHub", "https://github.com"},
		Microsoft: {"Microsoft", microsoftIssuer("")}, Keycloak: {"Keycloak", ""}, OIDC: {p.ID, ""},
	}
	known, ok := byKind[p.Kind]
	if !ok {
		return fmt.Errorf("identity provider %q is of no known kind: %q", p.ID, p.Kind)
	}
	for field, value := range map[*string]string{&p.ID: string(p.Kind), &p.Name: known.name, &p.Issuer: known.issuer} {
		if *field == "" {
			*field = value
		}
	}
	if p.Name == "" {
		p.Name = p.ID
	}
	if !providerPattern.MatchString(p.ID) {
		return fmt.Errorf("identity provider %q: use lower-case letters, digits and dashes", p.ID)
	}
	if p.ClientID == "" {
		return fmt.Errorf("identity provider %s has no client id; set %s_CLIENT_ID", p.ID, variableName(p.ID))
	}
	if p.rules, err = parseRules(p.Roles); err != nil {
		return fmt.Errorf("%s_ROLES: %w", variableName(p.ID), err)
	}
	if p.Kind == GitHub && len(p.rules) > 0 {
		return fmt.Errorf("%s_ROLES: GitHub tells nothing that a role could follow from", variableName(p.ID))
	}
	return p.checkIssuer(c)
}

func (p *Provider) checkIssuer(c Config) error {
	u, err := url.Parse(p.Issuer)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("identity provider %s: the issuer must be like https://login.example.com, not %q; set %s_ISSUER", p.ID, p.Issuer, variableName(p.ID))
	}
	if u.Scheme == "http" && len(c.privateNetworks(u)) == 0 {
		return fmt.Errorf("identity provider %s: the issuer must begin with https://, or be in a private network", p.ID)
	}
	return nil
}

// privateNetworks are those that are reached for this issuer although they are not
// public, since the operator named it: its own address, or all of them where
// AllowPrivate says so. Link-local addresses, where clouds keep credentials, never are.
func (c Config) privateNetworks(issuer *url.URL) []netip.Prefix {
	var all []netip.Prefix
	host := strings.ToLower(issuer.Hostname())
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || c.AllowPrivate == "on" {
		all = append(all, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
	}
	if c.AllowPrivate == "on" {
		all = append(all, netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
			netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fc00::/7"))
	}
	if ip, err := netip.ParseAddr(host); err == nil && (ip.IsLoopback() || ip.IsPrivate()) {
		all = append(all, netip.PrefixFrom(ip, ip.BitLen()))
	}
	return all
}
