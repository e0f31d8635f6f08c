package identities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/safehttp"
)

// source is a provider as it is talked to.
type source struct {
	Provider
	callback string
	client   *safehttp.Client
	now      clock.Now

	mu       sync.Mutex
	found    *discovery
	failure  error
	failedAt time.Time
}

// discovery is what a provider says about itself, and how to check what it says of others.
type discovery struct {
	at       time.Time
	provider *oidc.Provider // nil for GitHub
	keys     oidc.KeySet
	endpoint oauth2.Endpoint
	issuer   string // for Microsoft with {tenantid} in it
	namesIss bool   // it names itself in every answer (RFC 9207)
}

const (
	// discoveryLife is how long a provider's word about itself is taken.
	discoveryLife = time.Hour
	// discoveryPause is how long an unreachable provider is left alone.
	discoveryPause   = 3 * time.Second
	discoveryTimeout = 10 * time.Second
	// maxToken bounds an ID token, in bytes.
	maxToken = 64 << 10
)

func newSource(p Provider, c Config, callback string, now clock.Now) *source {
	issuer, _ := url.Parse(p.Issuer) // Check has parsed it
	return &source{Provider: p, callback: callback, now: now, client: safehttp.New(safehttp.Options{
		AllowPrefixes: c.privateNetworks(issuer), MaxRedirects: 3, Timeout: discoveryTimeout,
	})}
}

// with returns a context in which the libraries use our client.
func (s *source) with(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, s.client.HTTP())
}

