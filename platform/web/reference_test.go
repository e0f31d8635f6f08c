package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/ratelimit"
)

func TestTheReferenceLoadsNothingFromElsewhere(t *testing.T) {
	r := withReference(t)
	for _, page := range []string{"/docs", "/redoc"} {
		got := ask(r, "GET", page, nil)
		if got.Code != http.StatusOK || got.Header().Get("Content-Type") != "text/html; charset=utf-8" {
			t.Fatalf("%s is answered with %d, %s", page, got.Code, got.Header().Get("Content-Type"))
		}
		policy := got.Header().Get("Content-Security-Policy")
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") || !strings.HasPrefix(policy, "default-src 'none'; script-src 'self';") {
			t.Errorf("%s has the policy %s", page, policy)
		}
		assets := regexp.MustCompile(`(?:src|href)="([^"]+\.(?:js|css))"`).FindAllStringSubmatch(got.Body.String(), -1)
		if len(assets) < 3 {
			t.Errorf("%s loads only %v", page, assets)
		}
		for _, a := range assets {
			if !strings.HasPrefix(a[1], "/reference/") {
				t.Errorf("%s loads %s", page, a[1])
			}
			asset := ask(r, "GET", a[1], http.Header{"Accept-Encoding": {"gzip"}})
			if asset.Code != http.StatusOK || asset.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" || asset.Header().Get("Content-Encoding") != "gzip" {
				t.Errorf("%s is answered with %d, %v", a[1], asset.Code, asset.Header())
			}
		}
	}
	if got := ask(r, "GET", "/reference/0000000000000000/redoc.js", nil); got.Code != http.StatusNotFound || got.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("a missing asset is answered with %d, %s", got.Code, got.Header().Get("Content-Type"))
	}
}

func TestAStaticAnswerIsTheSameCompressedAndPlain(t *testing.T) {
	r := withReference(t)
	packed, plain := ask(r, "GET", "/openapi.json", http.Header{"Accept-Encoding": {"br, gzip;q=0.5"}}), ask(r, "GET", "/openapi.json", nil)
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(unpacked, plain.Body.Bytes()) || plain.Header().Get("Content-Encoding") != "" {
		t.Error("the two answers differ, or the plain one says that it is compressed")
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-cache"} {
		if got := plain.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if vary := plain.Header().Values("Vary"); !cmp.Equal(vary, []string{"Origin", "Accept-Encoding"}) {
		t.Errorf("Vary is %q", vary)
	}
	head := ask(r, "HEAD", "/openapi.json", http.Header{"Accept-Encoding": {"gzip"}})
	if head.Code != http.StatusOK || head.Body.Len() > 0 || head.Header().Get("Content-Length") != packed.Header().Get("Content-Length") {
		t.Errorf("HEAD is answered with %d, %d bytes, %v", head.Code, head.Body.Len(), head.Header())
	}
}

func TestAStaticAnswerIsNotSentAgainToWhoHasIt(t *testing.T) {
	r := withReference(t)
	tag := ask(r, "GET", "/openapi.json", nil).Header().Get("ETag")
	for _, have := range []string{tag, strings.TrimPrefix(tag, "W/"), `"other", ` + tag, "*"} {
		if got := ask(r, "GET", "/openapi.json", http.Header{"If-None-Match": {have}}); got.Code != http.StatusNotModified || got.Body.Len() > 0 {
			t.Errorf("If-None-Match: %s is answered with %d and %d bytes", have, got.Code, got.Body.Len())
		}
	}
	if got := ask(r, "GET", "/openapi.json", http.Header{"If-None-Match": {`"other"`}}); got.Code != http.StatusOK {
		t.Errorf("who has something else gets %d", got.Code)
	}
}

func TestTheDocumentSaysWhoMayCall(t *testing.T) {
	r := withReference(t)
	Handle(r, Op{ID: "test.invite", Method: http.MethodPost, Path: "/orgs/{org}/things", Access: authz.InOrg("test.invite").Fresh()},
		func(context.Context, *struct{ InOrg }) (*Empty, error) { return &Empty{}, nil })
	var doc struct {
		Paths map[string]map[string]struct {
			Description string
			Access      map[string]any `json:"x-access"`
			Responses   map[string]struct{ Content map[string]any }
		}
	}
	if err := json.Unmarshal(ask(r, "GET", "/openapi.json", nil).Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	invite := doc.Paths["/api/v1/orgs/{org}/things"]["post"]
	if !strings.Contains(invite.Description, "**Access:** members of the organization who have `test.invite`, after a recent proof of identity.") {
		t.Errorf("the description is %q", invite.Description)
	}
	if diff := cmp.Diff(map[string]any{"kind": "org", "permission": "test.invite", "fresh": true}, invite.Access); diff != "" {
		t.Error(diff)
	}
	if _, ok := doc.Paths["/docs"]["get"].Responses["200"].Content["text/html"]; !ok {
		t.Errorf("/docs answers with %v", doc.Paths["/docs"]["get"].Responses["200"])
	}
}

func TestAPathThatEndsWithASlashAnswersWithoutItAndNothingBelow(t *testing.T) {
	r := router()
	type output struct {
		Status int
		Body   struct {
			Status string `json:"status"`
		}
	}
	Handle(r, Op{ID: "test.health", Method: http.MethodGet, Path: "/health/", Access: authz.Public(), Also: []int{503}},
		func(context.Context, *Empty) (*output, error) { return &output{Status: 503}, nil })
	for path, want := range map[string]int{"/api/v1/health": 503, "/api/v1/health/": 503, "/api/v1/health/x": 404} {
		if got := ask(r, "GET", path, nil); got.Code != want {
			t.Errorf("%s is answered with %d, want %d", path, got.Code, want)
		}
	}
	doc, err := r.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), `"503":{"content":{"application/json"`) {
		t.Errorf("the document does not tell the answer of 503: %s", doc)
	}
}

