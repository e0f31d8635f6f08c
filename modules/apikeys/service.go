package apikeys

import (
	"context"
	"log/slog"
	"time"

	"github.com/tenonhq/tenon/internal/activity"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/cache"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
)

// Deps is what the module needs. Every field is required.
type Deps struct {
	DB       *db.DB
	Audit    *audit.Service
	Accounts *accounts.Service
	Orgs     *orgs.Service
	Post     *mail.Post
	Changed  *cache.Bus
	Roles    *authz.Catalog
	CacheOff bool
	Now      clock.Now
	Log      *slog.Logger
}

// Service is what other modules may call.
type Service struct {
	Deps
	known *cache.Memo[digest, *resolved]
	used  *activity.Log[ID, use]
}

// New returns the service of API keys.
func New(d Deps) *Service {
	s := &Service{Deps: d}
	s.used = activity.New(d.Log, s.writeUse)
	s.known = cache.Memoize(d.Changed, cache.MemoOptions{Name: "API keys", TTL: time.Minute, Size: 50_000, Off: d.CacheOff}, s.resolve)
	return s
}

// In returns the service bound to a transaction.
func (s *Service) In(tx *db.Tx) *Service {
	bound := *s
	bound.DB = s.DB.In(tx)
	return &bound
}

func tagOf(key ID) cache.Tag { return cache.TagOf("api_key", key) }

// List lists the keys of an organization, newest first.
func (s *Service) List(ctx context.Context, org id.Org, after *place, n int) ([]Key, error) {
	return listKeys(ctx, s.DB.Org(org), org, after, n)
}

// Get returns a key of an organization, or ErrNotFound.
func (s *Service) Get(ctx context.Context, org id.Org, key ID) (Key, error) {
	return keyByID(ctx, s.DB.Org(org), org, key)
}

// Create makes a key for the caller, who has every right that it gets, and returns its
// value: the only time that anyone sees it.
func (s *Service) Create(ctx context.Context, org id.Org, n NewKey) (Key, string, error) {
	who := authz.From(ctx)
	if who.Account.IsZero() || who.Key != nil {
		return Key{}, "", authz.ErrNotByKey
	}
	now := s.Now()
	n, err := n.clean(s.Roles, now)
	if err != nil {
		return Key{}, "", err
	}
	value, prefix, hash := newValue()
	key := Key{ID: id.New[keyKind](), Name: n.Name, Prefix: prefix, AccountID: who.Account, Scopes: n.Scopes, CreatedAt: now, ExpiresAt: n.ExpiresAt}
	err = s.change(ctx, org, setOf(n.Scopes), func(tx *db.Tx) error {
		count, err := countKeys(ctx, tx, org, now)
		if err != nil {
			return err
		}
		if count >= maxKeys {
			return ErrTooMany
		}
		if err := insertKey(ctx, tx, org, key, hash); err != nil {
			return err
		}
		return s.record(ctx, tx, Created{key.about(org)}, key, map[string]audit.Change{"scopes": {To: key.Scopes}, "expires_at": {To: key.ExpiresAt}})
	})
	return key, value, err
}

// Rename gives a key another name.
func (s *Service) Rename(ctx context.Context, org id.Org, key ID, name string) (Key, error) {
	name, err := cleanName(name)
	if err != nil {
		return Key{}, err
	}
	var out Key
	err = s.change(ctx, org, nil, func(tx *db.Tx) error {
		before, err := keyByID(ctx, tx, org, key)
		if err != nil || before.Name == name {
			out = before
			return err
		}
		renamed, err := renameKey(ctx, tx, org, key, name)
		if err != nil {
			return err
		}
		// Events name the key that acts: those to come, by its new name.
		if err := s.Changed.Invalidate(ctx, tx, tagOf(key)); err != nil {
			return err
		}
		out = renamed
		return s.record(ctx, tx, Renamed{renamed.about(org)}, renamed, map[string]audit.Change{"name": {From: before.Name, To: name}})
	})
	return out, err
}

// Rotate gives the caller's own key a new value and returns it. The old one works until
// the overlap is over; while it does, the key is rotated again only without an overlap,
// which ends every value but the newest. Of many at once, one does.
func (s *Service) Rotate(ctx context.Context, org id.Org, key ID, r Rotation) (Key, string, error) {
	who, now := authz.From(ctx), s.Now()
	expires, err := cleanExpiry(r.ExpiresAt, now)
	if err != nil {
		return Key{}, "", err
	}
	before, seen, err := valueOf(ctx, s.DB.Org(org), org, key)
	switch {
	case err != nil:
		return Key{}, "", err
	case who.Key != nil:
		return Key{}, "", authz.ErrNotByKey
	case before.AccountID != who.Account:
		return Key{}, "", ErrNotYours
	case before.expired(now):
		return Key{}, "", ErrExpired
	}
	if expires == nil {
		expires = before.ExpiresAt
	}
	value, prefix, hash := newValue()
	var out Key
	err = s.change(ctx, org, nil, func(tx *db.Tx) error {
		rotated, err := rotateKey(ctx, tx, org, key, newest{seen: seen, hash: hash, prefix: prefix, expiresAt: expires, overlap: r.overlap(), now: now})
		if err != nil {
			return err
		}
		if err := s.Changed.Invalidate(ctx, tx, tagOf(key)); err != nil {
			return err
		}
		out = rotated
		return s.record(ctx, tx, Rotated{rotated.about(org)}, rotated, map[string]audit.Change{"previous_expires_at": {To: rotated.PreviousExpiresAt}, "expires_at": {From: before.ExpiresAt, To: rotated.ExpiresAt}})
	})
	return out, value, err
}

// Revoke ends a key, whoever made it, with all its values.
func (s *Service) Revoke(ctx context.Context, org id.Org, key ID) error {
	return s.change(ctx, org, nil, func(tx *db.Tx) error {
		gone, err := deleteKey(ctx, tx, org, key)
		if err != nil {
			return err
		}
		return s.revoked(ctx, tx, org, gone, "by_member")
	})
}

// revoked says that a key has ended: to everybody at once.
func (s *Service) revoked(ctx context.Context, tx *db.Tx, org id.Org, key Key, reason string) error {
	if err := s.Changed.Invalidate(ctx, tx, tagOf(key.ID)); err != nil {
		return err
	}
	return s.record(ctx, tx, Revoked{key.about(org), reason}, key, nil)
}

// change runs fn while the organization's row is held, for a caller who may manage keys
// and has all that the change hands on.
func (s *Service) change(ctx context.Context, org id.Org, give authz.Permissions, fn func(tx *db.Tx) error) error {
	return s.DB.Org(org).Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Orgs.Hold(ctx, tx, org, PermManage, give); err != nil {
			return err
		}
		return fn(tx)
	})
}

func (s *Service) record(ctx context.Context, tx *db.Tx, e jobs.Args, key Key, changes map[string]audit.Change) error {
	return s.Audit.In(tx).Record(ctx, audit.Entry{Event: e, Target: key.target(), Changes: changes})
}
