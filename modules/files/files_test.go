package files

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNamesAreTextAndNothingElse(t *testing.T) {
	for sent, want := range map[string]string{
		"Contract.pdf":                     "Contract.pdf",
		"../../etc/passwd":                 "passwd",
		`..\..\boot.ini`:                   "boot.ini",
		`C:\Users\ada\photo.jpg`:           "photo.jpg",
		"/abs":                             "abs",
		"a/../../b":                        "b",
		".":                                "file",
		"..":                               "file",
		"":                                 "file",
		"/":                                "file",
		"   ":                              "file",
		"report.  . ":                      "report",
		"x\r\nSet-Cookie: a=b":             "xSet-Cookie a=b",
		"a\x00b":                           "ab",
		"invoice\u202Egpj.exe":             "invoicegpj.exe",
		`"; filename=evil.html`:            `"; filename=evil.html`,
		"Über uns.pdf":                     "Über uns.pdf",
		"bad\xff.png":                      "bad�.png",
		"-rf":                              "-rf",
		"CON":                              "CON",
		strings.Repeat("ä", 4096) + ".pdf": strings.Repeat("ä", maxName-4) + ".pdf",
		"x." + strings.Repeat("y", 4096):   "x." + strings.Repeat("y", maxName-2),
	} {
		if got := cleanName(sent); got != want {
			t.Errorf("%.40q: %.60q, want %.60q", sent, got, want)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"a.pdf", "../x", "\u202Ex", "a\xffb", "...", "ä/ö\\ü"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name := cleanName(s)
		if name == "" || name == "." || name == ".." || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName || strings.ContainsAny(name, "/\\\x00\r\n") {
			t.Errorf("%q became %q", s, name)
		}
	})
}

func TestConfigurationIsRefusedInASentence(t *testing.T) {
	for want, c := range map[string]Config{
		"TENON_FILES_TYPES":     {Types: []string{"png"}},
		"TENON_FILES_MAX_SIZE":  {MaxSize: 6 << 30},
		"TENON_FILES_LINK_LIFE": {LinkLife: longestLink + 1},
	} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
