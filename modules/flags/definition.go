package flags

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"
)

// clean returns the flag as it is stored, or what is wrong with it.
func (f Flag) clean(now time.Time) (Flag, error) {
	var ok bool
	if f.Description, ok = cleanText(f.Description, 1000, true); !ok {
		return f, ErrText.On("body.description")
	}
	if f.Owner, ok = cleanText(f.Owner, 100, false); !ok {
		return f, ErrText.On("body.owner")
	}
	var err error
	if f.Tags, err = cleanTags(f.Tags); err != nil {
		return f, err
	}
	if f.Variants, err = cleanVariants(f.Type, f.Variants); err != nil {
		return f, err
	}
	if !f.has(f.OffVariant) {
		return f, ErrVariant.On("body.off_variant")
	}
	if f.Default, err = f.cleanServe(f.Default, "body.default"); err != nil {
		return f, err
	}
	if f.Rules, err = f.cleanRules(); err != nil {
		return f, err
	}
	if f.Prerequisites, err = f.cleanPrerequisites(); err != nil {
		return f, err
	}
	if f.Schedule, err = cleanSchedule(f.Schedule, now); err != nil {
		return f, err
	}
	return f, f.checkSize()
}

func (f Flag) has(variant string) bool {
	return slices.ContainsFunc(f.Variants, func(v Variant) bool { return v.Name == variant })
}

func (f Flag) checkSize() error {
	all, err := json.Marshal(f.Definition)
	if err != nil {
		return fmt.Errorf("encode a flag: %w", err)
	}
	if len(all) > maxDefinition {
		return ErrTooLarge
	}
	return nil
}

func cleanVariants(t Type, variants []Variant) ([]Variant, error) {
	if len(variants) == 0 || len(variants) > maxVariants {
		return nil, ErrVariants
	}
	seen := map[string]bool{}
	for i, v := range variants {
		if !namePattern.MatchString(v.Name) || seen[v.Name] {
			return nil, ErrVariants
		}
		seen[v.Name] = true
		if !t.holds(v.Value) {
			return nil, ErrValue.On(fmt.Sprintf("body.variants[%d].value", i))
		}
	}
	return slices.Clone(variants), nil
}

// holds reports whether a value, as it came out of JSON, is of the type and not too large.
func (t Type) holds(value any) bool {
	switch v := value.(type) {
	case bool:
		return t == TypeBoolean
	case string:
		return t == TypeString && len(v) <= maxText
	case float64:
		return t == TypeNumber && !math.IsInf(v, 0) && !math.IsNaN(v)
	case map[string]any:
		text, err := json.Marshal(v)
		return t == TypeJSON && err == nil && len(text) <= maxJSON
	}
	return false
}

