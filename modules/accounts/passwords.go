package accounts

import (
	"context"
	"crypto/sha1"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/safehttp"
	"github.com/tenonhq/tenon/platform/secret"
)

// The outcomes about passwords.
var (
	ErrPasswordShort       = errs.New(errs.Invalid, "accounts.password_too_short", "Use at least 8 characters.")
	ErrPasswordLong        = errs.New(errs.Invalid, "accounts.password_too_long", "Use at most 256 characters.")
	ErrPasswordText        = errs.New(errs.Invalid, "accounts.password_text", "A password must be text without control characters.")
	ErrPasswordCommon      = errs.New(errs.Invalid, "accounts.password_common", "Many people use this password, so it is guessed first. Choose another.")
	ErrPasswordPersonal    = errs.New(errs.Invalid, "accounts.password_personal", "A password must not be your name, your address or the product's name.")
	ErrPasswordComposition = errs.New(errs.Invalid, "accounts.password_composition", "This password lacks characters that it must have.")
	ErrPasswordWeak        = errs.New(errs.Invalid, "accounts.password_too_weak", "This password is guessed soon. A few unrelated words make a better one.")
	ErrPasswordBreached    = errs.New(errs.Invalid, "accounts.password_breached", "This password has appeared in a data breach, so it is guessed first. Choose another.")
	ErrPasswordReused      = errs.New(errs.Invalid, "accounts.password_reused", "You have used this password before. Choose another.")
	ErrPasswordReplaced    = errs.New(errs.Conflict, "accounts.password_replaced", "The password was changed meanwhile. Sign in with the new one.")
)

const (
	minPassword = 8
	maxPassword = 256
)

// policy says which passwords may be chosen. All but the strength follows NIST SP
// 800-63B: length and a list of what is common decide, not the kinds of characters.
type policy struct {
	least    int
	require  []string
	strength int
	product  string
}

func newPolicy(c Config, product string) policy {
	return policy{least: c.PasswordMinLength, require: c.PasswordRequire, strength: *c.PasswordMinStrength, product: product}
}

// check returns the password as it is hashed or the first thing that is wrong with it.
// personal are words that anyone would try first.
func (p policy) check(password string, personal ...string) (string, error) {
	password, wrong := p.problems(password, personal)
	if len(wrong) > 0 {
		return "", wrong[0]
	}
	return password, nil
}

// problems returns the password as it is hashed (NFKC, NIST SP 800-63B §3.1.1.2), and
// all that is wrong with it.
func (p policy) problems(password string, personal []string) (string, []*errs.Error) {
	if len(password) > maxPassword*utf8.UTFMax {
		return "", []*errs.Error{ErrPasswordLong}
	}
	if !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl) {
		return "", []*errs.Error{ErrPasswordText}
	}
	password = norm.NFKC.String(password)
	length := utf8.RuneCountInString(password)
	if length > maxPassword {
		return "", []*errs.Error{ErrPasswordLong}
	}
	personal = append(slices.Clone(personal), p.product)
	var wrong []*errs.Error
	if length < p.least {
		wrong = append(wrong, saying(ErrPasswordShort, "Use at least %d characters.", p.least))
	}
	if lower := strings.ToLower(password); lower != "" && isCommon(lower) {
		wrong = append(wrong, ErrPasswordCommon)
	}
	if isPersonal(password, personal) {
		wrong = append(wrong, ErrPasswordPersonal)
	}
	if missing := p.missing(password); len(missing) > 0 {
		wrong = append(wrong, saying(ErrPasswordComposition, "Use at least one of each: %s.", strings.Join(missing, ", ")))
	}
	if len(wrong) == 0 && estimate(password, personal).score() < p.strength {
		wrong = append(wrong, ErrPasswordWeak)
	}
	return password, wrong
}

// saying is an outcome whose sentence depends on the configuration.
func saying(e *errs.Error, format string, args ...any) *errs.Error {
	c := *e
	c.Message = fmt.Sprintf(format, args...)
	return &c
}

// isPersonal finds a password that is little more than one of the words.
func isPersonal(password string, personal []string) bool {
	lower := strings.ToLower(password)
	for _, p := range personal {
		p = strings.ToLower(p)
		local, _, _ := strings.Cut(p, "@")
		if p != "" && (lower == p || lower == local || utf8.RuneCountInString(local) >= 4 && utf8.RuneCountInString(lower) < 3+utf8.RuneCountInString(local) && strings.Contains(lower, local)) {
			return true
		}
	}
	return false
}

// characterKind is a kind of characters that a policy may ask for.
type characterKind struct {
	key, name string
	is        func(rune) bool
}

func characterKinds() []characterKind {
	return []characterKind{
		{"lower", "a lower-case letter", unicode.IsLower},
		{"upper", "an upper-case letter", unicode.IsUpper},
		{"digit", "a digit", unicode.IsDigit},
		{"symbol", "a sign that is neither letter nor digit", func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsSpace(r) && !unicode.IsMark(r)
		}},
	}
}

