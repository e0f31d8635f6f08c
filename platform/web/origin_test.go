package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/tenonhq/tenon/platform/web"
)

type webConfig = web.Config

// cookie is the header with which a browser shows somebody's session.
func cookie(name string) string { return "Cookie: __Host-tenon_session=session-of-" + name }

// C09
func TestOnlyOurOwnPagesUseABrowsersCookie(t *testing.T) {
	a := lite(t)
	for name, c := range map[string]struct {
		headers []string
		allowed bool
	}{
		"our own page":                        {[]string{"Origin: https://app.test", "Sec-Fetch-Site: same-origin"}, true},
		"an allowed page":                     {[]string{"Origin: https://other.test", "Sec-Fetch-Site: cross-site"}, true},
		"an old browser, JSON":                {nil, true},
		"typed into the address bar":          {[]string{"Sec-Fetch-Site: none"}, true},
		"a: another site":                     {[]string{"Sec-Fetch-Site: cross-site"}, false},
		"a: another site that hides its name": {[]string{"Sec-Fetch-Site: cross-site", "Origin: null"}, false},
		"b: a neighbour":                      {[]string{"Sec-Fetch-Site: same-site"}, false},
		"c: a foreign origin":                 {[]string{"Origin: https://evil.test"}, false},
		"c: an origin that begins like ours":  {[]string{"Origin: https://app.test.evil.test"}, false},
		"c: an origin that ends like ours":    {[]string{"Origin: https://evilapp.test"}, false},
		"c: ours in capitals":                 {[]string{"Origin: https://APP.test"}, false},
		"c: another port":                     {[]string{"Origin: https://app.test:444"}, false},
		"c: two origins":                      {[]string{"Origin: https://app.test", "Origin: https://evil.test"}, false},
		"c: an empty origin":                  {[]string{"Origin: "}, false},
		"d: origin null":                      {[]string{"Origin: null"}, false},
		"e: ours without TLS":                 {[]string{"Origin: http://app.test"}, false},
		"f: a form as text":                   {[]string{"Content-Type: text/plain"}, false},
		"g: a form":                           {[]string{"Content-Type: application/x-www-form-urlencoded"}, false},
		"g: a form with a file":               {[]string{"Content-Type: multipart/form-data; boundary=x"}, false},
		"a strange word":                      {[]string{"Sec-Fetch-Site: nonsense"}, false},
		"another site, with a custom header":  {[]string{"Sec-Fetch-Site: cross-site", "X-Requested-With: x"}, false},
	} {
		for _, host := range []string{"Host: app.test", "Host: evil.test"} {
			before := a.count()
			got := a.send("POST", "/things", `{"name":"x"}`, append(c.headers, cookie("ada"), host)...)
			if made := a.count() - before; (got.Code == 201) != c.allowed || (made == 1) != c.allowed {
				t.Errorf("%s, %s: %d, made %d", name, host, got.Code, made)
			}
			if !c.allowed {
				got.want(t, name, 403, "request.origin")
			}
		}
		// A program that shows a token does so on purpose, wherever it runs.
		if got := a.send("POST", "/things", `{"name":"x"}`, append([]string{"ada"}, c.headers...)...); got.Code != 201 && got.Code != 415 {
			t.Errorf("%s, with a token: %d", name, got.Code)
		}
	}
	// A DELETE without a body needs no content type; no form can send one.
	if got := a.send("DELETE", "/things/"+a.thing.String(), nil, cookie("ada")); got.Code >= 300 {
		t.Errorf("DELETE: %d %s", got.Code, got.Body)
	}
	// What looks like a token but is none does not lift the check, nor let the cookie in.
	for _, header := range []string{"Authorization: Basic YWRhOng=", "Authorization: Bearer", "Authorization: bearer  "} {
		if got := a.send("POST", "/things", `{"name":"x"}`, header, cookie("ada"), "Origin: https://evil.test"); got.Code < 400 {
			t.Errorf("%s: %d", header, got.Code)
		}
	}
	// In development, over plain HTTP, localhost and 127.0.0.1 are both at home.
	plain := lite(t, configure(func(c *webConfig) { c.PublicURL = "http://127.0.0.1:8000" }))
	for origin, status := range map[string]int{"http://localhost:8000": 201, "http://127.0.0.1:8000": 201, "http://evil.test": 403, "null": 403} {
		got := plain.send("POST", "/things", `{"name":"x"}`, "Origin: "+origin, "Host: localhost:8000", "Cookie: tenon_session=session-of-ada")
		got.want(t, origin, status, "")
	}
}

