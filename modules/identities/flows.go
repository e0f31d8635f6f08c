package identities

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"golang.org/x/oauth2"

	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/secret"
)

// flow is one way to a provider and back. It belongs to the browser that began it.
type flow struct {
	provider    string
	browserHash []byte
	sealed      []byte // keys, bound to this flow
	redirectTo  string
	purpose     purpose
	account     id.Account  // that links an identity
	session     sessions.ID // which asked for that
	createdAt   time.Time
	expiresAt   time.Time
}

// keys are what only the holder of the flow knows: the verifier of PKCE (RFC 7636) and
// the nonce of the ID token.
type keys struct {
	Verifier string `json:"verifier"`
	Nonce    string `json:"nonce"`
}

// purpose is what a flow is for.
type purpose string

const (
	toSignIn purpose = "sign_in"
	toLink   purpose = "link"
)

const (
	// flowLife is how long somebody may take at the provider.
	flowLife = 10 * time.Minute
	// flowCookie ties a flow to its browser.
	flowCookie  = "flow"
	byState     = "an answer from a provider finds the flow that it belongs to"
	stateKind   = "state"
	browserKind = "flow"
)

// Begun is a flow that has just begun: where to go, and the cookie to come back with.
type Begun struct {
	URL    string
	Cookie string
}

// Authorize begins to sign in with a provider.
func (s *Service) Authorize(ctx context.Context, provider, redirectTo string) (Begun, error) {
	return s.begin(ctx, flow{provider: provider, redirectTo: redirectTo, purpose: toSignIn})
}

// AuthorizeLink begins to link an identity to the caller's account.
func (s *Service) AuthorizeLink(ctx context.Context, provider, redirectTo string) (Begun, error) {
	who := authz.From(ctx)
	return s.begin(ctx, flow{provider: provider, redirectTo: redirectTo, purpose: toLink, account: who.Account, session: who.Session})
}

func (s *Service) begin(ctx context.Context, f flow) (Begun, error) {
	src, err := s.source(f.provider)
	if err != nil {
		return Begun{}, err
	}
	state, stateHash := secret.NewToken(stateKind)
	browser, browserHash := secret.NewToken(browserKind)
	nonce, _ := secret.NewToken("nonce")
	k := keys{Verifier: oauth2.GenerateVerifier(), Nonce: nonce}
	to, err := src.authorizationURL(ctx, state, k)
	if err != nil {
		return Begun{}, err
	}
	plain, err := json.Marshal(k)
	if err != nil {
		return Begun{}, err
	}
	if f.sealed, err = s.Keys.Seal(sealing, hex.EncodeToString(stateHash), plain); err != nil {
		return Begun{}, err
	}
	now := s.Now()
	f.browserHash, f.redirectTo, f.createdAt, f.expiresAt = browserHash, safePath(f.redirectTo), now, now.Add(flowLife)
	if err := insertFlow(ctx, s.DB.Platform(byState), stateHash, f); err != nil {
		return Begun{}, err
	}
	return Begun{URL: to, Cookie: s.Web.FlowCookie(flowCookie, browser, flowLife)}, nil
}

const sealing = "identities.flow"

// use takes a flow by its state. The first to show a state uses it up, in one
// conditional statement, whatever else is wrong with what they show.
func (s *Service) use(ctx context.Context, provider, state, browser string) (flow, keys, error) {
	if !secret.IsToken(stateKind, state) {
		return flow{}, keys{}, ErrState.Because(errors.New("the state is none of ours"))
	}
	hash := secret.Hash(state)
	f, err := useFlow(ctx, s.DB.Platform(byState), hash, s.Now())
	switch {
	case errors.Is(err, db.ErrNoRows):
		return flow{}, keys{}, ErrState.Because(errors.New("the state has expired, was used, or never was"))
	case err != nil:
		return flow{}, keys{}, err
	case f.provider != provider:
		return flow{}, keys{}, ErrState.Because(errors.New("the state belongs to another provider"))
	case !secret.IsToken(browserKind, browser) || subtle.ConstantTimeCompare(secret.Hash(browser), f.browserHash) != 1:
		return flow{}, keys{}, ErrState.Because(errors.New("the state belongs to another browser"))
	}
	plain, _, err := s.Keys.Open(sealing, hex.EncodeToString(hash), f.sealed)
	if err != nil {
		return flow{}, keys{}, err
	}
	var k keys
	return f, k, json.Unmarshal(plain, &k)
}
