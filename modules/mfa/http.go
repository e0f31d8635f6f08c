package mfa

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
	web.Handle(r, web.Op{
		ID: "mfa.second_factor", Method: http.MethodPost, Path: "/auth/second-factor",
		Summary:     "Finish a sign-in with a second factor",
		Description: "With the `challenge_token` that the first half answered, within five minutes and once. A wrong code leaves it usable. Answers as the first half would have: the account and a cookie, if either half asked for one.",
		Access:      authz.Public(), Limit: ratelimit.Every(60, time.Minute),
		Errors: []*errs.Error{sessions.ErrChallenge, ErrCode, sessions.ErrTooMany},
	}, s.handleSecondFactor)

	web.Handle(r, web.Op{
		ID: "mfa.confirm", Method: http.MethodPost, Path: "/auth/confirm", Status: http.StatusNoContent,
		Summary:     "Prove again who you are",
		Description: "Satisfies `auth.fresh_required` for 15 minutes, for this session. A password is enough where there is no second factor; with one, send a `method` and its `code`.",
		Access:      authz.SignedIn(), Limit: ratelimit.Every(30, time.Minute),
		Errors: []*errs.Error{sessions.ErrPassword.On("body.password"), ErrCode, ErrOneProof, sessions.ErrTooMany},
	}, s.handleConfirm)

	web.Handle(r, web.Op{
		ID: "mfa.setup_totp", Method: http.MethodPost, Path: "/totp/setup",
		Summary:     "Set up an authenticator app",
		Description: "It opens nothing until `/totp/enable` has seen a code of it, within an hour. Where there is a second factor already, the proof of identity must be recent.",
		Access:      authz.SignedIn(), Limit: ratelimit.Every(20, time.Minute), ShownOnce: []string{"secret", "provisioning_uri", "qr_code"},
		Errors: []*errs.Error{ErrNameInvalid, ErrDevices, authz.ErrFresh},
	}, s.handleSetup)

	web.Handle(r, web.Op{
		ID: "mfa.enable_totp", Method: http.MethodPost, Path: "/totp/enable",
		Summary:     "Enable an authenticator app",
		Description: "By a code that it shows; the proof of identity must be recent. With the first one come ten backup codes, shown once; with further ones those stay good and `backup_codes` is empty. Ends the other sessions and tells the owner by mail.",
		Access:      authz.SignedIn(), Limit: ratelimit.Every(30, time.Minute), ShownOnce: []string{"backup_codes"},
		Errors: []*errs.Error{ErrCode, ErrNothingPending, ErrDeviceNotFound, authz.ErrFresh, sessions.ErrTooMany},
	}, s.handleEnable)

	web.Handle(r, web.Op{
		ID: "mfa.verify_totp", Method: http.MethodPost, Path: "/totp/verify",
		Summary:     "Check one's own code",
		Description: "Of an authenticator app, or a backup code; it is used up. Satisfies `auth.fresh_required` like `/auth/confirm`.",
		Access:      authz.SignedIn(), Limit: ratelimit.Every(30, time.Minute),
		Errors: []*errs.Error{ErrCode, sessions.ErrTooMany},
	}, s.handleVerify)

	web.Handle(r, web.Op{
		ID: "mfa.disable_totp", Method: http.MethodPost, Path: "/totp/disable", Status: http.StatusNoContent,
		Summary:     "Remove an authenticator app, or all",
		Description: "Without a `device_id` all of them and the backup codes. With the last app goes the second factor. Ends the other sessions and tells the owner by mail.",
		Access:      authz.SignedIn().Fresh(), Limit: ratelimit.Every(30, time.Minute),
		Errors: []*errs.Error{ErrDeviceNotFound, ErrCode, sessions.ErrTooMany},
	}, s.handleDisable)

	web.Handle(r, web.Op{
		ID: "mfa.renew_backup_codes", Method: http.MethodPost, Path: "/totp/backup-codes",
		Summary:     "Get new backup codes",
		Description: "Ten, each good once, shown once. The old ones are void.",
		Access:      authz.SignedIn().Fresh(), Limit: ratelimit.Every(20, time.Minute), ShownOnce: []string{"backup_codes"},
		Errors: []*errs.Error{ErrNotEnabled},
	}, s.handleBackupCodes)

	web.Handle(r, web.Op{
		ID: "mfa.totp_status", Method: http.MethodGet, Path: "/totp/status",
		Summary: "Show one's own authenticator apps",
		Access:  authz.SignedIn(),
	}, s.handleStatus)
}

type secondFactorInput struct {
	Body struct {
		ChallengeToken string          `json:"challenge_token" maxLength:"200" doc:"From the first half of the sign-in"`
		Method         Method          `json:"method" enum:"totp,backup_code,passkey" doc:"One of the methods that came with the challenge"`
		Code           string          `json:"code,omitempty" maxLength:"64" doc:"Of an authenticator app, or a backup code; spaces and dashes do not matter" example:"287 082"`
		Credential     json.RawMessage `json:"credential,omitempty" doc:"Of a passkey: what the browser answered"`
		Cookie         bool            `json:"cookie,omitempty" doc:"Sign in a browser, also if the first half did not say so"`
	}
}

