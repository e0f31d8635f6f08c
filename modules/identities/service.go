package identities

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/secret"
	"github.com/tenonhq/tenon/platform/web"
)

// Deps is what the module needs. Every field is required.
type Deps struct {
	DB        *db.DB
	Audit     *audit.Service
	Accounts  *accounts.Service
	Sessions  *sessions.Service
	Post      *mail.Post
	Keys      *secret.Keyring
	Web       *web.Router
	Config    Config // after its Check
	PublicURL func() string
	Now       clock.Now
	Log       *slog.Logger
}

// Service is what other modules may call.
type Service struct {
	Deps
	sources []*source
}

// New returns the identities service. No provider is asked for anything yet.
func New(d Deps) *Service {
	s := &Service{Deps: d}
	for _, p := range d.Config.Providers {
		s.sources = append(s.sources, newSource(p, d.Config, d.PublicURL()+web.Prefix+"/auth/oauth/"+p.ID+"/callback", d.Now))
	}
	return s
}

// Offered lists the providers that people may sign in with.
func (s *Service) Offered() []Offered {
	list := make([]Offered, len(s.sources))
	for i, src := range s.sources {
		list[i] = Offered{ID: src.ID, Name: src.Name, Kind: src.Kind}
	}
	return list
}

func (s *Service) source(provider string) (*source, error) {
	i := slices.IndexFunc(s.sources, func(src *source) bool { return src.ID == provider })
	if i < 0 {
		return nil, ErrNotFound
	}
	return s.sources[i], nil
}

// Answer is what a provider sends a browser back with.
type Answer struct {
	Code   string
	State  string
	Issuer string // who says to have sent it, if it does (RFC 9207)
	Error  string // instead of a code
}

// Finished is what has become of a flow.
type Finished struct {
	Opened     sessions.Opened // without a session where an identity was linked
	RedirectTo string          // a path on this host
	Linking    bool
}

// Finish takes a provider's answer to the flow that it belongs to. browser is the
// value of the cookie that the flow began with.
func (s *Service) Finish(ctx context.Context, provider string, a Answer, browser string, cookie bool) (Finished, error) {
	src, err := s.source(provider)
	if err != nil {
		return Finished{}, err
	}
	f, k, err := s.use(ctx, provider, a.State, browser)
	if err != nil {
		return Finished{RedirectTo: "/"}, err
	}
	out := Finished{RedirectTo: f.redirectTo, Linking: f.purpose == toLink}
	if err := src.checkAnswer(ctx, a.Issuer); err != nil {
		return out, err
	}
	if err := refusal(a); err != nil {
		return out, err
	}
	who, err := src.identify(ctx, a.Code, k)
	if err != nil {
		return out, err
	}
	if out.Linking {
		out.Opened.Account, err = s.link(ctx, src, f, who)
		return out, err
	}
	out.Opened, err = s.signIn(ctx, src, who, cookie)
	return out, err
}

// refusal is why an answer brings no code. What the provider wrote is not repeated.
func refusal(a Answer) error {
	switch {
	case a.Error == "access_denied":
		return ErrCancelled
	case a.Error != "":
		return ErrRefused.Because(errors.New("it answered " + plainWord(a.Error)))
	case a.Code == "":
		return ErrToken.Because(errors.New("the answer brings no code"))
	}
	return nil
}

const bySubject = "a provider's subject finds its account"

// errAgain says that somebody else was quicker, and that it is worth looking again.
var errAgain = errors.New("identities: changed meanwhile")

// signIn lets a person in: to the account that the identity belongs to, or to a new one.
func (s *Service) signIn(ctx context.Context, src *source, who person, cookie bool) (out sessions.Opened, err error) {
	for range 3 {
		held, found := holderOf(ctx, s.DB.Platform(bySubject), who.issuer, who.subject)
		switch {
		case found == nil:
			out, err = s.enter(ctx, src, held, who, cookie)
		case errors.Is(found, db.ErrNoRows):
			out, err = s.join(ctx, src, who, cookie)
		default:
			return out, found
		}
		if !errors.Is(err, errAgain) {
			return out, err
		}
	}
	return out, ErrState.Because(err)
}

// enter opens a session for somebody who is known.
func (s *Service) enter(ctx context.Context, src *source, held holder, who person, cookie bool) (out sessions.Opened, err error) {
	err = s.DB.Platform(bySubject).Tx(ctx, func(tx *db.Tx) error {
		a, err := s.Accounts.In(tx).Get(ctx, held.account)
		switch {
		case errors.Is(err, accounts.ErrNotFound), err == nil && a.Status != accounts.Active:
			return ErrInactive.Because(errors.New(held.account.String() + " is " + string(a.Status)))
		case err != nil:
			return err
		case !a.EmailVerified:
			return accounts.ErrUnverified
		}
		still, err := touchIdentity(ctx, tx, held, cleanEmail(who.email), cleanName(who.name, ""), s.Now())
		if err != nil {
			return err
		}
		if !still {
			return errAgain
		}
		opened, err := s.open(ctx, tx, src, a, who, cookie)
		if err != nil {
			return err
		}
		out = opened
		return nil
	})
	return out, err
}

