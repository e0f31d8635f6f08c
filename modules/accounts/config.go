package accounts

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tenonhq/tenon/platform/mail"
)

// Config says how people become accounts, and what they may choose.
type Config struct {
	// VerifyEmail is "on", or "off" where addresses need no proof: on machines of developers.
	VerifyEmail string `env:"TENON_ACCOUNTS_VERIFY_EMAIL" envDefault:"on"`

	// SignUp is who may sign up: "open" for everybody, "invitation" for those only whom an organization
	// invites, "waitlist" for those whom an administrator lets in, "domains" for addresses of TENON_SIGNUP_DOMAINS.
	SignUp string `env:"TENON_SIGNUP" envDefault:"open"`
	// SignUpDomains are the mail domains that may sign up, such as example.com. Each stands for itself, not for its subdomains.
	SignUpDomains []string `env:"TENON_SIGNUP_DOMAINS"`

	// PasswordMinLength is how many characters a password has at least: 8 unless set, and never fewer.
	PasswordMinLength int `env:"TENON_PASSWORD_MIN_LENGTH"`
	// PasswordHistory is how many of an account's last passwords, the current one included, are not accepted again: 5 unless set, 0 for none.
	PasswordHistory *int `env:"TENON_PASSWORD_HISTORY"`
	// PasswordRequire are the kinds of characters that a password must have: lower, upper, digit, symbol. None unless
	// set, as NIST SP 800-63B recommends; set it where another rule binds you.
	PasswordRequire []string `env:"TENON_PASSWORD_REQUIRE"`
	// PasswordMinStrength is how hard a password must be to guess, from 0 (not looked at) to 4, as zxcvbn counts: 1 unless set, which
	// refuses what falls to a thousand guesses; 3 withstands a search of years against a limit, 4 one of a stolen hash.
	PasswordMinStrength *int `env:"TENON_PASSWORD_MIN_STRENGTH"`
	// PasswordBreachedURL is a service that knows passwords from breaches, asked by the first five digits of the password's SHA-1, such
	// as https://api.pwnedpasswords.com/range/. Unset: none is asked. While it cannot be reached, passwords pass.
	PasswordBreachedURL string `env:"TENON_PASSWORD_BREACHED_URL"`

	// AvatarHosts are the hosts that an avatar's address may have: those of Gravatar, GitHub and Google unless set; "none" for no host.
	AvatarHosts []string `env:"TENON_AVATAR_HOSTS"`

	// BeforeSignUp may refuse somebody who is about to sign up, at any door, once everything else lets
	// them pass. A refusal is an *errs.Error, such as ErrSignUpRefused; any other error is a fault, and
	// nobody signs up while it lasts. In Go only.
	BeforeSignUp func(ctx context.Context, s SignUp) error
}

// Check says what cannot work.
func (c Config) Check() error {
	c = c.withDefaults()
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if !slices.Contains([]string{SignUpOpen, SignUpInvitation, SignUpWaitlist, SignUpDomains}, c.SignUp) {
		fault("TENON_SIGNUP must be open, invitation, waitlist or domains, not %q", c.SignUp)
	}
	if (c.SignUp == SignUpDomains) != (len(c.SignUpDomains) > 0) {
		fault("TENON_SIGNUP=domains and TENON_SIGNUP_DOMAINS need each other")
	}
	for _, d := range c.SignUpDomains {
		if _, err := mail.ParseAddress("postmaster@" + strings.TrimSpace(d)); err != nil {
			fault("TENON_SIGNUP_DOMAINS: %q is no domain", d)
		}
	}
	if c.PasswordMinLength < minPassword || c.PasswordMinLength > 64 {
		fault("TENON_PASSWORD_MIN_LENGTH must be %d to 64, not %d", minPassword, c.PasswordMinLength)
	}
	if n := *c.PasswordHistory; n < 0 || n > 24 {
		fault("TENON_PASSWORD_HISTORY must be 0 to 24, not %d", n)
	}
	if n := *c.PasswordMinStrength; n < 0 || n > 4 {
		fault("TENON_PASSWORD_MIN_STRENGTH must be 0 to 4, not %d", n)
	}
	for _, k := range c.PasswordRequire {
		if !slices.ContainsFunc(characterKinds(), func(known characterKind) bool { return known.key == k }) {
			fault("TENON_PASSWORD_REQUIRE lists lower, upper, digit and symbol, not %q", k)
		}
	}
	if u, err := url.Parse(c.PasswordBreachedURL); c.PasswordBreachedURL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		fault("TENON_PASSWORD_BREACHED_URL must be an address such as https://api.pwnedpasswords.com/range/")
	}
	for _, h := range c.AvatarHosts {
		if !isHost(h) {
			fault("TENON_AVATAR_HOSTS: %q is no host name in lower-case ASCII", h)
		}
	}
	return errors.Join(faults...)
}

// PictureHosts are the hosts that an avatar's address may have, as they are in effect.
func (c Config) PictureHosts() []string { return c.withDefaults().AvatarHosts }

func (c Config) withDefaults() Config {
	if c.SignUp == "" {
		c.SignUp = SignUpOpen
	}
	if c.PasswordMinLength == 0 {
		c.PasswordMinLength = minPassword
	}
	if c.PasswordHistory == nil {
		c.PasswordHistory = new(5)
	}
	if c.PasswordMinStrength == nil {
		c.PasswordMinStrength = new(1)
	}
	if c.AvatarHosts == nil {
		c.AvatarHosts = []string{"secure.gravatar.com", "www.gravatar.com", "gravatar.com", "avatars.githubusercontent.com", "lh3.googleusercontent.com"}
	}
	if len(c.AvatarHosts) == 1 && c.AvatarHosts[0] == "none" {
		c.AvatarHosts = []string{}
	}
	if c.BeforeSignUp == nil {
		c.BeforeSignUp = func(context.Context, SignUp) error { return nil }
	}
	return c
}