func TestOnlyWhoAcceptsGzipGetsIt(t *testing.T) {
	for field, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "deflate, gzip;q=1.0, *;q=0.5": true, "gzip;q=0": false, "gzip; q=0.001": true,
		"*": true, "*;q=0": false, "*, gzip;q=0": false, "identity": false, "br": false, "gzip;q=nan": false, "gzip;q=2": false, "gzip;x": false, "x-gzip": true,
	} {
		if got := acceptsGzip([]string{field}); got != want {
			t.Errorf("Accept-Encoding: %s means %v", field, got)
		}
	}
}

func FuzzAcceptEncoding(f *testing.F) {
	f.Add("gzip;q=0.5, *;q=0")
	f.Fuzz(func(t *testing.T, field string) {
		if acceptsGzip([]string{field}) && !strings.Contains(strings.ToLower(field), "gzip") && !strings.Contains(field, "*") {
			t.Errorf("%q is taken for gzip", field)
		}
	})
}

func withReference(t *testing.T) *Router {
	t.Helper()
	r := router()
	ref := NewReference(r, "/openapi.json", "/docs", "/redoc")
	HandleStatic(r, Op{ID: "test.openapi", Method: http.MethodGet, Path: "//openapi.json", Access: authz.Public()}, "application/json", ref.Document)
	HandleStatic(r, Op{ID: "test.docs", Method: http.MethodGet, Path: "//docs", Access: authz.Public()}, "text/html", ref.SwaggerUI)
	HandleStatic(r, Op{ID: "test.redoc", Method: http.MethodGet, Path: "//redoc", Access: authz.Public()}, "text/html", ref.ReDoc)
	return r
}

func router() *Router {
	return NewRouter(Options{
		Title: "Test", Version: "1", Config: Config{PublicURL: "http://127.0.0.1:8000"}, Log: slog.New(slog.DiscardHandler), Now: clock.System,
		Limits: ratelimit.New(ratelimit.Options{Now: clock.System, Log: slog.New(slog.DiscardHandler)}),
	})
}

func ask(r *Router, method, path string, h http.Header) *httptest.ResponseRecorder {
	q, w := httptest.NewRequest(method, "http://127.0.0.1:8000"+path, nil), httptest.NewRecorder()
	for name, values := range h {
		q.Header[name] = values
	}
	r.ServeHTTP(w, q)
	return w
}
