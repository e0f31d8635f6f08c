package observe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"testing/slogtest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/observe"
)

func TestTheHandlerKeepsTheContractOfSlog(t *testing.T) {
	var out bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return observe.NewLogger(&out, observe.Config{}).Handler()
	}, func(t *testing.T) map[string]any { return parse(t, out.String()) })
}

func TestALineCarriesWhatItIsAbout(t *testing.T) {
	account, org := id.New[accountKind](), id.New[orgKind]()
	ctx := observe.With(context.Background(), observe.Fields{RequestID: "req-12345", TraceID: "abc"})
	inner, cancel := context.WithCancel(ctx) // a context derived from the one with fields
	defer cancel()
	observe.SetAccount(inner, id.Account(account))
	observe.SetOrg(inner, id.Org(org))

	for name, derive := range map[string]func(*slog.Logger) *slog.Logger{
		"plain":   func(l *slog.Logger) *slog.Logger { return l },
		"grouped": func(l *slog.Logger) *slog.Logger { return l.With("a", 1).WithGroup("http").With("b", 2) },
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			derive(observe.NewLogger(&out, observe.Config{})).InfoContext(ctx, "request", "path", "/x")
			line := parse(t, out.String())
			want := map[string]string{
				"request_id": "req-12345", "trace_id": "abc",
				"account_id": id.Account(account).String(), "org_id": id.Org(org).String(),
			}
			for key, value := range want {
				if line[key] != value {
					t.Errorf("%s = %v, want %s in %s", key, line[key], value, out.String())
				}
			}
		})
	}
	if f := observe.FieldsOf(ctx); f.AccountID != id.Account(account) {
		t.Errorf("the outer layer does not see the account: %+v", f)
	}
	if f := observe.FieldsOf(context.Background()); f != (observe.Fields{}) {
		t.Errorf("fields out of nowhere: %+v", f)
	}
}

func TestSecretsNeverReachTheLog(t *testing.T) {
	const secret = "hunter2hunter2"
	type login struct {
		Email    string
		Password string `json:"p"`
		Nested   map[string]any
	}
	badURL := func(raw string) error { _, err := url.Parse(raw); return err }
	for name, args := range map[string][]any{
		"attribute":        {"password", secret},
		"camel case":       {"accessToken", secret},
		"header spelling":  {"X-Api-Key", secret},
		"number":           {"code", 123456},
		"bytes":            {"client_secret", []byte(secret)},
		"group":            {slog.Group("cookie", "a", secret)},
		"group in group":   {slog.Group("x", slog.Group("y", "refresh_token", secret))},
		"struct":           {"in", login{Email: "a@b.test", Password: secret, Nested: map[string]any{"token": secret}}},
		"pointer":          {"in", &login{Nested: map[string]any{"deep": []any{map[string]string{"DSN": secret}}}}},
		"slice":            {"in", []login{{Password: secret}}},
		"raw JSON":         {"in", json.RawMessage(`{"a":{"totp_secret":"` + secret + `"}}`)},
		"JSON text":        {"body", `{"password": "` + secret + `", "x": 1}`},
		"JSON in text":     {"body", `"{\"password\":\"` + secret + `\"}"`},
		"JSON bytes":       {"body", []byte(`{"password":"` + secret + `"}`)},
		"DSN":              {"error", "dial postgres://u:" + secret + "@db.test/x?sslmode=disable: refused"},
		"DSN, odd":         {"error", "dial postgres://u:a/b@" + secret + "@db.test/x"},
		"DSN, keywords":    {"error", "host=db user=u password=" + secret + " dbname=x"},
		"DSN, quoted":      {"error", "host=db password='hunter2 " + secret + "' dbname=x"},
		"DSN in an error":  {"error", badURL("redis://:" + secret + "@h:port/0")},
		"wrapped error":    {"error", fmt.Errorf("connect: %w", errors.New("redis://x:"+secret+"@h"))},
		"URL value":        {"url", &url.URL{Scheme: "https", Host: "x.test", RawQuery: "token=" + secret}},
		"our key":          {"header", "key tn_live_" + secret + "_abc123"},
		"JSON web token":   {"x", "eyJhbGciOiJFZERTQSJ9." + secret + ".c2lnbmF0dXJl"},
		"bearer":           {"x", "got Bearer " + secret},
		"header dump":      {"x", "GET / HTTP/1.1\r\nAuthorization: Basic " + secret + "\r\nHost: x"},
		"query":            {"path", "/callback?state=1&code=" + secret},
		"logger attribute": nil,
	} {
		for _, format := range []observe.Format{observe.JSON, observe.Text} {
			t.Run(name+" "+string(format), func(t *testing.T) {
				var out bytes.Buffer
				log := observe.NewLogger(&out, observe.Config{Format: format})
				if args == nil {
					log = log.With("token", secret)
				}
				log.Error("it happened", args...)
				if strings.Contains(out.String(), secret) || strings.Contains(out.String(), "123456") {
					t.Errorf("leaked: %s", out.String())
				}
				if !strings.Contains(out.String(), "redacted") {
					t.Errorf("nothing was redacted: %s", out.String())
				}
			})
		}
	}
	t.Run("message", func(t *testing.T) {
		var out bytes.Buffer
		observe.NewLogger(&out, observe.Config{}).Error("panic: tn_key_" + secret + " in postgres://a:" + secret + "@h/d")
		if strings.Contains(out.String(), secret) || !strings.Contains(out.String(), "tn_key_") {
			t.Errorf("logged %s", out.String())
		}
	})
}

