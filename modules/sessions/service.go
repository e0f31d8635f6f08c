package sessions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/cache"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/secret"
	"github.com/tenonhq/tenon/platform/web"
)

// Deps is what the module needs. Every field is required.
type Deps struct {
	DB        *db.DB
	Audit     *audit.Service
	Accounts  *accounts.Service
	Keys      *secret.Keyring
	Passwords *secret.Passwords
	Limits    *ratelimit.Limiter
	Changed   *cache.Bus
	Web       *web.Router
	Config    Config
	PublicURL func() string
	CacheOff  bool
	Now       clock.Now
	Log       *slog.Logger
}

// Service is what other modules may call.
type Service struct {
	Deps
	tx       *db.Tx
	known    *cache.Memo[web.Credential, *resolved]
	verified *cache.Memo[string, access]
	active   *activity
	failures chan failure
}

// New returns the sessions service.
func New(d Deps) *Service {
	d.Config = d.Config.withDefaults()
	s := &Service{Deps: d, active: newActivity(), failures: make(chan failure, maxFailures)}
	s.known = cache.Memoize(d.Changed, cache.MemoOptions{Name: "principals", TTL: time.Minute, Size: 50_000, Off: d.CacheOff}, s.resolve)
	s.verified = cache.Memoize(d.Changed, cache.MemoOptions{Name: "access tokens", TTL: time.Minute, Size: 50_000}, s.verify)
	return s
}

// In returns the service bound to a transaction, of the account or the platform.
func (s *Service) In(tx *db.Tx) *Service {
	bound := *s
	bound.tx, bound.DB, bound.Accounts = tx, s.Deps.DB.In(tx), s.Deps.Accounts.In(tx)
	return &bound
}

func tagOf(session ID) cache.Tag { return cache.TagOf("session", session) }

// Opened is a session that has just begun: tokens for a program, a cookie for a browser.
type Opened struct {
	Account accounts.Account
	Tokens  Tokens
	Cookie  string // the value of Set-Cookie; empty for a program
}

// Open begins a session for someone who has proved who they are. In(tx) opens it in
// that transaction.
func (s *Service) Open(ctx context.Context, a accounts.Account, cookie bool) (out Opened, err error) {
	if s.tx != nil {
		return s.open(ctx, a, cookie)
	}
	err = s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error {
		out, err = s.In(tx).open(ctx, a, cookie)
		return err
	})
	return out, err
}

func (s *Service) open(ctx context.Context, a accounts.Account, cookie bool) (Opened, error) {
	now, client := s.Now(), web.ClientFrom(ctx)
	r := row{Session: device(client.UserAgent), account: a.ID, authenticatedAt: now}
	r.ID, r.CreatedAt, r.LastActiveAt, r.ExpiresAt = id.New[sessionKind](), now, now, now.Add(s.Config.Absolute)
	if client.Address.IsValid() {
		r.IPAddress = client.Address.String()
	}
	var token string
	if cookie {
		token, r.cookieHash = secret.NewToken("ses")
	}
	if err := insertSession(ctx, s.tx, r); err != nil {
		return Opened{}, fmt.Errorf("open a session: %w", err)
	}
	ctx = s.as(ctx, a)
	if err := s.record(ctx, a.ID, a.Name, SignedIn{About{a.ID, r.ID}}); err != nil {
		return Opened{}, err
	}
	out := Opened{Account: a}
	if cookie {
		out.Cookie = s.Web.SessionCookie(token, r.ExpiresAt)
		return out, nil
	}
	var err error
	out.Tokens, err = s.tokens(refreshToken{a.ID, r.ID, 0})
	return out, err
}

// as makes the account the actor of events that happen while nobody is signed in yet.
func (s *Service) as(ctx context.Context, a accounts.Account) context.Context {
	if authz.From(ctx).Kind != authz.ActorNobody {
		return ctx
	}
	return authz.With(ctx, &authz.Principal{Kind: authz.ActorAccount, Account: a.ID, Name: a.Name})
}

