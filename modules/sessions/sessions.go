package sessions

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/mileusna/useragent"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/secret"
)

type sessionKind struct{}

// Prefix begins the id of every session.
func (sessionKind) Prefix() string { return "ses" }

// ID identifies a session. It is shown to its owner and opens nothing.
type ID = id.ID[sessionKind]

// Session is one device that is signed in.
type Session struct {
	ID             ID        `json:"id"`
	Current        bool      `json:"current" doc:"This request was made with it"`
	DeviceType     string    `json:"device_type" doc:"desktop, mobile, tablet, bot or program"`
	DeviceName     string    `json:"device_name"`
	OSName         string    `json:"os_name"`
	OSVersion      string    `json:"os_version"`
	BrowserName    string    `json:"browser_name"`
	BrowserVersion string    `json:"browser_version"`
	IPAddress      string    `json:"ip_address"`
	Country        string    `json:"country"`
	City           string    `json:"city"`
	CreatedAt      time.Time `json:"created_at"`
	LastActiveAt   time.Time `json:"last_active_at" doc:"To the minute"`
	ExpiresAt      time.Time `json:"expires_at"`

	Impersonator *Impersonator `json:"impersonator,omitempty" doc:"The administrator who acts as you in this session; absent from your own"`
}

// Impersonator is an administrator, as those see them for whom they act.
type Impersonator struct {
	Name string `json:"name"`
}

// Tokens is what an API client holds.
type Tokens struct {
	AccessToken  string `json:"access_token" doc:"Send as Authorization: Bearer"`
	RefreshToken string `json:"refresh_token" doc:"Exchange at /auth/refresh; each works once"`
	TokenType    string `json:"token_type" example:"Bearer"`
	ExpiresIn    int    `json:"expires_in" doc:"Life of the access token in seconds" example:"900"`
	SessionID    ID     `json:"session_id"`
}

// Stats sums up somebody's sessions.
type Stats struct {
	Active       int       `json:"active"`
	Devices      int       `json:"devices" doc:"Different kinds of device, system and browser"`
	Locations    int       `json:"locations" doc:"Different addresses"`
	LastSignInAt time.Time `json:"last_sign_in_at"`
}

// The outcomes.
var (
	ErrCredentials = errs.New(errs.Unauthenticated, "auth.invalid_credentials", "The address or the password is not right.")
	ErrRefresh     = errs.New(errs.Unauthenticated, "auth.invalid_refresh_token", "This refresh token is not valid any more. Sign in again.")
	ErrNotFound    = errs.New(errs.NotFound, "not_found", "There is no such thing here.")
	ErrTooMany     = errs.New(errs.TooMany, "auth.too_many_attempts", "Too many attempts to sign in. Wait a little.")
	ErrPassword    = errs.New(errs.Invalid, "auth.wrong_password", "That is not your current password.").On("body.current_password")
	ErrNeedsCookie = errs.New(errs.Invalid, "auth.cookie_only", "This session belongs to a browser and needs no refresh.")
)

// Config says how long sessions last.
type Config struct {
	AccessLife time.Duration `env:"TENON_SESSIONS_ACCESS_TOKEN_LIFE" envDefault:"15m"` // how long one access token is good
	Idle       time.Duration `env:"TENON_SESSIONS_IDLE" envDefault:"336h"`             // how long a session lasts without activity: 14 days
	Absolute   time.Duration `env:"TENON_SESSIONS_ABSOLUTE" envDefault:"2160h"`        // how long a session lasts in any case: 90 days
	Most       int           `env:"TENON_SESSIONS_MAX" envDefault:"100"`               // how many sessions one account may have; the oldest ends when one more begins
	// MailSignIn is "on", or "off" where nobody signs in by a link or a code from a mail.
	MailSignIn string `env:"TENON_SESSIONS_MAIL_SIGN_IN" envDefault:"on"`
	// ImpersonationNotice is "on", or "off" where people are not to be told by mail that an
	// administrator acts as them; it stands in their event log in any case.
	ImpersonationNotice string `env:"TENON_IMPERSONATION_NOTICE" envDefault:"on"`
	Places              string `env:"TENON_GEOIP_DATABASE"` // a MaxMind database of cities (.mmdb), for the places in lists of sessions; none unless set

	// BeforeSession may refuse a session, whatever proof was given. Set in Go.
	BeforeSession func(ctx context.Context, a accounts.Account, p Proof) error
}

func (c Config) withDefaults() Config {
	if c.AccessLife == 0 {
		c.AccessLife = 15 * time.Minute
	}
	if c.Idle == 0 {
		c.Idle = 14 * 24 * time.Hour
	}
	if c.Absolute == 0 {
		c.Absolute = 90 * 24 * time.Hour
	}
	if c.Most == 0 {
		c.Most = 100
	}
	return c
}

// grace is how long refresh tokens more than one step behind are answered with the
// current one: parallel requests of one client, answers that got lost.
const grace = 30 * time.Second

// device reads a user agent for its owner to recognise; it proves nothing.
func device(agent string) (s Session) {
	ua := useragent.Parse(agent)
	s.OSName, s.OSVersion, s.BrowserName, s.BrowserVersion, s.DeviceName = short(ua.OS), short(ua.OSVersion), short(ua.Name), short(ua.Version), short(ua.Device)
	switch {
	case ua.Bot:
		s.DeviceType = "bot"
	case ua.Tablet:
		s.DeviceType = "tablet"
	case ua.Mobile:
		s.DeviceType = "mobile"
	case ua.Desktop:
		s.DeviceType = "desktop"
	default:
		s.DeviceType = "program"
	}
	if s.DeviceName == "" {
		s.DeviceName = strings.TrimSpace(strings.TrimSuffix(s.BrowserName+" on "+s.OSName, " on "))
	}
	return s
}

func short(s string) string { return s[:min(len(s), 100)] }

// refreshToken is what a refresh token says: which session, and how often it had
// been refreshed when the token was made.
type refreshToken struct {
	account id.Account
	session ID
	counter uint64
}

const refreshKind = "rt"

func (r refreshToken) claims() []byte {
	b := append(append([]byte(nil), r.account[:]...), r.session[:]...)
	return binary.BigEndian.AppendUint64(b, r.counter)
}

// sign writes the token with its MAC, as base62 digits like every token of ours. A
// first byte keeps leading zeros.
func (r refreshToken) sign(keys *secret.Keyring) (string, error) {
	claims := r.claims()
	tag, err := keys.MAC("sessions.refresh", claims)
	if err != nil {
		return "", fmt.Errorf("sign a refresh token: %w", err)
	}
	n := new(big.Int).SetBytes(append(append([]byte{1}, claims...), tag...))
	return secret.Checked("tn_" + refreshKind + "_" + n.Text(62)), nil
}

// readRefresh returns what a token says, if we made it.
func readRefresh(keys *secret.Keyring, token string) (r refreshToken, ok bool) {
	if !secret.IsToken(refreshKind, token) {
		return r, false
	}
	digits, _, _ := strings.Cut(token[len("tn_"+refreshKind+"_"):], "_")
	n, ok := new(big.Int).SetString(digits, 62)
	if !ok {
		return r, false
	}
	b := n.Bytes()
	if len(b) < 41 || b[0] != 1 || n.Text(62) != digits || !keys.CheckMAC("sessions.refresh", b[1:41], b[41:]) {
		return r, false
	}
	copy(r.account[:], b[1:17])
	copy(r.session[:], b[17:33])
	r.counter = binary.BigEndian.Uint64(b[33:41])
	return r, true
}
