package observe_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tenonhq/tenon/platform/observe"
)

func TestOnlyAPlainRequestIDIsBelieved(t *testing.T) {
	for _, good := range []string{"12345678", "a.b_c-D9", strings.Repeat("x", 64)} {
		if got := observe.RequestID(good); got != good {
			t.Errorf("%q became %q", good, got)
		}
	}
	for _, bad := range []string{"", "1234567", strings.Repeat("x", 65), "abcdefg\n", "abc defgh", "abcdefgé", "a\x00bcdefgh", `abcdefg"`} {
		if got := observe.RequestID(bad); got == bad || !strings.HasPrefix(got, "req_") {
			t.Errorf("%q became %q", bad, got)
		}
	}
}

func TestTraceparentIsReadStrictly(t *testing.T) {
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for header, good := range map[string]bool{
		"00-" + trace + "-" + parent + "-01":                               true,
		"00-" + trace + "-" + parent + "-00":                               true,
		"cc-" + trace + "-" + parent + "-01":                               true,
		"cc-" + trace + "-" + parent + "-01-more":                          true,
		"cc-" + trace + "-" + parent + "-01.more":                          false,
		"00-" + trace + "-" + parent + "-01-more":                          false,
		"ff-" + trace + "-" + parent + "-01":                               false,
		"00-" + strings.ToUpper(trace) + "-" + parent + "-01":              false,
		"00-" + strings.Repeat("0", 32) + "-" + parent + "-01":             false,
		"00-" + trace + "-" + strings.Repeat("0", 16) + "-01":              false,
		"00-" + trace + "-" + parent + "-0":                                false,
		"00-" + trace + "-" + parent + "-0g":                               false,
		"00_" + trace + "_" + parent + "_01":                               false,
		"":                                                                 false,
		"cc-" + trace + "-" + parent + "-01-" + strings.Repeat("x", 1<<20): false,
	} {
		got, ok := observe.Trace(header)
		if ok != good || (got == trace) != good {
			t.Errorf("%.80q gave %s, %v", header, got, ok)
		}
	}
}

func FuzzRequestID(f *testing.F) {
	f.Add("abcdefgh")
	shape := regexp.MustCompile(`\A[A-Za-z0-9._-]{8,64}\z`)
	f.Fuzz(func(t *testing.T, s string) {
		if got := observe.RequestID(s); !shape.MatchString(got) || (got == s) != shape.MatchString(s) {
			t.Errorf("%q became %q", s, got)
		}
	})
}

func FuzzTrace(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	shape := regexp.MustCompile(`\A[0-9a-f]{32}\z`)
	f.Fuzz(func(t *testing.T, s string) {
		if got, ok := observe.Trace(s); !shape.MatchString(got) || ok && !strings.Contains(s, got) {
			t.Errorf("%q became %q", s, got)
		}
	})
}