// join makes an account for somebody who is not known, if the provider has proof of
// their address and nobody else has. An account that only claims the address goes to
// them: whoever made it had no proof.
func (s *Service) join(ctx context.Context, src *source, who person, cookie bool) (out sessions.Opened, err error) {
	email, err := accounts.NormalizeEmail(who.email)
	if err != nil && who.emailVerified {
		return out, s.refuse(ctx, src, accounts.Account{}, ErrEmailUnverified.Because(err))
	}
	var other accounts.Account
	if err == nil {
		if other, err = s.Accounts.ByEmail(ctx, email); err != nil && !errors.Is(err, accounts.ErrNotFound) {
			return out, err
		}
	}
	if _, err := holderOf(ctx, s.DB.Platform(bySubject), who.issuer, who.subject); err == nil {
		return out, errAgain // they came twice at once, and the other time has made the account
	}
	switch {
	case !who.emailVerified:
		return out, s.refuse(ctx, src, other, ErrEmailUnverified)
	case other.EmailVerified:
		return out, s.refuse(ctx, src, other, ErrLinkRequired)
	case !other.ID.IsZero() && other.Status != accounts.Active:
		return out, s.refuse(ctx, src, other, ErrInactive)
	}
	name := cleanName(who.name, email)
	if err := s.Accounts.MaySignUp(ctx, accounts.SignUp{Email: email, Name: name, Via: accounts.ViaProvider}); err != nil {
		return out, err
	}
	prepared, err := s.Accounts.PrepareWithoutPassword(ctx, accounts.NewAccount{Email: email, Name: name, Locale: cleanLocale(who.locale)})
	if err != nil {
		return out, err
	}
	err = s.DB.Platform(bySubject).Tx(ctx, func(tx *db.Tx) error {
		a, err := s.Accounts.In(tx).CreateVerified(ctx, prepared)
		if errors.Is(err, accounts.ErrEmailTaken) {
			return errAgain
		}
		if err != nil {
			return err
		}
		ctx := as(ctx, a)
		if err := s.Sessions.In(tx).EndAll(ctx, a.ID, a.Name, sessions.ID{}, "taken_over"); err != nil {
			return err
		}
		now := s.Now()
		made, err := s.attach(ctx, tx, src, a, who, &now)
		if err != nil {
			return err
		}
		if !made {
			return errAgain
		}
		opened, err := s.open(ctx, tx, src, a, who, cookie)
		if err != nil {
			return err
		}
		out = opened
		return nil
	})
	return out, err
}

// open begins the session, after what the operator's rules give to this person.
func (s *Service) open(ctx context.Context, tx *db.Tx, src *source, a accounts.Account, who person, cookie bool) (sessions.Opened, error) {
	ctx = as(ctx, a)
	roles, administers := claimed(src.rules, who.claims)
	if administers && !a.IsAdmin {
		if err := s.Accounts.In(tx).MakeAdministrator(ctx, a); err != nil {
			return sessions.Opened{}, err
		}
		a.IsAdmin = true
	}
	if len(roles) > 0 {
		event := RolesClaimed{About{a.ID, src.ID}, roles}
		if err := s.Audit.In(tx).Record(ctx, audit.Entry{Event: event, Target: targetOf(a)}); err != nil {
			return sessions.Opened{}, err
		}
	}
	return s.Sessions.In(tx).Begin(ctx, a, sessions.Proof{Method: "provider"}, cookie)
}

// attach makes an identity the account's, and reports whether it was nobody's.
func (s *Service) attach(ctx context.Context, tx *db.Tx, src *source, a accounts.Account, who person, usedAt *time.Time) (bool, error) {
	i := Identity{ID: id.New[identityKind](), Provider: src.ID, Email: cleanEmail(who.email), Name: cleanName(who.name, ""), LinkedAt: s.Now(), LastUsedAt: usedAt}
	made, err := insertIdentity(ctx, tx, a.ID, i, who)
	if err != nil || !made {
		return false, err
	}
	return true, s.Audit.In(tx).Record(ctx, audit.Entry{Event: Linked{About{a.ID, src.ID}, i.ID}, Target: targetOf(a)})
}

// refuse notes that somebody was not let in, and says why. about is the account whose
// address they came with, if there is one: its owner may want to know.
func (s *Service) refuse(ctx context.Context, src *source, about accounts.Account, outcome *errs.Error) error {
	target := audit.Target{Kind: "provider", ID: src.ID, Name: src.Name}
	if !about.ID.IsZero() {
		target = targetOf(about)
	}
	err := s.DB.Platform(bySubject).Tx(ctx, func(tx *db.Tx) error {
		return s.Audit.In(tx).Record(ctx, audit.Entry{Event: SignInRefused{About{about.ID, src.ID}, outcome.Code}, Target: target})
	})
	if err != nil {
		return err
	}
	return outcome
}

