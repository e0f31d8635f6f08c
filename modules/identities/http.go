package identities

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) routes(r *web.Router) {
	r.PathID("provider", web.PathID{Parse: func(text string) error {
		_, err := s.source(text)
		return err
	}})
	r.PathID("identity", web.TypedID(func(ctx context.Context, identity ID) (bool, error) {
		who := authz.From(ctx).Account
		return exists(ctx, s.DB.Account(who), who, identity)
	}))
	outcomes := []*errs.Error{ErrState, ErrToken, ErrCancelled, ErrRefused, ErrEmailUnverified, ErrLinkRequired, ErrInactive, ErrTaken, ErrTooMany, ErrUnavailable,
		accounts.ErrSignUpClosed, accounts.ErrSignUpDomain, accounts.ErrSignUpWait}

	web.Handle(r, web.Op{
		ID: "identities.providers", Method: http.MethodGet, Path: "/auth/providers",
		Summary: "List the providers that one may sign in with",
		Access:  authz.Public(),
	}, s.handleProviders)

	web.Handle(r, web.Op{
		ID: "identities.authorize", Method: http.MethodGet, Path: "/auth/oauth/{provider}/authorize",
		Summary:     "Begin to sign in with a provider",
		Description: "Sets a cookie that ties the sign-in to this browser for 10 minutes. Go to `authorization_url`; the provider sends the browser back to the callback.",
		Access:      authz.Public(), Limit: ratelimit.Every(60, time.Minute),
		Errors: []*errs.Error{ErrUnavailable},
	}, s.handleAuthorize)

	web.Handle(r, web.Op{
		ID: "identities.return", Method: http.MethodGet, Path: "/auth/oauth/{provider}/callback", Status: http.StatusFound, AnyQuery: true,
		Summary: "Come back from a provider",
		Description: "Where a provider sends the browser. Signs in with cookies and redirects to where the sign-in began; to `/sign-in/second-factor#challenge=…` where a second factor is due; " +
			"to `/sign-in?error=<code>` if nobody was signed in. It is the one GET that begins a session, and demands the cookie of the browser that asked.",
		Access: authz.Public(), Limit: ratelimit.Every(60, time.Minute),
		Errors: outcomes,
	}, s.handleReturn)

	web.Handle(r, web.Op{
		ID: "identities.callback", Method: http.MethodPost, Path: "/auth/oauth/{provider}/callback",
		Summary:     "Finish to sign in with a provider",
		Description: "For clients that take the provider's answer themselves. Answers as `/auth/login` does; where an identity was linked, the account.",
		Access:      authz.Public(), Limit: ratelimit.Every(60, time.Minute),
		Errors: outcomes,
	}, s.handleCallback)

	web.Handle(r, web.Op{
		ID: "identities.list", Method: http.MethodGet, Path: "/users/me/identities",
		Summary: "List one's own identities", Description: "Oldest first.",
		Access: authz.SignedIn(),
	}, s.handleList)

	web.Handle(r, web.Op{
		ID: "identities.link", Method: http.MethodPost, Path: "/users/me/identities/{provider}/authorize",
		Summary:     "Begin to link an identity to one's own account",
		Description: "As to sign in: go to `authorization_url`, and come back to the callback in the same browser, while the session lasts. The owner is told by mail.",
		Access:      authz.SignedIn().Fresh(), Limit: ratelimit.Every(30, time.Minute),
		Errors: []*errs.Error{ErrUnavailable},
	}, s.handleLink)

	web.Handle(r, web.Op{
		ID: "identities.unlink", Method: http.MethodDelete, Path: "/users/me/identities/{identity}", Status: http.StatusNoContent,
		Summary: "Unlink an identity from one's own account", Description: "Ends the other sessions and tells the owner by mail. The last way to sign in stays.",
		Access: authz.SignedIn().Fresh(), Limit: ratelimit.Every(30, time.Minute),
		Errors: []*errs.Error{ErrLastWayIn},
	}, s.handleUnlink)
}

type authorizeInput struct {
	Provider   string `path:"provider" doc:"Id of a provider" example:"google"`
	RedirectTo string `query:"redirect_to" doc:"Path on this host to end at; / for anything else" example:"/settings"`
}

type authorizeOutput struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      struct {
		AuthorizationURL string `json:"authorization_url" doc:"Where to go to sign in"`
	}
}

type returnInput struct {
	Provider string `path:"provider" doc:"Id of a provider" example:"google"`
	Code     string `query:"code" doc:"From the provider"`
	State    string `query:"state" doc:"As authorize gave it to the provider"`
	Issuer   string `query:"iss" doc:"Who says to have sent the answer (RFC 9207)"`
	Error    string `query:"error" doc:"Instead of a code"`
}

type redirectOutput struct {
	Status    int
	Location  string   `header:"Location"`
	SetCookie []string `header:"Set-Cookie"`
}

