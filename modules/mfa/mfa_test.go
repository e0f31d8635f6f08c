package mfa

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/xml"
	"image/color"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/boombuler/barcode/qr"
)

// The test vectors of RFC 6238, appendix B, of which six digits are shown.
func TestCodesAreThoseOfTheStandard(t *testing.T) {
	secret := base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))
	for at, code := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		now := time.Unix(at, 0)
		if step, ok := stepFor(secret, code, now); !ok || step != at/30 {
			t.Errorf("at %d: step %d, %v", at, step, ok)
		}
		for off, want := range map[time.Duration]bool{-30 * time.Second: true, 30 * time.Second: true, 60 * time.Second: false, -90 * time.Second: false} {
			if step, ok := stepFor(secret, code, now.Add(off)); ok != want || ok && step != at/30 {
				t.Errorf("the code of %d, %v later: step %d, %v", at, off, step, ok)
			}
		}
	}
}

func TestCodesAreReadAsPeopleTypeThem(t *testing.T) {
	for text, want := range map[string]struct {
		code string
		m    Method
	}{
		"287082": {"287082", TOTP}, " 287 082\n": {"287082", TOTP}, "287-082": {"287082", TOTP}, "287\u00a0082": {"287082", TOTP}, "287\u2013082": {"287082", TOTP},
		"k7m2p-9xq4d": {"k7m2p9xq4d", BackupCode}, "K7M2P 9XQ4D": {"k7m2p9xq4d", BackupCode}, "k7m2p9xq4d": {"k7m2p9xq4d", BackupCode},
		"oil00-00000": {"0110000000", BackupCode}, "OIL00-00000": {"0110000000", BackupCode}, "1234567890": {"1234567890", BackupCode},
		"": {}, "28708": {}, "2870822": {}, "28708a": {}, "k7m2p-9xq4": {}, "k7m2p-9xq4du": {}, "k7m2p-9xq4u": {}, "+287082": {}, "２８７０８２": {}, "287082\x00": {}, "'; --": {}, "287.082": {},
	} {
		if code, m := readCode(text); code != want.code || m != want.m {
			t.Errorf("%q is read as %q, %q", text, code, m)
		}
	}
	seen := map[string]bool{}
	for range 1000 {
		code := newBackupCode()
		if got, m := readCode(strings.ToUpper(shown(code))); got != code || m != BackupCode || seen[code] {
			t.Fatalf("a new code %q is read as %q, %q", shown(code), got, m)
		}
		seen[code] = true
	}
}

func FuzzReadCode(f *testing.F) {
	for _, s := range []string{"287 082", "k7m2p-9xq4d", "K7M2P 9XQ4D", "oil00", "\xff", "\u2013\u00a0", "İ", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		code, m := readCode(text)
		switch {
		case m == "" && code == "", m == TOTP && regexp.MustCompile(`^[0-9]{6}$`).MatchString(code),
			m == BackupCode && regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{10}$`).MatchString(code):
		default:
			t.Errorf("%q is read as %q, %q", text, code, m)
		}
		for _, same := range []string{" " + text + "-", strings.ReplaceAll(text, "-", " ")} {
			if again, n := readCode(same); again != code || n != m {
				t.Errorf("%q is read as %q, but %q as %q", text, code, same, again)
			}
		}
		if m != "" {
			if again, n := readCode(code); again != code || n != m {
				t.Errorf("%q is read as %q, %q", code, again, n)
			}
		}
	})
}

func TestTheURIAndTheQRCodeSayTheSame(t *testing.T) {
	uri := provisioning("Acme: Rockets & Co", "ada+news&x=1?y#z@example.com", newSecret())
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Acme Rockets & Co:ada+news&x=1?y#z@example.com" || q.Get("issuer") != "Acme Rockets & Co" ||
		q.Get("period") != "30" || q.Get("digits") != "6" || q.Get("algorithm") != "SHA1" || len(q) != 5 || strings.Contains(u.RawQuery, "+") {
		t.Errorf("the URI is %s", uri)
	}
	if raw, err := base32.StdEncoding.DecodeString(q.Get("secret")); err != nil || len(raw) != 20 {
		t.Errorf("the secret is %q: %d bytes, %v", q.Get("secret"), len(raw), err)
	}
	image, err := qrCode(uri)
	if err != nil {
		t.Fatal(err)
	}
	text, ok := strings.CutPrefix(image, "data:image/svg+xml;base64,")
	raw, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil {
		t.Fatalf("the image is %.60s, %v", image, err)
	}
	var svg struct {
		XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
		ViewBox string   `xml:"viewBox,attr"`
		Paths   []struct {
			D string `xml:"d,attr"`
		} `xml:"path"`
	}
	if err := xml.Unmarshal(raw, &svg); err != nil || len(svg.Paths) != 2 {
		t.Fatalf("the SVG: %v\n%s", err, raw)
	}
	code, err := qr.Encode(uri, qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	size, dark := code.Bounds().Dx(), map[[2]int]bool{}
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h1v1h-1z`).FindAllStringSubmatch(svg.Paths[1].D, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		dark[[2]int{x - 4, y - 4}] = true
	}
	for x := range size {
		for y := range size {
			if dark[[2]int{x, y}] != (code.At(x, y) == color.Black) {
				t.Fatalf("module %d,%d is not as it should be", x, y)
			}
		}
	}
	if want := strconv.Itoa(size + 8); svg.ViewBox != "0 0 "+want+" "+want || len(dark) < size {
		t.Errorf("the view is %s, with %d dark modules", svg.ViewBox, len(dark))
	}
}
