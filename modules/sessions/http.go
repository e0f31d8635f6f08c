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

	s.mailRoutes(r)

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
		Description: "Answers tokens for a program; with `cookie: true` the account, and a session cookie for a browser. Where the account has a second factor, answers `second_factor_required` with a `challenge_token` instead: finish at `/auth/second-factor`.",
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
		Access: authz.SignedIn(), WhileLooking: true,
	}, s.handleLogout)

	web.Handle(r, web.Op{
		ID: "sessions.disown", Method: http.MethodPost, Path: "/auth/not-me", Status: http.StatusNoContent,
		Summary: "Say that a sign-in was not one's own", Description: "With the token from the letter about it, once. Ends every session, forgets every device, and mails a link to set a new password.",
		Access: authz.Public(), Limit: ratelimit.Every(30, time.Minute),
		Errors: []*errs.Error{accounts.ErrTokenInvalid},
	}, s.handleDisown)

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
		Access:  authz.SignedIn(), WhileLooking: true,
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

type loginInput struct {
	Body struct {
		Email    string `json:"email" maxLength:"320" example:"ada@example.com"`
		Password string `json:"password" maxLength:"1024"`
		Cookie   bool   `json:"cookie,omitempty" doc:"Sign in a browser: answer the account, and set a cookie instead of handing out tokens"`
	}
}

// Output is the answer of every operation that signs in.
type Output struct {
	Status    int
	SetCookie []string `header:"Set-Cookie"`
	Body      OutputBody
}

// OutputBody is one of three: tokens, an account (the cookies are beside it), or what
// is needed to finish with a second factor.
type OutputBody struct {
	AccessToken    string            `json:"access_token,omitempty" doc:"Send as Authorization: Bearer"`
	RefreshToken   string            `json:"refresh_token,omitempty" doc:"Exchange at /auth/refresh; each works once"`
	TokenType      string            `json:"token_type,omitempty" example:"Bearer"`
	ExpiresIn      int               `json:"expires_in,omitempty" doc:"Life of the access token, or of the challenge, in seconds" example:"900"`
	SessionID      *ID               `json:"session_id,omitempty"`
	Account        *accounts.Account `json:"account,omitempty" doc:"To a browser, whose cookie is set"`
	Status         string            `json:"status,omitempty" doc:"second_factor_required, or absent" example:"second_factor_required"`
	ChallengeToken string            `json:"challenge_token,omitempty" doc:"For /auth/second-factor"`
	Methods        []string          `json:"methods,omitempty" doc:"Second factors that the account has"`
}

// Answer is the Output for what a proof opened.
func Answer(o Opened) *Output {
	out := &Output{Status: http.StatusOK, SetCookie: o.Cookies}
	switch {
	case o.Challenge != nil:
		c := o.Challenge
		out.Body = OutputBody{Status: "second_factor_required", ChallengeToken: c.Token, Methods: c.Methods, ExpiresIn: int(c.ExpiresIn.Seconds())}
	case o.Tokens != nil:
		t := o.Tokens
		out.Body = OutputBody{AccessToken: t.AccessToken, RefreshToken: t.RefreshToken, TokenType: t.TokenType, ExpiresIn: t.ExpiresIn, SessionID: &t.SessionID}
	default:
		out.Body = OutputBody{Account: &o.Account}
	}
	return out
}

// Created is Answer where the account was made by the same request.
func Created(o Opened) *Output {
	out := Answer(o)
	out.Status = http.StatusCreated
	return out
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

// CookieOutput gives a browser's session a new secret.
type CookieOutput struct {
	SetCookie []string `header:"Set-Cookie"`
}

type confirmEmailOutput struct {
	SetCookie []string `header:"Set-Cookie"`
	accounts.StatusOutput
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

func (s *Service) handleRegister(ctx context.Context, in *registerInput) (*Output, error) {
	b := in.Body
	n := accounts.NewAccount{Email: b.Email, Password: b.Password, Name: b.Name, SignUpToken: b.SignUpToken, Captcha: b.CaptchaToken}
	opened, err := s.Register(ctx, n)
	switch {
	case s.Accounts.Waits(n):
		return &Output{Status: http.StatusAccepted, Body: OutputBody{Status: "waiting"}}, err
	case err != nil || s.verifies() && n.SignUpToken == "":
		return &Output{Status: http.StatusAccepted, Body: OutputBody{Status: "check_your_email"}}, err
	}
	return Created(opened), nil
}

func (s *Service) handleLogin(ctx context.Context, in *loginInput) (*Output, error) {
	opened, err := s.SignIn(ctx, in.Body.Email, in.Body.Password, in.Body.Cookie)
	return Answer(opened), err
}

func (s *Service) handleRefresh(ctx context.Context, in *refreshInput) (*tokensOutput, error) {
	t, err := s.Refresh(ctx, in.Body.RefreshToken)
	return &tokensOutput{t}, err
}

func (s *Service) handleLogout(ctx context.Context, _ *web.Empty) (*signedOutOutput, error) {
	err := s.SignOut(ctx)
	// Not "cookies": the one by which the browser is known again is to stay.
	return &signedOutOutput{SetCookie: s.Web.ClearSessionCookie(), ClearSiteData: `"cache", "storage"`}, err
}

func (s *Service) handleDisown(ctx context.Context, in *accounts.TokenInput) (*web.Empty, error) {
	return nil, s.Disown(ctx, in.Body.Token)
}

func (s *Service) handleResetPassword(ctx context.Context, in *resetInput) (*web.Empty, error) {
	return nil, s.ResetPassword(ctx, in.Body.Token, in.Body.NewPassword)
}

func (s *Service) handleConfirmEmail(ctx context.Context, in *accounts.TokenInput) (*confirmEmailOutput, error) {
	_, cookies, err := s.ConfirmEmail(ctx, in.Body.Token)
	return &confirmEmailOutput{SetCookie: cookies, StatusOutput: *accounts.Said("confirmed")}, err
}

func (s *Service) handleSetUp(ctx context.Context, in *setUpInput) (*Output, error) {
	b := in.Body
	opened, err := s.SetUp(ctx, b.Token, accounts.NewAccount{Email: b.Email, Password: b.Password, Name: b.Name})
	return Created(opened), err
}

func (s *Service) handleChangePassword(ctx context.Context, in *changePasswordInput) (*CookieOutput, error) {
	cookies, err := s.ChangePassword(ctx, in.Body.CurrentPassword, in.Body.NewPassword)
	return &CookieOutput{cookies}, err
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