type callbackInput struct {
	Provider string `path:"provider" doc:"Id of a provider" example:"google"`
	Body     struct {
		Code   string `json:"code" maxLength:"4096" doc:"From the provider"`
		State  string `json:"state" maxLength:"512" doc:"As authorize gave it to the provider"`
		Issuer string `json:"iss,omitempty" maxLength:"2048" doc:"Who says to have sent the answer (RFC 9207)"`
		Cookie bool   `json:"cookie,omitempty" doc:"Sign in a browser: answer the account, and set a cookie instead of handing out tokens"`
	}
}

type listInput struct{ web.Page }

type linkInput struct {
	Provider string `path:"provider" doc:"Id of a provider" example:"google"`
	Body     struct {
		RedirectTo string `json:"redirect_to,omitempty" doc:"Path on this host to end at; / for anything else" example:"/settings"`
	} `required:"false"`
}

type unlinkInput struct {
	Identity ID `path:"identity" doc:"Identity id"`
}

func (s *Service) handleProviders(context.Context, *web.Empty) (*web.ListOutput[Offered], error) {
	return &web.ListOutput[Offered]{Body: web.List[Offered]{Items: s.Offered()}}, nil
}

func (s *Service) handleAuthorize(ctx context.Context, in *authorizeInput) (*authorizeOutput, error) {
	begun, err := s.Authorize(ctx, in.Provider, in.RedirectTo)
	return begunOutput(begun), err
}

func (s *Service) handleLink(ctx context.Context, in *linkInput) (*authorizeOutput, error) {
	begun, err := s.AuthorizeLink(ctx, in.Provider, in.Body.RedirectTo)
	return begunOutput(begun), err
}

func begunOutput(b Begun) *authorizeOutput {
	out := &authorizeOutput{SetCookie: []string{b.Cookie}}
	out.Body.AuthorizationURL = b.URL
	return out
}

func (s *Service) handleReturn(ctx context.Context, in *returnInput) (*redirectOutput, error) {
	out, err := s.Finish(ctx, in.Provider, Answer{in.Code, in.State, in.Issuer, in.Error}, s.Web.CookieFrom(ctx, flowCookie), true)
	return s.redirect(ctx, out, err)
}

func (s *Service) handleCallback(ctx context.Context, in *callbackInput) (*sessions.Output, error) {
	b := in.Body
	out, err := s.Finish(ctx, in.Provider, Answer{Code: b.Code, State: b.State, Issuer: b.Issuer}, s.Web.CookieFrom(ctx, flowCookie), b.Cookie)
	answer := sessions.Answer(out.Opened)
	answer.SetCookie = append(answer.SetCookie, s.forget())
	return answer, err
}

func (s *Service) handleList(ctx context.Context, in *listInput) (*web.ListOutput[Identity], error) {
	return web.Paged(ctx, in.Page, func(after *position, n int) ([]Identity, error) { return s.Mine(ctx, after, n) }, positionOf)
}

func (s *Service) handleUnlink(ctx context.Context, in *unlinkInput) (*sessions.CookieOutput, error) {
	cookies, err := s.Unlink(ctx, in.Identity)
	return &sessions.CookieOutput{SetCookie: cookies}, err
}

// forget is the Set-Cookie value that ends a flow in the browser.
func (s *Service) forget() string { return s.Web.FlowCookie(flowCookie, "", 0) }

// redirect answers a browser: it sees pages, not problem documents. What goes wrong on
// our side stays a problem.
func (s *Service) redirect(ctx context.Context, f Finished, err error) (*redirectOutput, error) {
	outcome, declared := errors.AsType[*errs.Error](err)
	if err != nil && (!declared || outcome.Kind == errs.Internal) {
		return nil, err
	}
	if err != nil {
		s.Log.InfoContext(ctx, "refused", "reason", outcome.Error())
		return s.redirectTo(failurePage(f, outcome)), nil
	}
	if c := f.Opened.Challenge; c != nil {
		// In the fragment, which no server and no Referer ever sees.
		half := url.Values{"challenge": {c.Token}, "methods": {strings.Join(c.Methods, ",")}, "redirect_to": {f.RedirectTo}}
		return s.redirectTo("/sign-in/second-factor#"+half.Encode(), f.Opened.Cookies...), nil
	}
	return s.redirectTo(f.RedirectTo, f.Opened.Cookies...), nil
}

// failurePage is where a browser goes that nobody was signed in to: to the sign-in
// page, or, who is signed in and wanted to link, to where they began.
func failurePage(f Finished, outcome *errs.Error) string {
	if !f.Linking {
		return "/sign-in?error=" + url.QueryEscape(outcome.Code)
	}
	u, err := url.Parse(f.RedirectTo)
	if err != nil {
		return "/"
	}
	q := u.Query()
	q.Set("error", outcome.Code)
	u.RawQuery = q.Encode()
	return u.String()
}

// redirectTo goes to a path of ours, below the path at which the product is reached.
func (s *Service) redirectTo(path string, cookies ...string) *redirectOutput {
	base := ""
	if u, err := url.Parse(s.PublicURL()); err == nil {
		base = strings.TrimRight(u.EscapedPath(), "/")
	}
	return &redirectOutput{Status: http.StatusFound, Location: base + path, SetCookie: append(slices.Clone(cookies), s.forget())}
}
