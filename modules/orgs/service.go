package orgs

import (
	"context"
	"log/slog"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/cache"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/ratelimit"
)

// Deps is what the module needs. Every field is required.
type Deps struct {
	DB        *db.DB
	Audit     *audit.Service
	Accounts  *accounts.Service
	Sessions  *sessions.Service
	Post      *mail.Post
	Limits    *ratelimit.Limiter
	Changed   *cache.Bus
	Roles     *authz.Catalog
	PublicURL func() string
	CacheOff  bool
	Now       clock.Now
	Log       *slog.Logger
}

// Service is what other modules may call.
type Service struct {
	Deps
	memberships *cache.Memo[memberKey, *member]
}

// memberKey is one person in one organization.
type memberKey struct {
	org     id.Org
	account id.Account
}

// New returns the organizations service.
func New(d Deps) *Service {
	s := &Service{Deps: d}
	s.memberships = cache.Memoize(d.Changed, cache.MemoOptions{Name: "memberships", TTL: time.Minute, NegativeTTL: 10 * time.Second, Size: 50_000, Off: d.CacheOff}, s.loadMembership)
	return s
}

// In returns the service bound to a transaction.
func (s *Service) In(tx *db.Tx) *Service {
	bound := *s
	bound.DB = s.DB.In(tx)
	return &bound
}

// Tag marks what is cached of an organization: everyone's rights in it.
func Tag(org id.Org) cache.Tag { return cache.TagOf("org", org) }

// MemberTag marks what is cached of a person's memberships.
func MemberTag(account id.Account) cache.Tag { return cache.TagOf("member", account) }

const (
	slugs      = "a short name is unique across organizations"
	everywhere = "a person's list of organizations"
)

// member is what is remembered of a person in an organization.
type member struct {
	authz.Membership
	// without is what they are as long as they have no second factor, where the
	// organization requires one; else nil. Whether they have one is known together with
	// who they are.
	without *authz.Membership
}

// Membership returns what the caller is in org, from memory where it can: nothing
// that a change of it does not reach. It is ErrNotFound for strangers, and for API keys
// of another organization.
func (s *Service) Membership(ctx context.Context, org id.Org) (*authz.Membership, error) {
	who := authz.From(ctx)
	if who.Account.IsZero() || who.Key != nil && who.Key.Org != org {
		return nil, ErrNotFound
	}
	m, err := s.memberships.Get(ctx, memberKey{org, who.Account})
	if err != nil {
		return nil, err
	}
	found := &m.Membership
	if m.without != nil {
		me, err := s.Accounts.Me(ctx)
		if err != nil {
			return nil, err
		}
		if len(me.SecondFactors) == 0 {
			found = m.without
		}
	}
	if who.Key != nil {
		found = ofKey(found, who.Key)
	}
	return found, nil
}

// ofKey is what a key may do of what its owner may at this moment: nothing, unless the
// organization is active.
func ofKey(m *authz.Membership, key *authz.Key) *authz.Membership {
	narrow := &authz.Membership{Org: m.Org, Role: m.Role, Perms: authz.Permissions{}, Refusal: m.Refusal}
	for perm := range key.Scopes {
		if m.Refusal == nil && m.Perms[perm] {
			narrow.Perms[perm] = true
		}
	}
	return narrow
}

func (s *Service) loadMembership(ctx context.Context, k memberKey) (*member, []cache.Tag, error) {
	tags := []cache.Tag{Tag(k.org), MemberTag(k.account)}
	row, err := membershipOf(ctx, s.DB.Org(k.org), k.org, k.account)
	if err != nil {
		return nil, tags, err
	}
	m := &member{Membership: authz.Membership{Org: k.org, Role: row.role, Perms: s.permissions(row.role, row.custom)}}
	if row.settings.RequireSecondFactor {
		m.without = &authz.Membership{Org: k.org, Role: row.role, Refusal: ErrFactorRequired}
	}
	m.Refusal = row.status.refusal()
	switch row.status {
	case Active:
	case Suspended:
		m.Perms = only(m.Perms, PermRead)
	case Deleting:
		m.Perms = only(m.Perms, PermRead, PermDelete)
		if row.role != authz.Owner {
			return nil, tags, ErrNotFound
		}
	default:
		return nil, tags, ErrNotFound
	}
	return m, tags, nil
}

