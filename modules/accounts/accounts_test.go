package accounts

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func TestAnAddressHasOneSpelling(t *testing.T) {
	for text, want := range map[string]string{
		"Ada@Example.COM": "ada@example.com", "ａda@example.com": "ada@example.com", "ada+tag@example.com": "ada+tag@example.com", "a.d.a@example.com": "a.d.a@example.com",
		"ada@MÜNCHEN.example": "ada@xn--mnchen-3ya.example",
	} {
		if got, err := NormalizeEmail(text); got != want || err != nil {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
	}
}

func FuzzNormalizeEmail(f *testing.F) {
	for _, seed := range []string{"Ada@Example.com", "ａda@example.com", "jörg@münchen.example", "İ@x.test", "K@x.test", "ß@x.test", "a@x.test\r\nBcc: b@x.test", `"a b"@x.test`, "ﬀ@x.test"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		email, err := NormalizeEmail(text)
		if err != nil {
			return
		}
		local, domain, _ := strings.Cut(email, "@")
		if local == "" || strings.Count(email, "@") != 1 || !isHost(domain) || strings.ContainsFunc(email, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }) {
			t.Errorf("%q is read as %q", text, email)
		}
		if again, err := NormalizeEmail(email); err != nil || again != email {
			t.Errorf("%q is read as %q, which is read as %q (%v)", text, email, again, err)
		}
	})
}

func FuzzAvatar(f *testing.F) {
	s := &Service{Deps: Deps{Config: Config{}.withDefaults()}}
	for _, seed := range []string{"https://secure.gravatar.com/avatar/0?s=80&d=mp", "https://secure.gravatar.com@evil.test/", "https://evil.test/#@secure.gravatar.com", `https://evil.test\@secure.gravatar.com/`,
		"https://secure.gravatar.com:443/", "//secure.gravatar.com/", "https:secure.gravatar.com", "https://secure.gravatar.com%2eevil.test/", "https://secure.gravatar.com./x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := s.CleanAvatar(text)
		if err != nil || got == "" {
			return
		}
		u, err := url.Parse(got)
		if err != nil || got != text || u.Scheme != "https" || u.User != nil || u.Port() != "" || u.Fragment != "" || !slices.Contains(s.Config.AvatarHosts, u.Host) ||
			strings.ContainsAny(got, "\\#\"'<> \t\r\n`") || !strings.HasPrefix(got, "https://"+u.Host) || strings.ContainsFunc(got, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Errorf("%q is taken", text)
		}
	})
}

func TestAConfigurationThatCannotWorkIsRefused(t *testing.T) {
	if err := (Config{}).Check(); err != nil {
		t.Errorf("the zero value: %v", err)
	}
	for variable, c := range map[string]Config{
		"TENON_SIGNUP must":           {SignUp: "closed"},
		"TENON_SIGNUP=domains":        {SignUp: SignUpDomains},
		"need each other":             {SignUpDomains: []string{"example.com"}},
		"TENON_SIGNUP_DOMAINS: ":      {SignUp: SignUpDomains, SignUpDomains: []string{"*.example.com"}},
		"TENON_PASSWORD_MIN_LENGTH":   {PasswordMinLength: 7},
		"TENON_PASSWORD_HISTORY":      {PasswordHistory: new(-1)},
		"TENON_PASSWORD_MIN_STRENGTH": {PasswordMinStrength: new(5)},
		"TENON_PASSWORD_REQUIRE":      {PasswordRequire: []string{"emoji"}},
		"TENON_PASSWORD_BREACHED_URL": {PasswordBreachedURL: "api.pwnedpasswords.com"},
		"TENON_AVATAR_HOSTS":          {AvatarHosts: []string{"https://gravatar.com"}},
	} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), variable) {
			t.Errorf("%s: %v", variable, err)
		}
	}
	for _, c := range []Config{{SignUp: SignUpDomains, SignUpDomains: []string{" münchen.example"}}, {AvatarHosts: []string{"none"}}, {PasswordHistory: new(0), PasswordMinStrength: new(0)}} {
		if err := c.Check(); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
