package sessions

import (
	"context"
	"net/http"
	"time"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) mailRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "sessions.ask_by_mail", Method: http.MethodPost, Path: "/auth/magic-link", Status: http.StatusAccepted,
		Summary:     "Ask to sign in by mail",
		Description: "Mails a link and a code, good once, for ten minutes, in the browser that asked; earlier ones are void. The answer is the same for every address. With `cookie: true` a cookie binds them to this browser; a program gets a `flow_token` to bring instead.",
		Access:      authz.Public(), Limit: ratelimit.Every(20, time.Minute),
		Errors: []*errs.Error{ErrMailSignInOff},
	}, s.handleAskByMail)

	web.Handle(r, web.Op{
		ID: "sessions.sign_in_by_mail", Method: http.MethodPost, Path: "/auth/magic-link/verify",
		Summary:     "Sign in by mail",
		Description: "With the `token` of the link, or the `email` and the `code`; and with the cookie or the `flow_token` of whoever asked. A link that is opened elsewhere is `auth.other_browser`, and stays good: ask for the code where the sign-in began. Answers as `/auth/login`; a second factor is asked as after a password.",
		Access:      authz.Public(), Limit: ratelimit.Every(60, time.Minute),
		Errors: []*errs.Error{ErrMagicLink, ErrOtherBrowser, ErrTooMany, ErrMailSignInOff, errOneProof},
	}, s.handleSignInByMail)
}

var errOneProof = errs.New(errs.Invalid, "auth.one_proof", "Send either the token of the link, or the address and the code.").On("body.token")

type askByMailInput struct {
	Body struct {
		Email  string `json:"email" maxLength:"320" example:"ada@example.com"`
		Cookie bool   `json:"cookie,omitempty" doc:"Bind the sign-in to this browser by a cookie"`
	}
}

type askedByMailOutput struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      struct {
		Status    string `json:"status" example:"check_your_email"`
		FlowToken string `json:"flow_token,omitempty" doc:"To a program: bring it to /auth/magic-link/verify"`
		ExpiresIn int    `json:"expires_in" doc:"In seconds" example:"600"`
	}
}

type signInByMailInput struct {
	Body struct {
		Token     string `json:"token,omitempty" maxLength:"200" doc:"From the link in the mail"`
		Email     string `json:"email,omitempty" maxLength:"320" doc:"With the code" example:"ada@example.com"`
		Code      string `json:"code,omitempty" maxLength:"20" doc:"From the mail; spaces do not matter" example:"1234 5678"`
		FlowToken string `json:"flow_token,omitempty" maxLength:"200" doc:"Of a program; a browser has it in a cookie"`
		Cookie    bool   `json:"cookie,omitempty" doc:"Sign in a browser: answer the account, and set a cookie instead of handing out tokens"`
	}
}

func (s *Service) handleAskByMail(ctx context.Context, in *askByMailInput) (*askedByMailOutput, error) {
	flow, err := s.AskByMail(ctx, in.Body.Email)
	out := &askedByMailOutput{}
	out.Body.Status, out.Body.ExpiresIn, out.Body.FlowToken = "check_your_email", int(mailSignInLife.Seconds()), flow
	if in.Body.Cookie {
		out.SetCookie, out.Body.FlowToken = []string{s.Web.FlowCookie(flowCookie, flow, mailSignInLife)}, ""
	}
	return out, err
}

func (s *Service) handleSignInByMail(ctx context.Context, in *signInByMailInput) (*Output, error) {
	b, flow := in.Body, in.Body.FlowToken
	if flow == "" {
		flow = s.Web.CookieFrom(ctx, flowCookie)
	}
	opened, err := s.signInByMail(ctx, b.Token, b.Email, b.Code, flow, b.Cookie)
	out := Answer(opened)
	if b.FlowToken == "" {
		out.SetCookie = append(out.SetCookie, s.Web.FlowCookie(flowCookie, "", 0))
	}
	return out, err
}

func (s *Service) signInByMail(ctx context.Context, token, email, code, flow string, cookie bool) (Opened, error) {
	switch {
	case (token == "") == (code == ""):
		return Opened{}, errOneProof
	case token != "":
		return s.SignInByLink(ctx, token, flow, cookie)
	}
	return s.SignInByCode(ctx, email, code, flow, cookie)
}
