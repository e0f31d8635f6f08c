package sessions

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) routes(r *web.Router) {
	r.PathID("session", web.TypedID(func(ctx context.Context, session ID) (bool, error) {
		who := authz.From(ctx).Account
		return exists(ctx, s.DB.Account(who), who, session)
	}))

	web.Handle(r, web.Op{
		ID: "sessions.register", Method: http.MethodPost, Path: "/auth/register", Status: http.StatusAccepted,
		Summary:     "Sign up",
		Description: "Answers `202` for every address and mails a link to confirm it, or tells the owner of the account that exists. Where addresses need no proof (development), answers `201` with tokens, or `409`.\n\nWhere there is a wait list, answers `202` with the status `waiting`, keeps no password, and later takes the `sign_up_token` of the letter: answered with `201` and tokens. Where sign-up is by invitation, or for some domains only, others get `403`.",
		Access:      authz.Public(), Limit: ratelimit.Every(60, time.Minute),
		Errors: []*errs.Error{accounts.ErrEmailTaken, accounts.ErrEmailInvalid, accounts.ErrNameInvalid, accounts.ErrPasswordShort, accounts.ErrPasswordLong,
			accounts.ErrPasswordCommon, accounts.ErrPasswordPersonal, accounts.ErrPasswordComposition, accounts.ErrPasswordWeak, accounts.ErrPasswordBreached,
			accounts.ErrSignUpClosed, accounts.ErrSignUpDomain, accounts.ErrSignUpRefused, accounts.ErrSignUpToken},
	}, s.handleRegister)

	web.Handle(r, web.Op{
		ID: "sessions.login", Method: http.MethodPost, Path: "/auth/login",
		Summary:     "Sign in",
		Description: "Answers tokens for a program; with `cookie: true` the account, and a session cookie for a browser.",
		Access:      authz.Public(), Limit: ratelimit.Every(60, time.Minute),
		Errors: []*errs.Error{ErrCredentials, accounts.ErrUnverified, ErrTooMany},
	}, s.handleLogin)

	web.Handle(r, web.Op{
		ID: "sessions.refresh", Method: http.MethodPost, Path: "/auth/refresh",
		Summary:     "Exchange a refresh token",
		Description: "Each refresh token works once. The one before is answered with the current pair again, because an answer may get lost; an older one ends the session.",
		Access:      authz.Public(), Limit: ratelimit.Every(300, time.Minute),
		Errors: []*errs.Error{ErrRefresh},
	}, s.handleRefresh)

	web.Handle(r, web.Op{
		ID: "sessions.logout", Method: http.MethodPost, Path: "/auth/logout", Status: http.StatusNoContent,
		Summary: "Sign out", Description: "Ends the session that the request is made with.",
		Access: authz.SignedIn(),
	}, s.handleLogout)

	web.Handle(r, web.Op{
		ID: "sessions.confirm", Method: http.MethodPost, Path: "/auth/confirm", Status: http.StatusNoContent,
		Summary: "Prove again who you are", Description: "Satisfies `auth.fresh_required` for 15 minutes.",
		Access: authz.SignedIn(), Limit: ratelimit.Every(30, time.Minute),
		Errors: []*errs.Error{ErrPassword, ErrTooMany},
	}, s.handleConfirm)

	web.Handle(r, web.Op{
		ID: "sessions.reset_password", Method: http.MethodPost, Path: "/auth/reset-password", Status: http.StatusNoContent,
		Summary: "Set a new password", Description: "With the token from the mail, once. Ends every session.",
		Access: authz.Public(), Limit: ratelimit.Every(30, time.Minute),
		Errors: []*errs.Error{accounts.ErrTokenInvalid, accounts.ErrPasswordShort, accounts.ErrPasswordCommon, accounts.ErrPasswordPersonal, accounts.ErrPasswordComposition,
			accounts.ErrPasswordWeak, accounts.ErrPasswordBreached, accounts.ErrPasswordReused},
	}, s.handleResetPassword)

	web.Handle(r, web.Op{
		ID: "sessions.confirm_email", Method: http.MethodPost, Path: "/auth/confirm-email",
		Summary: "Confirm a new e-mail address", Description: "With the token from the mail, once. Ends the other sessions.",
		Access: authz.PublicOrSignedIn(), Limit: ratelimit.Every(30, time.Minute),
		Errors: []*errs.Error{accounts.ErrTokenInvalid},
	}, s.handleConfirmEmail)

	web.Handle(r, web.Op{
		ID: "sessions.set_up", Method: http.MethodPost, Path: "/setup", Status: http.StatusCreated,
		Summary:     "Make the first administrator",
		Description: "With the token that `tenon serve` prints on an empty database, once and for all; `404` ever after.",
		Access:      authz.Public(), Limit: ratelimit.Every(10, time.Minute),
		Errors: []*errs.Error{accounts.ErrSetupToken, accounts.ErrSetupDone},
	}, s.handleSetUp)

	web.Handle(r, web.Op{
		ID: "sessions.change_password", Method: http.MethodPut, Path: "/users/me/password", Status: http.StatusNoContent,
		Summary: "Change one's own password", Description: "Ends the other sessions and tells the owner by mail.",
		Access: authz.SignedIn().Fresh(), Limit: ratelimit.Every(20, time.Minute),
		Errors: []*errs.Error{ErrPassword, accounts.ErrPasswordShort, accounts.ErrPasswordCommon, accounts.ErrPasswordPersonal, accounts.ErrPasswordComposition,
			accounts.ErrPasswordWeak, accounts.ErrPasswordBreached, accounts.ErrPasswordReused, accounts.ErrPasswordReplaced},
	}, s.handleChangePassword)

	web.Handle(r, web.Op{
		ID: "sessions.list", Method: http.MethodGet, Path: "/sessions",
		Summary: "List one's own sessions", Description: "Newest first.",
		Access: authz.SignedIn(),
	}, s.handleList)

	web.Handle(r, web.Op{
		ID: "sessions.stats", Method: http.MethodGet, Path: "/sessions/stats",
		Summary: "Sum up one's own sessions",
		Access:  authz.SignedIn(),
	}, s.handleStats)

	web.Handle(r, web.Op{
		ID: "sessions.revoke_all", Method: http.MethodDelete, Path: "/sessions/all", Status: http.StatusNoContent,
		Summary: "End all of one's own sessions", Description: "The one at hand too, unless `keep_current` is true.",
		Access: authz.SignedIn(),
	}, s.handleRevokeAll)

	web.Handle(r, web.Op{
		ID: "sessions.revoke", Method: http.MethodDelete, Path: "/sessions/{session}", Status: http.StatusNoContent,
		Summary: "End one of one's own sessions",
		Access:  authz.SignedIn(),
	}, s.handleRevoke)

	web.Handle(r, web.Op{
		ID: "sessions.jwks", Method: http.MethodGet, Path: "//.well-known/jwks.json",
		Summary: "Public keys of access tokens", Description: "A JSON Web Key Set (RFC 7517). A token may outlive its session: only this API knows whether it is still good.",
		Access: authz.Public(),
	}, s.handleJWKS)
}

