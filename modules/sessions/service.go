package sessions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tenonhq/tenon/internal/activity"
	"github.com/tenonhq/tenon/internal/geoip"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/cache"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/secret"
	"github.com/tenonhq/tenon/platform/web"
)

// Deps is what the module needs. Every field is required.
type Deps struct {
	DB        *db.DB
	Audit     *audit.Service
	Accounts  *accounts.Service
	Jobs      *jobs.Queue
	Keys      *secret.Keyring
	Passwords *secret.Passwords
	Limits    *ratelimit.Limiter
	Changed   *cache.Bus
	Web       *web.Router
	Post      *mail.Post
	Places    *geoip.DB // where addresses are; nil without a database of them
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
	active   *activity.Log[ID, seen]
	failures chan failure
}

// New returns the sessions service.
func New(d Deps) *Service {
	d.Config = d.Config.withDefaults()
	s := &Service{Deps: d, failures: make(chan failure, maxFailures)}
	s.active = activity.New(d.Log, s.writeActivity)
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

func (s *Service) record(ctx context.Context, account id.Account, name string, e jobs.Args) error {
	return s.Audit.In(s.tx).Record(ctx, audit.Entry{Event: e, Target: audit.Target{Kind: "account", ID: account.String(), Name: name}})
}

// tokens makes the pair of tokens of a session at a count.
func (s *Service) tokens(r refreshToken) (Tokens, error) {
	now := s.Now()
	access, err := s.access(r.account, r.session, now, now.Add(s.Config.AccessLife))
	if err != nil {
		return Tokens{}, err
	}
	refresh, err := r.sign(s.Keys)
	return Tokens{AccessToken: access, RefreshToken: refresh, TokenType: "Bearer", ExpiresIn: int(s.Config.AccessLife.Seconds()), SessionID: r.session}, err
}

func (s *Service) access(account id.Account, session ID, now, expires time.Time) (string, error) {
	return s.Keys.Sign(secret.Claims{Issuer: s.PublicURL(), Audience: s.PublicURL(), Subject: account.String(), Session: session.String(),
		IssuedAt: now.Unix(), ExpiresAt: expires.Unix()})
}

// What one address, and one network, may get wrong. Successes do not count.
func wrongOfAddress() ratelimit.Limit { return ratelimit.Every(100, 15*time.Minute) }
func wrongOfNetwork() ratelimit.Limit { return ratelimit.Every(300, 15*time.Minute) }

// SignIn checks an address and a password, and begins a session. What is wrong is not
// said: not to a stranger.
func (s *Service) SignIn(ctx context.Context, email, password string, cookie bool) (Opened, error) {
	email, err := accounts.NormalizeEmail(email)
	if err != nil {
		return Opened{}, err
	}
	a, err := s.Accounts.ByEmail(ctx, email)
	if err != nil && !errors.Is(err, accounts.ErrNotFound) {
		return Opened{}, err
	}
	key := guessOf("password", email)
	known, err := s.knownDevice(ctx, a.ID)
	if err != nil {
		return Opened{}, err
	}
	if known {
		key = guessOf("device", a.ID.String()+web.ClientFrom(ctx).Device)
	}
	var stale bool
	ok, err := s.fromHere(ctx, func() (bool, error) {
		return s.Guess(ctx, key, a, func() (ok bool, err error) {
			ok, stale, err = s.Passwords.Verify(ctx, a.PasswordHash, accounts.ForHash(password))
			return ok && a.Status == accounts.Active, err
		})
	})
	if err != nil {
		return Opened{}, err
	}
	if !ok {
		return Opened{}, s.failed(ctx, a)
	}
	if !a.EmailVerified {
		return Opened{}, accounts.ErrUnverified
	}
	if stale {
		if err := s.Accounts.Rehash(ctx, a, password); err != nil {
			s.Log.WarnContext(ctx, "hash a password anew", "err", err)
		}
	}
	return s.Begin(ctx, a, Proof{Method: "password"}, cookie)
}

// fromHere counts wrong guesses by the address and the network that they come from.
func (s *Service) fromHere(ctx context.Context, guess func() (bool, error)) (bool, error) {
	client := web.ClientFrom(ctx)
	address, network := ratelimit.KeyOf("wrong_address", client.Bucket()), ratelimit.KeyOf("wrong_network", networkOf(client.Address))
	if got := s.Limits.Allow(ctx, address, wrongOfAddress()); !got.Allowed {
		return false, ErrTooMany.After(got.RetryAfter)
	}
	if got := s.Limits.Allow(ctx, network, wrongOfNetwork()); !got.Allowed {
		s.Limits.Refund(ctx, address, wrongOfAddress(), 1)
		return false, ErrTooMany.After(got.RetryAfter)
	}
	ok, err := guess()
	if ok || err != nil {
		s.Limits.Refund(ctx, address, wrongOfAddress(), 1)
		s.Limits.Refund(ctx, network, wrongOfNetwork(), 1)
	}
	return ok, err
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
		if _, err := deleteSession(ctx, tx, r.account, r.session); err != nil {
			return err
		}
		if err := s.Changed.Invalidate(ctx, tx, tagOf(r.session)); err != nil {
			return err
		}
		return bound.record(ctx, r.account, "", RefreshReused{About{r.account, r.session}})
	})
	if err != nil {
		return err
	}
	return ErrRefresh.Because(fmt.Errorf("refresh token of %s used again", r.session))
}

