package passkeys

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) routes(r *web.Router) {
	r.PathID("passkey", web.TypedID(func(ctx context.Context, passkey ID) (bool, error) {
		who := authz.From(ctx).Account
		return exists(ctx, s.DB.Account(who), who, passkey)
	}))

	web.Handle(r, web.Op{
		ID: "passkeys.begin_registration", Method: http.MethodPost, Path: "/passkeys/registration",
		Summary:     "Begin to add a passkey",
		Description: "Give `options` to `PublicKeyCredential.parseCreationOptionsFromJSON`, that to `navigator.credentials.create`, and what comes of it, by `toJSON`, to `POST /passkeys` with the `registration_token`, within five minutes.",
		Access:      authz.SignedIn().Fresh(), Limit: ratelimit.Every(30, time.Minute),
		Errors: []*errs.Error{ErrNameInvalid, ErrTooMany, ErrNoDomain},
	}, s.handleBeginRegistration)

	web.Handle(r, web.Op{
		ID: "passkeys.register", Method: http.MethodPost, Path: "/passkeys", Status: http.StatusCreated,
		Summary:     "Add a passkey",
		Description: "With the first one the account has a second factor. Ends the other sessions and tells the owner by mail.",
		Access:      authz.SignedIn(), Limit: ratelimit.Every(30, time.Minute),
		Errors: []*errs.Error{ErrExpired, ErrCredential, ErrTaken, ErrTooMany},
	}, s.handleRegister)

	web.Handle(r, web.Op{
		ID: "passkeys.list", Method: http.MethodGet, Path: "/passkeys",
		Summary: "List one's own passkeys", Description: "Oldest first.",
		Access: authz.SignedIn(),
	}, s.handleList)

	web.Handle(r, web.Op{
		ID: "passkeys.rename", Method: http.MethodPatch, Path: "/passkeys/{passkey}",
		Summary: "Rename a passkey",
		Access:  authz.SignedIn(),
		Errors:  []*errs.Error{ErrNameInvalid},
	}, s.handleRename)

	web.Handle(r, web.Op{
		ID: "passkeys.remove", Method: http.MethodDelete, Path: "/passkeys/{passkey}", Status: http.StatusNoContent,
		Summary:     "Remove a passkey",
		Description: "With the last one goes the second factor that it was. Ends the other sessions and tells the owner by mail. Whoever has nothing else left signs in by mail.",
		Access:      authz.SignedIn().Fresh(), Limit: ratelimit.Every(30, time.Minute),
	}, s.handleRemove)

	web.Handle(r, web.Op{
		ID: "passkeys.begin_confirmation", Method: http.MethodPost, Path: "/passkeys/assertion",
		Summary:     "Get what a passkey is to sign, to prove again who one is",
		Description: "Give `options` to `PublicKeyCredential.parseRequestOptionsFromJSON`, that to `navigator.credentials.get`, and what comes of it, by `toJSON`, as `credential` with the method `passkey` to `POST /auth/confirm`, within five minutes.",
		Access:      authz.SignedIn(), Limit: ratelimit.Every(30, time.Minute),
		Errors: []*errs.Error{ErrNone, ErrNoDomain},
	}, s.handleBeginConfirmation)

	web.Handle(r, web.Op{
		ID: "passkeys.begin_second_factor", Method: http.MethodPost, Path: "/auth/second-factor/passkey-options",
		Summary:     "Get what a passkey is to sign, to finish a sign-in",
		Description: "With the `challenge_token` that the first half answered, which stays good. What the browser makes of `options` goes as `credential` with the method `passkey` to `POST /auth/second-factor`.",
		Access:      authz.Public(), Limit: ratelimit.Every(60, time.Minute),
		Errors: []*errs.Error{sessions.ErrChallenge, ErrNone, ErrNoDomain},
	}, s.handleBeginSecondFactor)

	web.Handle(r, web.Op{
		ID: "passkeys.begin_sign_in", Method: http.MethodPost, Path: "/auth/passkey/options",
		Summary:     "Get what a passkey is to sign, to sign in",
		Description: "For whoever has a passkey for this product: the browser finds it. What it makes of `options` goes to `POST /auth/passkey` with the `challenge_token`, within five minutes.",
		Access:      authz.Public(), Limit: ratelimit.Every(60, time.Minute),
		Errors: []*errs.Error{ErrNoDomain},
	}, s.handleBeginSignIn)

	web.Handle(r, web.Op{
		ID: "passkeys.sign_in", Method: http.MethodPost, Path: "/auth/passkey",
		Summary:     "Sign in with a passkey",
		Description: "It must have verified its user (a PIN, a finger, a face), else `passkeys.not_verified`; then no second factor is asked. Answers as `/auth/login`.",
		Access:      authz.Public(), Limit: ratelimit.Every(60, time.Minute),
		Errors: []*errs.Error{ErrRefused, ErrNotVerified},
	}, s.handleSignIn)
}

type nameInput struct {
	Body struct {
		Name string `json:"name" maxLength:"400" example:"My phone"`
	}
}

