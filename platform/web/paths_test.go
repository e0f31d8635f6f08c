package web_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestUnknownPathsAndMethodsAreAnsweredInJSON(t *testing.T) {
	a := lite(t)
	a.send("GET", "/nowhere", nil).want(t, "an unknown path", 404, "not_found")
	a.send("GET", "//", nil).want(t, "the root", 404, "not_found")
	for path, allow := range map[string]string{"/things": "POST", "/numbers": "GET, HEAD", "/things/" + a.thing.String(): "GET, HEAD, DELETE"} {
		for _, method := range []string{"PUT", "PATCH", "OPTIONS", "PROPFIND", "get", "X"} {
			got := a.send(method, path, nil)
			got.want(t, method+" "+path, 405, "request.method")
			if got.Header().Get("Allow") != allow {
				t.Errorf("%s %s: Allow: %s, want %s", method, path, got.Header().Get("Allow"), allow)
			}
		}
	}
	a.send("TRACE", "/things", nil).want(t, "TRACE", 405, "request.method")
	a.send("CONNECT", "/things", nil).want(t, "CONNECT", 405, "request.method")
	if got := a.send("HEAD", "/numbers", nil, "ada"); got.Code != 200 {
		t.Errorf("HEAD is answered with %d", got.Code)
	}
	// C09 h: there is no way to say another method than the one sent.
	got := a.send("POST", "/things/"+a.thing.String(), nil, "ada", "X-HTTP-Method-Override: DELETE", "X-Method-Override: DELETE", "X-HTTP-Method: DELETE")
	got.want(t, "an overridden method", 405, "")
	if a.count() != 0 {
		t.Error("an overridden method took effect")
	}
}

// The web application has addresses of its own, and takes none of the API's.
func TestPagesAreForBrowsersAndBesideTheAPI(t *testing.T) {
	a := lite(t)
	a.Pages(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { fmt.Fprint(w, "page ", q.URL.Path) }))
	for _, path := range []string{"//", "//o/acme/members", "//sign-in", "//apinion"} {
		if got := a.send("GET", path, nil); got.Code != 200 || got.Body.String() != "page "+path[1:] {
			t.Errorf("%s got %d %s", path, got.Code, got.Body)
		}
	}
	for _, path := range []string{"/nowhere", "//api", "//api/v2/things", "//_dev/x", "//.well-known/x", "//health/x", "//reference/x"} {
		a.send("GET", path, nil).want(t, path, 404, "not_found")
	}
	a.send("POST", "//sign-in", nil).want(t, "a form that is sent to a page", 404, "not_found")
	a.send("PUT", "/things", nil).want(t, "a method that a path does not have", 405, "request.method")
}

// J03, D07: a path has one spelling, and nothing is redirected.
func TestAPathHasOneSpelling(t *testing.T) {
	a := lite(t)
	if got := a.send("GET", "/root", nil, "root"); got.Code != 200 {
		t.Fatalf("the path itself: %d", got.Code)
	}
	for _, path := range []string{"//api/v1/root", "/api//v1/root", "/api/v1/root/", "/api/v1/./root", "/api/v1/x/../root", "/api/v1/%2e/root", "/api/v1/x/%2e%2e/root",
		"/api/v1%2froot", "/api/v1%2Froot", "/api/v1/root%00", "/api/v1/root;x=1", "/api;x/v1/root", "/api/v1/root%3bx", "/api/v1\\root", "/api/v1/%5croot", "/api/v1/root.",
		"/api/v1/ROOT", "/API/v1/root", "/api/v1/root%20", "/api/v1/root%0d%0aX:1", "//evil.test/", "//evil.test/%2e%2e", "/%2f/evil.test", "/%5c/evil.test", "/\\evil.test/..;/",
		"/api/v1/root/%2e%2e/root", "/api/v1/things/%2e%2e%2froot", "/..", "/.", "/api/v1/roo%74?x=1", "", "*"} {
		q := httptest.NewRequest("GET", "https://app.test/", nil)
		u, err := url.ParseRequestURI(path)
		if err != nil {
			u = &url.URL{Path: path} // what the standard library does not even parse
		}
		q.URL, q.RequestURI, q.Host = u, path, "evil.test"
		q.Header.Set("Authorization", "Bearer root")
		got := a.do(q)
		if got.Code != 400 && got.Code != 404 && got.Code != 422 || got.Header().Get("Location") != "" {
			t.Errorf("%q: %d %s %s", path, got.Code, got.Header().Get("Location"), got.Body)
		}
	}
	// An escape of a plain letter names the same path, with the same access.
	if got := a.send("GET", "//api/v1/%72oot", nil, "bob"); got.Code != 403 && got.Code != 404 {
		t.Errorf("an escaped letter: %d", got.Code)
	}
	for _, host := range []string{"evil.test\" onload", "a b", "evil.test/x", "user@evil.test", "a,b", "<script>"} {
		a.send("GET", "/cookie", nil, "Host: "+host).want(t, "Host "+host, 400, "request.host")
	}
}

