package web_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/platform/id"
)

// A request in which everything is wrong is mended step by step: each refusal comes
// only when nothing that precedes it is left.
func TestRefusalsComeInTheirOrder(t *testing.T) {
	a := lite(t)
	type try struct {
		who, path, kind, body string
	}
	org, thing := a.org.String(), a.thing.String()
	now := try{"nobody", "/orgs/nonsense/things/nonsense?x=1", "text/plain", strings.Repeat("{", 2000)}
	var got, want []string
	step := func(status int, code string, mend func()) {
		r := a.send("POST", now.path, now.body, now.who, "Content-Type: "+now.kind)
		r.want(t, fmt.Sprintf("%+v", now)[:60], status, code)
		got, want = append(got, fmt.Sprint(r.Code, " ", r.code())), append(want, fmt.Sprint(status, " ", code))
		mend()
	}
	step(401, "auth.invalid_token", func() { now.who = "eve" })
	step(404, "not_found", func() { now.path = "/orgs/" + org + "/things/nonsense?x=1" })                             // a malformed organization
	step(404, "not_found", func() { now.who = "bob" })                                                                // not a member
	step(404, "not_found", func() { now.path = "/orgs/" + org + "/things/" + id.New[thingKind]().String() + "?x=1" }) // a malformed id
	step(404, "not_found", func() { now.path = "/orgs/" + org + "/things/" + thing + "?x=1" })                        // another's id
	step(403, "auth.denied", func() { now.who = "stale" })
	step(401, "auth.fresh_required", func() { now.who = "ada" })
	step(413, "request.too_large", func() { now.body = "{" })
	step(415, "request.media_type", func() { now.kind = "application/json" })
	step(400, "request.unparsable", func() { now.body = `{"name":"","nome":1}` })
	step(422, "request.invalid", func() { now.path, now.body = strings.TrimSuffix(now.path, "?x=1"), `{"name":"taken"}` })
	step(409, "test.taken", func() { now.body = `{"name":"fine"}` })
	step(200, "", func() {})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	a.send("POST", "/things", `{"name":"x"}`).want(t, "nobody at all", 401, "auth.required")
	a.send("GET", "/root", nil, "ada").want(t, "an administrator's", 403, "auth.denied")
	if r := a.send("GET", "/root", nil, "root"); r.Code != 200 {
		t.Errorf("the administrator gets %d", r.Code)
	}
	fresh := a.send("POST", "/orgs/"+org+"/things/"+thing, `{"name":"x"}`, "stale")
	if methods, _ := fresh.body["methods"].([]any); !cmp.Equal(methods, []any{"password"}) {
		t.Errorf("what would satisfy it: %s", fresh.Body)
	}
}

