package sessions

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

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
	r, err := s.known.Get(ctx, c)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	if !now.Before(r.expires) || !now.Before(r.idleAt) && !s.active.since(r.session, now.Add(-s.Config.Idle)) {
		return nil, web.ErrCredential(errors.New("the credential has expired"))
	}
	s.active.saw(r.principal.Account, r.session, now)
	return r.principal, nil
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
		AuthenticatedAt: found.authenticatedAt, ConfirmBy: confirmBy(a), Cookie: c.Cookie != "", Subject: a,
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

// activity remembers who was active, until it is written down, once a minute: a
// request costs no write.
type activity struct {
	mu   sync.Mutex
	seen map[ID]seen
}

type seen struct {
	account id.Account
	at      time.Time
}

func newActivity() *activity { return &activity{seen: map[ID]seen{}} }

func (a *activity) saw(account id.Account, session ID, at time.Time) {
	a.mu.Lock()
	a.seen[session] = seen{account, at}
	a.mu.Unlock()
}

// since reports whether the session was active after t, as far as this node knows.
func (a *activity) since(session ID, t time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seen[session].at.After(t)
}

func (a *activity) take() map[ID]seen {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := a.seen
	a.seen = make(map[ID]seen, len(taken))
	return taken
}

// flushEvery is how exact "last active" is.
const flushEvery = time.Minute

// flush writes activity down every minute, and once more at the end.
func (s *Service) flush(ctx context.Context) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			s.writeActivity(last)
			return nil
		case <-tick.C:
			s.writeActivity(ctx)
		}
	}
}

// chunk keeps the transactions of a busy minute short.
const chunk = 200

func (s *Service) writeActivity(ctx context.Context) {
	rows := make([]activeRow, 0, chunk)
	write := func() {
		if len(rows) == 0 {
			return
		}
		err := s.DB.Platform("activity of everybody").Tx(ctx, func(tx *db.Tx) error { return touch(ctx, tx, rows) })
		if err != nil { // lost, but for the log: the next minute's activity tells nearly the same
			s.Log.WarnContext(ctx, "write down activity", "err", err)
		}
		rows = rows[:0]
	}
	for session, seen := range s.active.take() {
		if rows = append(rows, activeRow{seen.account, session, seen.at}); len(rows) == chunk {
			write()
		}
	}
	write()
}
