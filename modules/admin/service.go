package admin

import (
	"context"
	"errors"
	"time"

	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/modules/mfa"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
)

// Deps is what the module needs. Every field is required.
type Deps struct {
	DB        *db.DB
	Audit     *audit.Service
	Accounts  *accounts.Service
	Sessions  *sessions.Service
	MFA       *mfa.Service
	Orgs      *orgs.Service
	Jobs      *jobs.Queue
	Post      *mail.Post
	Modules   func() []module.Spec // of the whole app, for erasure
	Schemas   func() []db.Schema
	PublicURL func() string
}

// Service is what other modules may call.
type Service struct {
	Deps
	tx *db.Tx
}

// New returns the service of administrators.
func New(d Deps) *Service { return &Service{Deps: d} }

// In returns the service bound to a platform transaction.
func (s *Service) In(tx *db.Tx) *Service {
	bound := &Service{Deps: s.Deps, tx: tx}
	bound.DB = s.DB.In(tx)
	bound.Accounts, bound.Sessions, bound.MFA, bound.Orgs = s.Accounts.In(tx), s.Sessions.In(tx), s.MFA.In(tx), s.Orgs.In(tx)
	return bound
}

// stopping is why these verbs reach the rows of everybody.
const stopping = "administrators stop and change accounts together with what they take part in"

// List lists accounts, newest first.
func (s *Service) List(ctx context.Context, f accounts.Filter, after *accounts.Place, n int) ([]User, error) {
	list, err := s.Accounts.List(ctx, f, after, n)
	if err != nil {
		return nil, err
	}
	people := make([]id.Account, len(list))
	for i, a := range list {
		people[i] = a.ID
	}
	present, err := s.Sessions.Presences(ctx, people...)
	if err != nil {
		return nil, err
	}
	users := make([]User, len(list))
	for i, a := range list {
		users[i] = userOf(a, present[a.ID])
	}
	return users, nil
}

// Get returns one account.
func (s *Service) Get(ctx context.Context, person id.Account) (User, error) {
	a, err := s.Accounts.Administered(ctx, person)
	if err != nil {
		return User{}, err
	}
	present, err := s.Sessions.Presences(ctx, person)
	return userOf(a, present[person]), err
}

// Detail returns one account with its organizations.
func (s *Service) Detail(ctx context.Context, person id.Account) (UserDetail, error) {
	u, err := s.Get(ctx, person)
	if err != nil {
		return UserDetail{}, err
	}
	belongings, err := s.Orgs.Belongings(ctx, person)
	return UserDetail{u, belongings}, err
}

// Suspend stops an account at once, on every node: its sessions end, and it can neither
// sign in nor act by any other means until it is reinstated.
func (s *Service) Suspend(ctx context.Context, person id.Account, why Stop) (User, error) {
	return s.stop(ctx, person, why, "suspended", func(bound *Service, a accounts.Account, reason string) error {
		return bound.Accounts.Suspend(ctx, a, reason)
	})
}

// Reinstate lets a suspended account work again. Its owner has to sign in anew.
func (s *Service) Reinstate(ctx context.Context, person id.Account) (User, error) {
	return s.change(ctx, person, func(bound *Service, a accounts.Account) error {
		if err := bound.Accounts.Reinstate(ctx, a); err != nil {
			return err
		}
		return bound.Orgs.RestartMember(ctx, person)
	})
}

// Delete begins to delete an account: it stops as by Suspend, and is purged in 30 days.
func (s *Service) Delete(ctx context.Context, person id.Account, why Stop) (purgeAt time.Time, err error) {
	u, err := s.stop(ctx, person, why, "deleted", func(bound *Service, a accounts.Account, reason string) error {
		_, err := bound.Accounts.Delete(ctx, a, reason)
		return err
	})
	if err == nil && u.PurgeAt != nil {
		purgeAt = *u.PurgeAt
	}
	return purgeAt, err
}

// Restore takes a deletion back. Who was suspended before is so again.
func (s *Service) Restore(ctx context.Context, person id.Account) (User, error) {
	return s.change(ctx, person, func(bound *Service, a accounts.Account) error {
		if err := bound.Accounts.Restore(ctx, a); err != nil {
			return err
		}
		restored, err := bound.Accounts.Get(ctx, person)
		if err != nil || restored.Status != accounts.Active {
			return err
		}
		return bound.Orgs.RestartMember(ctx, person)
	})
}

// GrantAdministrator makes an account administrate the installation, and tells its owner.
// Who does so already stays as they are.
func (s *Service) GrantAdministrator(ctx context.Context, person id.Account) (User, error) {
	return s.change(ctx, person, func(bound *Service, a accounts.Account) error {
		switch {
		case a.Status != accounts.Active:
			return accounts.ErrNotActive
		case !a.EmailVerified:
			return accounts.ErrUnproven
		case a.IsAdmin:
			return nil
		}
		if err := bound.Accounts.MakeAdministrator(ctx, a); err != nil {
			return err
		}
		return bound.tell(ctx, a, "administrator_granted")
	})
}

