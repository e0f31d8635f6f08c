package accounts

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/secret"
	"github.com/tenonhq/tenon/platform/web"
)

// Who may sign up. Whoever an organization invites may, in each of the modes.
const (
	SignUpOpen       = "open"
	SignUpInvitation = "invitation"
	SignUpWaitlist   = "waitlist"
	SignUpDomains    = "domains"
)

// The doors by which somebody becomes an account.
const (
	ViaPassword   = "password"
	ViaProvider   = "provider"
	ViaInvitation = "invitation"
)

// The outcomes about signing up.
var (
	ErrSignUpClosed  = errs.New(errs.Forbidden, "accounts.sign_up_closed", "Sign-up is by invitation only.")
	ErrSignUpDomain  = errs.New(errs.Forbidden, "accounts.sign_up_domain", "Sign up with your address at work: this one's domain is not among those that may.")
	ErrSignUpWait    = errs.New(errs.Forbidden, "accounts.sign_up_waitlist", "There is a wait list. Put your address on it; we write when it is your turn.")
	ErrSignUpRefused = errs.New(errs.Forbidden, "accounts.sign_up_refused", "You cannot sign up now. Try again, or ask us for help.")
	ErrSignUpToken   = errs.New(errs.Invalid, "accounts.sign_up_token_invalid", "This link is not valid any more, or is for another address. Ask for a new one.").On("body.sign_up_token")
	ErrEntryNotFound = errs.New(errs.NotFound, "accounts.waitlist_entry_not_found", "The wait list has no such entry.")
)

// SignUp is somebody who is about to sign up, as BeforeSignUp sees them.
type SignUp struct {
	Email   string // normalised
	Name    string
	Via     string // ViaPassword, ViaProvider or ViaInvitation
	Captcha string // what the request had as captcha_token; only by ViaPassword
	Address netip.Addr
}

type entryKind struct{}

// Prefix begins the id of every entry of the wait list.
func (entryKind) Prefix() string { return "wait" }

// EntryID identifies an entry of the wait list.
type EntryID = id.ID[entryKind]

// Entry is somebody who waits to be let in.
type Entry struct {
	ID         EntryID    `json:"id"`
	Email      string     `json:"email" example:"grace@example.com"`
	Name       string     `json:"name" example:"Grace Hopper"`
	CreatedAt  time.Time  `json:"created_at"`
	ApprovedAt *time.Time `json:"approved_at" doc:"When a letter with a link was sent; null while nobody has decided"`
	ExpiresAt  *time.Time `json:"expires_at" doc:"Until when that link may be used; then the entry may be approved again"`
}

func (e Entry) target() audit.Target {
	return audit.Target{Kind: "waitlist_entry", ID: e.ID.String()}
}

const (
	signUpToken  = "signup"
	approvalTerm = 7 * 24 * time.Hour

	onWaitlist = "the wait list is of people who have no account"
)

// MaySignUp says whether somebody may get an account by one of the doors, for doors that
// make accounts themselves. Ask it where there is no account yet, outside of transactions;
// for ViaProvider, once the provider has vouched for the address.
func (s *Service) MaySignUp(ctx context.Context, u SignUp) error {
	u, err := s.admit(ctx, u)
	if err != nil {
		return err
	}
	return s.Config.BeforeSignUp(ctx, u)
}

// admit asks the mode, and completes u for the hook. Where nobody may, the address is
// not even read: the answer is the same for all.
func (s *Service) admit(ctx context.Context, u SignUp) (SignUp, error) {
	if s.Config.SignUp == SignUpInvitation && u.Via != ViaInvitation {
		return u, ErrSignUpClosed
	}
	var err error
	if u.Email, err = NormalizeEmail(u.Email); err != nil {
		return u, err
	}
	if client := web.ClientFrom(ctx); !u.Address.IsValid() {
		u.Address = client.Address
	}
	if u.Via == ViaInvitation {
		return u, nil
	}
	switch s.Config.SignUp {
	case SignUpDomains:
		if !s.isOurDomain(u.Email) {
			return u, ErrSignUpDomain
		}
	case SignUpWaitlist:
		if u.Via != ViaProvider {
			return u, ErrSignUpWait
		}
		approved, err := isApproved(ctx, s.DB.Platform(onWaitlist), u.Email, s.Now())
		if err == nil && !approved {
			err = ErrSignUpWait
		}
		return u, err
	}
	return u, nil
}

// isOurDomain compares the whole domain: one below it may be somebody else's.
func (s *Service) isOurDomain(email string) bool {
	domain := email[strings.LastIndexByte(email, '@')+1:]
	return slices.ContainsFunc(s.Config.SignUpDomains, func(d string) bool {
		ours, err := mail.ParseAddress("postmaster@" + strings.TrimSpace(d))
		return err == nil && ours.Domain() == domain
	})
}

// Waits reports whether somebody who signs up with a password is put on the wait list.
func (s *Service) Waits(n NewAccount) bool {
	return s.Config.SignUp == SignUpWaitlist && n.SignUpToken == ""
}

// PrepareSignUp is Prepare for somebody who signs up with a password: first whether they
// may is asked. The hook comes last but for the slow part, so that no captcha is solved in vain.
func (s *Service) PrepareSignUp(ctx context.Context, n NewAccount) (Prepared, error) {
	u, err := s.admit(ctx, SignUp{Email: n.Email, Name: n.Name, Via: ViaPassword, Captcha: n.Captcha})
	if err != nil {
		return Prepared{}, err
	}
	return s.prepareFor(ctx, u, n)
}

