package accounts

import (
	"net/url"
	"slices"
	"strings"

	"github.com/tenonhq/tenon/platform/errs"
)

// ErrAvatarInvalid is the outcome for every address of a picture that is not taken: it
// does not say which rule it broke.
var ErrAvatarInvalid = errs.New(errs.Invalid, "accounts.avatar_url_invalid", "Pictures cannot be shown from this address.").On("body.avatar_url")

const maxAvatarURL = 2000

// CleanAvatar returns the address of a picture as it is stored, or ErrAvatarInvalid.
// It is for addresses that anyone supplies: the owner, or an identity provider's claim.
// Only browsers ever fetch them, and only from the hosts of TENON_AVATAR_HOSTS. Empty
// removes the picture.
func (s *Service) CleanAvatar(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	host, ok := avatarHost(text)
	if !ok || !slices.Contains(s.Config.AvatarHosts, host) {
		return "", ErrAvatarInvalid
	}
	return text, nil
}

// avatarHost is the host of an address that has one reading only: https, a name, a
// path and perhaps a query, of characters that RFC 3986 lets stand for themselves.
func avatarHost(text string) (string, bool) {
	rest, ok := strings.CutPrefix(text, "https://")
	if !ok || len(text) > maxAvatarURL || strings.ContainsFunc(text, notInURL) {
		return "", false
	}
	host := rest
	if end := strings.IndexAny(rest, "/?"); end >= 0 {
		host = rest[:end]
	}
	u, err := url.Parse(text)
	if err != nil || !isHost(host) || u.Host != host || u.User != nil || u.Opaque != "" {
		return "", false
	}
	return host, true
}

// notInURL refuses fragments, quotes, backslashes, spaces, control characters and
// whatever is not ASCII.
func notInURL(r rune) bool {
	return !isHostRune(r) && !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZ_~:/?@!$&()*+,;=%", r)
}

func isHostRune(r rune) bool {
	return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '.'
}

// isHost accepts a plain host name of two labels or more, in lower-case ASCII, that is
// no number.
func isHost(s string) bool {
	labels := strings.Split(s, ".")
	if len(s) > 253 || len(labels) < 2 || strings.ContainsFunc(s, func(r rune) bool { return !isHostRune(r) }) {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	last := labels[len(labels)-1]
	return strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(last, "0x")
}
