package apikeys

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/netip"
	"time"

	"github.com/tenonhq/tenon/internal/activity"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/cache"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/secret"
	"github.com/tenonhq/tenon/platform/web"
)

// digest is the hash of a key: what is remembered opens nothing.
type digest [sha256.Size]byte

// resolved is a key that was good when it was looked at.
type resolved struct {
	principal *authz.Principal
	key       ID
	org       id.Org
	expires   time.Time // of the value or the key, whichever is first; zero: never
}

// Principal returns who shows a key. It asks the database only when the answer is not in
// memory; a revoked key is forgotten at once.
func (s *Service) Principal(ctx context.Context, key string) (*authz.Principal, error) {
	r, now, err := s.good(ctx, key)
	if err != nil {
		return nil, err
	}
	s.used.Saw(r.key, use{r.org, now, web.ClientFrom(ctx).Address})
	return r.principal, nil
}

// Still returns who a key belongs to, like Principal, without taking that for a use of it.
func (s *Service) Still(ctx context.Context, key string) (*authz.Principal, error) {
	r, _, err := s.good(ctx, key)
	if err != nil {
		return nil, err
	}
	return r.principal, nil
}

func (s *Service) good(ctx context.Context, key string) (*resolved, time.Time, error) {
	now := s.Now()
	if !secret.IsToken(tokenKind, key) {
		return nil, now, web.ErrCredential(errors.New("the API key is not one of ours"))
	}
	r, err := s.known.Get(ctx, digest(secret.Hash(key)))
	if err != nil {
		return nil, now, err
	}
	if !r.expires.IsZero() && !now.Before(r.expires) {
		return nil, now, web.ErrCredential(errors.New("the API key has expired"))
	}
	return r, now, nil
}

// resolve loads a key and the account that made it, in one statement. Whether they still
// belong to the organization, and what they may do there, is asked with each request.
func (s *Service) resolve(ctx context.Context, hash digest) (*resolved, []cache.Tag, error) {
	found, err := keyByHash(ctx, s.DB.Platform("an API key finds its organization and its owner"), hash[:], s.Now())
	if errors.Is(err, db.ErrNoRows) {
		err = web.ErrCredential(errors.New("there is no such API key, or it was rotated"))
	}
	if err != nil {
		return nil, nil, err
	}
	a := found.owner
	if a.Status != accounts.Active {
		return nil, nil, web.ErrCredential(errors.New("the account of the API key's owner is " + string(a.Status)))
	}
	key := &authz.Key{ID: found.key.ID.String(), Name: found.key.Name, Org: found.org, Scopes: setOf(found.key.Scopes)}
	r := &resolved{key: found.key.ID, org: found.org, expires: found.ends(),
		principal: &authz.Principal{Kind: authz.ActorKey, Account: a.ID, Name: a.Name, Key: key, Subject: a}}
	return r, []cache.Tag{tagOf(found.key.ID), accounts.Tag(a.ID)}, nil
}

// ends is when the value that was shown stops working; zero: never.
func (f found) ends() (at time.Time) {
	if f.key.ExpiresAt != nil {
		at = *f.key.ExpiresAt
	}
	if until := f.key.PreviousExpiresAt; f.previous && (at.IsZero() || until.Before(at)) {
		at = *until
	}
	return at
}

// use is when a key was used, and from where.
type use struct {
	org     id.Org
	at      time.Time
	address netip.Addr // not valid outside of requests
}

func (s *Service) writeUse(ctx context.Context, uses []activity.Use[ID, use]) error {
	return s.DB.Platform("the last use of everybody's API keys").Tx(ctx, func(tx *db.Tx) error { return touch(ctx, tx, uses) })
}
