package mfa

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"golang.org/x/text/unicode/norm"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/passkeys"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
)

// Method is a way to prove a second factor.
type Method string

// The methods.
const (
	TOTP       Method = accounts.TOTP
	BackupCode Method = "backup_code"
	Passkey    Method = accounts.Passkey
)

// Given is a second factor as a request brings it.
type Given struct {
	Method     Method
	Code       string
	Credential json.RawMessage // of a passkey: what the browser answered

	purpose passkeys.Purpose // what a passkey must have been asked for
}

type deviceKind struct{}

// Prefix begins the id of every device.
func (deviceKind) Prefix() string { return "totp" }

// DeviceID identifies an authenticator app.
type DeviceID = id.ID[deviceKind]

// Device is an authenticator app that an account can be entered with.
type Device struct {
	ID         DeviceID   `json:"id"`
	Name       string     `json:"name" example:"My phone"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at" doc:"When a code of it was last accepted"`

	secret []byte // sealed
}

// NewDevice is a device that has yet to prove that it knows its secret. It is shown once.
type NewDevice struct {
	DeviceID        DeviceID `json:"device_id"`
	Secret          string   `json:"secret" doc:"Base32, to be typed where no camera is" example:"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"`
	ProvisioningURI string   `json:"provisioning_uri" doc:"What the QR code holds" example:"otpauth://totp/…"`
	QRCode          string   `json:"qr_code" doc:"The QR code to scan, as a data: URI of an SVG image"`
}

// Status is which second factors of this module an account has.
type Status struct {
	Enabled              bool       `json:"enabled"`
	Devices              []Device   `json:"devices" doc:"Oldest first, without those that are not enabled yet"`
	BackupCodesRemaining int        `json:"backup_codes_remaining"`
	LastUsedAt           *time.Time `json:"last_used_at" doc:"When a code of any kind was last accepted"`
}

// The outcomes.
var (
	ErrCode           = errs.New(errs.Unauthenticated, "mfa.code_invalid", "This code is not right, or was used already. Wait for the next one.")
	ErrMethod         = errs.New(errs.Invalid, "mfa.method_unavailable", "This method cannot be used here.").On("body.method")
	ErrOneProof       = errs.New(errs.Invalid, "mfa.one_proof", "Send a password, or a method and a code, not both.").On("body.method")
	ErrNotEnabled     = errs.New(errs.Conflict, "mfa.not_enabled", "There is no authenticator app yet. Set one up first.")
	ErrNothingPending = errs.New(errs.Conflict, "mfa.nothing_to_enable", "There is no authenticator app that waits for its first code. Set one up again.")
	ErrDevices        = errs.New(errs.Conflict, "mfa.too_many_devices", "Remove an authenticator app before you add another.")
	ErrNone           = errs.New(errs.Conflict, "mfa.no_second_factor", "This account has no second factor.")
	ErrDeviceNotFound = errs.New(errs.NotFound, "mfa.device_not_found", "There is no such authenticator app.")
	ErrNameInvalid    = errs.New(errs.Invalid, "mfa.name_invalid", "Enter a name of 1 to 100 characters, on one line.").On("body.device_name")
)

const (
	mostDevices = 10
	pendingLife = time.Hour // how long a new device may wait for its first code
)

func cleanName(name string) (string, error) {
	name = strings.TrimSpace(norm.NFC.String(name))
	if name == "" || utf8.RuneCountInString(name) > 100 || strings.ContainsFunc(name, unicode.IsControl) {
		return "", ErrNameInvalid
	}
	return name, nil
}

// period is how long one code is shown, in seconds (RFC 6238 §5.2).
const period = 30

// newSecret makes a secret of 160 bits (RFC 4226 §4), in base32 as apps take it.
func newSecret() string {
	var random [20]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	return base32.StdEncoding.EncodeToString(random[:])
}

// provisioning is the URI by which apps learn a secret. They show the issuer, which must
// not hold the colon that ends it. (The library does not escape an ampersand.)
func provisioning(issuer, account, secret string) string {
	issuer = strings.Join(strings.Fields(strings.ReplaceAll(issuer, ":", " ")), " ")
	q := url.Values{"secret": {secret}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {strconv.Itoa(period)}}
	return "otpauth://totp/" + url.PathEscape(issuer) + ":" + url.PathEscape(account) + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}

// stepOf numbers the code that is shown at an instant.
func stepOf(t time.Time) int64 { return t.Unix() / period }

// stepFor is the time step of a code: now's, or one beside it, since clocks differ. The
// latest is taken, so that a code which fits two steps is not accepted for each.
func stepFor(secret, code string, now time.Time) (step int64, ok bool) {
	for step = stepOf(now) + 1; step >= stepOf(now)-1; step-- {
		if ok, err := hotp.ValidateCustom(code, uint64(step), secret, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}); err == nil && ok {
			return step, true
		}
	}
	return 0, false
}

const (
	backupCodes  = 10
	backupDigits = 10 // 50 random bits: guesses are few
	symbols      = "0123456789abcdefghjkmnpqrstvwxyz"
)

// newBackupCode makes a code as readCode returns it.
func newBackupCode() string {
	var random [backupDigits]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	for i, r := range random {
		random[i] = symbols[r%byte(len(symbols))]
	}
	return string(random[:])
}

// shown is a backup code as it is written down, in two groups.
func shown(code string) string { return code[:backupDigits/2] + "-" + code[backupDigits/2:] }

// readCode reads a code as people type it, with spaces and dashes and in capitals, and
// says of which method it is; of none, if it is no code.
func readCode(text string) (code string, m Method) {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
	if len(text) == 6 && strings.Trim(text, "0123456789") == "" {
		return text, TOTP
	}
	// As in ids, letters that look like digits stand for them.
	text = strings.NewReplacer("o", "0", "i", "1", "l", "1").Replace(text)
	if len(text) == backupDigits && strings.Trim(text, symbols) == "" {
		return text, BackupCode
	}
	return "", ""
}