func (s *Service) record(ctx context.Context, account id.Account, name string, e jobs.Args) error {
	return s.Audit.In(s.tx).Record(ctx, audit.Entry{Event: e, Target: audit.Target{Kind: "account", ID: account.String(), Name: name}})
}

// tokens makes the pair of tokens of a session at a count.
func (s *Service) tokens(r refreshToken) (Tokens, error) {
	now := s.Now()
	access, err := s.Keys.Sign(secret.Claims{Issuer: s.PublicURL(), Audience: s.PublicURL(), Subject: r.account.String(), Session: r.session.String(),
		IssuedAt: now.Unix(), ExpiresAt: now.Add(s.Config.AccessLife).Unix()})
	if err != nil {
		return Tokens{}, err
	}
	refresh, err := r.sign(s.Keys)
	return Tokens{AccessToken: access, RefreshToken: refresh, TokenType: "Bearer", ExpiresIn: int(s.Config.AccessLife.Seconds()), SessionID: r.session}, err
}

// tries is how often one account's password may be tried. Successes do not count.
func tries() ratelimit.Limit { return ratelimit.Every(10, 15*time.Minute) }

// SignIn checks an address and a password and opens a session. What is wrong is not
// said: not to a stranger.
func (s *Service) SignIn(ctx context.Context, email, password string, cookie bool) (Opened, error) {
	email, err := accounts.NormalizeEmail(email)
	if err != nil {
		return Opened{}, err
	}
	key := ratelimit.KeyOf("sign_in", email)
	if got := s.Limits.Allow(ctx, key, tries()); !got.Allowed {
		return Opened{}, ErrTooMany.After(got.RetryAfter)
	}
	a, err := s.Accounts.ByEmail(ctx, email)
	if err != nil && !errors.Is(err, accounts.ErrNotFound) {
		return Opened{}, err
	}
	ok, stale, err := s.Passwords.Verify(ctx, a.PasswordHash, accounts.ForHash(password))
	if err != nil {
		s.Limits.Refund(ctx, key, tries(), 1)
		return Opened{}, err
	}
	if !ok || a.Status != accounts.Active {
		return Opened{}, s.failed(ctx, a)
	}
	s.Limits.Refund(ctx, key, tries(), 1)
	if !a.EmailVerified {
		return Opened{}, accounts.ErrUnverified
	}
	if stale {
		if err := s.Accounts.Rehash(ctx, a, password); err != nil {
			s.Log.WarnContext(ctx, "hash a password anew", "err", err)
		}
	}
	return s.Open(ctx, a, cookie)
}

// failed answers a wrong password. That it was tried is noted later: the answer takes
// no longer for an account that exists than for one that does not.
func (s *Service) failed(ctx context.Context, a accounts.Account) error {
	if a.ID.IsZero() {
		return ErrCredentials.Because(errors.New("no account has the address"))
	}
	select {
	case s.failures <- failure{context.WithoutCancel(ctx), a.ID, a.Name}:
	default:
		s.Log.WarnContext(ctx, "too many failed sign-ins to note them all", "account_id", a.ID.String())
	}
	return ErrCredentials.Because(fmt.Errorf("wrong password for %s, or it is %s", a.ID, a.Status))
}

// failure is a sign-in that failed, with the request it came by.
type failure struct {
	ctx     context.Context
	account id.Account
	name    string
}

// maxFailures is how many failed sign-ins may wait to be noted.
const maxFailures = 1000

// noteFailures writes failed sign-ins to the log of their account, to the last one.
func (s *Service) noteFailures(ctx context.Context) error {
	for {
		select {
		case f := <-s.failures:
			s.noteFailure(f)
		case <-ctx.Done():
			for len(s.failures) > 0 {
				s.noteFailure(<-s.failures)
			}
			return nil
		}
	}
}