// link makes an identity another way in to the account that asked for it.
func (s *Service) link(ctx context.Context, src *source, f flow, who person) (out accounts.Account, err error) {
	err = s.DB.Platform(bySubject).Tx(ctx, func(tx *db.Tx) error {
		a, err := s.held(ctx, tx, f.account)
		if err != nil {
			return err
		}
		alive, err := s.Sessions.In(tx).Alive(ctx, f.account, f.session)
		if err != nil {
			return err
		}
		if !alive || a.Status != accounts.Active {
			return ErrState.Because(errors.New("the session that asked to link has ended"))
		}
		if err := s.attachOnce(as(ctx, a), tx, src, a, who); err != nil {
			return err
		}
		out = a
		return nil
	})
	return out, err
}

// held returns an account that nobody else changes the ways in to until the
// transaction ends.
func (s *Service) held(ctx context.Context, tx *db.Tx, account id.Account) (accounts.Account, error) {
	bound := s.Accounts.In(tx)
	if err := bound.Lock(ctx, account); err != nil {
		return accounts.Account{}, err
	}
	return bound.Get(ctx, account)
}

// attachOnce links an identity unless it is linked to the account already.
func (s *Service) attachOnce(ctx context.Context, tx *db.Tx, src *source, a accounts.Account, who person) error {
	switch other, err := holderOf(ctx, tx, who.issuer, who.subject); {
	case err == nil && other.account == a.ID:
		return nil
	case err == nil:
		return ErrTaken
	case !errors.Is(err, db.ErrNoRows):
		return err
	}
	mine, err := identitiesOf(ctx, tx, a.ID)
	if err != nil {
		return err
	}
	if len(mine) >= maxIdentities {
		return ErrTooMany
	}
	made, err := s.attach(ctx, tx, src, a, who, nil)
	if err != nil {
		return err
	}
	if !made {
		return ErrTaken
	}
	return s.tell(ctx, tx, a, "identity_linked", src.Name)
}

// tell writes to the owner of an account what was done to it.
func (s *Service) tell(ctx context.Context, tx *db.Tx, a accounts.Account, letter, provider string) error {
	return s.Post.Enqueue(ctx, tx, mail.Letter{To: a.Email, Name: letter, Locale: a.Locale, Data: map[string]any{
		"Name": a.Name, "Provider": provider, "At": s.Now().Format(time.RFC1123), "URL": s.PublicURL() + "/forgot-password"}})
}

// Mine lists the caller's identities, oldest first.
func (s *Service) Mine(ctx context.Context, after *position, n int) ([]Identity, error) {
	who := authz.From(ctx).Account
	return identitiesAfter(ctx, s.DB.Account(who), who, after, n)
}

// Unlink takes an identity from the caller's account and ends their other sessions.
// It never takes the last way in.
func (s *Service) Unlink(ctx context.Context, identity ID) (cookies []string, err error) {
	who := authz.From(ctx)
	err = s.DB.Platform("a subject is freed together with the identity of its account").Tx(ctx, func(tx *db.Tx) error {
		a, err := s.held(ctx, tx, who.Account)
		if err != nil {
			return err
		}
		mine, err := identitiesOf(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(mine, func(i Identity) bool { return i.ID == identity })
		if at < 0 {
			return ErrNotFound
		}
		gone := mine[at]
		if !s.leadsIn(a, slices.Delete(mine, at, at+1)) {
			return ErrLastWayIn
		}
		if err := deleteIdentity(ctx, tx, a.ID, identity); err != nil {
			return err
		}
		if err := s.Audit.In(tx).Record(ctx, audit.Entry{Event: Unlinked{About{a.ID, gone.Provider}, identity}, Target: targetOf(a)}); err != nil {
			return err
		}
		if err := s.tell(ctx, tx, a, "identity_unlinked", s.nameOf(gone.Provider)); err != nil {
			return err
		}
		renewed, err := s.Sessions.In(tx).EndOthers(ctx, "identity_unlinked")
		if err != nil {
			return err
		}
		cookies = renewed
		return nil
	})
	return cookies, err
}

// leadsIn reports whether an account with these identities can be signed in to. One of
// a provider that is not offered any more leads nowhere.
func (s *Service) leadsIn(a accounts.Account, left []Identity) bool {
	if a.HasPassword || slices.Contains(a.SecondFactors, accounts.Passkey) {
		return true
	}
	return slices.ContainsFunc(left, func(i Identity) bool {
		src, err := s.source(i.Provider)
		return err == nil && src.mayIssue(i.issuer)
	})
}

func (s *Service) nameOf(provider string) string {
	if src, err := s.source(provider); err == nil {
		return src.Name
	}
	return provider
}

// as makes the account the actor of events that happen while nobody is signed in yet.
func as(ctx context.Context, a accounts.Account) context.Context {
	if authz.From(ctx).Kind != authz.ActorNobody {
		return ctx
	}
	return authz.With(ctx, &authz.Principal{Kind: authz.ActorAccount, Account: a.ID, Name: a.Name})
}

func targetOf(a accounts.Account) audit.Target {
	return audit.Target{Kind: "account", ID: a.ID.String(), Name: a.Name}
}
