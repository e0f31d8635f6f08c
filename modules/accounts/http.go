package accounts

import (
	"context"
	"net/http"
	"time"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) routes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "accounts.me", Method: http.MethodGet, Path: "/users/me",
		Summary: "Show one's own account",
		Access:  authz.SignedIn(),
	}, s.handleMe)

	web.Handle(r, web.Op{
		ID: "accounts.update", Method: http.MethodPatch, Path: "/users/me",
		Summary: "Change one's own profile", Description: "Members that are absent stay as they are. Address and password have operations of their own.",
		Access: authz.SignedIn(), WhileImpersonating: true,
		Errors: []*errs.Error{ErrNameInvalid, ErrLocaleInvalid, ErrAvatarInvalid},
	}, s.handleUpdate)

	web.Handle(r, web.Op{
		ID: "accounts.request_email", Method: http.MethodPost, Path: "/users/me/email", Status: http.StatusAccepted,
		Summary: "Ask to change one's e-mail address", Description: "Mails a link to the new address. The address changes once that is confirmed.",
		Access: authz.SignedIn().Fresh(), Limit: ratelimit.Every(10, time.Hour),
		Errors: []*errs.Error{ErrEmailInvalid},
	}, s.handleRequestEmail)

	web.Handle(r, web.Op{
		ID: "accounts.verify_email", Method: http.MethodPost, Path: "/auth/verify-email",
		Summary: "Prove an e-mail address", Description: "With the token from the mail, once.",
		Access: authz.Public(), Limit: ratelimit.Every(30, time.Minute),
		Errors: []*errs.Error{ErrTokenInvalid},
	}, s.handleVerifyEmail)

	web.Handle(r, web.Op{
		ID: "accounts.resend_verification", Method: http.MethodPost, Path: "/auth/resend-verification", Status: http.StatusAccepted,
		Summary: "Mail the verification link again", Description: "The answer is the same for every address.",
		Access: authz.Public(), Limit: ratelimit.Every(20, time.Minute),
	}, s.handleResendVerification)

	web.Handle(r, web.Op{
		ID: "accounts.request_password_reset", Method: http.MethodPost, Path: "/auth/request-password-reset", Status: http.StatusAccepted,
		Summary: "Mail a link to set a new password", Description: "The answer is the same for every address.",
		Access: authz.Public(), Limit: ratelimit.Every(20, time.Minute),
	}, s.handleRequestPasswordReset)

	s.passwordRoutes(r)
	s.waitlistRoutes(r)
}

type accountOutput struct {
	ETag string `header:"ETag"`
	Body Account
}

// shown is the caller's account, and who acts for them, if somebody does.
func shown(ctx context.Context, a Account) *accountOutput {
	if i := authz.From(ctx).Impersonator; i != nil {
		a.Impersonator = &Impersonator{Name: i.Name, MayWrite: i.MayWrite, Until: i.Until}
	}
	return &accountOutput{web.ETag(a.UpdatedAt), a}
}

// StatusOutput says what happened in one word.
type StatusOutput struct {
	Body struct {
		Status string `json:"status" example:"check_your_email"`
	}
}

// Said returns a StatusOutput.
func Said(status string) *StatusOutput {
	var out StatusOutput
	out.Body.Status = status
	return &out
}

type updateInput struct {
	web.IfMatch
	Body struct {
		Name         *string `json:"name,omitempty" maxLength:"100"`
		Locale       *string `json:"locale,omitempty" maxLength:"35"`
		DefaultOrgID *id.Org `json:"default_org_id,omitempty" doc:"Empty to have none"`
		AvatarURL    *string `json:"avatar_url,omitempty" maxLength:"2000" doc:"Empty to remove the picture"`
	}
}

type emailInput struct {
	Body struct {
		Email string `json:"email" maxLength:"320" example:"ada@example.com"`
	}
}

type newEmailInput struct {
	Body struct {
		NewEmail string `json:"new_email" maxLength:"320" example:"ada@example.com"`
	}
}

// TokenInput is the token of a mailed link.
type TokenInput struct {
	Body struct {
		Token string `json:"token" maxLength:"200" doc:"From the link in the mail"`
	}
}

func (s *Service) handleMe(ctx context.Context, _ *web.Empty) (*accountOutput, error) {
	a, err := s.Me(ctx)
	return shown(ctx, a), err
}

func (s *Service) handleUpdate(ctx context.Context, in *updateInput) (*accountOutput, error) {
	a, err := s.Update(ctx, Update{Name: in.Body.Name, Locale: in.Body.Locale, AvatarURL: in.Body.AvatarURL,
		DefaultOrg: in.Body.DefaultOrgID, Match: in.Check})
	return shown(ctx, a), err
}

func (s *Service) handleRequestEmail(ctx context.Context, in *newEmailInput) (*StatusOutput, error) {
	return Said("check_your_email"), s.RequestEmail(ctx, in.Body.NewEmail)
}

func (s *Service) handleVerifyEmail(ctx context.Context, in *TokenInput) (*StatusOutput, error) {
	return Said("verified"), s.VerifyEmail(ctx, in.Body.Token)
}

func (s *Service) handleResendVerification(ctx context.Context, in *emailInput) (*StatusOutput, error) {
	return Said("check_your_email"), s.ask(ctx, in.Body.Email, verifyEmail)
}

func (s *Service) handleRequestPasswordReset(ctx context.Context, in *emailInput) (*StatusOutput, error) {
	return Said("check_your_email"), s.ask(ctx, in.Body.Email, resetPassword)
}
