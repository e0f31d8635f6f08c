package console

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"
)

func serve(t *testing.T, c Config, p Product, extend ...string) http.Handler {
	t.Helper()
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	app := New(c)
	for _, name := range extend {
		app.Extend(name, []byte("export default (sdk) => sdk.addPage({})\n"))
	}
	h, err := app.Handler(p, http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(h http.Handler, target string, headers ...string) *http.Response {
	q := httptest.NewRequest("GET", target, nil)
	q.Header.Set("Accept", "text/html")
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestThePageComesInTheColoursOfItsReader(t *testing.T) {
	h := serve(t, Config{}, Product{Name: "Acme"})
	for cookie, want := range map[string]string{"": "<html lang", "theme=dark": `<html data-theme="dark" lang`, "theme=light": `<html data-theme="light" lang`, `theme="><script>`: "<html lang"} {
		r := get(h, "/o/acme/members", "Cookie", cookie)
		body := text(t, r)
		if r.StatusCode != 200 || !strings.Contains(body, want) || !strings.Contains(body, "<title>Acme</title>") {
			t.Errorf("with %q: %d, and no %q in %.120s", cookie, r.StatusCode, want, body)
		}
		if r.Header.Get("Cache-Control") != "no-cache" || !strings.Contains(strings.Join(r.Header.Values("Vary"), ","), "Cookie") {
			t.Errorf("it may be kept for somebody else: %v", r.Header)
		}
	}
}

func TestThePageKnowsWhenNobodyIsSignedIn(t *testing.T) {
	brings := func(q *http.Request) bool { _, err := q.Cookie("session"); return err == nil }
	h := serve(t, Config{}, Product{Name: "Acme", Session: brings})
	for cookie, want := range map[string]string{"theme=dark": `"session":false`, "theme=dark; session=x": `"session":true`} {
		if body := text(t, get(h, "/", "Cookie", cookie)); !strings.Contains(body, want) || !strings.Contains(body, `data-theme="dark"`) {
			t.Errorf("with %q there is no %s in %.300s", cookie, want, body)
		}
	}
}

func TestNothingThatAProductSaysBecomesMarkup(t *testing.T) {
	const evil = `</script><script>alert(1)</script>`
	h := serve(t, Config{Tagline: evil, Wording: map[string]map[string]string{"en": {"nav.teams": evil}}, Hidden: []string{evil}}, Product{Name: evil})
	body := text(t, get(h, "/"))
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	scripts := 0
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "script" {
			scripts++
			if n.FirstChild != nil && !json.Valid([]byte(n.FirstChild.Data)) {
				t.Errorf("a script of its own: %q", n.FirstChild.Data)
			}
		}
	}
	if scripts != 2 {
		t.Errorf("there are %d scripts, want the application and its data", scripts)
	}
}

func TestThePolicyLetsNothingInlineRun(t *testing.T) {
	h := serve(t, Config{Logo: "https://cdn.example.com/logo.svg"}, Product{Name: "Acme", ImageHosts: []string{"gravatar.com"}})
	policy := get(h, "/").Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "require-trusted-types-for 'script'", "trusted-types 'none'",
		"frame-ancestors 'none'", "base-uri 'none'", "img-src 'self' data: blob: https://gravatar.com https://cdn.example.com"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %s: %s", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is unsafe: %s", policy)
	}
}

