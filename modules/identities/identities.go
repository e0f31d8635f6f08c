package identities

import (
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
)

type identityKind struct{}

// Prefix begins the id of every identity.
func (identityKind) Prefix() string { return "idn" }

// ID identifies an identity of an account.
type ID = id.ID[identityKind]

// Identity is an account somewhere else that its owner signs in with.
type Identity struct {
	ID         ID         `json:"id"`
	Provider   string     `json:"provider" doc:"Id of the provider" example:"google"`
	Email      string     `json:"email" doc:"As the provider said last; it proves nothing"`
	Name       string     `json:"name" doc:"What the provider calls the person"`
	LinkedAt   time.Time  `json:"linked_at"`
	LastUsedAt *time.Time `json:"last_used_at" doc:"Null when nobody has signed in with it yet"`

	issuer string
}

// Offered is a provider that people may sign in with.
type Offered struct {
	ID   string `json:"id" example:"google"`
	Name string `json:"name" example:"Google"`
	Kind Kind   `json:"kind" enum:"google,github,microsoft,keycloak,oidc"`
}

// The outcomes.
var (
	ErrNotFound        = errs.New(errs.NotFound, "not_found", "There is no such thing here.")
	ErrUnavailable     = errs.New(errs.Unavailable, "identities.provider_unavailable", "This provider cannot be reached at the moment. Try again, or sign in another way.")
	ErrState           = errs.New(errs.Malformed, "identities.state_invalid", "This sign-in has expired, or was begun in another browser. Begin again.")
	ErrToken           = errs.New(errs.Malformed, "identities.token_invalid", "The provider's answer could not be verified. Begin again.")
	ErrCancelled       = errs.New(errs.Malformed, "identities.cancelled", "The sign-in was cancelled at the provider.")
	ErrRefused         = errs.New(errs.Malformed, "identities.provider_refused", "The provider refused the sign-in.")
	ErrEmailUnverified = errs.New(errs.Forbidden, "identities.email_unverified", "The provider has no proof of your e-mail address. Confirm it there, or sign in another way.")
	ErrLinkRequired    = errs.New(errs.Conflict, "identities.link_required", "An account with your e-mail address exists. Sign in to it, then link this provider.")
	ErrInactive        = errs.New(errs.Forbidden, "identities.account_inactive", "This account cannot be used at the moment.")
	ErrTaken           = errs.New(errs.Conflict, "identities.taken", "This identity belongs to another account.")
	ErrTooMany         = errs.New(errs.Conflict, "identities.too_many", "Unlink an identity first: an account has at most 20.")
	ErrLastWayIn       = errs.New(errs.Conflict, "identities.last_way_in", "This is the only way to sign in to your account. Set a password, or link another provider first.")
)

// maxIdentities is how many identities one account may have.
const maxIdentities = 20

// person is who a provider says has signed in. All of it but issuer and subject is
// text by strangers.
type person struct {
	issuer, subject string
	email           string
	emailVerified   bool // the provider has proof of the address
	name, locale    string
	claims          map[string]any
}

// valid reports whether issuer and subject can be a key: 255 characters at most
// (OpenID Connect Core §2), none of them invisible.
func (p person) valid() bool {
	return p.issuer != "" && p.subject != "" && len(p.subject) <= 255 && utf8.ValidString(p.subject) && !strings.ContainsFunc(p.subject, unicode.IsControl)
}

const maxName = 100

// cleanName makes a name of what a provider calls someone: one line of at most 100
// characters, without those that are invisible or turn the text around.
func cleanName(text, email string) string {
	if len(text) > 16*maxName {
		text = text[:16*maxName]
	}
	text = norm.NFC.String(strings.ToValidUTF8(text, ""))
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) {
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxName {
		text = strings.TrimSpace(string(runes[:maxName]))
	}
	if text == "" {
		text, _, _ = strings.Cut(email, "@")
	}
	return text
}

// cleanEmail is an address to show; nothing is decided by it.
func cleanEmail(text string) string {
	if len(text) > 320 || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return ""
	}
	return text
}

// cleanLocale is a language, or nothing.
func cleanLocale(text string) string {
	if len(text) > 35 {
		return ""
	}
	tag, err := language.Parse(strings.ReplaceAll(text, "_", "-"))
	if err != nil {
		return ""
	}
	return tag.String()
}

const maxPath = 2048

// safePath is text if it is a path on this host in every reading, else "/".
func safePath(text string) string {
	if text == "" || len(text) > maxPath || text[0] != '/' || strings.ContainsFunc(text, notPlain) {
		return "/"
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "/"
	}
	p := pathOf(text)
	for range 3 { // some readers decode twice
		if strings.Contains(p, "//") || strings.ContainsFunc(p, notOfPath) || path.Clean(p) != p && path.Clean(p)+"/" != p {
			return "/"
		}
		if p, err = url.PathUnescape(p); err != nil {
			return "/"
		}
	}
	return text
}

func pathOf(text string) string {
	if i := strings.IndexAny(text, "?#"); i >= 0 {
		return text[:i]
	}
	return text
}

// notPlain finds what no URL has unencoded.
func notPlain(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }

// notOfPath finds what some reader takes for a slash, or leaves out.
func notOfPath(r rune) bool {
	return unicode.IsControl(r) || r == '\\' || strings.ContainsRune("\u2044\u2215\u29f5\u29f8\u29f9\ufe68\uff0f\uff3c\ufffd", r)
}

var providerPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