func (f Flag) cleanRules() ([]Rule, error) {
	if len(f.Rules) > maxRules {
		return nil, ErrRules
	}
	rules, seen := []Rule{}, map[string]bool{byDefault: true}
	for _, r := range f.Rules {
		seen[r.ID] = r.ID != ""
	}
	taken := map[string]bool{byDefault: true}
	for i, r := range f.Rules {
		at := fmt.Sprintf("body.rules[%d]", i)
		if r.ID == "" {
			r.ID = unused(seen)
		}
		var ok bool
		if r.Description, ok = cleanText(r.Description, 500, false); !ok {
			return nil, ErrText.On(at + ".description")
		}
		if !namePattern.MatchString(r.ID) || taken[r.ID] || len(r.Conditions) == 0 || len(r.Conditions) > maxConditions {
			return nil, ErrRules.On(at)
		}
		taken[r.ID] = true
		for j, c := range r.Conditions {
			if !c.valid() {
				return nil, ErrCondition.On(fmt.Sprintf("%s.conditions[%d]", at, j))
			}
		}
		var err error
		if r.Serve, err = f.cleanServe(r.Serve, at+".serve"); err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// unused makes an id that no rule has.
func unused(seen map[string]bool) string {
	for n := 1; ; n++ {
		if name := fmt.Sprintf("rule-%d", n); !seen[name] {
			seen[name] = true
			return name
		}
	}
}

func (f Flag) cleanServe(s Serve, at string) (Serve, error) {
	kinds := 0
	for _, has := range []bool{s.Variant != "", s.Split != nil, s.Rollout != nil} {
		if has {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return s, ErrServe.On(at)
	case s.Split != nil:
		return f.cleanSplit(*s.Split, at+".split")
	case s.Rollout != nil:
		return f.cleanRollout(*s.Rollout, at+".rollout")
	case !f.has(s.Variant):
		return s, ErrVariant.On(at + ".variant")
	}
	return s, nil
}

func (f Flag) cleanSplit(s Split, at string) (Serve, error) {
	var err error
	if s.By, err = cleanUnit(s.By, at); err != nil {
		return Serve{}, err
	}
	sum, seen := 0, map[string]bool{}
	for i, w := range s.Weights {
		part, ok := parts(w.Percent)
		switch {
		case !f.has(w.Variant):
			return Serve{}, ErrVariant.On(fmt.Sprintf("%s.weights[%d].variant", at, i))
		case !ok || seen[w.Variant]:
			return Serve{}, ErrPercent.On(at + ".weights")
		}
		seen[w.Variant] = true
		sum += part
	}
	if sum != allBuckets {
		return Serve{}, ErrPercent.On(at + ".weights")
	}
	return Serve{Split: &s}, nil
}

func (f Flag) cleanRollout(r Rollout, at string) (Serve, error) {
	var err error
	if r.By, err = cleanUnit(r.By, at); err != nil {
		return Serve{}, err
	}
	for field, variant := range map[string]string{".variant": r.Variant, ".otherwise": r.Otherwise} {
		if !f.has(variant) {
			return Serve{}, ErrVariant.On(at + field)
		}
	}
	_, from := parts(r.FromPercent)
	_, to := parts(r.ToPercent)
	r.StartsAt, r.EndsAt = exact(r.StartsAt), exact(r.EndsAt)
	if !from || !to || !r.EndsAt.After(r.StartsAt) {
		return Serve{}, ErrRollout.On(at)
	}
	return Serve{Rollout: &r}, nil
}

// cleanUnit says what a split counts by; by whom, unless it says otherwise.
func cleanUnit(by, at string) (string, error) {
	switch {
	case by == "":
		return byUser, nil
	case !namePattern.MatchString(by):
		return "", ErrServe.On(at + ".by")
	}
	return by, nil
}

// parts is a percentage in buckets.
func parts(percent float64) (int, bool) {
	n := math.Round(percent * allBuckets / 100)
	return int(n), percent >= 0 && percent <= 100 && math.Abs(n-percent*allBuckets/100) < 1e-6
}

// cleanPrerequisites checks what can be seen without the other flags.
func (f Flag) cleanPrerequisites() ([]Prerequisite, error) {
	if len(f.Prerequisites) > maxPrerequisites {
		return nil, ErrRequires
	}
	all, seen := []Prerequisite{}, map[string]bool{}
	for _, p := range f.Prerequisites {
		if seen[p.Flag] || len(p.Variants) == 0 {
			return nil, ErrRequires
		}
		seen[p.Flag] = true
		all = append(all, p)
	}
	return all, nil
}

// checkPrerequisites refuses flags that are not there, and chains that end nowhere or are
// too long: f is one of all, as it will be.
func checkPrerequisites(f Flag, all map[string]Flag) error {
	for _, p := range f.Prerequisites {
		other, ok := all[p.Flag]
		if !ok || other.ArchivedAt != nil || slices.ContainsFunc(p.Variants, func(v string) bool { return !other.has(v) }) {
			return ErrRequires
		}
	}
	if depends(f.Key, f, all, map[string]bool{}) {
		return ErrCycle
	}
	depth := map[string]int{}
	for _, other := range all {
		if chain(other, all, depth) > maxDepth {
			return ErrDepth
		}
	}
	return nil
}

// depends reports whether from leads to the flag called key.
func depends(key string, from Flag, all map[string]Flag, seen map[string]bool) bool {
	for _, p := range from.Prerequisites {
		if p.Flag == key {
			return true
		}
		if !seen[p.Flag] {
			seen[p.Flag] = true
			if depends(key, all[p.Flag], all, seen) {
				return true
			}
		}
	}
	return false
}

// chain is how many flags f has to ask one after another. There is no cycle.
func chain(f Flag, all map[string]Flag, known map[string]int) int {
	if n, ok := known[f.Key]; ok {
		return n
	}
	longest := 0
	for _, p := range f.Prerequisites {
		longest = max(longest, 1+chain(all[p.Flag], all, known))
	}
	known[f.Key] = longest
	return longest
}

// checkDependents refuses a change of f that leaves another flag without what it asks for.
func checkDependents(f Flag, all map[string]Flag) error {
	for _, other := range all {
		if other.ArchivedAt != nil {
			continue
		}
		for _, p := range other.Prerequisites {
			if p.Flag == f.Key && (f.ArchivedAt != nil || slices.ContainsFunc(p.Variants, func(v string) bool { return !f.has(v) })) {
				return ErrRequired
			}
		}
	}
	return nil
}

func cleanSchedule(schedule []Switch, now time.Time) ([]Switch, error) {
	all := []Switch{}
	for _, s := range schedule {
		s.At = exact(s.At)
		if !s.At.After(now) || slices.ContainsFunc(all, func(o Switch) bool { return o.At.Equal(s.At) }) {
			return nil, ErrSchedule
		}
		all = append(all, s)
	}
	if len(all) > maxSwitches {
		return nil, ErrSchedule
	}
	slices.SortFunc(all, func(a, b Switch) int { return a.At.Compare(b.At) })
	return all, nil
}

func exact(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// asJSON is how a value looks in JSON, to compare two of them.
func asJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // it came out of JSON
	}
	return b
}

func same(a, b any) bool { return bytes.Equal(asJSON(a), asJSON(b)) }
