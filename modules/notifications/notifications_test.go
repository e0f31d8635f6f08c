package notifications

import (
	"net/url"
	"strings"
	"testing"
)

func TestAddressesThatLeadAstrayAreRefused(t *testing.T) {
	for address, want := range map[string]bool{
		"/": true, "/account/security": true, "/o/acme?tab=a%20b#x": true, "https://example.com/a?b=c": true,
		"": false, "account": false, "//evil.example": false, `/\evil.example`: false, `\\evil.example`: false, "/a b": false, "/a\tb": false,
		"http://example.com": false, "javascript:alert(1)": false, "JavaScript:alert(1)": false, "data:text/html,x": false, "https:evil": false,
		"https://": false, "https:///evil": false, "https://user@example.com": false, "ftp://example.com": false, " /": false, "/\n/evil.example": false,
		"/" + strings.Repeat("a", maxURL): false,
	} {
		if got := safeURL(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}

func FuzzAddresses(f *testing.F) {
	for _, seed := range []string{"/", "//a", "https://a.b", "javascript:x", `/\a`, "/%2f%2fa", "https://a@b"} {
		f.Add(seed)
	}
	base, _ := url.Parse("https://console.example/app/")
	f.Fuzz(func(t *testing.T, address string) {
		if !safeURL(address) {
			return
		}
		// As a browser understands it: what begins with a slash stays, whatever follows.
		to, err := base.Parse(address)
		if err != nil || to.Scheme != "https" || strings.HasPrefix(address, "/") && to.Host != base.Host {
			t.Errorf("%q leads to %v, %v", address, to, err)
		}
	})
}

func TestEveryBuiltInTextIsThereInEveryLanguage(t *testing.T) {
	en := words()["en"]
	for language, texts := range words() {
		for key, text := range en {
			if texts[key] == "" {
				t.Errorf("%s: %s is missing", language, key)
			}
			for _, name := range []string{"{org}", "{name}", "{role}", "{file}"} {
				if strings.Contains(text, name) != strings.Contains(texts[key], name) {
					t.Errorf("%s: %s does not say %s", language, key, name)
				}
			}
		}
	}
	if got := said("fr-CA", "role", "{org}", "Acme", "{role}", "{org}"); got != "Your role in Acme is {org} now" {
		t.Errorf("got %q", got)
	}
}
