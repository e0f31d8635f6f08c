package sessions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/secret"
	"github.com/tenonhq/tenon/platform/web"
)

// Proof is how somebody proved who they are.
type Proof struct {
	Method string // "password", "passkey", "provider", "email", "invitation"
	Strong bool   // two factors in one, such as a passkey that knew its owner
}

// Opened is what a proof opened: a session, as tokens for a program or cookies for a
// browser; or, where a second factor is due, only the challenge for it.
type Opened struct {
	Account   accounts.Account
	Tokens    *Tokens
	Cookies   []string // values of Set-Cookie; the session's first
	Challenge *Challenge
}

// Challenge is half a sign-in. Its token opens nothing but the second half.
type Challenge struct {
	Token     string
	Methods   []string
	ExpiresIn time.Duration
}

type challengeKind struct{}

// Prefix begins the id of every challenge.
func (challengeKind) Prefix() string { return "chl" }

const (
	challengeToken = "challenge"
	challengeLife  = 5 * time.Minute
)

// ErrChallenge is the outcome of a challenge that is not, or no longer, open.
var ErrChallenge = errs.New(errs.Unauthenticated, "auth.challenge_expired", "This sign-in took too long, or is done already. Begin again.")

// Begin opens a session for someone who has given a proof. Where the account has a
// second factor and the proof is not strong, it opens none and hands out a challenge.
// Every door to the product leads through here. In(tx) opens it in that transaction.
func (s *Service) Begin(ctx context.Context, a accounts.Account, p Proof, cookie bool) (out Opened, err error) {
	if s.tx == nil {
		err = s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error {
			out, err = s.In(tx).Begin(ctx, a, p, cookie)
			return err
		})
		return out, err
	}
	if a.Status != accounts.Active {
		return Opened{}, ErrCredentials.Because(fmt.Errorf("%s is %s", a.ID, a.Status))
	}
	if s.Config.BeforeSession != nil {
		if err := s.Config.BeforeSession(ctx, a, p); err != nil {
			return Opened{}, err
		}
	}
	if len(a.SecondFactors) > 0 && !p.Strong {
		return s.challenge(ctx, a, p, cookie)
	}
	return s.open(ctx, a, p, cookie)
}

func (s *Service) challenge(ctx context.Context, a accounts.Account, p Proof, cookie bool) (Opened, error) {
	token, hash := secret.NewToken(challengeToken)
	now := s.Now()
	if err := insertChallenge(ctx, s.tx, a.ID, hash, p.Method, cookie, now, now.Add(challengeLife)); err != nil {
		return Opened{}, fmt.Errorf("ask for a second factor: %w", err)
	}
	return Opened{Account: a, Challenge: &Challenge{Token: token, Methods: secondFactors(a), ExpiresIn: challengeLife}}, nil
}

// secondFactors lists the methods that a second factor may come by.
func secondFactors(a accounts.Account) []string {
	var methods []string
	for _, m := range a.SecondFactors {
		if methods = append(methods, m); m == accounts.TOTP {
			methods = append(methods, "backup_code")
		}
	}
	return methods
}

// ConfirmBy lists the methods by which someone proves again who they are: the password
// alone is no proof where there is a second factor.
func ConfirmBy(a accounts.Account) []string {
	switch {
	case len(a.SecondFactors) > 0:
		return secondFactors(a)
	case a.HasPassword:
		return []string{"password"}
	}
	return []string{"sign_in"}
}

// Challenged returns whose challenge a token is, and spends nothing. It is ErrChallenge
// for one that is not open.
func (s *Service) Challenged(ctx context.Context, token string) (accounts.Account, error) {
	if !secret.IsToken(challengeToken, token) {
		return accounts.Account{}, ErrChallenge
	}
	account, err := challengeOwner(ctx, s.DB.Platform("a challenge finds its account"), secret.Hash(token), s.Now())
	if errors.Is(err, db.ErrNoRows) {
		return accounts.Account{}, ErrChallenge
	}
	if err != nil {
		return accounts.Account{}, err
	}
	a, err := s.Accounts.Get(ctx, account)
	if err == nil && a.Status != accounts.Active {
		err = ErrChallenge.Because(fmt.Errorf("%s is %s", a.ID, a.Status))
	}
	return a, err
}

// Complete uses a challenge up and opens the session that it stood for: a browser's, if
// the first half or this one asked for a cookie. The caller has checked the second
// factor, in the same transaction (In): of the account.
func (s *Service) Complete(ctx context.Context, a accounts.Account, token, method string, cookie bool) (Opened, error) {
	asked, first, err := useChallenge(ctx, s.tx, a.ID, secret.Hash(token), s.Now())
	if errors.Is(err, db.ErrNoRows) {
		return Opened{}, ErrChallenge
	}
	if err != nil {
		return Opened{}, err
	}
	return s.open(ctx, a, Proof{Method: first + "+" + method, Strong: true}, cookie || asked)
}