// SignOut ends the caller's session, and what an administrator does as others in it.
func (s *Service) SignOut(ctx context.Context) error {
	who := authz.From(ctx)
	return s.DB.Account(who.Account).Tx(ctx, func(tx *db.Tx) error {
		ended, err := deleteSession(ctx, tx, who.Account, who.Session)
		if err != nil {
			return err
		}
		bound := s.In(tx)
		if who.Impersonator != nil {
			return bound.ended(ctx, who.Name, ended, "signed_out")
		}
		if err := bound.invalidate(ctx, ended); err != nil {
			return err
		}
		if err := bound.leave(ctx, who); err != nil {
			return err
		}
		return bound.record(ctx, who.Account, who.Name, SignedOut{About{who.Account, who.Session}})
	})
}

// Revoke ends one session of the caller. An administrator who acts as somebody ends only
// their own.
func (s *Service) Revoke(ctx context.Context, session ID) error {
	who := authz.From(ctx)
	return s.DB.Account(who.Account).Tx(ctx, func(tx *db.Tx) error {
		reason := "by_owner"
		if who.Impersonator != nil {
			if reason = "signed_out"; session != who.Session {
				return authz.ErrNotByImpersonation
			}
		}
		gone, err := deleteSession(ctx, tx, who.Account, session)
		if err != nil {
			return err
		}
		if len(gone) == 0 {
			return ErrNotFound
		}
		bound := s.In(tx)
		if err := bound.leave(ctx, who); err != nil {
			return err
		}
		return bound.ended(ctx, who.Name, gone, reason)
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
		bound := s.In(tx)
		if err := bound.leave(ctx, who); err != nil {
			return err
		}
		return bound.EndAll(ctx, who.Account, who.Name, spare, "by_owner")
	})
}

// EndAll ends every session of an account but spare, and those that were half begun, in
// the transaction (In).
func (s *Service) EndAll(ctx context.Context, account id.Account, name string, spare ID, reason string) error {
	if err := deleteChallenges(ctx, s.tx, account); err != nil {
		return err
	}
	ended, err := deleteOthers(ctx, s.tx, account, spare)
	if err != nil {
		return err
	}
	return s.ended(ctx, name, ended, reason)
}

// ended notes that sessions were ended otherwise than by signing out, and forgets them.
func (s *Service) ended(ctx context.Context, name string, sessions []endedRow, reason string) error {
	for _, e := range sessions {
		var event jobs.Args = Revoked{About{e.account, e.id}, reason}
		if !e.impersonator.IsZero() {
			event = ImpersonationEnded{About{e.account, e.id}, e.impersonator, reason}
		}
		if err := s.record(ctx, e.account, name, event); err != nil {
			return err
		}
	}
	return s.invalidate(ctx, sessions)
}

