package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/tenonhq/tenon/platform/errs"
)

// ErrAddress is the outcome of reading text that is not one plain address.
var ErrAddress = errs.New(errs.Invalid, "mail.address_invalid", "Enter one e-mail address, such as name@example.com.")

// Address is one mailbox, local@domain. Only ParseAddress makes one that is not zero.
type Address struct{ local, domain string }

// ParseAddress reads exactly one bare address of at most 254 bytes (RFC 5321): a dot-atom,
// whose letters may be of any script (RFC 6531), and a domain name of two labels or more,
// which becomes lower-case ASCII (UTS #46, lookup). No display name, list, comment, quoted
// part, address literal or control character. The local part stays as it was written.
func ParseAddress(s string) (Address, error) {
	if len(s) > 254 || !utf8.ValidString(s) {
		return Address{}, ErrAddress
	}
	local, name, ok := strings.Cut(s, "@")
	if !ok || !isLocal(local) {
		return Address{}, ErrAddress
	}
	domain, ok := lookupForm(name)
	if !ok || len(local)+1+len(domain) > 254 {
		return Address{}, ErrAddress
	}
	return Address{local, domain}, nil
}

// String is the address as it goes on the envelope; the zero Address is "".
func (a Address) String() string {
	if a.IsZero() {
		return ""
	}
	return a.local + "@" + a.domain
}

// Local is the part before the at sign.
func (a Address) Local() string { return a.local }

// Domain is the domain in lower-case ASCII.
func (a Address) Domain() string { return a.domain }

// IsZero reports whether a is no address.
func (a Address) IsZero() bool { return a == Address{} }

// MarshalText writes the address.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads an address as ParseAddress does; empty text is the zero Address.
func (a *Address) UnmarshalText(b []byte) (err error) {
	*a = Address{}
	if len(b) > 0 {
		*a, err = ParseAddress(string(b))
	}
	return err
}

// isLocal accepts atoms joined by single dots, at most 64 bytes.
func isLocal(s string) bool {
	if s == "" || len(s) > 64 || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i, r := range s {
		switch {
		case r < utf8.RuneSelf:
			if !isAlphanumeric(byte(r)) && !strings.ContainsRune(".!#$%&'*+-/=?^_`{|}~", r) {
				return false
			}
		case unicode.IsLetter(r) || unicode.IsDigit(r):
		case unicode.IsMark(r) && i > 0:
		default:
			return false
		}
	}
	return true
}

// lookupForm returns the name as it is asked of DNS.
func lookupForm(name string) (string, bool) {
	if name == "" || len(name) > 254 || strings.ContainsAny(name, "%/\\[]") {
		return "", false
	}
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil || len(ascii) > 253 {
		return "", false
	}
	labels := strings.Split(strings.ToLower(ascii), ".")
	for _, label := range labels {
		if !isLabel(label) {
			return "", false
		}
	}
	if last := labels[len(labels)-1]; len(labels) < 2 || '0' <= last[0] && last[0] <= '9' {
		return "", false // a bare host, or an IPv4 address
	}
	return strings.Join(labels, "."), true
}

func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && s[i] != '-' {
			return false
		}
	}
	return true
}