// discover asks the provider about itself, now and then. It may have been away when
// the server started, and an old answer is better than none.
func (s *source) discover(ctx context.Context) (*discovery, error) {
	if s.Kind == GitHub {
		return s.github(), nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.found != nil && now.Sub(s.found.at) < discoveryLife {
		return s.found, nil
	}
	if s.failure == nil || now.Sub(s.failedAt) >= discoveryPause {
		// Whoever asks first may leave; others wait for the answer too.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discoveryTimeout)
		defer cancel()
		found, err := s.ask(s.with(ctx))
		if err == nil {
			s.found, s.failure = found, nil
			return found, nil
		}
		s.failure, s.failedAt = err, now
	}
	if s.found != nil {
		return s.found, nil
	}
	return nil, ErrUnavailable.Because(fmt.Errorf("discover %s: %.300s", s.ID, s.failure)) // it may hold the whole answer
}

func (s *source) ask(ctx context.Context) (*discovery, error) {
	if s.Kind == Microsoft { // names an issuer with a placeholder for the directory, checked below
		ctx = oidc.InsecureIssuerURLContext(ctx, s.Issuer)
	}
	provider, err := oidc.NewProvider(ctx, s.Issuer)
	if err != nil {
		return nil, err
	}
	var said struct {
		Issuer      string   `json:"issuer"`
		Keys        string   `json:"jwks_uri"`
		AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
		NamesIss    bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := provider.Claims(&said); err != nil {
		return nil, err
	}
	if err := s.trustworthy(said.Issuer, provider); err != nil {
		return nil, err
	}
	d := &discovery{at: s.now(), provider: provider, endpoint: provider.Endpoint(), issuer: said.Issuer, namesIss: said.NamesIss}
	d.endpoint.AuthStyle = s.authStyle(said.AuthMethods)
	d.keys = oidc.NewRemoteKeySet(ctx, said.Keys)
	return d, nil
}

// asymmetric are the algorithms that only a provider can sign with: never "none", and
// never HS256, whose key would be one that is known.
func asymmetric() []string {
	return []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}
}

// trustworthy checks what people and secrets are sent to.
func (s *source) trustworthy(issuer string, p *oidc.Provider) error {
	asked, err := url.Parse(s.Issuer)
	if err != nil {
		return err
	}
	for _, raw := range []string{p.Endpoint().AuthURL, p.Endpoint().TokenURL} {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != asked.Scheme {
			return fmt.Errorf("the provider names an endpoint that is no %s address: %q", asked.Scheme, raw)
		}
	}
	if said, err := url.Parse(issuer); s.Kind == Microsoft && (err != nil || said.Scheme != asked.Scheme || said.Host != asked.Host) {
		return fmt.Errorf("the issuer calls itself %q", issuer)
	}
	return nil
}

func (s *source) authStyle(supported []string) oauth2.AuthStyle {
	if s.ClientSecret == "" || len(supported) > 0 && !slices.Contains(supported, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

func (s *source) oauth(d *discovery) *oauth2.Config {
	scopes := s.Scopes
	if len(scopes) == 0 {
		scopes = []string{oidc.ScopeOpenID, "email", "profile"}
		if s.Kind == GitHub {
			scopes = []string{"read:user", "user:email"}
		}
	}
	if s.Kind != GitHub && !slices.Contains(scopes, oidc.ScopeOpenID) {
		scopes = append([]string{oidc.ScopeOpenID}, scopes...)
	}
	return &oauth2.Config{ClientID: s.ClientID, ClientSecret: s.ClientSecret, Endpoint: d.endpoint, RedirectURL: s.callback, Scopes: scopes}
}

// authorizationURL is where the person goes to sign in. PKCE goes to every provider,
// a nonce to all that send ID tokens.
func (s *source) authorizationURL(ctx context.Context, state string, k keys) (string, error) {
	d, err := s.discover(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(k.Verifier)}
	if s.Kind != GitHub {
		options = append(options, oidc.Nonce(k.Nonce))
	}
	return s.oauth(d).AuthCodeURL(state, options...), nil
}

// checkAnswer refuses an answer that another provider sent (RFC 9207).
func (s *source) checkAnswer(ctx context.Context, iss string) error {
	d, err := s.discover(ctx)
	if err != nil {
		return err
	}
	switch {
	case iss == "" && d.namesIss:
		return ErrToken.Because(errors.New("the answer does not say who sent it, which this provider always does"))
	case iss != "" && !s.isIssuer(d, iss):
		return ErrToken.Because(errors.New("another provider sent the answer"))
	}
	return nil
}

func (s *source) isIssuer(d *discovery, iss string) bool {
	before, after, placeholder := strings.Cut(d.issuer, tenantPlaceholder)
	switch {
	case s.Kind == GitHub:
		return iss == s.Issuer || iss == s.Issuer+"/login/oauth"
	case placeholder:
		rest, ok := strings.CutPrefix(iss, before)
		tenant, fits := strings.CutSuffix(rest, after)
		return ok && fits && guid.MatchString(tenant)
	}
	return iss == d.issuer
}

// identify exchanges the code for a verified statement of who has signed in.
func (s *source) identify(ctx context.Context, code string, k keys) (person, error) {
	d, err := s.discover(ctx)
	if err != nil {
		return person{}, err
	}
	ctx = s.with(ctx)
	token, err := s.oauth(d).Exchange(ctx, code, oauth2.VerifierOption(k.Verifier))
	if err != nil {
		return person{}, exchangeFailed(err)
	}
	if s.Kind == GitHub {
		return s.githubPerson(ctx, token)
	}
	raw, _ := token.Extra("id_token").(string)
	claims, err := s.verify(ctx, d, raw, token.AccessToken, k.Nonce)
	if errors.Is(err, ErrUnavailable) {
		return person{}, err
	}
	if err != nil {
		return person{}, ErrToken.Because(err)
	}
	if err := s.complete(ctx, d, token, claims); err != nil {
		return person{}, err
	}
	who := s.personOf(claims)
	if !who.valid() {
		return person{}, ErrToken.Because(errors.New("the subject is no identifier"))
	}
	return who, nil
}

// exchangeFailed says what became of a code. What the provider wrote stays out of the
// log: it may repeat what it was sent.
func exchangeFailed(err error) error {
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		if declared := (*url.Error)(nil); errors.As(err, &declared) {
			return ErrUnavailable.Because(fmt.Errorf("exchange the code: %w", declared.Err))
		}
		return ErrToken.Because(errors.New("the answer to the code cannot be read"))
	}
	cause := fmt.Errorf("the code was refused with %d %s", refused.Response.StatusCode, plainWord(refused.ErrorCode))
	if refused.Response.StatusCode >= 500 || refused.ErrorCode == "invalid_client" || refused.ErrorCode == "unauthorized_client" {
		return ErrUnavailable.Because(cause)
	}
	return ErrToken.Because(cause)
}

var oauthWord = regexp.MustCompile(`^[a-z_]{1,40}$`)

// plainWord is an error code of OAuth, or nothing.
func plainWord(text string) string {
	if oauthWord.MatchString(text) {
		return text
	}
	return ""
}

// verify checks an ID token (OpenID Connect Core §3.1.3.7) and returns its claims.
func (s *source) verify(ctx context.Context, d *discovery, raw, access, nonce string) (map[string]any, error) {
	if raw == "" || len(raw) > maxToken || strings.Count(raw, ".") != 2 {
		return nil, errors.New("there is no ID token, or it is too large")
	}
	keys := &noticing{KeySet: d.keys}
	checks := &oidc.Config{ClientID: s.ClientID, SupportedSigningAlgs: asymmetric(), Now: s.now, SkipIssuerCheck: s.Kind == Microsoft}
	token, err := oidc.NewVerifier(d.issuer, keys, checks).Verify(ctx, raw)
	if keys.away != nil {
		return nil, ErrUnavailable.Because(keys.away)
	}
	if err != nil {
		return nil, err
	}
	claims := map[string]any{}
	if err := token.Claims(&claims); err != nil {
		return nil, err
	}
	azp, _ := claims["azp"].(string)
	switch {
	case token.Nonce == "" || token.Nonce != nonce:
		return nil, errors.New("the nonce is not ours")
	case azp != "" && azp != s.ClientID, azp == "" && len(token.Audience) > 1:
		return nil, errors.New("the token was made for another client")
	case s.Kind == Microsoft && !ofTenant(d.issuer, token.Issuer, claims):
		return nil, errors.New("the token was issued for another directory")
	case token.AccessTokenHash != "" && token.VerifyAccessToken(access) != nil:
		return nil, errors.New("the access token is not the ID token's")
	}
	return claims, nil
}

// noticing notices when the provider's keys cannot be had, which is no fault of the
// token's. The verifier tells only in words.
type noticing struct {
	oidc.KeySet
	away error
}

func (n *noticing) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := n.KeySet.VerifySignature(ctx, jwt)
	if err != nil && strings.HasPrefix(err.Error(), "fetching keys") {
		n.away = fmt.Errorf("ask for its keys: %.300s", err) // it may hold the whole answer
	}
	return payload, err
}

const tenantPlaceholder = "{tenantid}"

var guid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// ofTenant checks Microsoft's issuer, in which the directory of the person stands.
func ofTenant(template, iss string, claims map[string]any) bool {
	if !strings.Contains(template, tenantPlaceholder) {
		return iss == template
	}
	tenant, _ := claims["tid"].(string)
	return guid.MatchString(tenant) && iss == strings.Replace(template, tenantPlaceholder, tenant, 1)
}

// complete adds what only the user info endpoint tells. The ID token's word counts more.
func (s *source) complete(ctx context.Context, d *discovery, token *oauth2.Token, claims map[string]any) error {
	if s.Kind == Microsoft || d.provider.UserInfoEndpoint() == "" || !s.lacks(claims) {
		return nil
	}
	info, err := d.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return ErrUnavailable.Because(errors.New("the user info endpoint gave no answer that can be used"))
	}
	more := map[string]any{}
	if err := info.Claims(&more); err != nil {
		return ErrToken.Because(err)
	}
	if sub, _ := claims["sub"].(string); info.Subject != sub {
		return ErrToken.Because(errors.New("the user info is about somebody else"))
	}
	// An address and its proof belong together, whichever the ID token had.
	if _, has := claims["email"]; has {
		delete(more, "email_verified")
	}
	for name, value := range more {
		if _, has := claims[name]; !has {
			claims[name] = value
		}
	}
	return nil
}