// What a server makes of bytes that two programs could understand differently.
func TestRequestsWithTwoReadingsAreRefused(t *testing.T) {
	a := lite(t)
	s := httptest.NewServer(a)
	defer s.Close()
	const post = "POST /api/v1/things HTTP/1.1\r\nHost: app.test\r\nAuthorization: Bearer ada\r\nContent-Type: application/json\r\n"
	for name, raw := range map[string]string{
		"length and chunks":          post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/v1/root HTTP/1.1\r\nHost: x\r\n\r\n",
		"two lengths":                post + "Content-Length: 4\r\nContent-Length: 5\r\n\r\n12345",
		"a list of lengths":          post + "Content-Length: 4, 5\r\n\r\n12345",
		"a signed length":            post + "Content-Length: +4\r\n\r\n1234",
		"an unknown coding":          post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"two codings":                post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
		"a space before the colon":   post + "Content-Length : 4\r\n\r\n1234",
		"a folded header":            post + "X: 1\r\n\tTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
		"NUL in a header":            post + "X: a\x00b\r\nContent-Length: 0\r\n\r\n",
		"two hosts":                  "GET /api/v1/cookie HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"no host":                    "GET /api/v1/cookie HTTP/1.1\r\n\r\n",
		"HTTP/0.9":                   "GET /api/v1/cookie\r\n\r\n",
		"a version of its own":       "GET /api/v1/cookie HTTP/9.9\r\nHost: a\r\n\r\n",
		"a space in the path":        "GET /api/v1/coo kie HTTP/1.1\r\nHost: a\r\n\r\n",
		"an absolute form to others": "GET http://evil.test\\@a/api/v1/cookie HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		must(t, err)
		must(t, c.SetDeadline(time.Now().Add(5*time.Second)))
		_, err = io.WriteString(c, raw)
		must(t, err)
		var statuses []int
		r := bufio.NewReader(c)
		for {
			w, err := http.ReadResponse(r, nil)
			if err != nil {
				break
			}
			_, _ = io.Copy(io.Discard, w.Body)
			statuses = append(statuses, w.StatusCode)
			if w.Close {
				break
			}
			must(t, c.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
		}
		c.Close()
		if len(statuses) != 1 || statuses[0] < 400 {
			t.Errorf("%s: answered with %v", name, statuses)
		}
	}
	if a.count() != 0 {
		t.Errorf("%d of them took effect", a.count())
	}
}

// Every answer has them, also a refusal.
func TestEveryAnswerIsGuardedByItsHeaders(t *testing.T) {
	a := lite(t)
	for what, got := range map[string]answer{
		"a success": a.send("GET", "/cookie", nil), "a refusal": a.send("POST", "/things", "{"), "an unknown path": a.send("GET", "/x", nil),
		"a wrong method": a.send("PUT", "/things", nil), "a bad path": a.send("GET", "/a//b", nil), "a fault": a.send("GET", "/fail", nil),
		"a preflight": a.send("OPTIONS", "/things", nil, "Origin: https://evil.test", "Access-Control-Request-Method: POST"),
		"a bad host":  a.send("GET", "/cookie", nil, "Host: a b"), "a foreign origin": a.send("POST", "/things", "{}", "Origin: https://evil.test", cookie("ada")),
	} {
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy":   "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
			"Strict-Transport-Security": "max-age=63072000; includeSubDomains", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Vary": "Origin", "Server": "", "X-Powered-By": "",
		} {
			if h := got.Header().Get(name); h != want {
				t.Errorf("%s: %s: %s, want %s", what, name, h, want)
			}
		}
		if got.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s: no request id", what)
		}
	}
	plain := lite(t, configure(func(c *webConfig) { c.PublicURL = "http://127.0.0.1:8000" }))
	if h := plain.send("GET", "/cookie", nil).Header().Get("Strict-Transport-Security"); h != "" {
		t.Errorf("over plain HTTP: Strict-Transport-Security: %s", h)
	}
}