// permissions are those of a role: custom holds them where the role is an organization's own.
func (s *Service) permissions(role authz.Role, custom []authz.Permission) authz.Permissions {
	if isBuiltIn(role) {
		return s.Roles.Of(role)
	}
	return s.Roles.Known(custom)
}

// Create makes an organization owned by the caller.
func (s *Service) Create(ctx context.Context, n NewOrg) (Org, error) {
	n, err := n.clean()
	if err != nil {
		return Org{}, err
	}
	owner, err := s.Accounts.Me(ctx)
	if err != nil {
		return Org{}, err
	}
	now := s.Now()
	org := Org{ID: id.New[id.OrgKind](), Slug: n.Slug, Name: n.Name, Description: n.Description, Role: authz.Owner, Status: Active, CreatedAt: now, UpdatedAt: now}
	err = s.DB.Platform(slugs).Tx(ctx, func(tx *db.Tx) error {
		if err := insertOrg(ctx, tx, org); err != nil {
			return err
		}
		if err := insertSlug(ctx, tx, org.Slug, org.ID); err != nil {
			return err
		}
		if _, err := insertMember(ctx, tx, org.ID, newMember(owner, authz.Owner, now)); err != nil {
			return err
		}
		if err := s.Accounts.In(tx).SetDefaultOrg(ctx, owner.ID, org.ID); err != nil {
			return err
		}
		if err := s.Changed.Invalidate(ctx, tx, MemberTag(owner.ID)); err != nil {
			return err
		}
		return s.Audit.In(tx).Record(ctx, audit.Entry{Event: Created{About{org.ID}, owner.ID}, Target: org.target()})
	})
	return org, err
}

// Mine lists the caller's organizations, oldest membership first.
func (s *Service) Mine(ctx context.Context, after *place[id.OrgKind], n int) ([]Org, error) {
	return orgsOf(ctx, s.DB.Platform(everywhere), authz.From(ctx).Account, after, n)
}

// Get returns an organization, with the role that the caller has in it.
func (s *Service) Get(ctx context.Context, org id.Org) (Org, error) {
	o, err := orgByID(ctx, s.DB.Org(org), org)
	if err == nil && o.Status == Gone {
		err = ErrNotFound
	}
	o.Role = authz.MembershipFrom(ctx).Role
	return o, err
}

// Update changes an organization.
func (s *Service) Update(ctx context.Context, org id.Org, u Update) (Org, error) {
	c := s.DB.Org(org)
	if u.Slug != nil {
		c = s.DB.Platform(slugs)
	}
	lacks, err := s.lacksFactor(ctx)
	if err != nil {
		return Org{}, err
	}
	var out Org
	err = s.changeOn(ctx, c, org, PermUpdate, func(h *held) error {
		if u.Match != nil {
			if err := u.Match(h.org.UpdatedAt); err != nil {
				return err
			}
		}
		changed := h.org
		changes, err := u.apply(&changed)
		if err != nil {
			return err
		}
		if _, turned := changes[requireFactor]; turned && changed.Settings.RequireSecondFactor && lacks {
			return ErrFactorNeeded
		}
		if len(changes) > 0 {
			changed.UpdatedAt = s.Now()
			if err := h.save(ctx, changed, changes); err != nil {
				return err
			}
		}
		out = changed
		return nil
	})
	return out, err
}

// lacksFactor reports whether the caller is a person without a second factor.
func (s *Service) lacksFactor(ctx context.Context) (bool, error) {
	if authz.From(ctx).Account.IsZero() {
		return false, nil
	}
	me, err := s.Accounts.Me(ctx)
	return len(me.SecondFactors) == 0, err
}

// Delete begins to delete an organization: it stops at once, and can be restored for 30 days.
func (s *Service) Delete(ctx context.Context, org id.Org) (purgeAt time.Time, err error) {
	err = s.change(ctx, org, PermDelete, func(h *held) error {
		at := s.Now().Add(grace)
		if err := setStatus(ctx, h.tx, org, Deleting, at, s.Now()); err != nil {
			return err
		}
		if err := h.record(ctx, Deleted{About{org}, at}, h.org.target(), nil, Tag(org)); err != nil {
			return err
		}
		purgeAt = at
		return nil
	})
	return purgeAt, err
}