// C02
func TestCookiesAreOutOfReach(t *testing.T) {
	for _, c := range []struct{ url, name, secure string }{{"https://app.test", "__Host-tenon_session", "; Secure"}, {"http://127.0.0.1:8000", "tenon_session", ""}} {
		a := lite(t, configure(func(cfg *webConfig) { cfg.PublicURL = c.url }))
		set, clear := a.send("GET", "/cookie", nil).Header()["Set-Cookie"], a.send("GET", "/no-cookie", nil).Header()["Set-Cookie"]
		if len(set) != 1 || len(clear) != 1 {
			t.Fatalf("%v, %v", set, clear)
		}
		if !strings.HasPrefix(set[0], c.name+"=tn_ses_x; Path=/; Expires=") || !strings.HasSuffix(set[0], "; HttpOnly"+c.secure+"; SameSite=Lax") {
			t.Errorf("%s: %s", c.url, set[0])
		}
		if want := c.name + "=; Path=/; Max-Age=0; HttpOnly" + c.secure + "; SameSite=Lax"; clear[0] != want {
			t.Errorf("%s: %s, want %s", c.url, clear[0], want)
		}
	}
	// The cookie without the prefix could have been set by a neighbour or over plain HTTP.
	a := lite(t)
	a.send("POST", "/things", `{"name":"x"}`, "Cookie: tenon_session=session-of-ada").want(t, "a cookie without its prefix", 401, "auth.required")
}

// C11
func TestOtherOriginsReadNothingUnlessTheyAreListed(t *testing.T) {
	a := lite(t)
	preflight := []string{"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization, " + strings.Repeat("x-long,", 3000)}
	for _, origin := range []string{"https://evil.test", "https://other.test.evil.test", "https://evilother.test", "null", "http://other.test", "https://OTHER.TEST",
		"https://other.test:444", "https://other.test/", "*", "https://other.test https://evil.test"} {
		for _, got := range []answer{a.send("GET", "/cookie", nil, "Origin: "+origin), a.send("OPTIONS", "/things", nil, append(preflight, "Origin: "+origin)...)} {
			for name := range got.Header() {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s: %s: %s", origin, name, got.Header().Get(name))
				}
			}
			if got.Header().Get("Vary") != "Origin" {
				t.Errorf("%s: Vary: %s", origin, got.Header().Get("Vary"))
			}
		}
	}
	got := a.send("OPTIONS", "/things", nil, append(preflight, "Origin: https://other.test")...)
	if got.Code != 204 || got.Header().Get("Access-Control-Allow-Origin") != "https://other.test" || got.Header().Get("Access-Control-Allow-Credentials") != "true" ||
		strings.Contains(got.Header().Get("Access-Control-Allow-Headers"), "x-long") || got.Header().Get("Vary") != "Origin" {
		t.Errorf("the listed origin: %d %v", got.Code, got.Header())
	}
	if got := a.send("GET", "/cookie", nil, "Origin: https://other.test"); got.Code != 200 || got.Header().Get("Access-Control-Allow-Origin") != "https://other.test" {
		t.Errorf("the listed origin reads: %d %v", got.Code, got.Header())
	}
	none := lite(t, configure(func(c *webConfig) { c.AllowedOrigins = nil }))
	if got := none.send("GET", "/cookie", nil, "Origin: https://app.test"); got.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("nothing is listed, and somebody may read")
	}
	for _, wrong := range []string{"*", "other.test", "https://other.test/", "https://other.test/path", "https://user@other.test", "https://"} {
		c := web.Config{PublicURL: "https://app.test", AllowedOrigins: []string{wrong}}
		if c.Check(true) == nil {
			t.Errorf("%q is accepted as an origin", wrong)
		}
	}
}

