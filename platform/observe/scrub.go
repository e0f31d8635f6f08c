package observe

import (
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	redacted = "[redacted]"

	maxString = 2 << 10  // bytes that a string keeps in the log
	maxStack  = 16 << 10 // a stack trace is of no use when it is cut short
	lookAhead = 2 << 10  // bytes read past the cut, so that it does not hide the end of a secret
)

// scrubAttr is called by the slog handlers for every attribute that is not a group,
// the message, the time and the level included.
func scrubAttr(groups []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindBool && (isSensitive(a.Key) || anySensitive(groups)) {
		a.Value = slog.StringValue(redacted)
		return a
	}
	switch a.Value.Kind() {
	case slog.KindString:
		limit := maxString
		if a.Key == "stack" {
			limit = maxStack
		}
		if s := a.Value.String(); !isPlain(s) {
			a.Value = slog.StringValue(scrub(s, limit))
		}
	case slog.KindTime:
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	case slog.KindDuration:
		a.Value = slog.Float64Value(milliseconds(a.Value.Duration()))
	case slog.KindAny:
		a.Value = cleanValue(a.Value.Any())
	}
	if !isPlain(a.Key) {
		a.Key = scrub(a.Key, 128)
	}
	return a
}

func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Microsecond)) / 1000
}

func anySensitive(names []string) bool {
	for _, name := range names {
		if isSensitive(name) {
			return true
		}
	}
	return false
}

// isSensitive reports whether a value of this name is a secret, however the name is
// spelled: access_token, accessToken, X-Access-Token. Names that only speak about a secret are not (token_id).
func isSensitive(name string) bool {
	if len(name) < 3 || len(name) > 128 {
		return false
	}
	switch name[strings.LastIndexByte(name, '_')+1:] {
	case "id", "at", "count", "kind", "type", "ttl":
		return false
	}
	var buf [128]byte
	n := 0
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if 'a' <= c && c <= 'z' {
			buf[n] = c
			n++
		}
	}
	switch string(buf[:n]) {
	case "code", "codes", "otp", "auth", "pass", "pwd", "jwt", "bearer", "pin", "samlresponse", "assertion":
		return true
	}
	if n > 2 && string(buf[n-3:n]) == "dsn" {
		return true
	}
	for i := 0; i+4 <= n; i++ {
		if startsSecret(buf[i:n]) {
			return true
		}
	}
	return false
}

// startsSecret looks at the first letter before it compares: it runs for every letter of every key.
func startsSecret(letters []byte) bool {
	switch letters[0] {
	case 'a':
		return startsAny(letters, "apikey", "authorization", "accesskey", "authcode")
	case 'b':
		return startsAny(letters, "backupcode")
	case 'c':
		return startsAny(letters, "cookie", "credential", "connectionstring", "conninfo", "codeverifier")
	case 'd':
		return startsAny(letters, "databaseurl")
	case 'e':
		return startsAny(letters, "encryptionkey")
	case 'm':
		return startsAny(letters, "masterkey")
	case 'p':
		return startsAny(letters, "password", "passwd", "passphrase", "privatekey")
	case 'r':
		return startsAny(letters, "recoverycode", "redisurl")
	case 's':
		return startsAny(letters, "secret", "signingkey")
	case 't':
		return startsAny(letters, "token", "totp")
	case 'v':
		return startsAny(letters, "verificationcode")
	}
	return false
}

func startsAny(letters []byte, words ...string) bool {
	for _, word := range words {
		if len(letters) >= len(word) && string(letters[:len(word)]) == word {
			return true
		}
	}
	return false
}

// isPlain reports in one cheap pass that s is short and holds nothing that scrub would change.
func isPlain(s string) bool {
	if len(s) > maxString {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 0x7f || c == '=' || c == '"' || c == '@':
			return false
		case c == '_' && i > 0 && endsPrefix(s[:i+1]):
			return false
		case c == 'J' && i > 1 && s[i-2:i] == "ey":
			return false
		case c == ' ' && i > 4 && endsScheme(s[:i]):
			return false
		case c == ':' && isSensitiveHeader(wordBefore(s, i)):
			return false
		}
	}
	return true
}