// Restore takes a deletion back.
func (s *Service) Restore(ctx context.Context, org id.Org) (Org, error) {
	var out Org
	err := s.DB.Org(org).Tx(ctx, func(tx *db.Tx) error {
		h, err := s.In(tx).hold(ctx, tx, org)
		if err != nil {
			return err
		}
		if err := h.allow(PermDelete); err != nil {
			return err
		}
		if h.org.Status != Deleting {
			return ErrNotDeleting
		}
		restored := h.org
		restored.Status, restored.PurgeAt, restored.UpdatedAt = Active, nil, s.Now()
		if err := setStatus(ctx, tx, org, Active, time.Time{}, restored.UpdatedAt); err != nil {
			return err
		}
		if err := h.record(ctx, Restored{About{org}}, h.org.target(), nil, Tag(org)); err != nil {
			return err
		}
		out = restored
		return nil
	})
	return out, err
}

// change runs fn while it holds the row of an active organization, for a caller who
// has perm in it. The request was admitted by what is remembered of its caller; under
// the lock that is looked up again, since it may have changed meanwhile.
func (s *Service) change(ctx context.Context, org id.Org, perm authz.Permission, fn func(h *held) error) error {
	return s.changeOn(ctx, s.DB.Org(org), org, perm, fn)
}

func (s *Service) changeOn(ctx context.Context, c db.Conn, org id.Org, perm authz.Permission, fn func(h *held) error) error {
	return c.Tx(ctx, func(tx *db.Tx) error {
		h, err := s.In(tx).hold(ctx, tx, org)
		if err != nil {
			return err
		}
		if err := h.org.Status.refusal(); err != nil {
			return err
		}
		if err := h.allow(perm); err != nil {
			return err
		}
		return fn(h)
	})
}

// Hold locks the row of an active organization until the transaction ends, for a module
// whose change depends on its caller's rights there: they need perm, and all of give,
// which they hand on. What was remembered of them may have changed; it is looked up
// again under the lock.
func (s *Service) Hold(ctx context.Context, tx *db.Tx, org id.Org, perm authz.Permission, give authz.Permissions) (Org, error) {
	h, err := s.In(tx).hold(ctx, tx, org)
	if err != nil {
		return Org{}, err
	}
	if err := h.org.Status.refusal(); err != nil {
		return h.org, err
	}
	if err := h.allow(perm); err != nil {
		return h.org, err
	}
	if !h.caller.cover(give) {
		return h.org, ErrBeyondRights
	}
	return h.org, nil
}

// held is an organization whose row a transaction has locked, and what the caller may do in it.
type held struct {
	s      *Service // bound to tx
	tx     *db.Tx
	org    Org
	caller rights
}

// hold locks the row of an organization: others who want to change who belongs to it
// wait until the transaction ends. The service is bound to tx.
func (s *Service) hold(ctx context.Context, tx *db.Tx, org id.Org) (*held, error) {
	o, err := lockOrg(ctx, tx, org)
	if err != nil {
		return nil, err
	}
	if o.Status == Gone {
		return nil, ErrNotFound
	}
	caller, err := s.callerRights(ctx, tx, org)
	if err != nil {
		return nil, err
	}
	o.Role = caller.role
	return &held{s: s, tx: tx, org: o, caller: caller}, nil
}

func (h *held) allow(perm authz.Permission) error {
	if !h.caller.cover(authz.Permissions{perm: true}) {
		return authz.ErrDenied
	}
	return nil
}

// record notes what happened and forgets what is cached of it.
func (h *held) record(ctx context.Context, e jobs.Args, target audit.Target, changes map[string]audit.Change, outdated ...cache.Tag) error {
	if err := h.s.Changed.Invalidate(ctx, h.tx, outdated...); err != nil {
		return err
	}
	return h.s.Audit.In(h.tx).Record(ctx, audit.Entry{Event: e, Target: target, Changes: changes})
}

// save stores a changed organization. A short name that it gives up is free at once.
func (h *held) save(ctx context.Context, changed Org, changes map[string]audit.Change) error {
	if changed.Slug != h.org.Slug {
		if err := replaceSlug(ctx, h.tx, changed.Slug, changed.ID); err != nil {
			return err
		}
	}
	if err := updateOrg(ctx, h.tx, changed); err != nil {
		return err
	}
	var outdated []cache.Tag
	if _, turned := changes[requireFactor]; turned {
		outdated = append(outdated, Tag(changed.ID))
	}
	return h.record(ctx, Updated{About{changed.ID}}, changed.target(), changes, outdated...)
}
