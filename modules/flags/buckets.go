package flags

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

const (
	// allBuckets is how many parts everybody is divided into: a thousandth of a percent each.
	allBuckets = 100_000

	byUser = "user"
	byOrg  = "org"
	// byDefault stands for the rule that decides where no other does.
	byDefault = "default"
)

// bucketOf is where a unit lies, for ever: the first eight bytes of SHA-256 of the flag's
// salt, a colon and the unit, as a big-endian number, modulo 100,000.
func bucketOf(salted []byte) int {
	sum := sha256.Sum256(salted)
	return int(binary.BigEndian.Uint64(sum[:8]) % allBuckets)
}

// span gives the buckets from the end of the one before it, up to its own end, to a variant.
type span struct {
	Variant string `json:"variant"`
	End     int    `json:"end"`
}

// allot divides the buckets by weights, starting from how they are divided now: a variant
// that grows keeps all that it has, and one that shrinks gives away its last ones.
func allot(now []span, weights []Weight) []span {
	owners := ownersOf(now)
	missing := map[string]int{}
	for _, w := range weights {
		missing[w.Variant], _ = parts(w.Percent)
	}
	for _, owner := range owners {
		missing[owner]--
	}
	for i := range slices.Backward(owners) {
		if owner := owners[i]; owner != "" && missing[owner] < 0 {
			missing[owner]++
			owners[i] = ""
		}
	}
	next := 0
	for i, owner := range owners {
		if owner != "" {
			continue
		}
		for missing[weights[next].Variant] <= 0 {
			next++
		}
		owners[i] = weights[next].Variant
		missing[weights[next].Variant]--
	}
	return spansOf(owners)
}

// ownersOf lists whose each bucket is; nobody's in a new split.
func ownersOf(spans []span) []string {
	owners := make([]string, 0, allBuckets)
	for _, s := range spans {
		for len(owners) < s.End {
			owners = append(owners, s.Variant)
		}
	}
	return append(owners, make([]string, allBuckets-len(owners))...)
}

func spansOf(owners []string) (spans []span) {
	for i, owner := range owners {
		if n := len(spans); n > 0 && spans[n-1].Variant == owner {
			spans[n-1].End = i + 1
		} else {
			spans = append(spans, span{owner, i + 1})
		}
	}
	return spans
}

// allotted returns the divisions of all splits of f, of which before is the last state.
func (f Flag) allotted(before map[string][]span) map[string][]span {
	all := map[string][]span{}
	add := func(rule string, s Serve) {
		if s.Split != nil {
			all[rule] = allot(before[rule], s.Split.Weights)
		}
	}
	for _, r := range f.Rules {
		add(r.ID, r.Serve)
	}
	add(byDefault, f.Default)
	return all
}
