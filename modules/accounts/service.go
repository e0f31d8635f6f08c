package accounts

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"time"

	"golang.org/x/text/language"

	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/cache"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/safehttp"
	"github.com/tenonhq/tenon/platform/secret"
)

// Deps is what the module needs. Every field is required.
type Deps struct {
	DB        *db.DB
	Audit     *audit.Service
	Jobs      *jobs.Queue
	Post      *mail.Post
	Keys      *secret.Keyring
	Passwords *secret.Passwords
	Limits    *ratelimit.Limiter
	Changed   *cache.Bus
	Config    Config
	PublicURL func() string
	Product   string
	Now       clock.Now
	Log       *slog.Logger
}

// Service is what other modules may call.
type Service struct {
	Deps
	tx     *db.Tx
	policy policy
	breach *safehttp.Client
}

// New returns the accounts service.
func New(d Deps) *Service {
	d.Config = d.Config.withDefaults()
	return &Service{Deps: d, policy: newPolicy(d.Config, d.Product), breach: newBreachClient()}
}

// In returns the service bound to a transaction.
func (s *Service) In(tx *db.Tx) *Service {
	bound := *s
	bound.tx, bound.DB = tx, s.DB.In(tx)
	return &bound
}

// Tag marks what is cached of an account.
func Tag(account id.Account) cache.Tag { return cache.TagOf("account", account) }

const (
	everyone = "sign-in finds an account by address, before anyone is signed in"
	byToken  = "a one-time token finds its account"
	person   = "an account is made, proven or changed together with the list of addresses"
)

// Get returns an account.
func (s *Service) Get(ctx context.Context, account id.Account) (Account, error) {
	return accountByID(ctx, s.DB.Account(account), account)
}

// ByEmail returns the account with a normalised address, whatever its state.
func (s *Service) ByEmail(ctx context.Context, email string) (Account, error) {
	return accountByEmail(ctx, s.DB.Platform(everyone), email)
}

// Me returns the caller's account. It is in memory already.
func (s *Service) Me(ctx context.Context) (Account, error) {
	p := authz.From(ctx)
	if a, ok := p.Subject.(Account); ok {
		return a, nil
	}
	return s.Get(ctx, p.Account)
}

// NewAccount is what someone says of themselves to sign up.
type NewAccount struct {
	Email, Name, Password, Locale string
	// SignUpToken is from the letter to somebody whom the wait list let in, Captcha
	// the answer to whatever BeforeSignUp asks. Both are for signing up only.
	SignUpToken, Captcha string
}

// Prepared is a NewAccount that may be stored: checked, and its password hashed.
type Prepared struct {
	email, name, locale, hash string
}

// Prepare checks a new account and hashes the password. It takes long; do it before
// the transaction.
func (s *Service) Prepare(ctx context.Context, n NewAccount) (Prepared, error) {
	p, err := s.PrepareWithoutPassword(ctx, n)
	if err != nil {
		return p, err
	}
	p.hash, err = s.HashPassword(ctx, n.Password, "body.password", p.email, p.name)
	return p, err
}

// PrepareWithoutPassword checks a new account that signs in by other means. Its hash
// is empty, which no password matches; whatever n has as a password is ignored.
func (s *Service) PrepareWithoutPassword(_ context.Context, n NewAccount) (p Prepared, err error) {
	if p.email, err = NormalizeEmail(n.Email); err != nil {
		return p, err
	}
	if p.name, err = CleanName(n.Name); err != nil {
		return p, err
	}
	p.locale, err = cleanLocale(n.Locale)
	return p, err
}

// Register stores a new account, or says nothing of the one that has the address.
// taken reports, to callers who may know, that it was not made.
func (s *Service) Register(ctx context.Context, p Prepared) (a Account, taken bool, err error) {
	err = s.DB.Platform(person).Tx(ctx, func(tx *db.Tx) error {
		a, taken, err = s.In(tx).register(ctx, p)
		return err
	})
	return a, taken, err
}

func (s *Service) register(ctx context.Context, p Prepared) (Account, bool, error) {
	now := s.Now()
	a := Account{ID: id.New[id.AccountKind](), Email: p.email, Name: p.name, Locale: p.locale, Status: Active, PasswordHash: p.hash, CreatedAt: now, UpdatedAt: now}
	a.EmailVerified = s.Config.VerifyEmail == "off"
	made, err := claimEmail(ctx, s.tx, p.email, a.ID)
	if err != nil {
		return a, false, err
	}
	if !made {
		return s.registerAgain(ctx, p)
	}
	if err := insertAccount(ctx, s.tx, a); err != nil {
		return a, false, err
	}
	if err := s.record(ctx, a, Registered{About{a.ID}}, nil); err != nil {
		return a, false, err
	}
	if a.EmailVerified {
		return a, false, nil
	}
	return a, false, s.mailToken(ctx, a, verifyEmail, a.Email)
}