func (s *Service) noteFailure(f failure) {
	err := s.DB.Account(f.account).Tx(f.ctx, func(tx *db.Tx) error {
		return s.In(tx).record(f.ctx, f.account, f.name, SignInFailed{About{AccountID: f.account}})
	})
	if err != nil {
		s.Log.WarnContext(f.ctx, "note a failed sign-in", "err", err)
	}
}

// Refresh exchanges a refresh token for the next pair. One step behind, or within
// the grace window, a client gets the current pair again; any other old token is a
// copy, and ends the session.
func (s *Service) Refresh(ctx context.Context, token string) (Tokens, error) {
	r, ok := readRefresh(s.Keys, token)
	if !ok {
		return Tokens{}, ErrRefresh.Because(errors.New("not one of ours"))
	}
	c, now := s.DB.Platform("a refresh token finds its session"), s.Now()
	advanced, err := advance(ctx, c, r, now, s.Config.Idle)
	if err != nil {
		return Tokens{}, err
	}
	if advanced {
		r.counter++
		return s.tokens(r)
	}
	at, err := refreshState(ctx, c, r, now, s.Config.Idle)
	switch {
	case errors.Is(err, db.ErrNoRows):
		return Tokens{}, ErrRefresh.Because(errors.New("the session has ended"))
	case err != nil:
		return Tokens{}, err
	case at.counter == r.counter+1, at.counter > r.counter && now.Sub(at.refreshedAt) <= grace:
		r.counter = at.counter
		return s.tokens(r)
	}
	return Tokens{}, s.reused(ctx, r)
}

func (s *Service) reused(ctx context.Context, r refreshToken) error {
	err := s.DB.Account(r.account).Tx(ctx, func(tx *db.Tx) error {
		bound := s.In(tx)
		if err := bound.end(ctx, r.account, []ID{r.session}); err != nil {
			return err
		}
		return bound.record(ctx, r.account, "", RefreshReused{About{r.account, r.session}})
	})
	if err != nil {
		return err
	}
	return ErrRefresh.Because(fmt.Errorf("refresh token of %s used again", r.session))
}

// SignOut ends the caller's session.
func (s *Service) SignOut(ctx context.Context) error {
	who := authz.From(ctx)
	return s.DB.Account(who.Account).Tx(ctx, func(tx *db.Tx) error {
		bound := s.In(tx)
		if err := bound.end(ctx, who.Account, []ID{who.Session}); err != nil {
			return err
		}
		return bound.record(ctx, who.Account, who.Name, SignedOut{About{who.Account, who.Session}})
	})
}

// Revoke ends one session of the caller.
func (s *Service) Revoke(ctx context.Context, session ID) error {
	who := authz.From(ctx)
	return s.DB.Account(who.Account).Tx(ctx, func(tx *db.Tx) error {
		gone, err := deleteSession(ctx, tx, who.Account, session)
		if err != nil {
			return err
		}
		if !gone {
			return ErrNotFound
		}
		bound := s.In(tx)
		if err := s.Changed.Invalidate(ctx, tx, tagOf(session)); err != nil {
			return err
		}
		return bound.record(ctx, who.Account, who.Name, Revoked{About{who.Account, session}, "by_owner"})
	})
}

// RevokeAll ends the caller's sessions, except the one at hand if keep says so.
func (s *Service) RevokeAll(ctx context.Context, keep bool) error {
	who := authz.From(ctx)
	spare := ID{}
	if keep {
		spare = who.Session
	}
	return s.DB.Account(who.Account).Tx(ctx, func(tx *db.Tx) error {
		return s.In(tx).EndAll(ctx, who.Account, who.Name, spare, "by_owner")
	})
}

// EndAll ends every session of an account but spare, in the transaction (In).
func (s *Service) EndAll(ctx context.Context, account id.Account, name string, spare ID, reason string) error {
	ended, err := deleteOthers(ctx, s.tx, account, spare)
	if err != nil {
		return err
	}
	for _, session := range ended {
		if err := s.record(ctx, account, name, Revoked{About{account, session}, reason}); err != nil {
			return err
		}
	}
	return s.invalidate(ctx, ended)
}