type registerInput struct {
	Body struct {
		Email        string `json:"email" maxLength:"320" example:"ada@example.com"`
		Password     string `json:"password,omitempty" maxLength:"1024" doc:"Required but where it puts you on a wait list" example:"a phrase only you know"`
		Name         string `json:"name" maxLength:"100" example:"Ada Lovelace"`
		SignUpToken  string `json:"sign_up_token,omitempty" maxLength:"200" doc:"From the letter to whom the wait list let in"`
		CaptchaToken string `json:"captcha_token,omitempty" maxLength:"4096" doc:"Where the form has a CAPTCHA: what it answered"`
	}
}

// registerOutput is 202 with a status, or 201 with tokens.
type registerOutput struct {
	Status int
	Body   registerBody
}

type registerBody struct {
	Status string `json:"status,omitempty" example:"check_your_email"`
	*Tokens
}

type loginInput struct {
	Body struct {
		Email    string `json:"email" maxLength:"320" example:"ada@example.com"`
		Password string `json:"password" maxLength:"1024"`
		Cookie   bool   `json:"cookie,omitempty" doc:"Sign in a browser: answer the account, and set a cookie instead of handing out tokens"`
	}
}

type loginOutput struct {
	SetCookie string `header:"Set-Cookie"`
	Body      loginBody
}

type loginBody struct {
	*Tokens
	Account *accounts.Account `json:"account,omitempty"`
}

type tokensOutput struct{ Body Tokens }

type refreshInput struct {
	Body struct {
		RefreshToken string `json:"refresh_token" maxLength:"300"`
	}
}

type signedOutOutput struct {
	SetCookie     string `header:"Set-Cookie"`
	ClearSiteData string `header:"Clear-Site-Data"`
}

type cookieOutput struct {
	SetCookie string `header:"Set-Cookie"`
}

type confirmEmailOutput struct {
	SetCookie string `header:"Set-Cookie"`
	accounts.StatusOutput
}

type confirmInput struct {
	Body struct {
		Password string `json:"password" maxLength:"1024"`
	}
}

type resetInput struct {
	Body struct {
		Token       string `json:"token" maxLength:"200" doc:"From the link in the mail"`
		NewPassword string `json:"new_password" maxLength:"1024"`
	}
}

type changePasswordInput struct {
	Body struct {
		CurrentPassword string `json:"current_password" maxLength:"1024"`
		NewPassword     string `json:"new_password" maxLength:"1024"`
	}
}

// setUpInput has no required members: whether there is anything here comes before
// what the request lacks.
type setUpInput struct {
	Body struct {
		Token    string `json:"token,omitempty" maxLength:"200" doc:"From the link that tenon serve prints"`
		Email    string `json:"email,omitempty" maxLength:"320" example:"ada@example.com"`
		Password string `json:"password,omitempty" maxLength:"1024"`
		Name     string `json:"name,omitempty" maxLength:"100" example:"Ada Lovelace"`
	}
}

