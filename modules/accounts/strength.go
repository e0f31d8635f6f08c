package accounts

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// The strength of a password is the number of guesses that somebody needs who knows
// what people choose, as zxcvbn estimates it (Wheeler, "zxcvbn: Low-Budget Password
// Strength Estimation", USENIX Security 2016): words by their rank, in any case, with
// digits for letters or backwards; repeats, sequences, rows of keys, dates; and the
// cheapest way to make the password of such parts. The ports of zxcvbn itself keep ten
// megabytes of words in every process and take a second for some passwords; this one
// loads its words when it is first asked, and its time is bounded.

// maxEstimated is how many characters are looked at: those beyond only make it stronger.
const maxEstimated = 100

// pattern is what a part of a password is.
type pattern string

const (
	patternWord     pattern = "word"
	patternPersonal pattern = "personal"
	patternRepeat   pattern = "repeat"
	patternSequence pattern = "sequence"
	patternKeys     pattern = "keys"
	patternDate     pattern = "date"
	patternRandom   pattern = "random"
)

// part says that the characters from to to (exclusive) are guessed by pattern, within
// 10^guesses guesses.
type part struct {
	from, to int
	guesses  float64
	pattern  pattern
}

// estimated is how strong a password is, and the longest part that makes it weaker.
type estimated struct {
	guesses float64 // log10
	worst   pattern
}

// score is zxcvbn's: 0 falls to a few guesses, 4 to none that anyone would pay for.
func (e estimated) score() int {
	for score, limit := range []float64{3, 6, 8, 10} {
		if e.guesses < limit {
			return score
		}
	}
	return 4
}

// estimate looks at a password. personal are words that are tried first.
func estimate(password string, personal []string) estimated {
	chars := []rune(password)
	return estimateChars(chars[:min(len(chars), maxEstimated)], personalWords(personal), true)
}

func estimateChars(chars []rune, personal map[string]int, repeats bool) estimated {
	lower := make([]rune, len(chars))
	for i, r := range chars {
		lower[i] = unicode.ToLower(r)
	}
	parts := slices.Concat(wordParts(chars, lower, personal), sequenceParts(lower), keyParts(lower), dateParts(lower))
	if repeats {
		parts = append(parts, repeatParts(chars, personal)...)
	}
	return cheapest(len(chars), parts)
}

// cheapest finds the sequence of parts that is guessed soonest. Of k parts that is
// k! × the product of their guesses + 10000^(k-1): the attacker knows neither their
// order nor their number. All numbers are logarithms.
func cheapest(n int, parts []part) estimated {
	if n == 0 {
		return estimated{}
	}
	ending := make([][]part, n+1)
	for _, p := range parts {
		ending[p.to] = append(ending[p.to], p)
	}
	for from := range n {
		for to := from + 1; to <= n; to++ {
			ending[to] = append(ending[to], part{from, to, float64(to - from), patternRandom})
		}
	}
	// best[to][k] is the cheapest way to make the first to characters of k parts.
	type way struct {
		product float64
		last    part
	}
	best := make([][]way, n+1)
	for to := range best {
		best[to] = make([]way, to+1)
		for k := range best[to] {
			best[to][k].product = math.Inf(1)
		}
	}
	best[0][0].product = 0
	for to := 1; to <= n; to++ {
		for _, p := range ending[to] {
			for k, before := range best[p.from] {
				if product := before.product + p.guesses; product < best[to][k+1].product {
					best[to][k+1] = way{product, p}
				}
			}
		}
	}
	out, parted := estimated{guesses: math.Inf(1)}, 0
	for k := 1; k <= n; k++ {
		factorial, _ := math.Lgamma(float64(k + 1))
		if total := plus(factorial/math.Ln10+best[n][k].product, 4*float64(k-1)); total < out.guesses {
			out.guesses, parted = total, k
		}
	}
	longest := 0
	for to, k := n, parted; k > 0; k-- {
		p := best[to][k].last
		if p.pattern != patternRandom && p.to-p.from > longest {
			longest, out.worst = p.to-p.from, p.pattern
		}
		to = p.from
	}
	return out
}

// plus adds two numbers that are given as logarithms.
func plus(a, b float64) float64 {
	return max(a, b) + math.Log10(1+math.Pow(10, -math.Abs(a-b)))
}

const longestWord = 24