type begunRegistrationOutput struct {
	Body struct {
		Options           json.RawMessage `json:"options" doc:"PublicKeyCredentialCreationOptionsJSON (WebAuthn Level 3 §5.1.9)"`
		RegistrationToken string          `json:"registration_token" doc:"For POST /passkeys"`
		ExpiresIn         int             `json:"expires_in" doc:"In seconds" example:"300"`
	}
}

type registerInput struct {
	Body struct {
		RegistrationToken string          `json:"registration_token" maxLength:"200"`
		Credential        json.RawMessage `json:"credential" doc:"RegistrationResponseJSON: what the browser made"`
	}
}

type passkeyOutput struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      Passkey
}

type listInput struct{ web.Page }

// PasskeyInput names a passkey in the path.
type PasskeyInput struct {
	Passkey ID `path:"passkey" doc:"Passkey id"`
}

type renameInput struct {
	PasskeyInput
	nameInput
}

type removeInput struct{ PasskeyInput }

type optionsOutput struct {
	Body struct {
		Options   json.RawMessage `json:"options" doc:"PublicKeyCredentialRequestOptionsJSON (WebAuthn Level 3 §5.1.10)"`
		ExpiresIn int             `json:"expires_in" doc:"In seconds" example:"300"`
	}
}

type secondFactorInput struct {
	Body struct {
		ChallengeToken string `json:"challenge_token" maxLength:"200" doc:"From the first half of the sign-in"`
	}
}

type begunSignInOutput struct {
	Body struct {
		Options        json.RawMessage `json:"options" doc:"PublicKeyCredentialRequestOptionsJSON (WebAuthn Level 3 §5.1.10)"`
		ChallengeToken string          `json:"challenge_token" doc:"For POST /auth/passkey"`
		ExpiresIn      int             `json:"expires_in" doc:"In seconds" example:"300"`
	}
}

type signInInput struct {
	Body struct {
		ChallengeToken string          `json:"challenge_token" maxLength:"200"`
		Credential     json.RawMessage `json:"credential" doc:"AuthenticationResponseJSON: what the browser made"`
		Cookie         bool            `json:"cookie,omitempty" doc:"Sign in a browser: answer the account, and set a cookie instead of handing out tokens"`
	}
}

func (s *Service) handleBeginRegistration(ctx context.Context, in *nameInput) (*begunRegistrationOutput, error) {
	b, err := s.BeginRegistration(ctx, in.Body.Name)
	out := &begunRegistrationOutput{}
	out.Body.Options, out.Body.RegistrationToken, out.Body.ExpiresIn = b.Options, b.Token, int(challengeLife.Seconds())
	return out, err
}

func (s *Service) handleRegister(ctx context.Context, in *registerInput) (*passkeyOutput, error) {
	p, cookies, err := s.Register(ctx, in.Body.RegistrationToken, in.Body.Credential)
	return &passkeyOutput{cookies, p}, err
}

func (s *Service) handleList(ctx context.Context, in *listInput) (*web.ListOutput[Passkey], error) {
	who := authz.From(ctx).Account
	return web.Paged(ctx, in.Page, func(after *position, n int) ([]Passkey, error) {
		return listPasskeys(ctx, s.DB.Account(who), who, after, n)
	}, positionOf)
}

func (s *Service) handleRename(ctx context.Context, in *renameInput) (*passkeyOutput, error) {
	p, err := s.Rename(ctx, in.Passkey, in.Body.Name)
	return &passkeyOutput{nil, p}, err
}

func (s *Service) handleRemove(ctx context.Context, in *removeInput) (*sessions.CookieOutput, error) {
	cookies, err := s.Remove(ctx, in.Passkey)
	return &sessions.CookieOutput{SetCookie: cookies}, err
}

func (s *Service) handleBeginConfirmation(ctx context.Context, _ *web.Empty) (*optionsOutput, error) {
	a, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	return optionsFor(s.Options(ctx, a, Confirm))
}

func (s *Service) handleBeginSecondFactor(ctx context.Context, in *secondFactorInput) (*optionsOutput, error) {
	a, err := s.Sessions.Challenged(ctx, in.Body.ChallengeToken)
	if err != nil {
		return nil, err
	}
	return optionsFor(s.Options(ctx, a, SecondFactor))
}

func optionsFor(options json.RawMessage, err error) (*optionsOutput, error) {
	out := &optionsOutput{}
	out.Body.Options, out.Body.ExpiresIn = options, int(challengeLife.Seconds())
	return out, err
}

func (s *Service) handleBeginSignIn(ctx context.Context, _ *web.Empty) (*begunSignInOutput, error) {
	b, err := s.BeginSignIn(ctx)
	out := &begunSignInOutput{}
	out.Body.Options, out.Body.ChallengeToken, out.Body.ExpiresIn = b.Options, b.Token, int(challengeLife.Seconds())
	return out, err
}

func (s *Service) handleSignIn(ctx context.Context, in *signInInput) (*sessions.Output, error) {
	opened, err := s.SignIn(ctx, in.Body.ChallengeToken, in.Body.Credential, in.Body.Cookie)
	return sessions.Answer(opened), err
}
