package flags

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tenonhq/tenon/platform/clock"
)

// Reason says why somebody gets what they get, in the words of OpenFeature.
type Reason string

// The reasons.
const (
	Static         Reason = "STATIC"          // the flag has no rules: everybody gets it
	TargetingMatch Reason = "TARGETING_MATCH" // a rule decided, or none of them held
	InSplit        Reason = "SPLIT"           // a percentage decided
	Disabled       Reason = "DISABLED"        // the flag is off, or a prerequisite is not met
	Unknown        Reason = "UNKNOWN"         // it is split by something that is not known of them
)

// snapshot is all flags as they were loaded, ready to be asked. It never changes.
type snapshot struct {
	flags map[string]*ready
	keys  []string // sorted
}

// ready is a flag made ready to be asked often.
type ready struct {
	flag     Flag
	variants []readyVariant
	off      int
	requires []requirement
	rules    []readyRule // the last one, without conditions, is the default
}

type readyVariant struct {
	name  string
	value any
	raw   json.RawMessage
	count *counter
}

type requirement struct {
	flag     *ready // nil: it is not there
	key      string
	variants []bool // which of its variants will do
}

type readyRule struct {
	id    string
	tests []test
	serve serving
}

// serving is a Serve with the variants by their place.
type serving struct {
	variant int
	by      string // empty: everybody gets variant
	ends    []int  // of spans of buckets
	owners  []int  // the variant of each
	rollout *Rollout
	other   int // what those get whom the rollout has not reached
	from    float64
	to      float64
}

// compile makes flags ready. count returns the counter of a variant.
func compile(all []Flag, count func(ID, string) *counter) (*snapshot, error) {
	s := &snapshot{flags: make(map[string]*ready, len(all))}
	for _, f := range all {
		r, err := f.ready(count)
		if err != nil {
			return nil, fmt.Errorf("flag %s: %w", f.Key, err)
		}
		s.flags[f.Key] = r
		s.keys = append(s.keys, f.Key)
	}
	slices.Sort(s.keys)
	for _, r := range s.flags {
		for _, p := range r.flag.Prerequisites {
			r.requires = append(r.requires, s.requirement(p))
		}
	}
	return s, nil
}

func (s *snapshot) requirement(p Prerequisite) requirement {
	other := s.flags[p.Flag]
	q := requirement{flag: other, key: p.Flag}
	if other != nil {
		for _, v := range other.variants {
			q.variants = append(q.variants, slices.Contains(p.Variants, v.name))
		}
	}
	return q
}

func (f Flag) ready(count func(ID, string) *counter) (*ready, error) {
	r := &ready{flag: f, off: f.place(f.OffVariant)}
	for _, v := range f.Variants {
		raw, err := json.Marshal(v.Value)
		if err != nil {
			return nil, err
		}
		r.variants = append(r.variants, readyVariant{v.Name, v.Value, raw, count(f.ID, v.Name)})
	}
	for _, rule := range f.Rules {
		one := readyRule{id: rule.ID, serve: f.serving(rule.ID, rule.Serve)}
		for _, c := range rule.Conditions {
			one.tests = append(one.tests, c.ready())
		}
		r.rules = append(r.rules, one)
	}
	r.rules = append(r.rules, readyRule{id: byDefault, serve: f.serving(byDefault, f.Default)})
	return r, nil
}

func (f Flag) place(variant string) int {
	return max(0, slices.IndexFunc(f.Variants, func(v Variant) bool { return v.Name == variant }))
}

func (f Flag) serving(rule string, s Serve) serving {
	switch {
	case s.Split != nil:
		out := serving{by: s.Split.By}
		for _, part := range f.buckets[rule] {
			out.ends = append(out.ends, part.End)
			out.owners = append(out.owners, f.place(part.Variant))
		}
		return out
	case s.Rollout != nil:
		r := s.Rollout
		return serving{by: r.By, rollout: r, variant: f.place(r.Variant), other: f.place(r.Otherwise),
			from: r.FromPercent * allBuckets / 100, to: r.ToPercent * allBuckets / 100}
	}
	return serving{variant: f.place(s.Variant)}
}

// decision is what one evaluation comes to.
type decision struct {
	variant int
	reason  Reason
	rule    int    // index; -1 where no rule was looked at
	missed  string // the prerequisite that is not met
}

// moment is the instant of an evaluation, asked for once and only where it matters.
type moment struct {
	now clock.Now
	at  time.Time
}

func (m *moment) time() time.Time {
	if m.at.IsZero() {
		m.at = m.now()
	}
	return m.at
}

// decide evaluates the flag for someone. It neither waits nor allocates.
func (r *ready) decide(sub *Subject, m *moment, depth int) decision {
	if !r.on(m) {
		return decision{variant: r.off, reason: Disabled, rule: -1}
	}
	for i := range r.requires {
		if q := &r.requires[i]; depth == maxDepth || !q.met(sub, m, depth+1) {
			return decision{variant: r.off, reason: Disabled, rule: -1, missed: q.key}
		}
	}
	last := len(r.rules) - 1
	for i := range r.rules {
		if !r.rules[i].holds(sub) {
			continue
		}
		variant, known := r.choose(&r.rules[i].serve, sub, m)
		switch {
		case !known && i < last:
			continue
		case !known:
			return decision{variant: r.off, reason: Unknown, rule: i}
		}
		return decision{variant: variant, reason: r.reason(i), rule: i}
	}
	return decision{variant: r.off, reason: Unknown, rule: last}
}

func (r *ready) reason(rule int) Reason {
	switch {
	case r.rules[rule].serve.by != "":
		return InSplit
	case len(r.rules) == 1 && len(r.requires) == 0:
		return Static
	}
	return TargetingMatch
}

func (r *ready) on(m *moment) bool {
	if len(r.flag.Schedule) == 0 {
		return r.flag.Enabled
	}
	return r.flag.enabledAt(m.time())
}

func (q *requirement) met(sub *Subject, m *moment, depth int) bool {
	if q.flag == nil {
		return false
	}
	return q.variants[q.flag.decide(sub, m, depth).variant]
}

func (r *readyRule) holds(sub *Subject) bool {
	for i := range r.tests {
		if !r.tests[i].holds(sub) {
			return false
		}
	}
	return true
}

// choose returns the variant, or false where that depends on what is not known of sub.
func (r *ready) choose(s *serving, sub *Subject, m *moment) (variant int, known bool) {
	if s.by == "" {
		return s.variant, true
	}
	var space [256]byte
	salted, known := sub.appendUnit(append(append(space[:0], r.flag.salt...), ':'), s.by)
	if !known {
		return 0, false
	}
	bucket := bucketOf(salted)
	if s.rollout != nil {
		if float64(bucket) < s.reached(m.time()) {
			return s.variant, true
		}
		return s.other, true
	}
	for i, end := range s.ends {
		if bucket < end {
			return s.owners[i], true
		}
	}
	return 0, false
}

// reached is how many buckets a rollout has got to.
func (s *serving) reached(now time.Time) float64 {
	begin, end := s.rollout.StartsAt, s.rollout.EndsAt
	switch {
	case !now.After(begin):
		return s.from
	case !now.Before(end):
		return s.to
	}
	return s.from + (s.to-s.from)*float64(now.Sub(begin))/float64(end.Sub(begin))
}
