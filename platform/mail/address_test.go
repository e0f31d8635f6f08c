package mail_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/tenonhq/tenon/platform/mail"
)

func TestOneBareAddressIsRead(t *testing.T) {
	for given, want := range map[string]string{
		"victim@x.test":                     "victim@x.test",
		"First.Last+tag@Sub.X.TEST":         "First.Last+tag@sub.x.test",
		"jörg@münchen.example":              "jörg@xn--mnchen-3ya.example",
		"用户@例子.公司":                          "用户@xn--fsqu00a.xn--55qx5d",
		"o'brien@x.test":                    "o'brien@x.test",
		"a@xn--mnchen-3ya.example":          "a@xn--mnchen-3ya.example",
		strings.Repeat("a", 64) + "@x.test": strings.Repeat("a", 64) + "@x.test",
	} {
		got, err := mail.ParseAddress(given)
		if err != nil || got.String() != want {
			t.Errorf("%q was read as %q (%v), want %q", given, got, err, want)
		}
	}
}

func TestAnythingButOneBareAddressIsRefused(t *testing.T) {
	for _, given := range []string{
		"", "@", "a@", "@x.test", "x.test", "a@b", "a@localhost", "a@@x.test", "a@b@x.test",
		"victim@x.test,evil@e.test", "victim@x.test evil@e.test", "victim@x.test;evil@e.test",
		"victim@x.test\nBcc: evil@e.test", "victim@x.test\r\n", "\tvictim@x.test", " victim@x.test", "victim@x.test ", "vic\x00tim@x.test",
		"<evil@e.test> victim@x.test", "<victim@x.test>", "Victim <victim@x.test>", `"victim@x.test"@e.test`, `"a b"@x.test`,
		"a(comment)@x.test", "a@(comment)x.test", "a@[127.0.0.1]", "a@[IPv6:::1]", "a@127.0.0.1", "a@1.2.3",
		".a@x.test", "a.@x.test", "a..b@x.test", "a@.x.test", "a@x..test", "a@x.test.", "a@-x.test", "a@x-.test", "a@x_y.test",
		"a@x.test%00", "a%0a@x/test", "a@x.t\u2028est", "a\u202eb@x.test", "a\u200bb@x.test", "a\ufeff@x.test", "\xff@x.test", "a@\xff.test",
		"=?utf-8?q?evil?=,@x.test", "a\\@x.test", "a:b@x.test", "\u0301a@x.test", "a\u2060@x.test",
		strings.Repeat("a", 65) + "@x.test", "a@" + strings.Repeat("b.", 126) + "test", "a@" + strings.Repeat("b", 64) + ".test",
	} {
		if got, err := mail.ParseAddress(given); !errors.Is(err, mail.ErrAddress) {
			t.Errorf("%q was read as %q (%v)", given, got, err)
		}
	}
}

func TestAnAddressSurvivesJSON(t *testing.T) {
	var in struct{ To mail.Address }
	if err := json.Unmarshal([]byte(`{"To":"a@x.test"}`), &in); err != nil || in.To.Local() != "a" || in.To.Domain() != "x.test" {
		t.Errorf("read %+v (%v)", in, err)
	}
	if out, err := json.Marshal(in); err != nil || string(out) != `{"To":"a@x.test"}` {
		t.Errorf("wrote %s (%v)", out, err)
	}
	if err := json.Unmarshal([]byte(`{"To":"a@x.test,b@x.test"}`), &in); err == nil {
		t.Error("a list was read")
	}
	if err := json.Unmarshal([]byte(`{"To":""}`), &in); err != nil || !in.To.IsZero() {
		t.Errorf("nothing was read as %v (%v)", in.To, err)
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"a@x.test", "jörg@münchen.example", `"a b"@x.test`, "a@x.test\r\nBcc: b@x.test", "a@[::1]", "Ａ@ｘ．test"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := mail.ParseAddress(s)
		if err != nil {
			return
		}
		out := a.String()
		if len(out) > 254 || strings.Count(out, "@") != 1 || strings.ContainsAny(out, " \t\r\n,;<>()[]\"\\:") {
			t.Errorf("%q was read as %q", s, out)
		}
		for _, r := range out {
			if !unicode.IsGraphic(r) {
				t.Errorf("%q kept %U", s, r)
			}
		}
		if again, err := mail.ParseAddress(out); err != nil || again != a {
			t.Errorf("%q was read as %q, which is read as %q (%v)", s, out, again, err)
		}
	})
}