// scrub masks secrets inside s, escapes what the handlers would let through, and caps it.
func scrub(s string, limit int) string {
	whole := len(s)
	if len(s) > limit+lookAhead {
		s = s[:limit+lookAhead]
	}
	s = escapeUnprintable(mask(s))
	if len(s) <= limit && whole <= limit+lookAhead {
		return s
	}
	cut := min(limit, len(s))
	for cut > 0 && cut < len(s) && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "… [" + strconv.Itoa(whole) + " bytes]"
}

// Mask replaces the secret part of everything in s that looks like a credential. It is for
// what callers say of themselves and we keep, such as a user agent.
func Mask(s string) string {
	if isPlain(s) {
		return s
	}
	return mask(s)
}

// mask replaces the secret part of everything in s that looks like a credential.
func mask(s string) string {
	var out strings.Builder
	done := 0 // s[:done] is written
	for i := 0; i < len(s); i++ {
		from, to := secretAt(s, i)
		if to <= from || from < done {
			continue
		}
		out.WriteString(s[done:from])
		out.WriteString(redacted)
		done = to
		i = to - 1
	}
	if done == 0 {
		return s
	}
	out.WriteString(s[done:])
	return out.String()
}

// secretAt returns the bounds of the secret that the byte at i announces, or an empty range.
func secretAt(s string, i int) (from, to int) {
	switch s[i] {
	case '_':
		if endsPrefix(s[:i+1]) {
			return afterPrefix(s, i+1)
		}
	case 'J':
		if i > 1 && s[i-2:i] == "ey" {
			return jwtAfter(s, i+1)
		}
	case '/':
		if i > 1 && s[i-2:i] == ":/" {
			return urlPassword(s, i+1)
		}
	case '=':
		return assigned(s, i)
	case ':':
		return headerOrMember(s, i)
	case ' ':
		if endsScheme(s[:i]) {
			return i + 1, endOf(s, i+1, isTokenByte)
		}
	}
	return 0, 0
}

// endsPrefix reports whether s ends in the prefix of one of our tokens or of a well-known secret.
func endsPrefix(s string) bool {
	return strings.HasSuffix(s, "tn_") || strings.HasSuffix(s, "whsec_") || strings.HasSuffix(s, "sk_live_") || strings.HasSuffix(s, "sk_test_")
}

// afterPrefix keeps the kind of tn_<kind>_<secret>.
func afterPrefix(s string, i int) (from, to int) {
	if strings.HasSuffix(s[:i], "tn_") {
		kind := endOf(s, i, func(c byte) bool { return isAlphanumeric(c) && (c < 'A' || c > 'Z') })
		if kind == i || kind == len(s) || s[kind] != '_' {
			return 0, 0
		}
		i = kind + 1
	}
	to = endOf(s, i, isTokenByte)
	if to-i < 8 {
		return 0, 0
	}
	return i, to
}

// jwtAfter finds a compact JWS or JWE: base64url parts joined by dots.
func jwtAfter(s string, i int) (from, to int) {
	to = endOf(s, i, func(c byte) bool { return isAlphanumeric(c) || c == '-' || c == '_' || c == '.' })
	if to-i < 16 || !strings.Contains(s[i:to], ".") {
		return 0, 0
	}
	return i, to
}

// urlPassword finds the password in scheme://user:password@host. The password may hold
// unescaped slashes or at signs: an error about a malformed URL quotes it just so.
func urlPassword(s string, i int) (from, to int) {
	end := endOf(s, i, func(c byte) bool { return c > ' ' && c != '"' && c != '\'' && c != '`' && c != '<' && c != '>' })
	at := strings.LastIndexByte(s[i:end], '@')
	if at < 0 {
		return 0, 0
	}
	colon := strings.IndexByte(s[i:i+at], ':')
	if colon < 0 {
		return 0, 0
	}
	from, to = i+colon+1, i+at
	port := endOf(s, from, func(c byte) bool { return '0' <= c && c <= '9' })
	if port > from && port < to && strings.IndexByte("/?#", s[port]) >= 0 {
		return 0, 0 // host:port/…, and the at sign belongs to the path
	}
	return from, to
}