// missing names the kinds of characters that a password must have and has not.
func (p policy) missing(password string) (names []string) {
	for _, k := range characterKinds() {
		if slices.Contains(p.require, k.key) && !strings.ContainsFunc(password, k.is) {
			names = append(names, k.name)
		}
	}
	return names
}

// ForHash is a password as it is compared: what the policy accepted, normalised.
func ForHash(password string) string {
	if len(password) > maxPassword*utf8.UTFMax {
		return ""
	}
	return norm.NFKC.String(password)
}

// isCommon finds a password that many people use: more than thirteen thousand of eight
// characters and more (OWASP ASVS 5.0 V6.2.4 asks for three).
func isCommon(lower string) bool {
	_, word := words()[lower]
	return word && len(lower) >= minPassword || commonPasswords()[lower] || oneCharacter(lower)
}

func oneCharacter(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	return strings.Trim(s, string(first)) == ""
}

//go:embed common_passwords.txt.gz
var commonPasswordsFile []byte

// commonPasswords are those of at least minPassword characters that people choose most.
var commonPasswords = sync.OnceValue(func() map[string]bool {
	list := map[string]bool{}
	for line := range strings.Lines(unpack(commonPasswordsFile)) {
		list[strings.TrimSuffix(line, "\n")] = true
	}
	return list
})

// HashPassword checks the password of a new account and hashes it. field is blamed for
// what is wrong. For an account that exists, use HashNewPassword.
func (s *Service) HashPassword(ctx context.Context, password, field string, personal ...string) (string, error) {
	clean, err := s.policy.check(password, personal...)
	if err != nil {
		return "", blame(err, field)
	}
	return s.hash(ctx, clean, field)
}

// HashNewPassword checks the password that an account is to have from now on, also
// against those it had, and hashes it. It takes long; do it before the transaction. Call
// it only for someone who has proved that the account is theirs: it tells them what was
// their password before.
func (s *Service) HashNewPassword(ctx context.Context, a Account, password, field string) (string, error) {
	clean, err := s.policy.check(password, a.Email, a.Name)
	if err == nil {
		err = s.notReused(ctx, a.ID, clean)
	}
	if err != nil {
		return "", blame(err, field)
	}
	return s.hash(ctx, clean, field)
}

// hash hashes what the policy accepted, unless it is known from a breach.
func (s *Service) hash(ctx context.Context, clean, field string) (string, error) {
	if s.isBreached(ctx, clean) {
		return "", ErrPasswordBreached.On(field)
	}
	return s.Passwords.Hash(ctx, clean)
}

// notReused compares a password with the account's last ones.
func (s *Service) notReused(ctx context.Context, account id.Account, password string) error {
	last, err := lastHashes(ctx, s.DB.Account(account), account, *s.Config.PasswordHistory)
	if err != nil {
		return err
	}
	for _, hash := range last {
		same, _, err := s.Passwords.Verify(ctx, hash, password)
		if err != nil {
			return fmt.Errorf("compare with an earlier password: %w", err)
		}
		if same {
			return ErrPasswordReused
		}
	}
	return nil
}

// OwnerOfReset returns whose password a mailed token may set, and does not use it up.
// It is ErrTokenInvalid for any token that would not be accepted.
func (s *Service) OwnerOfReset(ctx context.Context, token string) (Account, error) {
	if !secret.IsToken(resetPassword.prefix(), token) {
		return Account{}, ErrTokenInvalid
	}
	c := s.DB.Platform(byToken)
	owner, err := ownerOfToken(ctx, c, resetPassword, secret.Hash(token), s.Now())
	if err != nil {
		return Account{}, err
	}
	a, err := accountByID(ctx, c, owner)
	if errors.Is(err, ErrNotFound) || err == nil && a.Status != Active {
		err = ErrTokenInvalid
	}
	return a, err
}

// ResetPassword sets a new password by the token that was mailed, and proves the
// address with it. It needs a platform transaction (In), so that the caller can end
// the sessions together with it. hash is the new password's, from HashNewPassword.
func (s *Service) ResetPassword(ctx context.Context, token, hash string) (Account, error) {
	a, _, err := s.redeem(ctx, token, resetPassword)
	if err != nil {
		return a, err
	}
	if !a.EmailVerified {
		if a, err = s.proven(ctx, a); err != nil {
			return a, err
		}
	}
	return a, s.SetPassword(ctx, a, hash)
}

// SetPassword gives an account another password. a is as Get returned it, when the
// new password was checked: of two changes at once the second is ErrPasswordReplaced.
// Every other way in that the old one opened closes: tokens are void; sessions are the
// caller's to end in the same transaction (In).
func (s *Service) SetPassword(ctx context.Context, a Account, hash string) error {
	replaced, err := updatePassword(ctx, s.tx, a.ID, a.PasswordHash, hash, s.Now())
	if err != nil {
		return err
	}
	if !replaced {
		return ErrPasswordReplaced
	}
	if err := s.remember(ctx, a); err != nil {
		return err
	}
	if err := voidTokens(ctx, s.tx, a.ID, s.Now()); err != nil {
		return err
	}
	if err := s.Changed.Invalidate(ctx, s.tx, Tag(a.ID)); err != nil {
		return err
	}
	if err := s.Post.Enqueue(ctx, s.tx, mail.Letter{To: a.Email, Name: "password_changed", Locale: a.Locale,
		Data: map[string]any{"Name": a.Name, "At": s.Now().Format(time.RFC1123), "URL": s.PublicURL() + "/forgot-password"}}); err != nil {
		return err
	}
	return s.record(ctx, a, PasswordChanged{About{a.ID}}, nil)
}