// registerAgain serves a sign-up for an address that has an account. As long as the
// address is unproven, whoever comes last decides the password; once it is proven,
// its owner is told.
func (s *Service) registerAgain(ctx context.Context, p Prepared) (Account, bool, error) {
	a, err := accountByEmail(ctx, s.tx, p.email)
	if err != nil {
		return a, true, err
	}
	// First of all, so that of many at once each voids the tokens of those before it.
	pending, err := replacePending(ctx, s.tx, a.ID, p, s.Now())
	if err != nil {
		return a, true, err
	}
	if !pending {
		return a, true, s.Post.Enqueue(ctx, s.tx, mail.Letter{To: a.Email, Name: "already_registered", Locale: a.Locale,
			Data: map[string]any{"Name": a.Name, "URL": s.PublicURL() + "/sign-in"}})
	}
	if err := voidTokens(ctx, s.tx, a.ID, s.Now()); err != nil {
		return a, true, err
	}
	return a, true, s.mailToken(ctx, a, verifyEmail, a.Email)
}

// CreateVerified stores an account whose address the caller has proof of. An account
// that still waits for such proof is taken over: its password and tokens were set by
// someone who had none. It needs a platform transaction (In).
func (s *Service) CreateVerified(ctx context.Context, p Prepared) (Account, error) {
	now := s.Now()
	a := Account{ID: id.New[id.AccountKind](), Email: p.email, EmailVerified: true, Name: p.name, Locale: p.locale, Status: Active, PasswordHash: p.hash, CreatedAt: now, UpdatedAt: now}
	if err := s.leaveWaitlist(ctx, p.email); err != nil {
		return a, err
	}
	made, err := claimEmail(ctx, s.tx, p.email, a.ID)
	if err != nil {
		return a, err
	}
	if made {
		if err := insertAccount(ctx, s.tx, a); err != nil {
			return a, err
		}
		return a, s.record(ctx, a, Registered{About{a.ID}}, nil)
	}
	if a, err = accountByEmail(ctx, s.tx, p.email); err != nil {
		return a, err
	}
	pending, err := replacePending(ctx, s.tx, a.ID, p, now)
	if err != nil {
		return a, err
	}
	if !pending {
		return a, ErrEmailTaken
	}
	if err := voidTokens(ctx, s.tx, a.ID, now); err != nil {
		return a, err
	}
	a.Name, a.Locale, a.PasswordHash = p.name, p.locale, p.hash
	return s.proven(ctx, a)
}

// VerifyEmail proves an address by the token that was mailed to it.
func (s *Service) VerifyEmail(ctx context.Context, token string) error {
	return s.spend(ctx, token, verifyEmail, func(s *Service, a Account, _ string) error {
		_, err := s.proven(ctx, a)
		return err
	})
}

func (s *Service) proven(ctx context.Context, a Account) (Account, error) {
	if err := markVerified(ctx, s.tx, a.ID, s.Now()); err != nil {
		return a, err
	}
	a.EmailVerified = true
	if err := s.Changed.Invalidate(ctx, s.tx, Tag(a.ID)); err != nil {
		return a, err
	}
	return a, s.record(ctx, a, EmailVerified{About{a.ID}}, nil)
}

// Rehash replaces the hash of a password that was just verified by a better one.
func (s *Service) Rehash(ctx context.Context, a Account, password string) error {
	hash, err := s.Passwords.Hash(ctx, ForHash(password))
	if err != nil {
		return err
	}
	return replaceHash(ctx, s.DB.Account(a.ID), a.ID, a.PasswordHash, hash)
}