func (s *Service) end(ctx context.Context, account id.Account, sessions []ID) error {
	for _, session := range sessions {
		if _, err := deleteSession(ctx, s.tx, account, session); err != nil {
			return err
		}
	}
	return s.invalidate(ctx, sessions)
}

func (s *Service) invalidate(ctx context.Context, sessions []ID) error {
	tags := make([]cache.Tag, len(sessions))
	for i, session := range sessions {
		tags[i] = tagOf(session)
	}
	if len(tags) == 0 {
		return nil
	}
	return s.Changed.Invalidate(ctx, s.tx, tags...)
}

// ChangePassword changes the caller's password, ends their other sessions, and gives
// a browser's session a new secret: whoever learned the old one is out too.
func (s *Service) ChangePassword(ctx context.Context, current, password string) (cookie string, err error) {
	a, err := s.confirmed(ctx, current)
	if err != nil {
		return "", err
	}
	hash, err := s.Accounts.HashNewPassword(ctx, a, password, "body.new_password")
	if err != nil {
		return "", err
	}
	who := authz.From(ctx)
	err = s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error {
		bound := s.In(tx)
		if err := bound.Accounts.SetPassword(ctx, a, hash); err != nil {
			return err
		}
		if err := bound.EndAll(ctx, a.ID, a.Name, who.Session, "password_changed"); err != nil {
			return err
		}
		cookie, err = bound.renew(ctx, who)
		return err
	})
	return cookie, err
}

// renew gives the caller's browser session a new secret; a program's has none to change.
func (s *Service) renew(ctx context.Context, who *authz.Principal) (string, error) {
	if !who.Cookie {
		return "", nil
	}
	token, hash := secret.NewToken("ses")
	expires, err := replaceCookie(ctx, s.tx, who.Account, who.Session, hash)
	if err != nil {
		return "", err
	}
	return s.Web.SessionCookie(token, expires), s.Changed.Invalidate(ctx, s.tx, tagOf(who.Session))
}

// confirmed checks the caller's password, within the limit of tries.
func (s *Service) confirmed(ctx context.Context, password string) (accounts.Account, error) {
	a, err := s.Accounts.Get(ctx, authz.From(ctx).Account)
	if err != nil {
		return a, err
	}
	key := ratelimit.KeyOf("sign_in", a.Email)
	if got := s.Limits.Allow(ctx, key, tries()); !got.Allowed {
		return a, ErrTooMany.After(got.RetryAfter)
	}
	ok, _, err := s.Passwords.Verify(ctx, a.PasswordHash, accounts.ForHash(password))
	if err == nil && !ok {
		return a, ErrPassword
	}
	s.Limits.Refund(ctx, key, tries(), 1)
	return a, err
}

// Confirm makes the caller's session fresh: they have proved again who they are. As
// with every elevation, a browser's session gets a new secret.
func (s *Service) Confirm(ctx context.Context, password string) (cookie string, err error) {
	a, err := s.confirmed(ctx, password)
	if err != nil {
		return "", blame(err)
	}
	who := authz.From(ctx)
	err = s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error {
		bound := s.In(tx)
		if err := markAuthenticated(ctx, tx, a.ID, who.Session, s.Now()); err != nil {
			return err
		}
		if cookie, err = bound.renew(ctx, who); err != nil {
			return err
		}
		if err := s.Changed.Invalidate(ctx, tx, tagOf(who.Session)); err != nil {
			return err
		}
		return bound.record(ctx, a.ID, a.Name, Confirmed{About{a.ID, who.Session}})
	})
	return cookie, err
}

func blame(err error) error {
	if errors.Is(err, ErrPassword) {
		return ErrPassword.On("body.password")
	}
	return err
}

