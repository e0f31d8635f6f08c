package secret

import (
	"bytes"
	"crypto/sha256"
	"regexp"
	"strings"
	"testing"
)

var shape = regexp.MustCompile(`^tn_[a-z]+_[A-Za-z0-9]{32,}_[0-9a-z]{6}$`)

func TestTokensHaveTheShapeThatScannersKnow(t *testing.T) {
	seen := map[string]bool{}
	digits := map[rune]int{}
	for range 2000 {
		token, hash := NewToken("reset")
		sum := sha256.Sum256([]byte(token))
		if !shape.MatchString(token) || !IsToken("reset", token) || seen[token] || !bytes.Equal(hash, sum[:]) {
			t.Fatalf("%q, hash %x", token, hash)
		}
		seen[token] = true
		for _, d := range strings.Split(token, "_")[2] {
			digits[d]++
		}
	}
	// 64,000 digits of 62: about 1,032 of each, and never 200 more or fewer by chance.
	for d, n := range digits {
		if len(digits) != 62 || n < 832 || n > 1232 {
			t.Errorf("digit %c came %d times, of %d digits", d, n, len(digits))
		}
	}
}

func TestWhatIsNoTokenIsRecognised(t *testing.T) {
	token, _ := NewToken("reset")
	for _, s := range []string{"", "tn_", "tn_reset_", token + "x", "x" + token, token[:len(token)-1], strings.ToUpper(token), " " + token, token + "\n",
		strings.Replace(token, "tn_reset", "tn_verify", 1), strings.Replace(token, "_", "__", 1), Checked("tn_reset_short"), Checked("tn_reset_" + strings.Repeat("a", 129)),
		Checked("tn_reset_" + strings.Repeat("ä", 20))} {
		if IsToken("reset", s) {
			t.Errorf("%q is taken for a token", s)
		}
	}
	if IsToken("verify", token) {
		t.Error("a token of one kind is taken for one of another")
	}
	for i := range token { // any single wrong character
		broken := []byte(token)
		broken[i] ^= 1
		if IsToken("reset", string(broken)) {
			t.Errorf("%q is taken for a token", broken)
		}
	}
}

func FuzzIsToken(f *testing.F) {
	token, _ := NewToken("ses")
	f.Add(token)
	f.Add(Checked("tn_ses_" + strings.Repeat("0", 32)))
	f.Add("tn_ses__")
	f.Fuzz(func(t *testing.T, s string) {
		if IsToken("ses", s) && !shape.MatchString(s) {
			t.Errorf("%q is taken for a token", s)
		}
	})
}