// ConfirmEmail changes the address to the one that the token was mailed to. It needs
// a platform transaction (In).
func (s *Service) ConfirmEmail(ctx context.Context, token string) (Account, error) {
	a, email, err := s.redeem(ctx, token, confirmEmail)
	if err != nil {
		return a, err
	}
	old := a.Email
	made, err := claimEmail(ctx, s.tx, email, a.ID)
	if err != nil {
		return a, err
	}
	if !made {
		return a, ErrTokenInvalid // someone else proved it first
	}
	if err := changeEmail(ctx, s.tx, a.ID, old, email, s.Now()); err != nil {
		return a, err
	}
	if err := voidTokens(ctx, s.tx, a.ID, s.Now()); err != nil {
		return a, err
	}
	a.Email, a.EmailVerified = email, true
	if err := s.Changed.Invalidate(ctx, s.tx, Tag(a.ID)); err != nil {
		return a, err
	}
	if err := s.Post.Enqueue(ctx, s.tx, mail.Letter{To: old, Name: "email_changed", Locale: a.Locale,
		Data: map[string]any{"Name": a.Name, "URL": s.PublicURL() + "/forgot-password"}}); err != nil {
		return a, err
	}
	return a, s.record(ctx, a, EmailChanged{About{a.ID}}, map[string]audit.Change{"email": {From: old, To: email}})
}

