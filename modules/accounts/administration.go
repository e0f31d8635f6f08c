package accounts

import (
	"context"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// Administered is an account as administrators see it.
type Administered struct {
	Account
	SuspendedAt *time.Time
	PurgeAt     *time.Time // while it is being deleted: when that becomes final
}

// Place is where a page of accounts ends.
type Place struct {
	At time.Time  `json:"at"`
	ID id.Account `json:"id"`
}

// Filter narrows a list of accounts. Zero fields do not narrow.
type Filter struct {
	Text           string // part of a name or an address, or a whole account id
	Status         Status
	Unverified     bool // only those whose address is not proven yet
	Administrators bool
}

// grace is how long a deleted account can be restored.
const grace = 30 * 24 * time.Hour

const oversight = "administrators see all accounts"

// List lists accounts, newest first, without those that are gone.
func (s *Service) List(ctx context.Context, f Filter, after *Place, n int) ([]Administered, error) {
	f.Text = strings.ToLower(norm.NFKC.String(strings.TrimSpace(f.Text)))
	return listAccounts(ctx, s.DB.Platform(oversight), f, after, n)
}

// Administered returns an account as administrators see it. One that is gone is ErrNotFound.
func (s *Service) Administered(ctx context.Context, account id.Account) (Administered, error) {
	a, err := administered(ctx, s.DB.Account(account), account)
	if err == nil && a.Status == Gone {
		err = ErrNotFound
	}
	return a, err
}

// HoldAdministrators makes those who change who administrates the installation take
// turns: of two who stop each other at once, the second sees what the first did. Hold it
// before the rows of organizations and accounts. It needs a platform transaction (In).
func (s *Service) HoldAdministrators(ctx context.Context) error {
	return holdAdministrators(ctx, s.tx, s.Now())
}

// KeepAdministrator is ErrLastAdministrator where nobody else who can sign in
// administrates the installation. It needs a transaction (In) that holds administrators.
func (s *Service) KeepAdministrator(ctx context.Context, a Account) error {
	if !a.IsAdmin || a.Status != Active {
		return nil
	}
	others, err := otherAdministrators(ctx, s.tx, a.ID)
	if err == nil && others == 0 {
		err = ErrLastAdministrator
	}
	return err
}

// Suspend stops an account until it is reinstated. Links that were mailed to it are
// void; its sessions are the caller's to end in the same transaction (In).
func (s *Service) Suspend(ctx context.Context, a Account, reason string) error {
	done, err := suspend(ctx, s.tx, a.ID, s.Now())
	if err := or(done, err, ErrNotActive); err != nil {
		return err
	}
	return s.stop(ctx, a, AccountSuspended{About{a.ID}}, reason)
}

// Reinstate lets a suspended account work again. It needs a transaction (In).
func (s *Service) Reinstate(ctx context.Context, a Account) error {
	done, err := reinstate(ctx, s.tx, a.ID)
	if err := or(done, err, ErrNotSuspended); err != nil {
		return err
	}
	return s.change(ctx, a, Reinstated{About{a.ID}}, nil)
}

// Delete begins to delete an account: it stops at once, and can be restored for 30 days.
// Links that were mailed to it are void; its sessions are the caller's to end in the same
// transaction (In).
func (s *Service) Delete(ctx context.Context, a Account, reason string) (purgeAt time.Time, err error) {
	purgeAt = s.Now().Add(grace)
	done, err := beginDeletion(ctx, s.tx, a.ID, purgeAt)
	if err := or(done, err, ErrDeleting); err != nil {
		return purgeAt, err
	}
	return purgeAt, s.stop(ctx, a, Deleted{About{a.ID}, purgeAt}, reason)
}

// Restore takes a deletion back, as long as the account is not purged. One that was
// suspended is suspended again. It needs a transaction (In).
func (s *Service) Restore(ctx context.Context, a Account) error {
	done, err := restore(ctx, s.tx, a.ID, s.Now())
	if err := or(done, err, ErrNotDeleting); err != nil {
		return err
	}
	return s.change(ctx, a, Restored{About{a.ID}}, nil)
}

// RevokeAdministrator takes the administration of the installation from an account. It
// needs a transaction (In) that holds administrators.
func (s *Service) RevokeAdministrator(ctx context.Context, a Account) error {
	if err := s.KeepAdministrator(ctx, a); err != nil {
		return err
	}
	if err := setAdmin(ctx, s.tx, a.ID, false); err != nil {
		return err
	}
	return s.change(ctx, a, AdministratorRevoked{About{a.ID}}, nil)
}

// MailReset mails the owner of an account the link to set a new password, as if they
// had asked for it. It needs a transaction (In).
func (s *Service) MailReset(ctx context.Context, a Account) error {
	if a.Status != Active {
		return ErrNotActive
	}
	if err := s.record(ctx, a, PasswordResetRequested{About{a.ID}}, nil); err != nil {
		return err
	}
	return s.mailToken(ctx, a, resetPassword, a.Email)
}

// Due lists accounts whose grace is over, and those whose erasure was broken off.
func (s *Service) Due(ctx context.Context, n int) ([]id.Account, error) {
	return dueAccounts(ctx, s.DB.Platform("accounts whose grace is over"), s.Now(), n)
}

// Bury makes the deletion of an account final, if its time has come, and returns what is
// to be erased: nothing, as due, where it was restored or erased meanwhile.
func (s *Service) Bury(ctx context.Context, account id.Account) (a Account, due bool, err error) {
	err = s.DB.Account(account).Tx(ctx, func(tx *db.Tx) error {
		buried, err := bury(ctx, tx, account, s.Now())
		if err != nil {
			return err
		}
		if buried {
			// Nothing that is recorded from here on may name anybody.
			nameless := Account{ID: account}
			if err := s.In(tx).change(ctx, nameless, Purged{About{account}}, nil); err != nil {
				return err
			}
		}
		a, due, err = gone(ctx, tx, account)
		return err
	})
	return a, due, err
}

// or is what went wrong, or the outcome where the account was not in the right state.
func or(done bool, err error, outcome error) error {
	if err == nil && !done {
		return outcome
	}
	return err
}

// stop notes that an account stopped, and why. The reason may describe a person.
func (s *Service) stop(ctx context.Context, a Account, e jobs.Args, reason string) error {
	if err := voidTokens(ctx, s.tx, a.ID, s.Now()); err != nil {
		return err
	}
	return s.change(ctx, a, e, map[string]audit.Change{"reason": {To: reason}})
}

// change notes a change, and forgets what is cached of the account.
func (s *Service) change(ctx context.Context, a Account, e jobs.Args, changes map[string]audit.Change) error {
	if err := s.Changed.Invalidate(ctx, s.tx, Tag(a.ID)); err != nil {
		return err
	}
	return s.record(ctx, a, e, changes)
}