// assigned finds the value in name=value: a query, a form, or a connection string.
func assigned(s string, i int) (from, to int) {
	name := wordBefore(s, i)
	if !isSensitive(name) {
		return 0, 0
	}
	if start := i - len(name); name == "code" && start > 0 && s[start-1] != '?' && s[start-1] != '&' {
		return 0, 0 // "exit code=3" is no secret, "?code=…" is
	}
	from = i + 1
	if from < len(s) && (s[from] == '\'' || s[from] == '"') {
		return from + 1, endOfQuoted(s, from+1, s[from])
	}
	return from, endOf(s, from, func(c byte) bool { return c > ' ' && strings.IndexByte("&;,\"'", c) < 0 })
}

// headerOrMember finds the value in `Authorization: value` and in `"password": "value"`.
func headerOrMember(s string, i int) (from, to int) {
	if isSensitiveHeader(wordBefore(s, i)) {
		from = skipSpaces(s, i+1)
		return from, endOf(s, from, func(c byte) bool { return c >= ' ' && c != '"' })
	}
	if i == 0 || s[i-1] != '"' {
		return 0, 0
	}
	escaped := 0 // JSON inside a JSON string: \"password\":\"value\"
	if i > 1 && s[i-2] == '\\' {
		escaped = 1
	}
	if !isSensitive(wordBefore(s, i-1-escaped)) {
		return 0, 0
	}
	from = skipSpaces(s, i+1)
	if from+escaped < len(s) && s[from+escaped] == '"' {
		from += escaped + 1
		return from, endOfQuoted(s, from, '"') - escaped
	}
	return from, endOf(s, from, func(c byte) bool { return c > ' ' && strings.IndexByte(",}]", c) < 0 })
}

func isSensitiveHeader(name string) bool {
	switch {
	case len(name) < 6 || len(name) > 19:
		return false
	case strings.EqualFold(name, "authorization"), strings.EqualFold(name, "proxy-authorization"),
		strings.EqualFold(name, "cookie"), strings.EqualFold(name, "set-cookie"), strings.EqualFold(name, "x-api-key"):
		return true
	}
	return false
}

// endsScheme reports whether s ends in an authentication scheme that a credential follows.
func endsScheme(s string) bool {
	word := wordBefore(s, len(s))
	return strings.EqualFold(word, "bearer") || strings.EqualFold(word, "basic")
}

// wordBefore returns the name that ends at i.
func wordBefore(s string, i int) string {
	start := i
	for start > 0 && (isAlphanumeric(s[start-1]) || s[start-1] == '_' || s[start-1] == '-') {
		start--
	}
	return s[start:i]
}

func endOf(s string, i int, in func(byte) bool) int {
	for i < len(s) && in(s[i]) {
		i++
	}
	return i
}

func endOfQuoted(s string, i int, quote byte) int {
	for i < len(s) && (s[i] != quote || s[i-1] == '\\' && quote == '\'') {
		i++
	}
	return i
}

func skipSpaces(s string, i int) int { return endOf(s, i, func(c byte) bool { return c == ' ' }) }

func isTokenByte(c byte) bool {
	return isAlphanumeric(c) || strings.IndexByte("-_.~+/=", c) >= 0
}

// escapeUnprintable writes what terminals and log viewers act upon as \uXXXX: C1 controls,
// line separators, bidirectional overrides, invisible marks. The handlers escape the ASCII
// controls and replace invalid UTF-8.
func escapeUnprintable(s string) string {
	first := strings.IndexFunc(s, needsEscape)
	if first < 0 {
		return s
	}
	var out strings.Builder
	out.WriteString(s[:first])
	for _, r := range s[first:] {
		if needsEscape(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func needsEscape(r rune) bool { return r >= 0x7f && r != utf8.RuneError && !strconv.IsGraphic(r) }