// J02
func TestJSONIsReadOneWayOrNotAtAll(t *testing.T) {
	a := lite(t)
	gzipped := &bytes.Buffer{}
	z := gzip.NewWriter(gzipped)
	_, _ = z.Write([]byte(`{"name":"x"}`))
	must(t, z.Close())
	wide := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(`{"name":"x"}`)) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	manyKeys := &strings.Builder{}
	for i := range 1_000_000 {
		fmt.Fprintf(manyKeys, `"k%d":1,`, i)
	}
	for name, c := range map[string]struct {
		body    any
		headers []string
		status  int
		code    string
	}{
		"good":                     {body: `{"name":"x"}`, status: 201},
		"good, with space around":  {body: " \n{\"name\":\"x\"}\t ", status: 201},
		"good, with its charset":   {body: `{"name":"x"}`, headers: []string{"Content-Type: application/json; charset=UTF-8"}, status: 201},
		"a key twice":              {body: `{"name":"x","name":"y"}`, status: 400, code: "request.duplicate_key"},
		"a key twice, escaped":     {body: `{"name":"x","n\u0061me":"y"}`, status: 400, code: "request.duplicate_key"},
		"a key twice, deep":        {body: `{"name":"x","tags":[{"a":1,"a":2}]}`, status: 400, code: "request.duplicate_key"},
		"another case":             {body: `{"NAME":"x"}`, status: 422},
		"both cases":               {body: `{"name":"x","Name":"y"}`, status: 422},
		"an unknown key":           {body: `{"name":"x","admin":true}`, status: 422},
		"depth 33":                 {body: `{"name":"x","tags":` + strings.Repeat("[", 33) + strings.Repeat("]", 33) + `}`, status: 400, code: "request.too_deep"},
		"depth 100,000":            {body: strings.Repeat("[", 100_000), status: 400, code: "request.too_deep"},
		"NaN":                      {body: `{"name":"x","count":NaN}`, status: 400},
		"infinity":                 {body: `{"name":"x","count":1e999}`, status: 400},
		"more than an integer":     {body: `{"name":"x","count":99999999999999999999}`, status: 422},
		"half an integer":          {body: `{"name":"x","count":1.5}`, status: 422},
		"a number for a text":      {body: `{"name":1}`, status: 422},
		"null for a text":          {body: `{"name":null}`, status: 422},
		"trailing garbage":         {body: `{"name":"x"}x`, status: 400},
		"two documents":            {body: `{"name":"x"}{"name":"y"}`, status: 400},
		"a comma too many":         {body: `{"name":"x",}`, status: 400},
		"a comment":                {body: `{"name":"x"/**/}`, status: 400},
		"single quotes":            {body: `{'name':'x'}`, status: 400},
		"not closed":               {body: `{"name":"x"`, status: 400},
		"a text":                   {body: `"x"`, status: 422},
		"null":                     {body: `null`, status: 422},
		"nothing":                  {body: ``, status: 400, code: "request.no_body"},
		"only space":               {body: `   `, status: 400},
		"a byte order mark":        {body: "\ufeff" + `{"name":"x"}`, status: 400},
		"UTF-16":                   {body: wide, status: 400},
		"invalid UTF-8":            {body: "{\"name\":\"\xff\"}", status: 400, code: "request.text"},
		"overlong UTF-8":           {body: "{\"name\":\"\xc0\xaf\"}", status: 400, code: "request.text"},
		"NUL":                      {body: `{"name":"x\u0000"}`, status: 400, code: "request.text"},
		"NUL in a key":             {body: `{"na\u0000me":"x"}`, status: 400, code: "request.text"},
		"half a surrogate":         {body: `{"name":"\ud800"}`, status: 400, code: "request.text"},
		"surrogates the wrong way": {body: `{"name":"\udc00\ud800"}`, status: 400, code: "request.text"},
		"a whole surrogate":        {body: `{"name":"\ud83d\ude00"}`, status: 201},
		"an escaped backslash":     {body: `{"name":"\\ud800"}`, status: 201},
		"compressed":               {body: gzipped.Bytes(), headers: []string{"Content-Encoding: gzip"}, status: 415},
		"a form":                   {body: `name=x`, headers: []string{"Content-Type: application/x-www-form-urlencoded"}, status: 415},
		"text":                     {body: `{"name":"x"}`, headers: []string{"Content-Type: text/plain"}, status: 415},
		"no type":                  {body: `{"name":"x"}`, headers: []string{"Content-Type: -"}, status: 415},
		"a type like JSON":         {body: `{"name":"x"}`, headers: []string{"Content-Type: application/json-patch+json"}, status: 415},
		"another charset":          {body: `{"name":"x"}`, headers: []string{"Content-Type: application/json; charset=utf-16"}, status: 415},
		"two types":                {body: `{"name":"x"}`, headers: []string{"Content-Type: application/json", "Content-Type: text/plain"}, status: 415},
		"a million keys":           {body: `{` + strings.TrimSuffix(manyKeys.String(), ",") + `}`, status: 413, code: "request.too_large"},
		"100 MB, announced":        {body: bytes.NewReader(make([]byte, 100<<20)), status: 413, code: "request.too_large"},
		"without end, in chunks":   {body: endless{}, headers: []string{"Transfer-Encoding: chunked"}, status: 413, code: "request.too_large"},
	} {
		began := time.Now()
		got := a.send("POST", "/things", c.body, append([]string{"ada"}, c.headers...)...)
		got.want(t, name, c.status, c.code)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
	}
	for path, status := range map[string]int{"/numbers?q=x": 200, "/numbers?unknown=1": 422, "/numbers?Q=x": 422, "/numbers?limit=0": 422, "/numbers?limit=101": 422,
		"/numbers?limit=ten": 422, "/numbers?limit=5&limit=6": 400, "/numbers?q=%00": 400, "/numbers?%00=1": 400, "/numbers?q=%20": 200, "/numbers?q=%zz": 400, "/numbers?q=%ff": 400, "/numbers?q=a;b": 400} {
		a.send("GET", path, nil, "ada").want(t, path, status, "")
	}
	a.send("GET", "/numbers", `{"x":1}`, "ada").want(t, "a GET with a body", 422, "request.unexpected_body")
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestARefusalNeverRepeatsWhatWasSent(t *testing.T) {
	a := lite(t)
	for _, body := range []string{`{"name":"s3cr3t-s3cr3t-s3cr3t-s3cr3t"}`, `{"name":"x","count":"s3cr3t"}`, `{"name":{"s3cr3t":1}}`, `{"name":"x","tags":["s3cr3t",1]}`, `s3cr3t`, `{"name":"x"}s3cr3t`} {
		if got := a.send("POST", "/things", body, "ada"); got.Code < 400 || strings.Contains(got.Body.String(), "s3cr3t") {
			t.Errorf("%s: %d %s", body, got.Code, got.Body)
		}
	}
	for _, path := range []string{"/numbers?limit=s3cr3t", "/numbers?cursor=s3cr3t", "/things/s3cr3t"} {
		if got := a.send("GET", path, nil, "ada"); got.Code < 400 || strings.Contains(got.Body.String(), "s3cr3t") {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
	got := a.send("POST", "/things", `{"name":"","count":5000,"more":1}`, "ada")
	var codes []string
	for _, e := range got.body["errors"].([]any) {
		codes = append(codes, fmt.Sprint(e.(map[string]any)["location"], " ", e.(map[string]any)["code"]))
	}
	if diff := cmp.Diff([]string{"body.more unknown_field", "body.name too_short", "body.count out_of_range"}, codes, cmpSorted()); diff != "" {
		t.Error(diff, got.Body)
	}
}

// J10: what went wrong is in the log, under the request id of the answer, and only there.
func TestFaultsAreOpaque(t *testing.T) {
	a := lite(t)
	for what, got := range map[string]answer{"an error": a.send("GET", "/fail", nil), "a panic": a.send("POST", "/panic", nil, "ada")} {
		got.want(t, what, 500, "internal")
		if text := got.Body.String(); strings.Contains(text, "secret") || strings.Contains(text, "hunter2") || strings.Contains(text, ".go") {
			t.Errorf("%s: %s", what, text)
		}
		if !strings.Contains(a.log.String(), got.Header().Get("X-Request-Id")) {
			t.Errorf("%s: the log does not know the request id", what)
		}
	}
	if !strings.Contains(a.log.String(), "secret detail") || !strings.Contains(a.log.String(), "api_test.go") {
		t.Error("the log does not tell of the panic and where it was")
	}
	a.make = func(ctx context.Context, _ int) error { return context.Canceled }
	a.send("POST", "/things", `{"name":"x"}`, "ada").want(t, "cancelled by somebody else", 500, "internal")
}