type listInput struct{ web.Page }

type statsOutput struct{ Body Stats }

type revokeAllInput struct {
	KeepCurrent bool `query:"keep_current" doc:"Leave the session of this request"`
}

type revokeInput struct {
	Session ID `path:"session" doc:"Session id"`
}

type jwksOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         map[string]any
}

func (s *Service) handleRegister(ctx context.Context, in *registerInput) (*registerOutput, error) {
	b := in.Body
	n := accounts.NewAccount{Email: b.Email, Password: b.Password, Name: b.Name, SignUpToken: b.SignUpToken, Captcha: b.CaptchaToken}
	opened, err := s.Register(ctx, n)
	if s.Accounts.Waits(n) {
		return &registerOutput{Status: http.StatusAccepted, Body: registerBody{Status: "waiting"}}, err
	}
	if err != nil || s.verifies() && n.SignUpToken == "" {
		return &registerOutput{Status: http.StatusAccepted, Body: registerBody{Status: "check_your_email"}}, err
	}
	return &registerOutput{Status: http.StatusCreated, Body: registerBody{Tokens: &opened.Tokens}}, nil
}

func (s *Service) handleLogin(ctx context.Context, in *loginInput) (*loginOutput, error) {
	opened, err := s.SignIn(ctx, in.Body.Email, in.Body.Password, in.Body.Cookie)
	if err != nil || in.Body.Cookie {
		return &loginOutput{SetCookie: opened.Cookie, Body: loginBody{Account: &opened.Account}}, err
	}
	return &loginOutput{Body: loginBody{Tokens: &opened.Tokens}}, nil
}

func (s *Service) handleRefresh(ctx context.Context, in *refreshInput) (*tokensOutput, error) {
	t, err := s.Refresh(ctx, in.Body.RefreshToken)
	return &tokensOutput{t}, err
}

func (s *Service) handleLogout(ctx context.Context, _ *web.Empty) (*signedOutOutput, error) {
	err := s.SignOut(ctx)
	return &signedOutOutput{SetCookie: s.Web.ClearSessionCookie(), ClearSiteData: `"cache", "cookies", "storage"`}, err
}

func (s *Service) handleConfirm(ctx context.Context, in *confirmInput) (*cookieOutput, error) {
	cookie, err := s.Confirm(ctx, in.Body.Password)
	return &cookieOutput{cookie}, err
}

func (s *Service) handleResetPassword(ctx context.Context, in *resetInput) (*web.Empty, error) {
	return nil, s.ResetPassword(ctx, in.Body.Token, in.Body.NewPassword)
}

func (s *Service) handleConfirmEmail(ctx context.Context, in *accounts.TokenInput) (*confirmEmailOutput, error) {
	_, cookie, err := s.ConfirmEmail(ctx, in.Body.Token)
	return &confirmEmailOutput{SetCookie: cookie, StatusOutput: *accounts.Said("confirmed")}, err
}

func (s *Service) handleSetUp(ctx context.Context, in *setUpInput) (*tokensOutput, error) {
	b := in.Body
	opened, err := s.SetUp(ctx, b.Token, accounts.NewAccount{Email: b.Email, Password: b.Password, Name: b.Name})
	return &tokensOutput{opened.Tokens}, err
}

func (s *Service) handleChangePassword(ctx context.Context, in *changePasswordInput) (*cookieOutput, error) {
	cookie, err := s.ChangePassword(ctx, in.Body.CurrentPassword, in.Body.NewPassword)
	return &cookieOutput{cookie}, err
}

func (s *Service) handleList(ctx context.Context, in *listInput) (*web.ListOutput[Session], error) {
	who := authz.From(ctx)
	return web.Paged(ctx, in.Page, func(after *position, n int) ([]Session, error) {
		list, err := listSessions(ctx, s.DB.Account(who.Account), who.Account, s.Now(), s.Config.Idle, after, n)
		for i := range list {
			list[i].Current = list[i].ID == who.Session
		}
		return list, err
	}, positionOf)
}

func (s *Service) handleStats(ctx context.Context, _ *web.Empty) (*statsOutput, error) {
	who := authz.From(ctx).Account
	stats, err := statsOf(ctx, s.DB.Account(who), who, s.Now(), s.Config.Idle)
	return &statsOutput{stats}, err
}

func (s *Service) handleRevokeAll(ctx context.Context, in *revokeAllInput) (*web.Empty, error) {
	return nil, s.RevokeAll(ctx, in.KeepCurrent)
}

func (s *Service) handleRevoke(ctx context.Context, in *revokeInput) (*web.Empty, error) {
	return nil, s.Revoke(ctx, in.Session)
}

func (s *Service) handleJWKS(context.Context, *web.Empty) (*jwksOutput, error) {
	set, err := s.Keys.JWKS()
	if err != nil {
		return nil, err
	}
	out := &jwksOutput{CacheControl: "public, max-age=300"}
	return out, json.Unmarshal(set, &out.Body)
}