func TestHarmlessTextStaysAsItIs(t *testing.T) {
	for key, value := range map[string]string{
		"error":      "run migration: exit code=3 (SQLSTATE 23505)",
		"token_id":   "key_01jabcdefgh",
		"status":     "ok",
		"url":        "https://example.test:8080/a?to=b@c.test",
		"email":      "Zoë.Müller@example.test",
		"error_code": "orgs.slug_taken",
		"text":       "dev-build eyJ tn_ tn_key_short basic",
	} {
		var out bytes.Buffer
		observe.NewLogger(&out, observe.Config{}).Info("m", key, value)
		if got := parse(t, out.String())[key]; got != value && key != "error_code" {
			t.Errorf("%s: %q became %q", key, value, got)
		}
	}
}

func TestOneEventIsOneLine(t *testing.T) {
	nasty := "a\r\nb\x00\x1b[31m\u2028\u2029\u0085\u009b\u202e\x7f\xff{\"level\":\"ERROR\"}\nfake"
	for _, format := range []observe.Format{observe.JSON, observe.Text} {
		var out bytes.Buffer
		log := observe.NewLogger(&out, observe.Config{Format: format})
		log.Info(nasty, "k", nasty, nasty, "v", "m", map[string]string{nasty: nasty}, "e", errors.New(nasty), "b", []byte(nasty))
		line := out.String()
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
			t.Errorf("%s: not one line: %q", format, line)
		}
		if !utf8.ValidString(line) {
			t.Errorf("%s: not UTF-8: %q", format, line)
		}
		for _, r := range strings.TrimSuffix(line, "\n") {
			if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\u202e' {
				t.Errorf("%s: %U reached the log: %q", format, r, line)
			}
		}
	}
}

func TestLongTextIsCutWithAMark(t *testing.T) {
	var out bytes.Buffer
	log := observe.NewLogger(&out, observe.Config{})
	long := strings.Repeat("é", 1<<19)
	log.Info(long, "user_agent", long, "list", []string{long, long})
	if out.Len() > 12<<10 {
		t.Errorf("the line has %d bytes", out.Len())
	}
	if msg := parse(t, out.String())["msg"].(string); !strings.Contains(msg, "[1048576 bytes]") {
		t.Errorf("no mark: …%s", msg[len(msg)-40:])
	}
	out.Reset()
	log.Info("m", "dsn_text", "x "+strings.Repeat("y", 2030)+" postgres://u:pass-word-pass-word@h/d")
	if strings.Contains(out.String(), "pass-word") || strings.Contains(out.String(), ":pass") {
		t.Errorf("the cut revealed half a password: %s", out.String())
	}
}