// wordParts finds words, in any case, backwards, and with the digits and signs that
// stand for letters.
func wordParts(chars, lower []rune, personal map[string]int) (parts []part) {
	backwards := slices.Clone(lower)
	slices.Reverse(backwards)
	n := len(lower)
	for i, spelling := range [][]rune{lower, backwards, unleet(lower, 'i'), unleet(lower, 'l')} {
		for from := range n {
			for to := from + 3; to <= min(n, from+longestWord); to++ {
				word := string(spelling[from:to])
				p := part{from, to, 0, patternWord}
				rank, known := words()[word]
				if r, ok := personal[word]; ok {
					rank, known, p.pattern = r, true, patternPersonal
				}
				if !known {
					continue
				}
				p.guesses = math.Log10(float64(rank))
				switch i {
				case 1:
					p.from, p.to = n-to, n-from
					p.guesses += math.Log10(2)
				case 2, 3:
					p.guesses += math.Log10(2) * float64(min(3, differences(lower[from:to], spelling[from:to])))
				}
				p.guesses += capitals(chars[p.from:p.to])
				parts = append(parts, p)
			}
		}
	}
	return parts
}

// unleet replaces what stands for a letter. 1, | and ! may be an i or an l.
func unleet(chars []rune, one rune) []rune {
	out := slices.Clone(chars)
	for i, r := range out {
		switch r {
		case '1', '|', '!':
			out[i] = one
		case '4', '@':
			out[i] = 'a'
		case '8':
			out[i] = 'b'
		case '(', '{', '[', '<':
			out[i] = 'c'
		case '3':
			out[i] = 'e'
		case '6', '9':
			out[i] = 'g'
		case '0':
			out[i] = 'o'
		case '5', '$':
			out[i] = 's'
		case '7', '+':
			out[i] = 't'
		case '%':
			out[i] = 'x'
		case '2':
			out[i] = 'z'
		}
	}
	return out
}

