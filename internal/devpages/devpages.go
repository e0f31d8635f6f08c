// Package devpages is what a developer sees beside the product: the mail that it
// would have sent. Mount it in development, on a loopback address, nowhere else:
// it shows every letter, links for signing in included, to whoever asks.
package devpages

import (
	"crypto/sha256"
	"embed"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/tenonhq/tenon/platform/mail"
)

//go:embed page
var page embed.FS

// Handler serves the mail in box below /_dev/mail:
//
//	GET /_dev/mail                     the page
//	GET /_dev/mail/messages?to=…       {"items": […]}, newest first
//	GET /_dev/mail/messages/{id}/html  one letter, as a document without rights
//
// Requests for another host than this machine are answered with 404: a name that
// was made to point here (DNS rebinding) must not let a foreign page read mail.
func Handler(box *mail.Box) http.Handler {
	p := pages{box}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_dev/mail", p.file("mail.html", "text/html; charset=utf-8"))
	mux.HandleFunc("GET /_dev/mail/mail.js", p.file("mail.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /_dev/mail/mail.css", p.file("mail.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /_dev/mail/messages", p.messages)
	mux.HandleFunc("GET /_dev/mail/messages/{id}/html", p.letter)
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if !loopback(q.Host) {
			http.NotFound(w, q)
			return
		}
		headers(w.Header())
		mux.ServeHTTP(w, q)
	})
}

type pages struct{ box *mail.Box }

const (
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

	// A letter brings its own styles and pictures, as it does in a mail program, but
	// it is a document of no origin: it runs nothing, sends nothing, and its links
	// open elsewhere. It has a URL, not a srcdoc, because that would inherit the
	// policy of the page and lose its styles.
	letterPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)

func headers(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer") // an address may hold a token
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}

func (p pages) file(name, contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, q *http.Request) {
		body, err := page.ReadFile("page/" + name)
		if err != nil {
			fail(w, err)
			return
		}
		answer(w, q, contentType, body)
	}
}

func (p pages) messages(w http.ResponseWriter, q *http.Request) {
	all, err := p.box.List(q.Context())
	if err != nil {
		fail(w, err)
		return
	}
	if to := q.URL.Query().Get("to"); to != "" {
		all = slices.DeleteFunc(all, func(m mail.BoxMessage) bool { return !strings.EqualFold(m.To, to) })
	}
	body, err := json.Marshal(map[string]any{"items": all})
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, q, "application/json", body)
}

func (p pages) letter(w http.ResponseWriter, q *http.Request) {
	all, err := p.box.List(q.Context())
	if err != nil {
		fail(w, err)
		return
	}
	i := slices.IndexFunc(all, func(m mail.BoxMessage) bool { return m.ID.String() == q.PathValue("id") })
	if i < 0 || all[i].HTML == "" {
		http.NotFound(w, q)
		return
	}
	w.Header().Set("Content-Security-Policy", letterPolicy)
	w.Header().Set("X-Frame-Options", "SAMEORIGIN")
	answer(w, q, "text/html; charset=utf-8", []byte(all[i].HTML))
}

// answer sends body, unless the page has it already: it asks every two seconds.
func answer(w http.ResponseWriter, q *http.Request, contentType string, body []byte) {
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(body))
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	if q.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(body) // the browser may be gone
}

// fail tells the developer, who is the only reader, what went wrong.
func fail(w http.ResponseWriter, err error) {
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

// loopback reports whether a Host header names this machine by a name that no
// foreign name server can answer for (RFC 6761 §6.3).
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.Unmap().IsLoopback()
}