func TestTimesAndDurationsHaveOneForm(t *testing.T) {
	var out bytes.Buffer
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("x", 3600))
	observe.NewLogger(&out, observe.Config{}).Info("m", "took", 1234567*time.Nanosecond, "at", at,
		"in", struct {
			Took time.Duration
			At   time.Time
		}{time.Second, at})
	line := parse(t, out.String())
	if line["took"] != 1.235 || line["at"] != "2026-01-02T02:04:05Z" {
		t.Errorf("line = %v", line)
	}
	if in := line["in"].(map[string]any); in["Took"] != 1000.0 || in["At"] != "2026-01-02T02:04:05Z" {
		t.Errorf("in = %v", in)
	}
	if at, err := time.Parse(time.RFC3339, line["time"].(string)); err != nil || at.Location() != time.UTC {
		t.Errorf("time = %v (%v)", line["time"], err)
	}
}

func TestAHostileValueDoesNotEndTheProcess(t *testing.T) {
	type ring struct{ Next *ring }
	loop := &ring{}
	loop.Next = loop
	var nothing *url.URL
	var out bytes.Buffer
	observe.NewLogger(&out, observe.Config{}).Info("m", "loop", loop, "panics", panics{}, "nil", nothing, "func", func() {})
	if line := parse(t, out.String()); line["nil"] != nil || !strings.Contains(line["panics"].(string), "panicked") {
		t.Errorf("line = %v", line)
	}
}

func TestFormatAndLevelComeFromText(t *testing.T) {
	var f observe.Format
	if err := f.UnmarshalText([]byte("xml")); err == nil {
		t.Error("xml was accepted")
	}
	if err := f.UnmarshalText([]byte("text")); err != nil || f != observe.Text {
		t.Errorf("text = %q (%v)", f, err)
	}
	var out bytes.Buffer
	observe.NewLogger(&out, observe.Config{Level: slog.LevelWarn}).Info("quiet")
	if out.Len() != 0 {
		t.Errorf("logged below the level: %s", out.String())
	}
}

func FuzzALineIsAlwaysOneValidObject(f *testing.F) {
	f.Add("msg", "key", "value")
	f.Add("postgres://u:p@h", "tn_a_bcdefghijk", "eyJabc.def=ghi&token='x")
	f.Add("\"password\":\"", "\\\"token\\\":\"", "Authorization: ")
	f.Fuzz(func(t *testing.T, msg, key, value string) {
		var out bytes.Buffer
		observe.NewLogger(&out, observe.Config{}).Info(msg, key, value, "any", []string{msg, value})
		if strings.Count(out.String(), "\n") != 1 || !json.Valid(out.Bytes()) {
			t.Errorf("line = %q", out.String())
		}
	})
}

func BenchmarkAccessLog(b *testing.B) {
	log := observe.NewLogger(io.Discard, observe.Config{})
	ctx := observe.With(context.Background(), observe.Fields{RequestID: observe.RequestID(""), TraceID: strings.Repeat("ab", 16)})
	observe.SetAccount(ctx, id.Account(id.New[accountKind]()))
	b.ReportAllocs()
	for b.Loop() {
		log.LogAttrs(ctx, slog.LevelInfo, "request", slog.String("method", "GET"), slog.String("path", "/api/v1/users/me"),
			slog.Int("status", 200), slog.Int("bytes", 512), slog.Duration("duration", 1234567), slog.String("ip", "192.0.2.1"))
	}
}

type panics struct{}

func (panics) String() string { panic("no") }

type (
	accountKind struct{}
	orgKind     struct{}
)

func (accountKind) Prefix() string { return "acc" }
func (orgKind) Prefix() string     { return "org" }

func parse(t *testing.T, line string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return m
}
