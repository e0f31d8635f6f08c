package idp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// storage is what the provider remembers: in memory, and only what signing in with a
// code needs. Anything else ends in a panic of the embedded nil.
type storage struct {
	op.Storage
	p *Provider
}

func (s *storage) CreateAuthRequest(_ context.Context, asked *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	r := &request{id: rand.Text(), asked: asked}
	s.p.set(func() { s.p.requests[r.id] = r })
	return r, nil
}

func (s *storage) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	return s.p.find(id)
}

func (s *storage) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	var id string
	s.p.set(func() { id = s.p.codes[code] })
	return s.p.find(id)
}

func (s *storage) SaveAuthCode(_ context.Context, id, code string) error {
	s.p.set(func() { s.p.codes[code] = id })
	return nil
}

func (s *storage) DeleteAuthRequest(_ context.Context, id string) error {
	s.p.set(func() { delete(s.p.requests, id) })
	return nil
}

func (s *storage) CreateAccessToken(_ context.Context, asked op.TokenRequest) (string, time.Time, error) {
	r, ok := asked.(*request)
	if !ok {
		return "", time.Time{}, fmt.Errorf("a token for %T", asked)
	}
	id := rand.Text()
	s.p.set(func() { s.p.tokens[id] = r.person })
	return id, time.Now().Add(time.Hour), nil
}

func (s *storage) SigningKey(context.Context) (k op.SigningKey, err error) {
	s.p.set(func() { k = key{s.p.keyID, s.p.key} })
	return k, nil
}

func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

func (s *storage) KeySet(context.Context) (set []op.Key, err error) {
	s.p.set(func() { set = []op.Key{publicKey{key{s.p.keyID, &s.p.key.PublicKey}}} })
	return set, nil
}

func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != ClientID {
		return nil, errors.New("no such client")
	}
	return &client{s.p}, nil
}

func (s *storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if id != ClientID || secret != ClientSecret {
		return errors.New("not the secret of the client")
	}
	return nil
}

func (s *storage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// SetUserinfoFromRequest fills an ID token.
func (s *storage) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, asked op.IDTokenRequest, _ []string) error {
	r, ok := asked.(*request)
	if !ok {
		return fmt.Errorf("an ID token for %T", asked)
	}
	var only bool
	s.p.set(func() { only = s.p.onlyInfo })
	info.Subject = r.person.Subject
	if !only {
		r.person.describe(info)
	}
	return nil
}

// SetUserinfoFromToken fills the answer of the user info endpoint.
func (s *storage) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, token, _, _ string) error {
	var who Person
	var ok bool
	s.p.set(func() { who, ok = s.p.tokens[token] })
	if !ok {
		return errors.New("no such token")
	}
	who.describe(info)
	return nil
}

func (s *storage) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

func (w Person) describe(info *oidc.UserInfo) {
	info.Subject, info.Email, info.EmailVerified, info.Name = w.Subject, w.Email, oidc.Bool(w.EmailVerified), w.Name
	for name, value := range w.Claims {
		info.AppendClaims(name, value)
	}
}

// key is the provider's, to sign with.
type key struct {
	number int
	value  any
}

func (k key) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k key) Key() any                                    { return k.value }
func (k key) ID() string                                  { return fmt.Sprintf("key-%d", k.number) }

// publicKey is for others to check with.
type publicKey struct{ key }

func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k publicKey) Use() string                        { return "sig" }

// request is somebody on their way through the provider.
type request struct {
	id     string
	asked  *oidc.AuthRequest
	person Person
	done   bool
}

func (r *request) GetID() string          { return r.id }
func (r *request) GetACR() string         { return "" }
func (r *request) GetAMR() []string       { return []string{"pwd"} }
func (r *request) GetAudience() []string  { return []string{r.asked.ClientID} }
func (r *request) GetAuthTime() time.Time { return time.Now() }
func (r *request) GetClientID() string    { return r.asked.ClientID }
func (r *request) GetCodeChallenge() *oidc.CodeChallenge {
	if r.asked.CodeChallenge == "" {
		return nil
	}
	return &oidc.CodeChallenge{Challenge: r.asked.CodeChallenge, Method: r.asked.CodeChallengeMethod}
}
func (r *request) GetNonce() string                   { return r.asked.Nonce }
func (r *request) GetRedirectURI() string             { return r.asked.RedirectURI }
func (r *request) GetResponseType() oidc.ResponseType { return r.asked.ResponseType }
func (r *request) GetResponseMode() oidc.ResponseMode { return r.asked.ResponseMode }
func (r *request) GetScopes() []string                { return r.asked.Scopes }
func (r *request) GetState() string                   { return r.asked.State }
func (r *request) GetSubject() string                 { return r.person.Subject }
func (r *request) Done() bool                         { return r.done }

// client is the one client that the provider knows.
type client struct{ p *Provider }

func (c *client) GetID() string                       { return ClientID }
func (c *client) RedirectURIs() []string              { return c.p.redirects }
func (c *client) PostLogoutRedirectURIs() []string    { return nil }
func (c *client) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }
func (c *client) AuthMethod() oidc.AuthMethod         { return oidc.AuthMethodBasic }
func (c *client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c *client) GrantTypes() []oidc.GrantType                                 { return []oidc.GrantType{oidc.GrantTypeCode} }
func (c *client) LoginURL(id string) string                                    { return c.p.URL + "/login?id=" + id }
func (c *client) AccessTokenType() op.AccessTokenType                          { return op.AccessTokenTypeBearer }
func (c *client) IDTokenLifetime() time.Duration                               { return time.Hour }
func (c *client) DevMode() bool                                                { return true }
func (c *client) IsScopeAllowed(string) bool                                   { return true }
func (c *client) IDTokenUserinfoClaimsAssertion() bool                         { return true }
func (c *client) ClockSkew() time.Duration                                     { return 0 }
func (c *client) RestrictAdditionalIdTokenScopes() func([]string) []string     { return same }
func (c *client) RestrictAdditionalAccessTokenScopes() func([]string) []string { return same }

func same(scopes []string) []string { return scopes }
