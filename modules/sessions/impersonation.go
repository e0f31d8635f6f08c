package sessions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/cache"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/web"
)

// ErrNotImpersonated is the outcome of wanting to act as an administrator, or as oneself:
// it would only hide who acts.
var ErrNotImpersonated = errs.New(errs.Forbidden, "auth.not_impersonated", "Nobody can act as an administrator.")

// Impersonation is how an administrator wants to act as somebody.
type Impersonation struct {
	Reason   string // shown to the owner
	For      time.Duration
	MayWrite bool // do more than look
	Cookie   bool // for a browser
}

// longestImpersonation is the longest time box.
const longestImpersonation = time.Hour

// Impersonate opens a session in which the caller, an administrator, acts as somebody.
// It ends with its time box, and cannot be refreshed; it ends before that when its
// administrator signs out, is suspended or is one no more, and when its owner ends it.
// In it nobody is an administrator, and nothing counts as a fresh proof of identity.
func (s *Service) Impersonate(ctx context.Context, account id.Account, i Impersonation) (out Opened, err error) {
	who := authz.From(ctx)
	if !who.Admin || who.Impersonator != nil || who.Key != nil {
		return out, authz.ErrDenied
	}
	err = s.DB.Account(account).Tx(ctx, func(tx *db.Tx) error {
		out, err = s.In(tx).impersonate(ctx, who, account, i)
		return err
	})
	return out, err
}

func (s *Service) impersonate(ctx context.Context, who *authz.Principal, account id.Account, i Impersonation) (Opened, error) {
	a, err := s.Accounts.Get(ctx, account)
	switch {
	case err != nil:
		return Opened{}, err
	case a.IsAdmin || a.ID == who.Account:
		return Opened{}, ErrNotImpersonated
	case a.Status == accounts.Gone:
		return Opened{}, accounts.ErrNotFound
	case a.Status != accounts.Active:
		return Opened{}, accounts.ErrNotActive
	}
	if s.Config.BeforeSession != nil {
		if err := s.Config.BeforeSession(ctx, a, Proof{Method: "impersonation"}); err != nil {
			return Opened{}, err
		}
	}
	r, token := s.newRow(ctx, a.ID, i.Cookie)
	r.ExpiresAt = r.CreatedAt.Add(min(i.For, longestImpersonation))
	r.by = impersonator{who.Account, who.Session, who.Name, i.MayWrite}
	// From where an administrator works is not the owner's business.
	r.IPAddress, r.Country, r.City = "", "", ""
	if err := insertSession(ctx, s.tx, r); err != nil {
		return Opened{}, fmt.Errorf("begin an impersonation: %w", err)
	}
	if err := s.announce(ctx, a, r, i.Reason); err != nil {
		return Opened{}, err
	}
	return s.opened(a, r, token)
}

// announce writes down that somebody acts as an account, when that ends, and tells the owner.
func (s *Service) announce(ctx context.Context, a accounts.Account, r row, reason string) error {
	err := s.Audit.In(s.tx).Record(ctx, audit.Entry{
		Event:   ImpersonationStarted{About{a.ID, r.ID}, r.by.mayWrite, r.ExpiresAt},
		Target:  audit.Target{Kind: "account", ID: a.ID.String(), Name: a.Name},
		Changes: map[string]audit.Change{"reason": {To: reason}},
	})
	if err != nil {
		return err
	}
	if err := s.Jobs.Enqueue(ctx, s.tx, EndImpersonation{a.ID, r.ID}, jobs.At(r.ExpiresAt)); err != nil {
		return err
	}
	if s.Config.ImpersonationNotice == "off" {
		return nil
	}
	return s.Post.Enqueue(ctx, s.tx, mail.Letter{To: a.Email, Name: "impersonation", Locale: a.Locale, Data: map[string]any{
		"Name": a.Name, "Administrator": r.by.name, "Reason": reason, "Until": r.ExpiresAt.UTC().Format(time.RFC1123), "MayWrite": r.by.mayWrite,
		"URL": s.PublicURL() + "/sign-in",
	}})
}

