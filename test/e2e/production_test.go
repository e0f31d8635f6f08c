package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/tenonhq/tenon/test/binary"
)

// production is what an operator must set.
func production(t *testing.T) binary.Settings {
	t.Helper()
	return binary.Settings{
		"TENON_ENV":         "production",
		"TENON_DATA":        t.TempDir(),
		"TENON_PUBLIC_URL":  "https://app.example.com",
		"TENON_ROOT_SECRET": "Rk3vQ1xZt8Lw5YpN0sJb7HdC2mGf9AeU6oTi4KqX",
		"SMTP_HOST":         "127.0.0.1",
		"SMTP_PORT":         "1",
	}
}

func TestProductionRefusesWhatIsConvenientButUnsafe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, setting, value, says string }{
		{"no root secret", "TENON_ROOT_SECRET", "", "TENON_ROOT_SECRET must be set"},
		{"a short root secret", "TENON_ROOT_SECRET", "short", "TENON_ROOT_SECRET"},
		{"a weak root secret", "TENON_ROOT_SECRET", strings.Repeat("a", 48), "TENON_ROOT_SECRET"},
		{"an example of a root secret", "TENON_ROOT_SECRET", "changeme-changeme-changeme-changeme-changeme", "TENON_ROOT_SECRET"},
		{"no public URL", "TENON_PUBLIC_URL", "", "TENON_PUBLIC_URL"},
		{"a public URL without TLS", "TENON_PUBLIC_URL", "http://app.example.com", "https://"},
		{"no limits", "TENON_RATELIMIT", "off", "TENON_RATELIMIT"},
		{"unproven addresses", "TENON_ACCOUNTS_VERIFY_EMAIL", "off", "TENON_ACCOUNTS_VERIFY_EMAIL"},
		{"no mail", "SMTP_HOST", "", "SMTP_HOST"},
		{"an unknown environment", "TENON_ENV", "prod", "TENON_ENV must be development or production"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := production(t)
			s[c.setting] = c.value
			got := binary.Run(t, s, "", "serve", "--addr", "127.0.0.1:0")
			said(t, got, 1, c.says)
			if c.value != "" && c.setting == "TENON_ROOT_SECRET" && strings.Contains(got.Out+got.ErrOut, c.value) {
				t.Error("it repeats the secret")
			}
		})
	}
}

func TestProductionIsNotReadyBeforeItsDatabaseIs(t *testing.T) {
	t.Parallel()
	s := production(t).Or(shared(t, false))
	node := binary.Launch(t, s)
	node.Await("answer", 10*time.Second, func() bool { return node.Status("/health") == 200 })
	time.Sleep(500 * time.Millisecond) // it has had time to migrate, if it wanted to
	if got := node.Status("/health/ready"); got != 503 {
		t.Errorf("ready = %d before its migrations, want 503", got)
	}
	c := binary.NewClient(node.URL)
	if got := c.Call("POST", "/auth/login", map[string]any{"email": "a@example.com", "password": "b"}); got.Status != 503 || got.Header.Get("Retry-After") == "" {
		t.Errorf("a request got %d, want 503 with Retry-After", got.Status)
	}
	said(t, binary.Run(t, s, "", "migrate", "up"), 0, "Applied")
	node.AwaitReady()
}

func TestProductionShowsNothingToDevelopers(t *testing.T) {
	t.Parallel()
	s := production(t)
	node := binary.Serve(t, s)
	if strings.Contains(node.Log(), "/_dev/") {
		t.Error("it points to pages that are not there")
	}
	for _, path := range []string{"/_dev/mail", "/_dev/mail/messages", "/_dev/stats", "/debug/pprof/", "/debug/vars", "/metrics", "/.env", "/.git/config"} {
		if got := node.Status(path); got != 404 {
			t.Errorf("GET %s = %d, want 404", path, got)
		}
	}
	got := binary.NewClient(node.URL).Call("GET", "//health", nil).Want(t, 200)
	if got.Header.Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security")
	}
	if got.Header.Get("Server") != "" {
		t.Errorf("it says what it is: %s", got.Header.Get("Server"))
	}
}
