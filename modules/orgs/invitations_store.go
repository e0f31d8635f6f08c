package orgs

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

const invitationColumns = `id, email, role, team_ids, invited_by, expires_at, created_at, sent_at`

func scanInvitation(r db.Row) (i Invitation, err error) {
	var teams json.RawMessage
	var by id.Account
	if err := r.Scan(&i.ID, &i.Email, &i.Role, &teams, &by, &i.ExpiresAt, &i.CreatedAt, &i.SentAt); err != nil {
		return i, err
	}
	if !by.IsZero() {
		i.InvitedBy = &by
	}
	err = fromJSON(teams, &i.TeamIDs)
	return i, err
}

func (i Invitation) invitedBy() (by id.Account) {
	if i.InvitedBy != nil {
		by = *i.InvitedBy
	}
	return by
}

func insertInvitation(ctx context.Context, c db.Conn, org id.Org, i Invitation, hash []byte) error {
	_, err := c.Exec(ctx, `INSERT INTO org_invitations (org_id, `+invitationColumns+`, token_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		org, i.ID, i.Email, string(i.Role), db.JSON(i.TeamIDs), i.invitedBy(), i.ExpiresAt, i.CreatedAt, i.SentAt, hash)
	return err
}

func renewInvitation(ctx context.Context, c db.Conn, org id.Org, i Invitation, hash []byte) error {
	_, err := c.Exec(ctx, `UPDATE org_invitations SET team_ids = $3, invited_by = $4, expires_at = $5, sent_at = $6, token_hash = $7 WHERE org_id = $1 AND id = $2`,
		org, i.ID, db.JSON(i.TeamIDs), i.invitedBy(), i.ExpiresAt, i.SentAt, hash)
	return err
}

// openInvitation finds one that nobody has accepted or revoked; it may have expired.
func openInvitation(ctx context.Context, c db.Conn, org id.Org, invitation InvitationID) (Invitation, error) {
	i, err := db.One(ctx, c, scanInvitation, `SELECT `+invitationColumns+` FROM org_invitations
		WHERE org_id = $1 AND id = $2 AND accepted_at IS NULL AND revoked_at IS NULL`, org, invitation)
	return i, db.NoRows(err, ErrInvitationNotFound)
}

func openInvitations(ctx context.Context, c db.Conn, org id.Org, after *place[invitationKind], n int) ([]Invitation, error) {
	if after == nil {
		after = &place[invitationKind]{At: db.EndOfTime()}
	}
	return db.All(ctx, c, scanInvitation, `SELECT `+invitationColumns+` FROM org_invitations
		WHERE org_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND (created_at < $2 OR created_at = $2 AND id < $3)
		ORDER BY created_at DESC, id DESC LIMIT $4`, org, after.At, after.ID, n)
}

func isInvited(ctx context.Context, c db.Conn, org id.Org, email string, now time.Time) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM org_invitations
		WHERE org_id = $1 AND email = $2 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $3`, org, email, now)
	return n > 0, err
}

func revokeInvitation(ctx context.Context, c db.Conn, org id.Org, invitation InvitationID, now time.Time) error {
	_, err := c.Exec(ctx, `UPDATE org_invitations SET revoked_at = $3 WHERE org_id = $1 AND id = $2`, org, invitation, now)
	return err
}

func invitationByToken(ctx context.Context, c db.Conn, hash []byte, now time.Time) (pendingInvitation, error) {
	p, err := db.One(ctx, c, func(r db.Row) (p pendingInvitation, err error) {
		var settings json.RawMessage
		if err := r.Scan(&p.org, &p.offer.Org.Name, &p.offer.Org.Slug, &settings, &p.offer.Email, &p.offer.Role, &p.offer.ExpiresAt); err != nil {
			return p, err
		}
		var s Settings
		err = fromJSON(settings, &s)
		p.locale = s.Locale
		return p, err
	}, `
		SELECT o.id, o.name, o.slug, o.settings, i.email, i.role, i.expires_at
		FROM org_invitations i JOIN orgs o ON o.id = i.org_id
		WHERE i.token_hash = $1 AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > $2 AND o.status = 'active'`, hash, now)
	return p, db.NoRows(err, ErrInvitationInvalid)
}

// useInvitation marks an invitation as accepted: of many at once, one finds it open.
func useInvitation(ctx context.Context, c db.Conn, org id.Org, hash []byte, now time.Time) (Invitation, error) {
	i, err := db.One(ctx, c, scanInvitation, `UPDATE org_invitations SET accepted_at = $3
		WHERE org_id = $1 AND token_hash = $2 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $3 RETURNING `+invitationColumns, org, hash, now)
	return i, db.NoRows(err, ErrInvitationInvalid)
}

// deleteOldInvitations removes what nobody can accept any more: it holds addresses of people.
func deleteOldInvitations(ctx context.Context, c db.Conn, before time.Time) (int64, error) {
	return c.Exec(ctx, `DELETE FROM org_invitations WHERE expires_at < $1`, before)
}
