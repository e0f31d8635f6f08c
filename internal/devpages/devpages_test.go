package devpages_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/internal/devpages"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/mail"
)

func TestMailIsListedNewestFirstAndByRecipient(t *testing.T) {
	h := handler(t, "ada@example.com", "bob@example.com")
	for query, want := range map[string][]string{
		"":                    {"bob@example.com", "ada@example.com"},
		"?to=Ada@example.com": {"ada@example.com"},
		"?to=eve@example.com": {},
	} {
		if diff := cmp.Diff(want, recipients(t, h, query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	if diff := cmp.Diff([]string{}, recipients(t, handler(t), "")); diff != "" {
		t.Errorf("an empty box (-want +got):\n%s", diff)
	}
}

func TestALetterIsADocumentWithoutRights(t *testing.T) {
	h := handler(t, "ada@example.com")
	var list struct{ Items []struct{ ID string } }
	if err := json.Unmarshal(ask(h, "localhost:8000", "/_dev/mail/messages").Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	got := ask(h, "localhost:8000", "/_dev/mail/messages/"+list.Items[0].ID+"/html")
	if got.Code != http.StatusOK || got.Body.String() != letter {
		t.Errorf("it is answered with %d: %s", got.Code, got.Body)
	}
	policy := got.Header().Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "sandbox ") || strings.Contains(policy, "allow-scripts") || strings.Contains(policy, "allow-same-origin") || strings.Contains(policy, "script-src") {
		t.Errorf("its policy is %s", policy)
	}
	if got := ask(h, "localhost:8000", "/_dev/mail/messages/mail_none/html"); got.Code != http.StatusNotFound {
		t.Errorf("a letter that does not exist is answered with %d", got.Code)
	}
}

func TestThePageHasAStrictPolicyAndNothingInline(t *testing.T) {
	h := handler(t)
	got := ask(h, "127.0.0.1:8000", "/_dev/mail")
	policy := got.Header().Get("Content-Security-Policy")
	if got.Code != http.StatusOK || strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; style-src 'self';") {
		t.Errorf("the page is answered with %d, policy %s", got.Code, policy)
	}
	for _, inline := range []string{"<style", " style=", " onclick=", "<script>"} {
		if strings.Contains(got.Body.String(), inline) {
			t.Errorf("the page contains %s", inline)
		}
	}
	for path, contentType := range map[string]string{"/_dev/mail/mail.js": "text/javascript; charset=utf-8", "/_dev/mail/mail.css": "text/css; charset=utf-8"} {
		if got := ask(h, "127.0.0.1:8000", path); got.Code != http.StatusOK || got.Header().Get("Content-Type") != contentType {
			t.Errorf("%s is answered with %d, %s", path, got.Code, got.Header().Get("Content-Type"))
		}
	}
}

func TestOnlyThisMachineIsAnswered(t *testing.T) {
	h := handler(t)
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8000": 200, "LOCALHOST.": 200, "app.localhost:8000": 200, "127.0.0.1:8000": 200, "127.1.2.3": 200, "[::1]:8000": 200, "[::1]": 200, "[::ffff:127.0.0.1]:80": 200,
		"evil.example:8000": 404, "localhost.evil.example": 404, "notlocalhost": 404, "127.0.0.1.evil.example": 404, "192.168.0.1:8000": 404, "0.0.0.0": 404, "[::]": 404, "": 404, "127.1": 404,
	} {
		for _, path := range []string{"/_dev/mail", "/_dev/mail/messages", "/_dev/mail/mail.js"} {
			if got := ask(h, host, path); got.Code != want {
				t.Errorf("%s on host %q is answered with %d, want %d", path, host, got.Code, want)
			}
		}
	}
}

const letter = `<p style="color:red">Hello</p><script>alert(1)</script>`

// handler serves a box with one letter to each recipient, in this order.
func handler(t *testing.T, to ...string) http.Handler {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	if err := d.Migrate(t.Context(), db.Config{}, []db.Schema{mail.Schema()}); err != nil {
		t.Fatal(err)
	}
	box := mail.NewBox(d)
	for _, text := range to {
		address, err := mail.ParseAddress(text)
		if err != nil {
			t.Fatal(err)
		}
		m := mail.Message{ID: text, To: address, Subject: "Hello", Text: "Hello http://localhost:8000/x", HTML: letter, CreatedAt: time.Now()}
		if err := box.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	return devpages.Handler(box)
}

func recipients(t *testing.T, h http.Handler, query string) []string {
	t.Helper()
	var list struct {
		Items []struct {
			ID, To, Subject, Text, HTML string
			Links                       []string
			CreatedAt                   time.Time `json:"created_at"`
		}
	}
	got := ask(h, "localhost:8000", "/_dev/mail/messages"+query)
	if err := json.Unmarshal(got.Body.Bytes(), &list); err != nil || list.Items == nil {
		t.Fatalf("%d %s: %v", got.Code, got.Body, err)
	}
	all := []string{}
	for _, m := range list.Items {
		all = append(all, m.To)
		if m.HTML != letter || len(m.Links) != 1 || m.CreatedAt.IsZero() {
			t.Errorf("a message is %+v", m)
		}
	}
	return all
}

func ask(h http.Handler, host, path string) *httptest.ResponseRecorder {
	q, w := httptest.NewRequest("GET", path, nil), httptest.NewRecorder()
	q.Host = host
	h.ServeHTTP(w, q)
	return w
}
