package orgs

import (
	"context"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

// Belonging is one organization that somebody belongs to.
type Belonging struct {
	ID     id.Org     `json:"id"`
	Slug   string     `json:"slug" example:"acme"`
	Name   string     `json:"name" example:"Acme Ltd"`
	Status Status     `json:"status" enum:"active,suspended,deleting"`
	Role   authz.Role `json:"role" example:"owner"`

	active bool // the member can sign in
}

// Administered is an organization as administrators see it, who do not belong to it.
type Administered struct {
	ID          id.Org     `json:"id"`
	Slug        string     `json:"slug" example:"acme"`
	Name        string     `json:"name" example:"Acme Ltd"`
	Description string     `json:"description"`
	Status      Status     `json:"status" enum:"active,suspended,deleting"`
	PurgeAt     *time.Time `json:"purge_at" doc:"While it is being deleted: when that becomes final"`
	Members     int        `json:"members"`
	Owners      int        `json:"owners" doc:"Those who can sign in"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
}

// Place is where a page of organizations ends.
type Place struct {
	At time.Time `json:"at"`
	ID id.Org    `json:"id"`
}

// Filter narrows a list of organizations. Zero fields do not narrow.
type Filter struct {
	Text   string // part of a name or a slug, or a whole id
	Status Status
}

const oversight = "administrators see all organizations"

// List lists all organizations, newest first, without those that are gone.
func (s *Service) List(ctx context.Context, f Filter, after *Place, n int) ([]Administered, error) {
	f.Text = strings.ToLower(norm.NFKC.String(strings.TrimSpace(f.Text)))
	return listOrgs(ctx, s.DB.Platform(oversight), f, after, n)
}

// Administered returns an organization as administrators see it.
func (s *Service) Administered(ctx context.Context, org id.Org) (Administered, error) {
	return administered(ctx, s.DB.Org(org), org)
}

// Belongings lists what an account belongs to.
func (s *Service) Belongings(ctx context.Context, account id.Account) ([]Belonging, error) {
	return belongings(ctx, s.DB.Platform(oversight), account)
}

// StopMember takes somebody who is about to be stopped out of the count of owners, in all
// their organizations. Where nobody else who can sign in owns one, it is ErrLastOwner,
// which names them, unless orphan says that they may be left without. It holds the rows of
// the organizations, and needs a platform transaction (In).
func (s *Service) StopMember(ctx context.Context, account id.Account, orphan bool) error {
	return s.DB.Platform(oversight).Tx(ctx, func(tx *db.Tx) error {
		held, err := holdAll(ctx, tx, account)
		if err != nil {
			return err
		}
		orphans := []Belonging{}
		for _, b := range held {
			if !b.active || b.Role != authz.Owner || b.Status == Deleting {
				continue
			}
			others, err := otherOwners(ctx, tx, b.ID, account)
			if err != nil {
				return err
			}
			if others == 0 {
				orphans = append(orphans, b)
			}
		}
		if len(orphans) > 0 && !orphan {
			return ErrLastOwner.With("organizations", orphans)
		}
		return setActive(ctx, tx, account, false)
	})
}

// RestartMember counts somebody among the owners again. It needs a platform transaction (In).
func (s *Service) RestartMember(ctx context.Context, account id.Account) error {
	return setActive(ctx, s.DB.Platform(oversight), account, true)
}

// holdAll locks every organization that somebody belongs to, in the order of their ids,
// until there is none that they joined meanwhile.
func holdAll(ctx context.Context, tx *db.Tx, account id.Account) ([]Belonging, error) {
	held := map[id.Org]bool{}
	for {
		all, err := belongings(ctx, tx, account)
		if err != nil {
			return nil, err
		}
		before := len(held)
		for _, b := range all {
			if held[b.ID] {
				continue
			}
			if _, err := lockOrg(ctx, tx, b.ID); err != nil {
				return nil, err
			}
			held[b.ID] = true
		}
		if len(held) == before {
			return all, nil
		}
	}
}

// onAccountSuspended puts right who counts as an owner, where somebody joined at the
// very moment at which they were stopped.
func (s *Service) onAccountSuspended(ctx context.Context, _ db.Conn, e accounts.AccountSuspended) error {
	return s.putRight(ctx, e.AccountID)
}

func (s *Service) onAccountDeleted(ctx context.Context, _ db.Conn, e accounts.Deleted) error {
	return s.putRight(ctx, e.AccountID)
}

func (s *Service) putRight(ctx context.Context, account id.Account) error {
	return s.DB.Platform(oversight).Tx(ctx, func(tx *db.Tx) error {
		held := s.Accounts.In(tx)
		// Who stops the account at this moment comes before or after, not in between.
		if ok, err := found(held.Lock(ctx, account)); err != nil || !ok {
			return err
		}
		a, err := held.Get(ctx, account)
		if err != nil {
			return err
		}
		return setActive(ctx, tx, account, a.Status == accounts.Active)
	})
}