// RequestEmail mails a token to the address that the caller wants to change to. If
// someone has it already, they are told instead; the answer is the same.
func (s *Service) RequestEmail(ctx context.Context, email string) error {
	email, err := NormalizeEmail(email)
	if err != nil {
		return blame(err, "body.new_email")
	}
	a, err := s.Me(ctx)
	if err != nil {
		return err
	}
	return s.DB.Platform(person).Tx(ctx, func(tx *db.Tx) error {
		other, err := accountByEmail(ctx, tx, email)
		if err == nil && other.EmailVerified {
			return s.Post.Enqueue(ctx, tx, mail.Letter{To: other.Email, Name: "already_registered", Locale: other.Locale,
				Data: map[string]any{"Name": other.Name, "URL": s.PublicURL() + "/sign-in"}})
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		return s.In(tx).mailToken(ctx, a, confirmEmail, email)
	})
}

// Answer mails what the owner of an address may ask for without being signed in. It
// runs as a job, whether the address is known or not: the time it takes tells nothing.
func (s *Service) answer(ctx context.Context, email string, p purpose) error {
	a, err := accountByEmail(ctx, s.DB.Platform(everyone), email)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if a.Status != Active || p == verifyEmail && a.EmailVerified {
		return nil
	}
	if !s.Limits.Allow(ctx, ratelimit.KeyOf("mail:"+string(p), email), ratelimit.Every(5, time.Hour)).Allowed {
		return nil
	}
	return s.DB.Platform(person).Tx(ctx, func(tx *db.Tx) error {
		bound := s.In(tx)
		if p == resetPassword {
			if err := bound.record(ctx, a, PasswordResetRequested{About{a.ID}}, nil); err != nil {
				return err
			}
		}
		return bound.mailToken(ctx, a, p, a.Email)
	})
}

// ask enqueues answer.
func (s *Service) ask(ctx context.Context, email string, p purpose) error {
	email, err := NormalizeEmail(email)
	if err != nil {
		return err
	}
	sealed, err := s.Keys.Seal("accounts.answer_email", string(p), []byte(email))
	if err != nil {
		return err
	}
	return s.DB.Platform(everyone).Tx(ctx, func(tx *db.Tx) error {
		return s.Jobs.Enqueue(ctx, tx, AnswerEmail{Purpose: p, Sealed: sealed})
	})
}

// Update is a change of one's own profile; nil fields stay.
type Update struct {
	Name, Locale, AvatarURL *string
	DefaultOrg              *id.Org
	// Match, if set, refuses the change when the account is not as the caller read it.
	Match func(updatedAt time.Time) error
}

// Update changes the caller's profile.
func (s *Service) Update(ctx context.Context, u Update) (Account, error) {
	who := authz.From(ctx).Account
	var out Account
	err := s.DB.Account(who).Tx(ctx, func(tx *db.Tx) error {
		a, err := accountByID(ctx, tx, who)
		if err != nil {
			return err
		}
		if u.Match != nil {
			if err := u.Match(a.UpdatedAt); err != nil {
				return err
			}
		}
		changes, err := u.apply(&a, s.CleanAvatar)
		if err != nil || len(changes) == 0 {
			out = a
			return err
		}
		a.UpdatedAt = s.Now()
		if err := s.In(tx).store(ctx, a); err != nil {
			return err
		}
		out = a
		// Which organization somebody looked at last is noted, like when they were seen: it is no event.
		if _, moved := changes["default_org_id"]; moved && len(changes) == 1 && authz.From(ctx).Impersonator == nil {
			return nil
		}
		return s.In(tx).record(ctx, a, Updated{About{who}}, changes)
	})
	return out, err
}

// SetPicture changes the picture of an account to one of our own; empty is none. It needs
// a transaction, in which whoever stores pictures says which.
func (s *Service) SetPicture(ctx context.Context, account id.Account, address string) (Account, error) {
	a, err := accountByID(ctx, s.tx, account)
	if err != nil || a.AvatarURL == address {
		return a, err
	}
	changes := map[string]audit.Change{"avatar_url": {From: a.AvatarURL, To: address}}
	a.AvatarURL, a.UpdatedAt = address, s.Now()
	if err := s.store(ctx, a); err != nil {
		return a, err
	}
	return a, s.record(ctx, a, Updated{About{account}}, changes)
}

// store writes a changed profile, in the transaction.
func (s *Service) store(ctx context.Context, a Account) error {
	if err := updateProfile(ctx, s.tx, a); err != nil {
		return err
	}
	return s.Changed.Invalidate(ctx, s.tx, Tag(a.ID))
}

func (u Update) apply(a *Account, cleanAvatar func(string) (string, error)) (map[string]audit.Change, error) {
	changes := map[string]audit.Change{}
	set := func(field string, old *string, value *string, clean func(string) (string, error)) error {
		if value == nil {
			return nil
		}
		if *value == *old { // such as a picture of our own
			return nil
		}
		v, err := clean(*value)
		if err == nil && v != *old {
			changes[field] = audit.Change{From: *old, To: v}
			*old = v
		}
		return err
	}
	if err := errors.Join(set("name", &a.Name, u.Name, CleanName), set("locale", &a.Locale, u.Locale, cleanLocale),
		set("avatar_url", &a.AvatarURL, u.AvatarURL, cleanAvatar)); err != nil {
		return nil, err
	}
	if u.DefaultOrg != nil && (a.DefaultOrgID == nil || *a.DefaultOrgID != *u.DefaultOrg) {
		changes["default_org_id"] = audit.Change{From: a.DefaultOrgID, To: u.DefaultOrg}
		a.DefaultOrgID = u.DefaultOrg
		if u.DefaultOrg.IsZero() {
			a.DefaultOrgID = nil
		}
	}
	return changes, nil
}

// SetDefaultOrg makes org the account's default if it has none yet. It needs a
// platform transaction (In).
func (s *Service) SetDefaultOrg(ctx context.Context, account id.Account, org id.Org) error {
	if err := setDefaultOrg(ctx, s.tx, account, org); err != nil {
		return err
	}
	return s.Changed.Invalidate(ctx, s.tx, Tag(account))
}

// MakeAdministrator lets an account administrate the installation. It needs a
// platform transaction (In).
func (s *Service) MakeAdministrator(ctx context.Context, a Account) error {
	if err := setAdmin(ctx, s.tx, a.ID, true); err != nil {
		return err
	}
	if err := s.Changed.Invalidate(ctx, s.tx, Tag(a.ID)); err != nil {
		return err
	}
	return s.record(ctx, a, MadeAdministrator{About{a.ID}}, nil)
}

// SetupLink returns the link by which the first administrator is made, with a new
// token each time, or "" once that has happened.
func (s *Service) SetupLink(ctx context.Context) (string, error) {
	token, hash := secret.NewToken("setup")
	waiting, err := offerSetup(ctx, s.DB.Platform("the first administrator"), hash, s.Now())
	if err != nil || !waiting {
		return "", err
	}
	return s.PublicURL() + "/setup?token=" + url.QueryEscape(token), nil
}

// CheckSetup reports whether token may make the first administrator: ErrSetupDone
// once there was one, ErrSetupToken while it is not the token of the newest link.
func (s *Service) CheckSetup(ctx context.Context, token string) error {
	c := s.DB.Platform("the first administrator")
	waits, err := setupWaits(ctx, c)
	if err != nil {
		return err
	}
	if !waits {
		return ErrSetupDone
	}
	if !secret.IsToken("setup", token) {
		return ErrSetupToken
	}
	offered, err := isOffered(ctx, c, secret.Hash(token))
	if err == nil && !offered {
		err = ErrSetupToken
	}
	return err
}

// CompleteSetup makes the first administrator by the one-time link, once and for all.
// It needs a platform transaction (In).
func (s *Service) CompleteSetup(ctx context.Context, token string, p Prepared) (Account, error) {
	done, err := completeSetup(ctx, s.tx, secret.Hash(token), s.Now())
	if err != nil || !done {
		return Account{}, errors.Join(err, ErrSetupDone)
	}
	a, err := s.CreateVerified(ctx, p)
	if err != nil {
		return a, err
	}
	a.IsAdmin = true
	return a, s.MakeAdministrator(ctx, a)
}

// CreateAdministrator makes an account that administrates the installation, and
// closes the set-up link. It is for the shell, and needs a platform transaction (In).
func (s *Service) CreateAdministrator(ctx context.Context, p Prepared) error {
	if _, err := completeSetup(ctx, s.tx, nil, s.Now()); err != nil {
		return err
	}
	a, err := s.CreateVerified(ctx, p)
	if err != nil {
		return err
	}
	return s.MakeAdministrator(ctx, a)
}

// DisownLink returns a link by which the owner of an account says, once, that a sign-in
// was not theirs. It needs a transaction (In).
func (s *Service) DisownLink(ctx context.Context, a Account) (string, error) {
	token, hash := secret.NewToken(disownSignIn.prefix())
	now := s.Now()
	err := insertToken(ctx, s.tx, a.ID, disownSignIn, hash, a.Email, now, now.Add(disownSignIn.life()))
	return s.PublicURL() + "/not-me?token=" + url.QueryEscape(token), err
}

// Disown redeems the token of DisownLink: every other link is void, and the owner gets
// one to set a new password. It needs a platform transaction (In), so that the caller
// can end the sessions together with it.
func (s *Service) Disown(ctx context.Context, token string) (Account, error) {
	a, _, err := s.redeem(ctx, token, disownSignIn)
	if err != nil {
		return a, err
	}
	if err := voidTokens(ctx, s.tx, a.ID, s.Now()); err != nil {
		return a, err
	}
	if err := s.record(ctx, a, SignInDisowned{About{a.ID}}, nil); err != nil {
		return a, err
	}
	return a, s.mailToken(ctx, a, resetPassword, a.Email)
}

// mailToken makes a one-time token and mails its link to email.
func (s *Service) mailToken(ctx context.Context, a Account, p purpose, email string) error {
	token, hash := secret.NewToken(p.prefix())
	now := s.Now()
	if err := insertToken(ctx, s.tx, a.ID, p, hash, email, now, now.Add(p.life())); err != nil {
		return err
	}
	path := map[purpose]string{verifyEmail: "/verify-email", resetPassword: "/reset-password", confirmEmail: "/confirm-email"}[p]
	return s.Post.Enqueue(ctx, s.tx, mail.Letter{To: email, Name: string(p), Locale: a.Locale, Data: map[string]any{
		"Name": a.Name, "URL": s.PublicURL() + path + "?token=" + url.QueryEscape(token), "Hours": int(p.life().Hours()),
	}})
}

// spend redeems a token and does, in the same transaction, what it is good for.
func (s *Service) spend(ctx context.Context, token string, p purpose, fn func(s *Service, a Account, email string) error) error {
	return s.DB.Platform(byToken).Tx(ctx, func(tx *db.Tx) error {
		bound := s.In(tx)
		a, email, err := bound.redeem(ctx, token, p)
		if err != nil {
			return err
		}
		return fn(bound, a, email)
	})
}

// redeem uses a token up: one conditional statement, so that of many at once one wins.
func (s *Service) redeem(ctx context.Context, token string, p purpose) (Account, string, error) {
	if !secret.IsToken(p.prefix(), token) {
		return Account{}, "", ErrTokenInvalid
	}
	owner, email, err := useToken(ctx, s.tx, p, secret.Hash(token), s.Now())
	if err != nil {
		return Account{}, "", err
	}
	a, err := accountByID(ctx, s.tx, owner)
	if err == nil && a.Status != Active {
		err = ErrTokenInvalid
	}
	return a, email, err
}

// record notes an event of an account. Where nobody is signed in, the account itself acts.
func (s *Service) record(ctx context.Context, a Account, e jobs.Args, changes map[string]audit.Change) error {
	if authz.From(ctx).Kind == authz.ActorNobody {
		ctx = authz.With(ctx, &authz.Principal{Kind: authz.ActorAccount, Account: a.ID, Name: a.Name})
	}
	return s.Audit.In(s.tx).Record(ctx, audit.Entry{Event: e, Target: targetOf(a), Changes: changes})
}

func cleanLocale(text string) (string, error) {
	if text == "" {
		return "en", nil
	}
	tag, err := language.Parse(text)
	if err != nil || len(text) > 35 {
		return "", ErrLocaleInvalid
	}
	return tag.String(), nil
}