type confirmInput struct {
	Body struct {
		Password string `json:"password,omitempty" maxLength:"1024" doc:"Where there is no second factor"`
		Method   Method `json:"method,omitempty" enum:"totp,backup_code,passkey" doc:"Where there is one"`
		Code     string `json:"code,omitempty" maxLength:"64"`

		Credential json.RawMessage `json:"credential,omitempty" doc:"Of a passkey: what the browser answered to the options of /passkeys/assertion"`
	}
}

type setupInput struct {
	Body struct {
		DeviceName string `json:"device_name" maxLength:"400" example:"My phone"`
	}
}

type setupOutput struct{ Body NewDevice }

type enableInput struct {
	Body struct {
		Code     string    `json:"code" maxLength:"64" example:"287 082"`
		DeviceID *DeviceID `json:"device_id,omitempty" minLength:"1" doc:"Where several wait; else the one whose code it is"`
	}
}

type codesOutput struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      struct {
		BackupCodes []string `json:"backup_codes" doc:"Shown once. Each is good once, in place of a code of an app" example:"[\"k7m2p-9xq4d\"]"`
	}
}

type verifyInput struct {
	Body struct {
		Code string `json:"code" maxLength:"64" example:"287 082"`
	}
}

type verifyOutput struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      struct {
		Valid bool `json:"valid" doc:"Always true; a wrong code is refused"`
	}
}

type disableInput struct {
	Body *struct {
		DeviceID *DeviceID `json:"device_id,omitempty" minLength:"1" doc:"This one only"`
		Code     string    `json:"code,omitempty" maxLength:"64" doc:"If it is sent, it must be right"`
	}
}

type statusOutput struct{ Body Status }

func (s *Service) handleSecondFactor(ctx context.Context, in *secondFactorInput) (*sessions.Output, error) {
	b := in.Body
	opened, err := s.Finish(ctx, b.ChallengeToken, Given{Method: b.Method, Code: b.Code, Credential: b.Credential}, b.Cookie)
	return sessions.Answer(opened), err
}

func (s *Service) handleConfirm(ctx context.Context, in *confirmInput) (*sessions.CookieOutput, error) {
	cookies, err := s.Confirm(ctx, in.Body.Password, Given{Method: in.Body.Method, Code: in.Body.Code, Credential: in.Body.Credential})
	return &sessions.CookieOutput{SetCookie: cookies}, err
}

func (s *Service) handleSetup(ctx context.Context, in *setupInput) (*setupOutput, error) {
	d, err := s.Setup(ctx, in.Body.DeviceName)
	return &setupOutput{d}, err
}

func (s *Service) handleEnable(ctx context.Context, in *enableInput) (*codesOutput, error) {
	device, err := named(in.Body.DeviceID)
	if err != nil {
		return nil, err
	}
	e, err := s.Enable(ctx, device, in.Body.Code)
	return shownCodes(e.BackupCodes, e.Cookies), err
}

func (s *Service) handleVerify(ctx context.Context, in *verifyInput) (*verifyOutput, error) {
	cookies, err := s.Verify(ctx, in.Body.Code)
	out := &verifyOutput{SetCookie: cookies}
	out.Body.Valid = err == nil
	return out, err
}

func (s *Service) handleDisable(ctx context.Context, in *disableInput) (*sessions.CookieOutput, error) {
	if in.Body == nil {
		cookies, err := s.Disable(ctx, DeviceID{}, "")
		return &sessions.CookieOutput{SetCookie: cookies}, err
	}
	device, err := named(in.Body.DeviceID)
	if err != nil {
		return nil, err
	}
	cookies, err := s.Disable(ctx, device, in.Body.Code)
	return &sessions.CookieOutput{SetCookie: cookies}, err
}

func (s *Service) handleBackupCodes(ctx context.Context, _ *web.Empty) (*codesOutput, error) {
	codes, err := s.RenewBackupCodes(ctx)
	return shownCodes(codes, nil), err
}

func (s *Service) handleStatus(ctx context.Context, _ *web.Empty) (*statusOutput, error) {
	status, err := s.Status(ctx)
	return &statusOutput{status}, err
}

// named is the device that a request names; none, if it names none. An empty name is no
// device's: it must not be taken for all of them.
func named(device *DeviceID) (DeviceID, error) {
	if device == nil {
		return DeviceID{}, nil
	}
	if device.IsZero() {
		return DeviceID{}, ErrDeviceNotFound.On("body.device_id")
	}
	return *device, nil
}

func shownCodes(codes, cookies []string) *codesOutput {
	out := &codesOutput{SetCookie: cookies}
	out.Body.BackupCodes = append([]string{}, codes...)
	return out
}
