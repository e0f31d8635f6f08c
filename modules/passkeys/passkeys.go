package passkeys

import (
	"net"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
)

type passkeyKind struct{}

// Prefix begins the id of every passkey.
func (passkeyKind) Prefix() string { return "pky" }

// ID identifies a passkey. It is not the credential's id.
type ID = id.ID[passkeyKind]

type challengeKind struct{}

// Prefix begins the id of every challenge.
func (challengeKind) Prefix() string { return "pkc" }

// Passkey is one that an account may sign in with.
type Passkey struct {
	ID         ID         `json:"id"`
	Name       string     `json:"name" example:"My phone"`
	Transports []string   `json:"transports" doc:"How the browser reaches it: internal, hybrid, usb, nfc, ble, smart-card" example:"[\"internal\"]"`
	BackedUp   bool       `json:"backed_up" doc:"It is copied between its owner's devices, and survives the loss of one"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

// The outcomes.
var (
	ErrRefused     = errs.New(errs.Unauthenticated, "passkeys.refused", "This passkey was not accepted. Try again, or sign in another way.")
	ErrNotVerified = errs.New(errs.Unauthenticated, "passkeys.not_verified", "To sign in with this alone it has to check that it is you. Give it a PIN, or sign in another way and use it as your second factor.")
	ErrCredential  = errs.New(errs.Invalid, "passkeys.invalid_credential", "This passkey cannot be added. Begin again.").On("body.credential")
	ErrExpired     = errs.New(errs.Invalid, "passkeys.registration_expired", "This took too long, or is done already. Begin again.").On("body.registration_token")
	ErrTaken       = errs.New(errs.Conflict, "passkeys.already_added", "This passkey is in use already.")
	ErrTooMany     = errs.New(errs.Conflict, "passkeys.too_many", "An account can have 20 passkeys. Remove one first.")
	ErrNone        = errs.New(errs.Conflict, "passkeys.none", "This account has no passkey.")
	ErrNoDomain    = errs.New(errs.Conflict, "passkeys.no_domain", "Passkeys need a server with a domain name; this one is reached by its IP address.")
	ErrNameInvalid = errs.New(errs.Invalid, "passkeys.name_invalid", "Enter a name of 1 to 100 characters.").On("body.name")
	ErrNotFound    = errs.New(errs.NotFound, "not_found", "There is no such thing here.")
)

// Purpose is what somebody uses a passkey for. A challenge for one is no good for another.
type Purpose string

// The purposes.
const (
	Register     Purpose = "register"
	SecondFactor Purpose = "second_factor"
	Confirm      Purpose = "confirm"
)

const (
	challengeToken = "passkey"
	challengeLife  = 5 * time.Minute
	most           = 20 // passkeys of one account
	handleBytes    = 64 // random, as WebAuthn §14.6.1 recommends
)

// cleanName trims a passkey's name and refuses what no name has.
func cleanName(name string) (string, error) {
	name = strings.TrimSpace(norm.NFC.String(name))
	if name == "" || utf8.RuneCountInString(name) > 100 || strings.ContainsFunc(name, unicode.IsControl) {
		return "", ErrNameInvalid
	}
	return name, nil
}

// domain is the relying party of a product that is reached at publicURL, and the origins
// of its pages. An IP address is no domain, but this machine's is also called localhost.
func domain(publicURL string, others []string) (rpID string, origins []string, err error) {
	u, err := url.Parse(publicURL)
	if err != nil {
		return "", nil, err
	}
	rpID, origins = strings.ToLower(u.Hostname()), append([]string{u.Scheme + "://" + u.Host}, others...)
	if ip := net.ParseIP(rpID); ip != nil {
		if !ip.IsLoopback() {
			return "", nil, ErrNoDomain
		}
		rpID = "localhost"
		local := u.Scheme + "://localhost"
		if port := u.Port(); port != "" {
			local += ":" + port
		}
		origins = append(origins, local)
	}
	return rpID, origins, nil
}