func TestAssetsAreKeptForEverAndComeCompressed(t *testing.T) {
	h := serve(t, Config{}, Product{Name: "Acme"})
	script := regexp.MustCompile(`src="(/assets/[^"]+\.js)"`).FindStringSubmatch(text(t, get(h, "/")))
	if script == nil {
		t.Fatal("the page starts no script")
	}
	plain := text(t, get(h, script[1]))
	for _, c := range []struct{ accept, coding string }{
		{"gzip, deflate, br, zstd", "br"}, {"gzip", "gzip"}, {"br;q=0, gzip", "gzip"}, {"", ""}, {"identity", ""}, {"br;q=nonsense", ""}, {"BR", "br"},
	} {
		r := get(h, script[1], "Accept-Encoding", c.accept)
		if r.StatusCode != 200 || r.Header.Get("Content-Encoding") != c.coding || r.Header.Get("Content-Type") != "text/javascript; charset=utf-8" ||
			!strings.Contains(r.Header.Get("Cache-Control"), "immutable") || r.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q got %d %v", c.accept, r.StatusCode, r.Header)
		}
		if c.coding == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(z); err != nil || string(b) != plain {
				t.Errorf("the compressed file is another one (%v)", err)
			}
		}
	}
	again := get(h, script[1], "If-None-Match", get(h, script[1]).Header.Get("ETag"))
	if again.StatusCode != 304 || text(t, again) != "" {
		t.Errorf("a browser that has it got %d", again.StatusCode)
	}
}

func TestWhatIsNotThereIsNoPage(t *testing.T) {
	h := serve(t, Config{}, Product{Name: "Acme"})
	for _, c := range []struct{ target, accept string }{
		{"/assets/gone-Ab12.js", "*/*"}, {"/assets/gone-Ab12.js", "text/html"}, {"/assets/", "text/html"}, {"/robots.txt", "text/html"}, {"/nonsense", "application/json"},
		{"/nonsense", "*/*"}, {"/manifest.json", "*/*"}, {"/index.html", "text/html"}, {"/assets/../index.html", "text/html"},
	} {
		if r := get(h, c.target, "Accept", c.accept); r.StatusCode != 404 {
			t.Errorf("%s for %s got %d", c.target, c.accept, r.StatusCode)
		}
	}
}

func TestBelowAPathEverythingIsBelowIt(t *testing.T) {
	h := serve(t, Config{Logo: "/ext/logo.svg", Hue: 150}, Product{Name: "Acme", Base: "/app"}, "reports.js")
	body := text(t, get(h, "/sign-in"))
	for _, attribute := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		if !strings.HasPrefix(attribute[1], "/app/") {
			t.Errorf("the page asks for %s", attribute[1])
		}
	}
	var b boot
	if err := json.Unmarshal([]byte(regexp.MustCompile(`id="boot">(.*?)</script>`).FindStringSubmatch(body)[1]), &b); err != nil {
		t.Fatal(err)
	}
	if b.Base != "/app" || b.Logo != "/app/ext/logo.svg" || len(b.Extensions) != 1 || b.Extensions[0] != "/ext/reports.js" {
		t.Errorf("the application is told %+v", b)
	}
	if r := get(h, "/brand.css"); r.StatusCode != 200 || !strings.Contains(text(t, r), "--brand-h:150") {
		t.Errorf("the colour: %d", r.StatusCode)
	}
}

func TestExtensionsAreServed(t *testing.T) {
	h := serve(t, Config{}, Product{Name: "Acme"}, "reports.js")
	r := get(h, "/ext/reports.js", "Accept", "*/*")
	if r.StatusCode != 200 || r.Header.Get("Content-Type") != "text/javascript; charset=utf-8" || r.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("it got %d %v", r.StatusCode, r.Header)
	}
	for _, name := range []string{"../x.js", "", "A.js", "a/b.js", ".js"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is taken for a name", name)
				}
			}()
			New(Config{}).Extend(name, nil)
		}()
	}
}