// opened hands out what opens an impersonation: a cookie, or one access token that is
// good for as long as it lasts. There is no refresh token, so nothing can be drawn out.
func (s *Service) opened(a accounts.Account, r row, token string) (Opened, error) {
	if r.cookieHash != nil {
		return Opened{Account: a, Cookies: []string{s.Web.SessionCookie(token, r.ExpiresAt)}}, nil
	}
	access, err := s.access(a.ID, r.ID, r.CreatedAt, r.ExpiresAt.Add(time.Second-time.Microsecond)) // tokens count whole seconds; the session is exact
	return Opened{Account: a, Tokens: &Tokens{AccessToken: access, TokenType: "Bearer", ExpiresIn: int(r.ExpiresAt.Sub(r.CreatedAt).Seconds()), SessionID: r.ID}}, err
}

// resolveImpersonator looks at the administrator behind a session: whether they still
// are one, and still signed in where they asked for it.
func (s *Service) resolveImpersonator(ctx context.Context, found loaded, limit time.Time, c web.Credential) (*resolved, []cache.Tag, error) {
	by, a := found.by, found.account
	begun, err := sessionByID(ctx, s.DB.Platform("a credential finds its session and account"), by.session)
	if errors.Is(err, db.ErrNoRows) {
		err = web.ErrCredential(errors.New("the administrator has signed out"))
	}
	if err != nil {
		return nil, nil, err
	}
	if admin := begun.account; admin.ID != by.account || admin.Status != accounts.Active || !admin.IsAdmin || a.IsAdmin {
		return nil, nil, web.ErrCredential(errors.New("the administrator may not act as this account any more"))
	}
	if begun.expiresAt.Before(limit) {
		limit = begun.expiresAt
	}
	r := &resolved{session: found.id, expires: limit, idleAt: limit, principal: &authz.Principal{
		Kind: authz.ActorAccount, Account: a.ID, Session: found.id, Name: a.Name, Cookie: c.Cookie != "", Subject: a,
		Impersonator: &authz.Impersonator{Account: by.account, Name: begun.account.Name, MayWrite: by.mayWrite, Until: limit},
	}}
	return r, []cache.Tag{tagOf(found.id), tagOf(by.session), accounts.Tag(a.ID), accounts.Tag(by.account)}, nil
}

// leave ends, a moment later, what an administrator does as others in sessions of theirs
// that are ended in the same transaction (In). None of it is good for anything from now on.
func (s *Service) leave(ctx context.Context, who *authz.Principal) error {
	if !who.Admin {
		return nil
	}
	return s.Jobs.Enqueue(ctx, s.tx, EndLeftImpersonations{who.Account})
}

// EndImpersonationsBy ends all that an administrator does as others. It needs a platform
// transaction (In).
func (s *Service) EndImpersonationsBy(ctx context.Context, administrator id.Account, reason string) error {
	ended, err := deleteImpersonationsBy(ctx, s.tx, administrator)
	if err != nil {
		return err
	}
	return s.ended(ctx, "", ended, reason)
}

// EndImpersonation ends one impersonation whose time is over.
type EndImpersonation struct {
	AccountID id.Account `json:"account_id"`
	SessionID ID         `json:"session_id"`
}

// Kind names the job.
func (EndImpersonation) Kind() string { return "sessions.end_impersonation" }

// Scope says whose rows the job works on.
func (e EndImpersonation) Scope() jobs.Scope { return jobs.OfAccount(e.AccountID) }

func (s *Service) endImpersonation(ctx context.Context, c db.Conn, job EndImpersonation) error {
	return c.Tx(ctx, func(tx *db.Tx) error {
		ended, err := deleteImpersonation(ctx, tx, job.AccountID, job.SessionID)
		if err != nil {
			return err
		}
		return s.In(tx).ended(ctx, "", ended, "expired")
	})
}

// EndLeftImpersonations ends what an administrator did as others in sessions that have ended.
type EndLeftImpersonations struct {
	AdministratorID id.Account `json:"administrator_id"`
}

// Kind names the job.
func (EndLeftImpersonations) Kind() string { return "sessions.end_left_impersonations" }

// Scope says whose rows the job works on.
func (EndLeftImpersonations) Scope() jobs.Scope {
	return jobs.OnPlatform("an administrator acts as many accounts")
}

func (s *Service) endLeftImpersonations(ctx context.Context, c db.Conn, job EndLeftImpersonations) error {
	return c.Tx(ctx, func(tx *db.Tx) error {
		ended, err := deleteImpersonationsLeft(ctx, tx, job.AdministratorID)
		if err != nil {
			return err
		}
		return s.In(tx).ended(ctx, "", ended, "administrator_left")
	})
}