// open begins a session for someone who has proved enough.
func (s *Service) open(ctx context.Context, a accounts.Account, p Proof, cookie bool) (Opened, error) {
	r, token := s.newRow(ctx, a.ID, cookie)
	if err := insertSession(ctx, s.tx, r); err != nil {
		return Opened{}, fmt.Errorf("open a session: %w", err)
	}
	ctx = s.as(ctx, a)
	if err := s.record(ctx, a.ID, a.Name, SignedIn{About{a.ID, r.ID}, p.Method}); err != nil {
		return Opened{}, err
	}
	if err := s.evict(ctx, a); err != nil {
		return Opened{}, err
	}
	device, err := s.recognise(ctx, a, r.Session, cookie)
	if err != nil {
		return Opened{}, err
	}
	out := Opened{Account: a}
	if cookie {
		out.Cookies = []string{s.Web.SessionCookie(token, r.ExpiresAt), device}
		return out, nil
	}
	tokens, err := s.tokens(refreshToken{a.ID, r.ID, 0})
	out.Tokens = &tokens
	return out, err
}

// newRow is a session that begins now, from where the request comes.
func (s *Service) newRow(ctx context.Context, account id.Account, cookie bool) (r row, token string) {
	now, client := s.Now(), web.ClientFrom(ctx)
	r = row{Session: device(client.UserAgent), account: account, authenticatedAt: now}
	r.ID, r.CreatedAt, r.LastActiveAt, r.ExpiresAt = id.New[sessionKind](), now, now, now.Add(s.Config.Absolute)
	if client.Address.IsValid() {
		place := s.Places.Find(client.Address)
		r.IPAddress, r.Country, r.City = client.Address.String(), place.Country, place.City
	}
	if cookie {
		token, r.cookieHash = secret.NewToken("ses")
	}
	return r, token
}

// evict ends the oldest sessions beyond the cap.
func (s *Service) evict(ctx context.Context, a accounts.Account) error {
	ended, err := deleteOldest(ctx, s.tx, a.ID, s.Config.Most)
	if err != nil {
		return err
	}
	return s.ended(ctx, a.Name, ended, "too_many")
}

// as makes the account the actor of events that happen while nobody is signed in yet.
func (s *Service) as(ctx context.Context, a accounts.Account) context.Context {
	if authz.From(ctx).Kind != authz.ActorNobody {
		return ctx
	}
	return authz.With(ctx, &authz.Principal{Kind: authz.ActorAccount, Account: a.ID, Name: a.Name})
}

// CheckPassword checks a password of the caller, as one guess of those that the account
// has. It is for proving again who one is, and must stand outside of transactions.
func (s *Service) CheckPassword(ctx context.Context, password string) (accounts.Account, error) {
	a, err := s.Accounts.Get(ctx, authz.From(ctx).Account)
	if err != nil {
		return a, err
	}
	ok, err := s.Guess(ctx, guessOf("password", a.Email), a, func() (bool, error) {
		ok, _, err := s.Passwords.Verify(ctx, a.PasswordHash, accounts.ForHash(password))
		return ok, err
	})
	if err == nil && !ok {
		err = ErrPassword
	}
	return a, err
}

// Freshen notes that the caller has just proved again who they are. As with every
// elevation, a browser's session gets a new secret. It needs a transaction (In).
func (s *Service) Freshen(ctx context.Context) (cookies []string, err error) {
	who := authz.From(ctx)
	if err := markAuthenticated(ctx, s.tx, who.Account, who.Session, s.Now()); err != nil {
		return nil, err
	}
	if cookies, err = s.renew(ctx, who); err != nil {
		return nil, err
	}
	if err := s.Changed.Invalidate(ctx, s.tx, tagOf(who.Session)); err != nil {
		return nil, err
	}
	return cookies, s.record(ctx, who.Account, who.Name, Confirmed{About{who.Account, who.Session}})
}

// EndOthers ends the caller's sessions but the one at hand, which gets a new secret if
// it is a browser's: whoever learned the old one is out too. It needs a transaction (In).
func (s *Service) EndOthers(ctx context.Context, reason string) (cookies []string, err error) {
	who := authz.From(ctx)
	if err := s.EndAll(ctx, who.Account, who.Name, who.Session, reason); err != nil {
		return nil, err
	}
	if err := s.leave(ctx, who); err != nil {
		return nil, err
	}
	return s.renew(ctx, who)
}

// Alive reports whether a session is still good. It is for what was begun in one, and
// is finished where no credential of it is shown.
func (s *Service) Alive(ctx context.Context, account id.Account, session ID) (bool, error) {
	return isLive(ctx, s.DB.Account(account), account, session, s.Now(), s.Config.Idle)
}