// PrepareApproved is PrepareSignUp for somebody whom the wait list let in. The token is
// looked at and not used up; it is for one address only.
func (s *Service) PrepareApproved(ctx context.Context, n NewAccount) (Prepared, error) {
	email, err := NormalizeEmail(n.Email)
	if err != nil {
		return Prepared{}, err
	}
	if !secret.IsToken(signUpToken, n.SignUpToken) {
		return Prepared{}, ErrSignUpToken
	}
	good, err := isApproval(ctx, s.DB.Platform(onWaitlist), secret.Hash(n.SignUpToken), email, s.Now())
	if err != nil {
		return Prepared{}, err
	}
	if !good {
		return Prepared{}, ErrSignUpToken
	}
	return s.prepareFor(ctx, SignUp{Email: email, Name: n.Name, Via: ViaPassword, Captcha: n.Captcha, Address: web.ClientFrom(ctx).Address}, n)
}

func (s *Service) prepareFor(ctx context.Context, u SignUp, n NewAccount) (Prepared, error) {
	p, err := s.PrepareWithoutPassword(ctx, n)
	if err != nil {
		return p, err
	}
	if _, err := s.policy.check(n.Password, p.email, p.name); err != nil {
		return p, blame(err, "body.password")
	}
	u.Name = p.name
	if err := s.Config.BeforeSignUp(ctx, u); err != nil {
		return p, err
	}
	p.hash, err = s.HashPassword(ctx, n.Password, "body.password", p.email, p.name)
	return p, err
}

// RegisterApproved makes the account of somebody whom the wait list let in, and uses the
// token up: of many at once one wins. The letter has proved the address. It needs a
// platform transaction (In).
func (s *Service) RegisterApproved(ctx context.Context, token string, p Prepared) (Account, error) {
	used, err := useApproval(ctx, s.tx, secret.Hash(token), p.email, s.Now())
	if err != nil {
		return Account{}, err
	}
	if !used {
		return Account{}, ErrSignUpToken
	}
	return s.CreateVerified(ctx, p)
}

// Wait puts somebody on the wait list, once, and keeps no password. The owner of an
// account is told so by mail instead; the answer is the same.
func (s *Service) Wait(ctx context.Context, n NewAccount) error {
	p, err := s.PrepareWithoutPassword(ctx, n)
	if err != nil {
		return err
	}
	if err := s.Config.BeforeSignUp(ctx, SignUp{Email: p.email, Name: p.name, Via: ViaPassword, Captcha: n.Captcha, Address: web.ClientFrom(ctx).Address}); err != nil {
		return err
	}
	// Asked for every address, so that it takes as long for those that have an account.
	tell := s.Limits.Allow(ctx, ratelimit.KeyOf("mail:already_registered", p.email), ratelimit.Every(5, time.Hour)).Allowed
	return s.DB.Platform(onWaitlist).Tx(ctx, func(tx *db.Tx) error {
		a, err := accountByEmail(ctx, tx, p.email)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err == nil && a.EmailVerified {
			if !tell {
				return nil
			}
			return s.Post.Enqueue(ctx, tx, mail.Letter{To: a.Email, Name: "already_registered", Locale: a.Locale,
				Data: map[string]any{"Name": a.Name, "URL": s.PublicURL() + "/sign-in"}})
		}
		return insertEntry(ctx, tx, Entry{ID: id.New[entryKind](), Email: p.email, Name: p.name, CreatedAt: s.Now()})
	})
}

// leaveWaitlist takes whoever gets an account off the list.
func (s *Service) leaveWaitlist(ctx context.Context, email string) error {
	if s.Config.SignUp != SignUpWaitlist {
		return nil
	}
	return deleteEntryOf(ctx, s.tx, email)
}

// waitlist lists who waits, who came first first.
func (s *Service) waitlist(ctx context.Context, after *waiting, n int) ([]Entry, error) {
	return listEntries(ctx, s.DB.Platform(onWaitlist), after, n)
}

// Approve lets somebody in: a letter brings them a link that works once, for their
// address only. Whoever is approved again gets a new one, and the one before is void.
func (s *Service) Approve(ctx context.Context, entry EntryID) (e Entry, err error) {
	token, hash := secret.NewToken(signUpToken)
	now := s.Now()
	err = s.DB.Platform(onWaitlist).Tx(ctx, func(tx *db.Tx) error {
		if e, err = approveEntry(ctx, tx, entry, hash, now, now.Add(approvalTerm)); err != nil {
			return err
		}
		if err := s.Post.Enqueue(ctx, tx, mail.Letter{To: e.Email, Name: "sign_up_approved", Data: map[string]any{
			"Name": e.Name, "URL": s.PublicURL() + "/sign-up?token=" + url.QueryEscape(token), "Days": int(approvalTerm.Hours() / 24)}}); err != nil {
			return err
		}
		return s.Audit.In(tx).Record(ctx, audit.Entry{Event: SignUpApproved{AboutEntry{entry}}, Target: e.target()})
	})
	return e, err
}

// Decline takes somebody off the list, and their link with them. They are not told.
func (s *Service) Decline(ctx context.Context, entry EntryID) error {
	return s.DB.Platform(onWaitlist).Tx(ctx, func(tx *db.Tx) error {
		gone, err := deleteEntry(ctx, tx, entry)
		if err != nil {
			return err
		}
		if !gone {
			return ErrEntryNotFound
		}
		return s.Audit.In(tx).Record(ctx, audit.Entry{Event: SignUpDeclined{AboutEntry{entry}}, Target: Entry{ID: entry}.target()})
	})
}