// RevokeAdministrator takes the administration from an account, and tells its owner. One
// administrator always stays.
func (s *Service) RevokeAdministrator(ctx context.Context, person id.Account) (User, error) {
	return s.change(ctx, person, func(bound *Service, a accounts.Account) error {
		if !a.IsAdmin {
			return nil
		}
		if err := bound.Accounts.RevokeAdministrator(ctx, a); err != nil {
			return err
		}
		if err := bound.Sessions.EndImpersonationsBy(ctx, person, "administrator_revoked"); err != nil {
			return err
		}
		return bound.tell(ctx, a, "administrator_revoked")
	})
}

// SignOut ends every session of an account.
func (s *Service) SignOut(ctx context.Context, person id.Account) error {
	_, err := s.change(ctx, person, func(bound *Service, a accounts.Account) error {
		return bound.endSessions(ctx, a, "by_administrator")
	})
	return err
}

// SendPasswordReset mails the owner of an account the link to set a new password. Nobody
// else sees it.
func (s *Service) SendPasswordReset(ctx context.Context, person id.Account) error {
	_, err := s.change(ctx, person, func(bound *Service, a accounts.Account) error {
		return bound.Accounts.MailReset(ctx, a)
	})
	return err
}

// ResetSecondFactors takes the second factors from an account whose owner has lost them,
// and signs it out everywhere.
func (s *Service) ResetSecondFactors(ctx context.Context, person id.Account, reason string) (User, error) {
	reason, err := cleanReason(reason)
	if err != nil {
		return User{}, err
	}
	return s.change(ctx, person, func(bound *Service, a accounts.Account) error {
		if person == authz.From(ctx).Account {
			return ErrYourself
		}
		if err := bound.MFA.Reset(ctx, a, reason); err != nil {
			return err
		}
		return bound.endSessions(ctx, a, "second_factors_reset")
	})
}

// Impersonate opens a session in which the caller acts as somebody.
func (s *Service) Impersonate(ctx context.Context, person id.Account, i sessions.Impersonation) (out sessions.Opened, err error) {
	if i.Reason, err = cleanReason(i.Reason); err != nil {
		return out, err
	}
	return s.Sessions.Impersonate(ctx, person, i)
}

// stop stops an account by fn, together with all that it takes part in.
func (s *Service) stop(ctx context.Context, person id.Account, why Stop, how string, fn func(bound *Service, a accounts.Account, reason string) error) (User, error) {
	reason, err := cleanReason(why.Reason)
	if err != nil {
		return User{}, err
	}
	return s.change(ctx, person, func(bound *Service, a accounts.Account) error {
		if person == authz.From(ctx).Account {
			return ErrYourself
		}
		if err := bound.Accounts.KeepAdministrator(ctx, a); err != nil {
			return err
		}
		if err := bound.Orgs.StopMember(ctx, person, why.Orphan); err != nil {
			return err
		}
		if err := fn(bound, a, reason); err != nil {
			return err
		}
		return bound.endSessions(ctx, a, how)
	})
}

// endSessions ends what an account is signed in by, and what it does as others.
func (s *Service) endSessions(ctx context.Context, a accounts.Account, reason string) error {
	if err := s.Sessions.EndImpersonationsBy(ctx, a.ID, reason); err != nil {
		return err
	}
	return s.Sessions.EndAll(ctx, a.ID, a.Name, sessions.ID{}, reason)
}

// change runs fn in a transaction that holds administrators, for a caller who still is
// one: they may have been stopped while their request was on its way.
func (s *Service) change(ctx context.Context, person id.Account, fn func(bound *Service, a accounts.Account) error) (User, error) {
	err := s.DB.Platform(stopping).Tx(ctx, func(tx *db.Tx) error {
		bound := s.In(tx)
		if err := bound.Accounts.HoldAdministrators(ctx); err != nil {
			return err
		}
		if err := bound.mayStill(ctx); err != nil {
			return err
		}
		a, err := bound.Accounts.Get(ctx, person)
		if err == nil && a.Status == accounts.Gone {
			err = accounts.ErrNotFound
		}
		if err != nil {
			return err
		}
		return fn(bound, a)
	})
	if err != nil {
		return User{}, err
	}
	return s.Get(ctx, person)
}

func (s *Service) mayStill(ctx context.Context) error {
	who := authz.From(ctx)
	if who.Kind == authz.ActorSystem || who.Kind == authz.ActorJob {
		return nil
	}
	a, err := s.Accounts.Get(ctx, who.Account)
	if err == nil && (!a.IsAdmin || a.Status != accounts.Active) || errors.Is(err, accounts.ErrNotFound) {
		err = authz.ErrDenied
	}
	return err
}

// tell writes to the owner of an account.
func (s *Service) tell(ctx context.Context, a accounts.Account, letter string) error {
	return s.Post.Enqueue(ctx, s.tx, mail.Letter{To: a.Email, Name: letter, Locale: a.Locale, Data: map[string]any{
		"Name": a.Name, "By": by(ctx), "URL": s.PublicURL() + "/sign-in",
	}})
}

// by names the administrator who acts; nobody, where it is the command line.
func by(ctx context.Context) string {
	if who := authz.From(ctx); who.Kind == authz.ActorAccount {
		return who.Name
	}
	return ""
}