// B01, B02: the address is that of the last hop which is not one of our proxies.
func TestTheClientsAddressIsNotWhatTheClientSays(t *testing.T) {
	forwarded := []string{"X-Real-Ip: 6.6.6.6", "True-Client-Ip: 6.6.6.6", "Cf-Connecting-Ip: 6.6.6.6", "Forwarded: for=6.6.6.6", "X-Client-Ip: 6.6.6.6", "X-Cluster-Client-Ip: 6.6.6.6"}
	for _, c := range []struct {
		trusted, peer string
		xff           []string
		want          string
	}{
		{"", "192.0.2.1:1234", nil, "192.0.2.1"},
		{"", "192.0.2.1:1234", []string{"6.6.6.6"}, "192.0.2.1"},
		{"", "127.0.0.1:1234", []string{"6.6.6.6"}, "127.0.0.1"},
		{"10.0.0.0/8", "192.0.2.1:1234", []string{"6.6.6.6"}, "192.0.2.1"},
		{"10.0.0.0/8", "10.0.0.1:1234", nil, "10.0.0.1"},
		{"10.0.0.0/8", "10.0.0.1:1234", []string{"9.9.9.9"}, "9.9.9.9"},
		{"10.0.0.0/8", "10.0.0.1:1234", []string{"1.1.1.1, 9.9.9.9"}, "9.9.9.9"},
		{"10.0.0.0/8", "10.0.0.1:1234", []string{"10.6.6.6, 9.9.9.9"}, "9.9.9.9"},
		{"10.0.0.0/8", "10.0.0.1:1234", []string{"1.1.1.1", "9.9.9.9"}, "9.9.9.9"},
		{"10.0.0.0/8", "10.0.0.1:1234", []string{"9.9.9.9, 10.0.0.2"}, "9.9.9.9"},
		{"10.0.0.0/8", "10.0.0.1:1234", []string{"9.9.9.9,10.0.0.2 , 10.0.0.3"}, "9.9.9.9"},
		{"10.0.0.0/8", "10.0.0.1:1234", []string{"6.6.6.6, nonsense"}, "10.0.0.1"},
		{"10.0.0.0/8", "10.0.0.1:1234", []string{"6.6.6.6, nonsense, 10.0.0.2"}, "10.0.0.2"},
		{"10.0.0.0/8", "10.0.0.1:1234", []string{"fe80::1%eth0"}, "10.0.0.1"},
		{"10.0.0.0/8", "10.0.0.1:1234", []string{"9.9.9.9:443"}, "10.0.0.1"},
		{"10.0.0.0/8", "10.0.0.1:1234", []string{""}, "10.0.0.1"},
		{"10.0.0.0/8", "10.0.0.1:1234", []string{"::ffff:9.9.9.9"}, "9.9.9.9"},
		{"10.0.0.0/8", "[::ffff:10.0.0.1]:1234", []string{"9.9.9.9"}, "9.9.9.9"},
		{"10.0.0.0/8", "10.0.0.1:1234", []string{"2001:db8:1:2:3::4"}, "2001:db8:1:2::/64"},
		{"10.0.0.0/8", "10.0.0.1:1234", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"", "[2001:db8:1:2:ffff::1]:1234", nil, "2001:db8:1:2::/64"},
		{"", "nonsense", []string{"6.6.6.6"}, "invalid IP"},
	} {
		a := lite(t, configure(func(cfg *webConfig) {
			if c.trusted != "" {
				cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(c.trusted)}
			}
		}))
		headers := append([]string{"From: " + c.peer}, forwarded...)
		for _, x := range c.xff {
			headers = append(headers, "X-Forwarded-For: "+x)
		}
		if got := a.send("GET", "/from", nil, headers...); got.body["text"] != c.want {
			t.Errorf("%+v: %s", c, got.Body)
		}
	}
}