// remember keeps the hash that was just replaced, as long as the policy needs it.
func (s *Service) remember(ctx context.Context, a Account) error {
	if a.PasswordHash != "" {
		if err := insertOldHash(ctx, s.tx, a.ID, a.PasswordHash, s.Now()); err != nil {
			return err
		}
	}
	return deleteOldHashes(ctx, s.tx, a.ID, max(0, *s.Config.PasswordHistory-1))
}

// newBreachClient reaches whatever the operator names, a mirror in their own network
// too. It follows no redirects.
func newBreachClient() *safehttp.Client {
	return safehttp.New(safehttp.Options{Timeout: breachTimeout,
		AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}})
}

const breachTimeout = 2 * time.Second

// isBreached asks whether a password is known from a breach. The service learns five
// digits of its hash, which a million others share. Where it gives no answer, nobody is
// kept from having a password.
func (s *Service) isBreached(ctx context.Context, password string) bool {
	if s.Config.PasswordBreachedURL == "" {
		return false
	}
	sum := fmt.Sprintf("%X", sha1.Sum([]byte(password))) // what the services have: no protection is expected of it
	list, err := s.breaches(ctx, sum[:5])
	if err != nil {
		// Without the address, which ends in the digits.
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		s.Log.WarnContext(ctx, "passwords are not compared with those from breaches", "err", err)
		return false
	}
	for line := range strings.Lines(list) {
		suffix, count, _ := strings.Cut(strings.TrimSpace(line), ":")
		if strings.EqualFold(suffix, sum[5:]) && count != "0" { // padding is counted as 0
			return true
		}
	}
	return false
}

func (s *Service) breaches(ctx context.Context, prefix string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, breachTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Config.PasswordBreachedURL+prefix, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Add-Padding", "true")
	res, err := s.breach.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the service answered %d", res.StatusCode)
	}
	text, err := io.ReadAll(res.Body)
	return string(text), err
}

// Strength is what can be said of a password before it is chosen.
type Strength struct {
	Score       int       `json:"score" minimum:"0" maximum:"4" doc:"How hard it is to guess, from 0 (not at all) to 4"`
	Acceptable  bool      `json:"acceptable" doc:"Whether it may be chosen. One's own last passwords are looked at only when it is."`
	Problems    []Problem `json:"problems" doc:"Why it may not"`
	Warning     string    `json:"warning,omitempty" doc:"What makes it easy to guess"`
	Suggestions []string  `json:"suggestions,omitempty" doc:"What would make it better"`
}

// Problem is one reason why a password may not be chosen.
type Problem struct {
	Code    string `json:"code" example:"accounts.password_too_short"`
	Message string `json:"message" example:"Use at least 8 characters."`
}

// Strength looks at a password that someone thinks of. Nothing of it is kept.
func (s *Service) Strength(ctx context.Context, password string, personal ...string) Strength {
	clean, wrong := s.policy.problems(password, personal)
	if len(wrong) == 0 && s.isBreached(ctx, clean) {
		wrong = append(wrong, ErrPasswordBreached)
	}
	out := Strength{Acceptable: len(wrong) == 0, Problems: []Problem{}}
	for _, w := range wrong {
		out.Problems = append(out.Problems, Problem{w.Code, w.Message})
	}
	e := estimate(clean, append(slices.Clone(personal), s.Product))
	if out.Score = e.score(); out.Score < 3 && clean != "" {
		out.Warning, out.Suggestions = advise(e.worst)
	}
	return out
}

// advise says what is weak in a password and what would help.
func advise(worst pattern) (warning string, suggestions []string) {
	suggestions = []string{"Use a few unrelated words."}
	switch worst {
	case patternWord:
		return "It is, or is much like, a word or a password that many people use.", append(suggestions, "Capitals, and digits in place of letters, do not help much.")
	case patternPersonal:
		return "It is made of your name, your address or the product's name.", append(suggestions, "Leave out what others know of you.")
	case patternRepeat:
		return "It repeats itself.", append(suggestions, "Avoid repeated words and characters.")
	case patternSequence:
		return "It is a sequence, such as abc or 6543.", append(suggestions, "Avoid sequences.")
	case patternKeys:
		return "It is a row of keys.", append(suggestions, "Avoid neighbouring keys.")
	case patternDate:
		return "It is a date.", append(suggestions, "Avoid dates and years that others connect with you.")
	}
	return "It is short.", append(suggestions, "Make it longer.")
}