// J09: whatever a client sends, one request is one line of JSON, of bounded length.
func TestALogLineIsOneLine(t *testing.T) {
	a := lite(t)
	nasty := "a\r\nb\x1b[31m\u2028c\x00\"d\\" + strings.Repeat("x", 1000)
	for _, name := range []string{"User-Agent", "X-Request-Id", "Traceparent", "Baggage", "Referer", "Origin"} {
		q := httptest.NewRequest("GET", "https://app.test/api/v1/cookie", nil)
		q.Header[name] = []string{nasty}
		got := a.do(q)
		if id := got.Header().Get("X-Request-Id"); strings.ContainsAny(id, "\r\n\x1b\x00\u2028\"") || len(id) > 64 {
			t.Errorf("%s: request id %q", name, id)
		}
	}
	q := httptest.NewRequest("GET", "https://app.test/", nil)
	q.URL.Path = "/" + nasty + strings.Repeat("y", 1<<20)
	a.do(q)
	a.send("GET", "/cookie", nil, "X-Request-Id: known-to-the-client-1234")
	lines := strings.Split(strings.TrimSpace(a.log.String()), "\n")
	if len(lines) != 8 {
		t.Errorf("%d lines for 8 requests", len(lines))
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, "{") || !strings.HasSuffix(line, "}") || strings.ContainsAny(line, "\r\x1b\x00\u2028") || len(line) > 4096 {
			t.Errorf("a line of %d bytes: %.200s", len(line), line)
		}
	}
	if !strings.Contains(lines[7], "known-to-the-client-1234") {
		t.Error("an acceptable request id was not taken over")
	}
}

// J05: a body that does not come is given up on; others are served meanwhile.
func TestSlowClientsHoldUpNobody(t *testing.T) {
	a := lite(t)
	s := &http.Server{Handler: a, ReadHeaderTimeout: 200 * time.Millisecond, ReadTimeout: 400 * time.Millisecond}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	var slow []net.Conn
	for i := range 100 {
		c, err := net.Dial("tcp", l.Addr().String())
		must(t, err)
		defer c.Close()
		begin := "POST /api/v1/things HTTP/1.1\r\nHost: x\r\nX: "
		if i%2 == 0 {
			begin = "POST /api/v1/things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ada\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
		}
		_, err = io.WriteString(c, begin)
		must(t, err)
		slow = append(slow, c)
	}
	began := time.Now()
	r, err := http.Get(fmt.Sprintf("http://%s/api/v1/cookie", l.Addr()))
	must(t, err)
	r.Body.Close()
	if took := time.Since(began); r.StatusCode != 200 || took > 2*time.Second {
		t.Errorf("another client got %d after %v", r.StatusCode, took)
	}
	for _, c := range slow {
		must(t, c.SetReadDeadline(time.Now().Add(5*time.Second)))
		if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Fatalf("a slow client is still connected: %v", err)
		}
	}
	if a.count() != 0 {
		t.Error("half a request took effect")
	}
}