func (s *Service) invalidate(ctx context.Context, sessions []endedRow) error {
	tags := make([]cache.Tag, len(sessions))
	for i, e := range sessions {
		tags[i] = tagOf(e.id)
	}
	if len(tags) == 0 {
		return nil
	}
	return s.Changed.Invalidate(ctx, s.tx, tags...)
}

// ChangePassword changes the caller's password, ends their other sessions, and gives
// a browser's session a new secret: whoever learned the old one is out too.
func (s *Service) ChangePassword(ctx context.Context, current, password string) (cookies []string, err error) {
	a, err := s.CheckPassword(ctx, current)
	if err != nil {
		return nil, err
	}
	hash, err := s.Accounts.HashNewPassword(ctx, a, password, "body.new_password")
	if err != nil {
		return nil, err
	}
	err = s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error {
		bound := s.In(tx)
		if err := bound.Accounts.SetPassword(ctx, a, hash); err != nil {
			return err
		}
		cookies, err = bound.EndOthers(ctx, "password_changed")
		return err
	})
	return cookies, err
}

// renew gives the caller's browser session a new secret; a program's has none to change.
func (s *Service) renew(ctx context.Context, who *authz.Principal) ([]string, error) {
	if !who.Cookie {
		return nil, nil
	}
	token, hash := secret.NewToken("ses")
	expires, err := replaceCookie(ctx, s.tx, who.Account, who.Session, hash)
	if err != nil {
		return nil, err
	}
	return []string{s.Web.SessionCookie(token, expires)}, s.Changed.Invalidate(ctx, s.tx, tagOf(who.Session))
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
	return s.platformTx(ctx, func(bound *Service) error {
		a, err := bound.Accounts.ResetPassword(ctx, token, hash)
		if err != nil {
			return err
		}
		// Whoever reads the owner's mail need not wait because others guess.
		if err := forgetGuess(ctx, bound.tx, guessOf("password", a.Email)); err != nil {
			return err
		}
		return bound.EndAll(s.as(ctx, a), a.ID, a.Name, ID{}, "password_reset")
	})
}

// ConfirmEmail changes an address by a mailed token, ends the other sessions, and gives
// a browser's session at hand a new secret.
func (s *Service) ConfirmEmail(ctx context.Context, token string) (a accounts.Account, cookies []string, err error) {
	err = s.platformTx(ctx, func(bound *Service) error {
		if a, err = bound.Accounts.ConfirmEmail(ctx, token); err != nil {
			return err
		}
		// The browser that follows the link may well be the one that is signed in.
		spare := ID{}
		if who := authz.From(ctx); who.Account == a.ID {
			spare = who.Session
			if cookies, err = bound.renew(ctx, who); err != nil {
				return err
			}
		}
		return bound.EndAll(s.as(ctx, a), a.ID, a.Name, spare, "email_changed")
	})
	return a, cookies, err
}

// platformTx runs fn in a transaction in which a one-time token finds its account.
func (s *Service) platformTx(ctx context.Context, fn func(bound *Service) error) error {
	return s.DB.Platform("a one-time token finds its account").Tx(ctx, func(tx *db.Tx) error { return fn(s.In(tx)) })
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
	return s.Begin(ctx, a, Proof{Method: "password"}, false)
}

func (s *Service) registerApproved(ctx context.Context, n accounts.NewAccount) (out Opened, err error) {
	p, err := s.Accounts.PrepareApproved(ctx, n)
	if err != nil {
		return out, err
	}
	err = s.platformTx(ctx, func(bound *Service) error {
		a, err := bound.Accounts.RegisterApproved(ctx, n.SignUpToken, p)
		if err != nil {
			return err
		}
		out, err = bound.Begin(ctx, a, Proof{Method: "password"}, false)
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
		out, err = bound.Begin(ctx, a, Proof{Method: "password"}, false)
		return err
	})
	return out, err
}
