package flags

import (
	"cmp"
	"strings"
)

// compareVersions orders two versions (Semantic Versioning 2.0, §11). It reports false
// when one of them is none. A v before it is passed over, and so is what the build says.
func compareVersions(a, b string) (order int, ok bool) {
	a, aPre, aOK := splitVersion(a)
	b, bPre, bOK := splitVersion(b)
	if !aOK || !bOK {
		return 0, false
	}
	for range 3 {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if order := compareNumbers(x, y); order != 0 {
			return order, true
		}
	}
	switch {
	case aPre == bPre:
		return 0, true
	case aPre == "":
		return 1, true
	case bPre == "":
		return -1, true
	}
	return comparePre(aPre, bPre), true
}

func isVersion(text string) bool { _, _, ok := splitVersion(text); return ok }

// splitVersion returns the three numbers and what comes before the release of them.
func splitVersion(text string) (numbers, pre string, ok bool) {
	text = strings.TrimPrefix(text, "v")
	text, _, _ = strings.Cut(text, "+")
	numbers, pre, hasPre := strings.Cut(text, "-")
	rest := numbers
	for n := range 3 {
		number, after, more := strings.Cut(rest, ".")
		if !isNumber(number) || more != (n < 2) {
			return "", "", false
		}
		rest = after
	}
	if !hasPre {
		return numbers, "", true
	}
	for rest, more := pre, true; more; {
		var part string
		part, rest, more = strings.Cut(rest, ".")
		if part == "" || strings.ContainsFunc(part, func(r rune) bool { return !isWord(r) }) {
			return "", "", false
		}
	}
	return numbers, pre, true
}

func comparePre(a, b string) int {
	for {
		x, aRest, aMore := strings.Cut(a, ".")
		y, bRest, bMore := strings.Cut(b, ".")
		if order := comparePart(x, y); order != 0 {
			return order
		}
		if !aMore || !bMore {
			return cmp.Compare(boolean(aMore), boolean(bMore))
		}
		a, b = aRest, bRest
	}
}

func comparePart(x, y string) int {
	switch xn, yn := digits(x), digits(y); {
	case xn && yn:
		return compareNumbers(x, y)
	case xn != yn: // numbers come before words
		return cmp.Compare(boolean(yn), boolean(xn))
	}
	return strings.Compare(x, y)
}

// compareNumbers orders numbers of any length.
func compareNumbers(x, y string) int {
	x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y))
}

func isNumber(s string) bool { return digits(s) && (s == "0" || s[0] != '0') }

func digits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

func isWord(r rune) bool {
	return r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}
