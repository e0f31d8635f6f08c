package apikeys

import (
	"context"
	"errors"
	"fmt"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
)

// Sweep removes keys long expired, and the hashes of values that were rotated away.
type Sweep struct{}

// Kind names the job.
func (Sweep) Kind() string { return "apikeys.sweep" }

// Scope says whose rows the job works on.
func (Sweep) Scope() jobs.Scope { return jobs.OnPlatform("expired API keys of everybody") }

func (s *Service) sweep(ctx context.Context, c db.Conn, _ Sweep) error {
	now := s.Now()
	return errors.Join(deleteExpired(ctx, c, now.Add(-keepExpired)), forgetPrevious(ctx, c, now))
}

func (s *Service) onMemberLeft(ctx context.Context, c db.Conn, e orgs.MemberLeft) error {
	return s.revokeOf(ctx, c, e.OrgID, e.AccountID)
}

func (s *Service) onMemberRemoved(ctx context.Context, c db.Conn, e orgs.MemberRemoved) error {
	return s.revokeOf(ctx, c, e.OrgID, e.AccountID)
}

// revokeOf ends the keys that someone had as the member that they were: they stopped when
// their owner left, and do not begin again when they come back.
func (s *Service) revokeOf(ctx context.Context, c db.Conn, org id.Org, account id.Account) error {
	before := db.EndOfTime()
	m, err := s.Orgs.Member(ctx, org, account)
	switch {
	case err == nil:
		before = m.JoinedAt
	case !errors.Is(err, orgs.ErrMemberNotFound):
		return err
	}
	return c.Tx(ctx, func(tx *db.Tx) error {
		gone, err := deleteKeysOf(ctx, tx, org, account, before)
		if err != nil {
			return err
		}
		for _, key := range gone {
			if err := s.revoked(ctx, tx, org, key, "owner_left"); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) onOrgPurged(ctx context.Context, c db.Conn, e orgs.Purged) error {
	return deleteKeysOfOrg(ctx, c, e.OrgID)
}

func (s *Service) onPasswordChanged(ctx context.Context, c db.Conn, e accounts.PasswordChanged) error {
	return s.tellKept(ctx, c, e.AccountID, "password")
}

func (s *Service) onEmailChanged(ctx context.Context, c db.Conn, e accounts.EmailChanged) error {
	return s.tellKept(ctx, c, e.AccountID, "email")
}

// listed is how many keys a letter names.
const listed = 10

// tellKept writes to someone whose password or address changed which of their keys go on
// working: a key does not end with what its owner signs in by.
func (s *Service) tellKept(ctx context.Context, c db.Conn, account id.Account, changed string) error {
	keys, err := keysOf(ctx, c, account, s.Now())
	if err != nil || len(keys) == 0 {
		return err
	}
	a, err := s.Accounts.Get(ctx, account)
	if err != nil {
		return err
	}
	data := map[string]any{"Name": a.Name, "Changed": changed, "More": max(0, len(keys)-listed)}
	for i := range listed {
		line := ""
		if i < len(keys) {
			if line, err = s.described(ctx, keys[i]); err != nil {
				return err
			}
		}
		data[fmt.Sprintf("Key%d", i+1)] = line
	}
	return c.Tx(ctx, func(tx *db.Tx) error {
		return s.Post.Enqueue(ctx, tx, mail.Letter{To: a.Email, Name: "api_keys_kept", Locale: a.Locale, Data: data})
	})
}

// described names a key and its organization.
func (s *Service) described(ctx context.Context, f found) (string, error) {
	org, err := s.Orgs.Get(ctx, f.org)
	if err != nil && !errors.Is(err, orgs.ErrNotFound) {
		return "", err
	}
	return fmt.Sprintf("%s (%s, %s…)", f.key.Name, org.Name, f.key.Prefix), nil
}