// ResetPassword sets a new password by a mailed token and ends every session. Nothing is
// said of the password, and of those that the account had, before the token is found good;
// it is used up together with the change, so that a password that is refused costs none.
func (s *Service) ResetPassword(ctx context.Context, token, password string) error {
	owner, err := s.Accounts.OwnerOfReset(ctx, token)
	if err != nil {
		return err
	}
	hash, err := s.Accounts.HashNewPassword(ctx, owner, password, "body.new_password")
	if err != nil {
		return err
	}
	return s.DB.Platform("a one-time token finds its account").Tx(ctx, func(tx *db.Tx) error {
		bound := s.In(tx)
		a, err := bound.Accounts.ResetPassword(ctx, token, hash)
		if err != nil {
			return err
		}
		return bound.EndAll(s.as(ctx, a), a.ID, a.Name, ID{}, "password_reset")
	})
}

// ConfirmEmail changes an address by a mailed token, ends the other sessions, and gives
// a browser's session at hand a new secret.
func (s *Service) ConfirmEmail(ctx context.Context, token string) (a accounts.Account, cookie string, err error) {
	err = s.DB.Platform("a one-time token finds its account").Tx(ctx, func(tx *db.Tx) error {
		bound := s.In(tx)
		if a, err = bound.Accounts.ConfirmEmail(ctx, token); err != nil {
			return err
		}
		// The browser that follows the link may well be the one that is signed in.
		spare := ID{}
		if who := authz.From(ctx); who.Account == a.ID {
			spare = who.Session
			if cookie, err = bound.renew(ctx, who); err != nil {
				return err
			}
		}
		return bound.EndAll(s.as(ctx, a), a.ID, a.Name, spare, "email_changed")
	})
	return a, cookie, err
}

// Register signs someone up. Where addresses need proof, nobody learns whether it
// made an account; where they do not, it signs in. Where there is a wait list, it puts
// them on it, or signs in whoever has the token of the letter that let them in.
func (s *Service) Register(ctx context.Context, n accounts.NewAccount) (Opened, error) {
	if s.Accounts.Waits(n) {
		return Opened{}, s.Accounts.Wait(ctx, n)
	}
	if n.SignUpToken != "" {
		return s.registerApproved(ctx, n)
	}
	p, err := s.Accounts.PrepareSignUp(ctx, n)
	if err != nil {
		return Opened{}, err
	}
	a, taken, err := s.Accounts.Register(ctx, p)
	if err != nil || s.verifies() {
		return Opened{}, err
	}
	if taken {
		return Opened{}, accounts.ErrEmailTaken
	}
	return s.Open(ctx, a, false)
}

func (s *Service) registerApproved(ctx context.Context, n accounts.NewAccount) (out Opened, err error) {
	p, err := s.Accounts.PrepareApproved(ctx, n)
	if err != nil {
		return out, err
	}
	err = s.DB.Platform("an approved sign-up is found by its token").Tx(ctx, func(tx *db.Tx) error {
		bound := s.In(tx)
		a, err := bound.Accounts.RegisterApproved(ctx, n.SignUpToken, p)
		if err != nil {
			return err
		}
		out, err = bound.open(s.as(ctx, a), a, false)
		return err
	})
	return out, err
}

func (s *Service) verifies() bool { return s.Accounts.Config.VerifyEmail != "off" }

// SetUp makes the first administrator by the one-time link and signs them in. Once
// that has happened there is nothing here any more, whatever is sent.
func (s *Service) SetUp(ctx context.Context, token string, n accounts.NewAccount) (out Opened, err error) {
	if err := s.Accounts.CheckSetup(ctx, token); err != nil {
		return out, err
	}
	p, err := s.Accounts.Prepare(ctx, n)
	if err != nil {
		return out, err
	}
	err = s.DB.Platform("the first administrator").Tx(ctx, func(tx *db.Tx) error {
		bound := s.In(tx)
		a, err := bound.Accounts.CompleteSetup(ctx, token, p)
		if err != nil {
			return err
		}
		out, err = bound.open(ctx, a, false)
		return err
	})
	return out, err
}