func (s *source) lacks(claims map[string]any) bool {
	if _, has := claims["email"]; !has {
		return true
	}
	return slices.ContainsFunc(s.rules, func(r rule) bool {
		root, _, _ := strings.Cut(r.claim, ".")
		_, whole := claims[r.claim]
		_, part := claims[root]
		return !whole && !part
	})
}

func (s *source) personOf(claims map[string]any) person {
	text := func(name string) string { v, _ := claims[name].(string); return v }
	p := person{issuer: text("iss"), subject: text("sub"), email: text("email"), name: text("name"), locale: text("locale"), claims: claims}
	if s.Kind == Google && p.issuer == "accounts.google.com" { // Google's two spellings
		p.issuer = s.Issuer
	}
	if p.name == "" {
		p.name = text("preferred_username")
	}
	p.emailVerified = p.email != "" && isTrue(claims["email_verified"])
	if s.Kind == Microsoft { // whoever administrates a directory writes the address; xms_edov says that its domain is proven
		p.emailVerified = p.email != "" && isTrue(claims["xms_edov"])
	}
	return p
}

// isTrue accepts the spellings that providers use.
func isTrue(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v == "true" || v == "1"
	case float64:
		return v == 1
	case json.Number:
		return v == "1"
	}
	return false
}

// mayIssue reports whether identities of an issuer can come from this provider.
func (s *source) mayIssue(issuer string) bool {
	if s.Kind != Microsoft {
		return strings.TrimRight(issuer, "/") == strings.TrimRight(s.Issuer, "/")
	}
	ours, err := url.Parse(s.Issuer)
	theirs, other := url.Parse(issuer)
	return err == nil && other == nil && ours.Host == theirs.Host
}