func FuzzTheClientsAddress(f *testing.F) {
	a := lite(f, configure(func(c *webConfig) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} }))
	f.Add("1.1.1.1", "9.9.9.9")
	f.Add("::1%lo", " 10.0.0.9 ,")
	f.Fuzz(func(t *testing.T, said, last string) {
		q := httptest.NewRequest("GET", "https://app.test/api/v1/from", nil)
		q.RemoteAddr = "192.0.2.1:1"
		q.Header["X-Forwarded-For"] = []string{said, last}
		if got := a.do(q); got.body["text"] != "192.0.2.1" { // an untrusted peer is who it is
			t.Errorf("%q, %q: %s", said, last, got.Body)
		}
		q.RemoteAddr, q.Header = "10.0.0.1:1", http.Header{"X-Forwarded-For": {said + ", 203.0.113.7"}}
		if got := a.do(q); got.body["text"] != "203.0.113.7" { // what the client says stands to the left
			t.Errorf("%q: %s", said, got.Body)
		}
		a.log.Reset()
	})
}

// B01, B04: what the caller can choose does not make them another.
func TestALimitCountsTheCallerWhateverTheySend(t *testing.T) {
	tries := map[string]func(n int) []string{
		"nothing": func(int) []string { return nil },
		"forwarded for": func(n int) []string {
			return []string{fmt.Sprintf("X-Forwarded-For: 9.9.9.%d", n), fmt.Sprintf("X-Real-Ip: 9.9.9.%d", n), fmt.Sprintf("Forwarded: for=9.9.9.%d", n)}
		},
		"user agents": func(n int) []string {
			return []string{fmt.Sprintf("User-Agent: %d", n), fmt.Sprintf("Cookie: x=%d", n)}
		},
		"ports": func(n int) []string { return []string{fmt.Sprintf("From: 192.0.2.1:%d", 1000+n)} },
		"hosts": func(n int) []string {
			return []string{fmt.Sprintf("Host: h%d.test", n), fmt.Sprintf("Accept-Language: l%d", n)}
		},
	}
	bodies := []string{`{"name":"x"}`, `{"name":"y","deviceId":"1"}`, `{`, `{"name":""}`, `{"name":"z"}`}
	for name, headers := range tries {
		a := lite(t, limited)
		for n := range 6 {
			got := a.send("POST", "/few?x="+fmt.Sprint(n), bodies[n%5], headers(n)...)
			if limited := got.Code == 429; limited != (n >= 3) {
				t.Errorf("%s: try %d got %d", name, n+1, got.Code)
			}
			if left := fmt.Sprintf(`"test.few";r=%d;`, max(2-n, 0)); !strings.HasPrefix(got.Header().Get("RateLimit"), left) || got.Header().Get("RateLimit-Policy") != `"test.few";q=3;w=60` {
				t.Errorf("%s: try %d: RateLimit: %s, RateLimit-Policy: %s", name, n+1, got.Header().Get("RateLimit"), got.Header().Get("RateLimit-Policy"))
			}
			if n >= 3 {
				got.want(t, name, 429, "request.too_many")
				if got.Header().Get("Retry-After") == "" {
					t.Errorf("%s: no Retry-After", name)
				}
			}
		}
		if got := a.send("POST", "/few", `{"name":"x"}`, "From: 192.0.2.99:1"); got.Code == 429 {
			t.Errorf("%s: another caller is limited too", name)
		}
		a.now.Advance(20e9)
		if got := a.send("POST", "/few", `{"name":"x"}`); got.Code != 200 {
			t.Errorf("%s: after a third of the period: %d", name, got.Code)
		}
	}
	// The neighbours in an IPv6 network are one caller.
	a := lite(t, limited)
	for n := range 4 {
		if got := a.send("POST", "/few", `{"name":"x"}`, fmt.Sprintf("From: [2001:db8::%d]:1", n+1)); (got.Code == 429) != (n == 3) {
			t.Errorf("neighbour %d got %d", n, got.Code)
		}
	}
}
