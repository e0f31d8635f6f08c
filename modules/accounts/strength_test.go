package accounts

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestAPasswordIsAsStrongAsItsCheapestParts(t *testing.T) {
	personal := []string{"ada@example.com", "Ada Lovelace", "Tenon"}
	for password, want := range map[string]struct {
		score int
		worst pattern
	}{
		"password": {0, patternWord}, "PASSWORD": {0, patternWord}, "p@ssw0rd": {0, patternWord}, "drowssap": {0, patternWord}, "Sunshine1": {1, patternWord},
		"abcdefgh": {0, patternSequence}, "97531": {0, patternSequence}, "zxcvbnmasdf": {1, patternWord}, "poiuytrewq0987": {1, patternWord}, "dfghjkl;'": {1, patternKeys}, "esdxcfvgy": {3, patternKeys},
		"aaaaaaaaaaaaa": {0, patternRepeat}, "qwertyqwertyqwerty": {0, patternRepeat}, "31.12.1999": {1, patternDate}, "19991231": {1, patternDate},
		"ada.lovelace": {1, patternPersonal}, "lovelace": {0, patternPersonal}, "tenon2025": {1, patternPersonal},
		"a phrase only you know": {4, patternWord}, "correct horse battery staple": {4, patternWord}, "xK9#mQ2$vB7!": {4, ""}, "😀🐎🔋📎🎉🧲🪐🫖🍏": {3, ""}, "": {0, ""},
	} {
		if got := estimate(password, personal); got.score() != want.score || got.worst != want.worst {
			t.Errorf("%q: score %d (10^%.1f guesses) for its %s, want %d for its %s", password, got.score(), got.guesses, got.worst, want.score, want.worst)
		}
	}
	if known := estimate("lovelace rocks", personal).guesses; known >= estimate("lovelace rocks", nil).guesses {
		t.Error("it does not matter whose name it is")
	}
}

// Estimating is part of public operations: whatever is sent, it takes little.
func TestEstimatingTakesLittleTime(t *testing.T) {
	for _, unit := range []string{"4@8({[<3691!|70$5+%2", "@4(3610$57%2|!", "p4ssw0rd", "é日", "19871231", "ab", "a", "1", "abcdefghijklmnopqrstuvwxyz0123456789", "\u0130", "qazwsxedcrfvtgb"} {
		password := strings.Repeat(unit, 1+256/len(unit))
		fastest := time.Hour // of several tries one is undisturbed
		for range 5 {
			began := time.Now()
			estimate(password, []string{"ada@example.com", "Ada Lovelace"})
			fastest = min(fastest, time.Since(began))
		}
		if fastest > 200*time.Millisecond {
			t.Errorf("%q takes %v", unit, fastest)
		}
	}
}

func FuzzEstimate(f *testing.F) {
	for _, seed := range []string{"password", "Tr0ub4dour&3", "1.1.2001", "aaabbbccc", "\xff\xfe", "İİİ", "qwerty\u0301"} {
		f.Add(seed, "Ada Lovelace")
	}
	f.Fuzz(func(t *testing.T, password, name string) {
		e := estimate(password, []string{name})
		if math.IsNaN(e.guesses) || math.IsInf(e.guesses, 0) || e.guesses < 0 || e.score() < 0 || e.score() > 4 {
			t.Errorf("%q: %v", password, e)
		}
	})
}