func differences(a, b []rune) (n int) {
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// capitals is what the case of the letters adds: little where it is as everybody writes it.
func capitals(chars []rune) float64 {
	upper, lower := 0, 0
	for _, r := range chars {
		if unicode.IsUpper(r) {
			upper++
		} else if unicode.IsLower(r) {
			lower++
		}
	}
	switch {
	case upper == 0:
		return 0
	case lower == 0, upper == 1 && (unicode.IsUpper(chars[0]) || unicode.IsUpper(chars[len(chars)-1])):
		return math.Log10(2)
	}
	variations := 0.0
	for i := 1; i <= min(upper, lower); i++ {
		variations += choose(upper+lower, i)
	}
	return math.Log10(variations)
}

func choose(n, k int) float64 {
	out := 1.0
	for i := 1; i <= k; i++ {
		out = out * float64(n-k+i) / float64(i)
	}
	return out
}

// sequenceParts finds runs of one direction: abc, 97531.
func sequenceParts(lower []rune) (parts []part) {
	for from := 0; from+2 < len(lower); {
		step, to := lower[from+1]-lower[from], from+2
		for to < len(lower) && lower[to]-lower[to-1] == step {
			to++
		}
		if to-from >= 3 && step != 0 && -5 <= step && step <= 5 {
			start := 26.0
			if strings.ContainsRune("az019", lower[from]) {
				start = 4
			} else if unicode.IsDigit(lower[from]) {
				start = 10
			}
			if step < 0 {
				start *= 2
			}
			parts = append(parts, part{from, to, math.Log10(start * float64(to-from)), patternSequence})
		}
		from = to - 1
	}
	return parts
}

// keyRows are the keys as they lie, each row half a key to the right of that above it.
var keyRows = [...]string{"1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"}

func keyAt(r rune) (row, column int, ok bool) {
	for row, keys := range keyRows {
		if column := strings.IndexRune(keys, r); column >= 0 {
			return row, column, true
		}
	}
	return 0, 0, false
}

// keyStep is the direction from one key to a neighbour of it.
func keyStep(a, b rune) (step [2]int, ok bool) {
	rowA, columnA, okA := keyAt(a)
	rowB, columnB, okB := keyAt(b)
	step = [2]int{rowB - rowA, columnB - columnA}
	switch step {
	case [2]int{0, 1}, [2]int{0, -1}, [2]int{1, 0}, [2]int{1, -1}, [2]int{-1, 0}, [2]int{-1, 1}:
		return step, okA && okB
	}
	return step, false
}

// keyParts finds walks over neighbouring keys, which cost by the turns they take.
func keyParts(lower []rune) (parts []part) {
	const keys, neighbours = 45, 4.6
	for from := 0; from+2 < len(lower); {
		to, turns, last := from+1, 0, [2]int{}
		for ; to < len(lower); to++ {
			step, ok := keyStep(lower[to-1], lower[to])
			if !ok {
				break
			}
			if step != last {
				turns, last = turns+1, step
			}
		}
		if to-from >= 3 {
			guesses := math.Log10(keys*float64(to-from)) + float64(turns)*math.Log10(neighbours) + math.Log10(choose(to-from-1, turns))
			parts = append(parts, part{from, to, guesses, patternKeys})
		}
		from = max(to-1, from+1)
	}
	return parts
}

// dateParts finds years, and days written with or without separators.
func dateParts(lower []rune) (parts []part) {
	for from := range lower {
		for _, length := range [...]int{4, 6, 8, 10} {
			to := from + length
			if to > len(lower) {
				break
			}
			text, separators := lower[from:to], 0
			for _, r := range text {
				if r < '0' || r > '9' {
					separators++
				}
			}
			switch {
			case length == 4 && separators == 0 && (string(text[:2]) == "19" || string(text[:2]) == "20"):
				parts = append(parts, part{from, to, 2, patternDate}) // of the last hundred years
			case (length == 6 || length == 8) && separators == 0 && looksLikeDay(text):
				parts = append(parts, part{from, to, math.Log10(365 * 100), patternDate})
			case length >= 8 && separators == 2 && daySeparated(text):
				parts = append(parts, part{from, to, math.Log10(365 * 100 * 4), patternDate})
			}
		}
	}
	return parts
}

// looksLikeDay reports whether digits can be read as a day, from either end.
func looksLikeDay(digits []rune) bool {
	number := func(i int) int { return int(digits[i]-'0')*10 + int(digits[i+1]-'0') }
	day := func(i int) bool {
		a, b := number(i), number(i+2)
		return a >= 1 && b >= 1 && (a <= 31 && b <= 12 || a <= 12 && b <= 31)
	}
	century := func(i int) bool { return number(i) == 19 || number(i) == 20 }
	if len(digits) == 6 {
		return day(0) || day(2)
	}
	return day(0) && century(4) || century(0) && day(4)
}

func daySeparated(text []rune) bool {
	var separator rune
	for i, r := range text {
		switch {
		case r >= '0' && r <= '9':
		case strings.ContainsRune(" -/\\_.", r) && i > 0 && i < len(text)-1 && (separator == 0 || separator == r):
			separator = r
		default:
			return false
		}
	}
	return true
}

// repeatParts finds a thing that is there again and again. It costs what the thing
// costs once, times how often it is there.
func repeatParts(chars []rune, personal map[string]int) (parts []part) {
	for from := 0; from < len(chars); {
		length, to := 0, from
		for size := 1; size <= (len(chars)-from)/2; size++ {
			end := from + size
			for end < len(chars) && chars[end] == chars[end-size] {
				end++
			}
			end -= (end - from) % size
			if end > to && (end-from)/size >= 2 && end-from >= 3 {
				length, to = size, end
			}
		}
		if length == 0 {
			from++
			continue
		}
		once := estimateChars(chars[from:from+length], personal, false)
		parts = append(parts, part{from, to, once.guesses + math.Log10(float64((to-from)/length)), patternRepeat})
		from = to
	}
	return parts
}

// personalWords are the words in what is known of somebody, each guessed at once.
func personalWords(personal []string) map[string]int {
	found := map[string]int{}
	for _, text := range personal {
		text = strings.ToLower(text)
		local, _, _ := strings.Cut(text, "@")
		all := append(strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), text, local)
		for _, word := range all {
			if len([]rune(word)) >= 3 {
				found[word] = 1
			}
		}
	}
	return found
}

//go:embed vendored/zxcvbn@4.4.2/words.txt.gz
var wordsFile []byte

// words are the commonest passwords, names and English words, with their ranks. Five
// lists of about the same worth are mixed, which makes a rank in one out of a line.
var words = sync.OnceValue(func() map[string]int {
	text := unpack(wordsFile)
	list := make(map[string]int, strings.Count(text, "\n"))
	line := 0
	for word := range strings.Lines(text) {
		list[strings.TrimSuffix(word, "\n")] = 1 + line/5
		line++
	}
	return list
})

// unpack reads a compressed list that is part of the program.
func unpack(file []byte) string {
	r, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		panic(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return string(text)
}