func TestAConsoleOfOnesOwn(t *testing.T) {
	own := fstest.MapFS{"index.html": {Data: []byte(`<html lang="en"><head><title>Tenon</title></head><body>mine</body></html>`)}}
	if body := text(t, get(serve(t, Config{Files: own}, Product{Name: "Acme"}), "/")); !strings.Contains(body, "mine") || !strings.Contains(body, `id="boot"`) {
		t.Errorf("got %s", body)
	}
	if _, err := New(Config{Files: fstest.MapFS{}, Locales: []string{"en"}}).Handler(Product{}, nil); err == nil {
		t.Error("a console without a page is served")
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	for _, c := range []Config{{Switch: "maybe"}, {Hue: 361}, {Hue: -1}, {Locales: []string{"xx"}}} {
		if c.Check() == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

// What is committed is what is served: files without maps, under names that change with them.
func TestTheBuiltApplicationIsWhole(t *testing.T) {
	files, err := readFiles(Built())
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for name, f := range files {
		if path.Ext(name) == ".map" {
			t.Errorf("%s is shipped", name)
		}
		body, err := f.read(name)
		if err != nil {
			t.Fatal(err)
		}
		if path.Ext(name) == ".js" && len(body) > 1024 && len(f.packed) != 2 {
			t.Errorf("%s has %d compressed forms", name, len(f.packed))
		}
		all.Write(body)
	}
	for _, leak := range []string{"sourceMappingURL", "localhost:8000", "127.0.0.1"} {
		if strings.Contains(all.String(), leak) {
			t.Errorf("the application says %s", leak)
		}
	}
}

func TestAPageNamesTheScriptsItNeeds(t *testing.T) {
	h := serve(t, Config{}, Product{Name: "Acme", Base: "/app"})
	named := text(t, get(h, "/sign-in"))
	for path, wants := range map[string][]string{
		"/sign-in":                 {"_auth", "_auth.sign-in"},
		"/sign-in/second-factor":   {"_auth", "_auth.sign-in_.second-factor"},
		"/o/acme":                  {"_app", "_app.o._org", "_app.o._org.index"},
		"/o/acme/members":          {"_app", "_app.o._org", "_app.o._org.members", "app"}, // with the texts of the pages inside
		"/o/acme/teams/designers/": {"_app", "_app.o._org", "_app.o._org.teams._team"},
		"/admin/users":             {"_app", "_app.admin", "_app.admin.users.index"},
		"/nonsense":                nil,
		"/o/acme/nonsense":         nil,
	} {
		link := get(h, path).Header.Get("Link")
		if (link == "") != (wants == nil) {
			t.Errorf("%s: Link: %s", path, link)
		}
		for _, want := range wants {
			if !regexp.MustCompile(`</app/assets/` + regexp.QuoteMeta(want) + `-[\w-]{8}\.js>; rel=modulepreload`).MatchString(link) {
				t.Errorf("%s does not name %s: %s", path, want, link)
			}
		}
		for _, m := range regexp.MustCompile(`</app(/[^>]+)>`).FindAllStringSubmatch(link, -1) {
			if r := get(h, m[1]); r.StatusCode != 200 {
				t.Errorf("%s names %s, which answers %d", path, m[1], r.StatusCode)
			}
			if strings.Contains(named, m[1]) {
				t.Errorf("%s names %s, which the page names already", path, m[1])
			}
		}
	}
}

func TestWhoIsNotSignedInIsSentTheScriptsOfTheSignInPage(t *testing.T) {
	h := serve(t, Config{}, Product{Session: func(q *http.Request) bool { return q.Header.Get("Cookie") != "" }})
	signIn := get(h, "/sign-in").Header.Get("Link")
	if signIn == "" || get(h, "/o/acme/members").Header.Get("Link") != signIn {
		t.Errorf("the pages inside name %s", get(h, "/o/acme/members").Header.Get("Link"))
	}
	if get(h, "/sign-up").Header.Get("Link") == signIn {
		t.Error("so does a page of its own")
	}
}

func TestAnApplicationWithoutAManifestWorks(t *testing.T) {
	own := fstest.MapFS{"index.html": {Data: []byte(`<html lang="en"><head></head></html>`)}}
	if r := get(serve(t, Config{Files: own}, Product{}), "/o/acme/members"); r.StatusCode != 200 || r.Header.Get("Link") != "" {
		t.Errorf("%d, %v", r.StatusCode, r.Header)
	}
	own["manifest.json"] = &fstest.MapFile{Data: []byte("nonsense")}
	if _, err := New(Config{Files: own}).Handler(Product{}, nil); err == nil {
		t.Error("a broken manifest is not noticed")
	}
}
