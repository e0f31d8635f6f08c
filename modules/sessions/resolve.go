package sessions

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tenonhq/tenon/internal/activity"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/cache"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/secret"
	"github.com/tenonhq/tenon/platform/web"
)

// resolved is a credential that was good when it was looked at.
type resolved struct {
	principal *authz.Principal
	session   ID
	expires   time.Time // of the token or the session, whichever is first
	idleAt    time.Time // unless there is activity
}

// Principal returns who shows a credential. It asks the database only when the
// answer is not in memory; a revoked session is forgotten at once.
func (s *Service) Principal(ctx context.Context, c web.Credential) (*authz.Principal, error) {
	r, now, err := s.good(ctx, c)
	if err != nil {
		return nil, err
	}
	s.active.Saw(r.session, seen{r.principal.Account, now})
	return r.principal, nil
}

// Still returns who a credential belongs to, like Principal, without taking that for
// activity of its session.
func (s *Service) Still(ctx context.Context, c web.Credential) (*authz.Principal, error) {
	r, _, err := s.good(ctx, c)
	if err != nil {
		return nil, err
	}
	return r.principal, nil
}

func (s *Service) good(ctx context.Context, c web.Credential) (*resolved, time.Time, error) {
	now := s.Now()
	r, err := s.known.Get(ctx, c)
	if err != nil {
		return nil, now, err
	}
	if !now.Before(r.expires) || !now.Before(r.idleAt) && !s.activeSince(r.session, now.Add(-s.Config.Idle)) {
		return nil, now, web.ErrCredential(errors.New("the credential has expired"))
	}
	return r, now, nil
}

// resolve loads a session and its account, in one statement.
func (s *Service) resolve(ctx context.Context, c web.Credential) (*resolved, []cache.Tag, error) {
	found, limit, err := s.load(ctx, c)
	if errors.Is(err, db.ErrNoRows) {
		err = web.ErrCredential(errors.New("the session has ended"))
	}
	if err != nil {
		return nil, nil, err
	}
	a := found.account
	if a.Status != accounts.Active {
		return nil, nil, web.ErrCredential(errors.New("the account is " + string(a.Status)))
	}
	if found.expiresAt.Before(limit) {
		limit = found.expiresAt
	}
	if !found.by.account.IsZero() {
		return s.resolveImpersonator(ctx, found, limit, c)
	}
	r := &resolved{session: found.id, expires: limit, idleAt: found.lastActiveAt.Add(s.Config.Idle), principal: &authz.Principal{
		Kind: authz.ActorAccount, Account: a.ID, Session: found.id, Name: a.Name, Admin: a.IsAdmin,
		AuthenticatedAt: found.authenticatedAt, ConfirmBy: ConfirmBy(a), Cookie: c.Cookie != "", Subject: a,
	}}
	return r, []cache.Tag{tagOf(found.id), accounts.Tag(a.ID)}, nil
}

// load finds the session that a credential names, and until when the credential itself
// is good.
func (s *Service) load(ctx context.Context, c web.Credential) (loaded, time.Time, error) {
	conn := s.DB.Platform("a credential finds its session and account")
	if c.Bearer == "" {
		if !secret.IsToken("ses", c.Cookie) {
			return loaded{}, time.Time{}, web.ErrCredential(errors.New("the cookie is not one of ours"))
		}
		found, err := sessionByCookie(ctx, conn, secret.Hash(c.Cookie))
		return found, found.expiresAt, err
	}
	token, err := s.readAccess(ctx, c.Bearer)
	if err != nil {
		return loaded{}, time.Time{}, web.ErrCredential(err)
	}
	found, err := sessionByID(ctx, conn, token.session)
	if err == nil && found.account.ID.String() != token.claims.Subject {
		err = db.ErrNoRows
	}
	return found, time.Unix(token.claims.ExpiresAt, 0), err
}

var errShape = errors.New("the bearer token is not a token of ours")

// access is what a token says whose signature is ours.
type access struct {
	claims  secret.Claims
	session ID
}

func (s *Service) readAccess(ctx context.Context, token string) (access, error) {
	a, err := s.verified.Get(ctx, token)
	if err == nil && s.Now().Unix() >= a.claims.ExpiresAt {
		err = secret.ErrToken
	}
	return a, err
}

// verify checks a signature. That costs more than to ask the database, and its outcome
// never changes, so it is remembered apart from the session.
func (s *Service) verify(_ context.Context, token string) (a access, _ []cache.Tag, err error) {
	if strings.Count(token, ".") != 2 {
		return a, nil, errShape
	}
	if a.claims, err = s.Keys.Verify(token, s.PublicURL(), s.PublicURL(), s.Now()); err != nil {
		return a, nil, err
	}
	a.session, err = id.Parse[sessionKind](a.claims.Session)
	return a, nil, err
}

// seen is when an account's session was last active.
type seen struct {
	account id.Account
	at      time.Time
}

// activeSince reports whether the session was active after t, as far as this node knows.
func (s *Service) activeSince(session ID, t time.Time) bool {
	last, _ := s.active.Last(session)
	return last.at.After(t)
}

func (s *Service) writeActivity(ctx context.Context, uses []activity.Use[ID, seen]) error {
	return s.DB.Platform("activity of everybody").Tx(ctx, func(tx *db.Tx) error { return touch(ctx, tx, uses) })
}
