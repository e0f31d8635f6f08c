package mfa

import (
	"context"
	"errors"
	"log/slog"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/modules/passkeys"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/secret"
)

// Deps is what the module needs. Every field is required.
type Deps struct {
	DB        *db.DB
	Audit     *audit.Service
	Accounts  *accounts.Service
	Sessions  *sessions.Service
	Passkeys  *passkeys.Service
	Keys      *secret.Keyring
	Post      *mail.Post
	PublicURL func() string
	Product   string
	Now       clock.Now
	Log       *slog.Logger
}

// Service is what other modules may call.
type Service struct {
	Deps
	tx *db.Tx
}

// New returns the service.
func New(d Deps) *Service { return &Service{Deps: d} }

// In returns the service bound to a transaction, of the account.
func (s *Service) In(tx *db.Tx) *Service {
	bound := &Service{Deps: s.Deps, tx: tx}
	bound.DB, bound.Accounts, bound.Sessions, bound.Passkeys = s.DB.In(tx), s.Accounts.In(tx), s.Sessions.In(tx), s.Passkeys.In(tx)
	return bound
}

// Finish is the second half of a sign-in: it opens the session that a challenge stands
// for. A wrong factor leaves the challenge open; a right one is used up together with it.
func (s *Service) Finish(ctx context.Context, challenge string, g Given, cookie bool) (opened sessions.Opened, err error) {
	a, err := s.Sessions.Challenged(ctx, challenge)
	if err != nil {
		return opened, err
	}
	g.purpose = passkeys.SecondFactor
	err = s.prove(ctx, a, g, func(bound *Service) error {
		o, err := bound.Sessions.Complete(ctx, a, challenge, string(g.Method), cookie)
		opened = o
		return err
	})
	return opened, err
}

// Confirm makes the caller's session fresh: by their password, where that is all they
// have, else by a second factor.
func (s *Service) Confirm(ctx context.Context, password string, g Given) ([]string, error) {
	if g.Method != "" && password != "" {
		return nil, ErrOneProof
	}
	a, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	if g.Method != "" {
		return s.freshen(ctx, a, g)
	}
	return s.confirmByPassword(ctx, a, password)
}

// confirmByPassword does not even look at a password that would not be enough.
func (s *Service) confirmByPassword(ctx context.Context, a accounts.Account, password string) (cookies []string, err error) {
	if len(a.SecondFactors) == 0 {
		if a, err = s.Sessions.CheckPassword(ctx, password); err != nil {
			if errors.Is(err, sessions.ErrPassword) {
				err = sessions.ErrPassword.On("body.password")
			}
			return nil, err
		}
	}
	if len(a.SecondFactors) > 0 { // perhaps since a moment ago
		return nil, authz.ErrFresh.With("methods", sessions.ConfirmBy(a))
	}
	err = s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error {
		cookies, err = s.In(tx).Sessions.Freshen(ctx)
		return err
	})
	return cookies, err
}

// Verify checks a code of the caller, of either kind. It is a proof: their session is
// fresh afterwards.
func (s *Service) Verify(ctx context.Context, code string) ([]string, error) {
	a, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	return s.freshen(ctx, a, given(code))
}

func (s *Service) freshen(ctx context.Context, a accounts.Account, g Given) (cookies []string, err error) {
	g.purpose = passkeys.Confirm
	err = s.prove(ctx, a, g, func(bound *Service) error {
		c, err := bound.Sessions.Freshen(ctx)
		cookies = c
		return err
	})
	return cookies, err
}

// given is a code whose kind shows by its looks.
func given(code string) Given {
	_, m := readCode(code)
	if m == "" {
		m = TOTP // it is wrong, and counted as a guess
	}
	return Given{Method: m, Code: code}
}

// caller returns the account of a caller who acts for themselves: whoever only acts as
// somebody neither proves to be that person nor gives them a factor.
func (s *Service) caller(ctx context.Context) (accounts.Account, error) {
	if authz.From(ctx).Impersonator != nil {
		return accounts.Account{}, authz.ErrNotByImpersonation
	}
	return s.Accounts.Me(ctx)
}

// prove takes a second factor of an account and does, in the same transaction, what it
// is good for. Whatever takes one counts as one guess of the account's, and must stand
// outside of transactions. then may run twice.
func (s *Service) prove(ctx context.Context, a accounts.Account, g Given, then func(bound *Service) error) error {
	ok, err := s.Sessions.Guess(ctx, sessions.Factor(a), a, func() (ok bool, err error) {
		err = s.DB.Account(a.ID).Tx(ctx, func(tx *db.Tx) error {
			bound := s.In(tx)
			right, err := bound.spend(ctx, a, g)
			switch {
			case err != nil:
			case right:
				err = then(bound)
			default:
				err = bound.record(ctx, a, CodeRejected{About{a.ID}, g.Method})
			}
			ok = right
			return err
		})
		return ok, err
	})
	if err == nil && !ok {
		err = ErrCode
	}
	return err
}

// spend uses up a second factor of an account, and reports whether it is one: of many at
// once, one finds it unused.
func (s *Service) spend(ctx context.Context, a accounts.Account, g Given) (bool, error) {
	switch g.Method {
	case TOTP:
		return s.spendTOTP(ctx, a, g.Code)
	case BackupCode:
		return s.spendBackupCode(ctx, a, g.Code)
	case Passkey:
		return s.Passkeys.Verify(ctx, a, g.purpose, g.Credential)
	}
	return false, ErrMethod
}

// Reset takes every second factor from an account whose owner has lost them, and tells
// them. It needs a transaction (In) that reaches the account.
func (s *Service) Reset(ctx context.Context, a accounts.Account, reason string) error {
	if err := s.Accounts.Lock(ctx, a.ID); err != nil {
		return err
	}
	apps, err := deleteDevices(ctx, s.tx, a.ID, DeviceID{})
	if err != nil {
		return err
	}
	if err := deleteBackupCodes(ctx, s.tx, a.ID); err != nil {
		return err
	}
	if err := forgetSteps(ctx, s.tx, a.ID); err != nil {
		return err
	}
	removed, err := s.Passkeys.RemoveAll(ctx, a)
	if err != nil {
		return err
	}
	if apps+removed == 0 {
		return ErrNone
	}
	if err := s.Accounts.SetSecondFactor(ctx, a.ID, accounts.TOTP, false); err != nil {
		return err
	}
	if err := s.record(ctx, a, Reset{About{a.ID}, reason}); err != nil {
		return err
	}
	return s.tell(ctx, a, "second_factors_reset", map[string]any{"Reason": reason})
}

func (s *Service) record(ctx context.Context, a accounts.Account, e jobs.Args) error {
	return s.Audit.In(s.tx).Record(ctx, audit.Entry{Event: e, Target: audit.Target{Kind: "account", ID: a.ID.String(), Name: a.Name}})
}

// tell writes to the owner of an account.
func (s *Service) tell(ctx context.Context, a accounts.Account, letter string, data map[string]any) error {
	data["Name"], data["URL"] = a.Name, s.PublicURL()+"/forgot-password"
	return s.Post.Enqueue(ctx, s.tx, mail.Letter{To: a.Email, Name: letter, Locale: a.Locale, Data: data})
}
