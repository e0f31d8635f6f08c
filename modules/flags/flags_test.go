package flags

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
)

// onOff is a boolean flag that serves what s says.
func onOff(s Serve, rules ...Rule) Flag {
	return Flag{ID: id.New[flagKind](), Key: "test", Type: TypeBoolean, Enabled: true, salt: "a grain of salt",
		Definition: Definition{Variants: []Variant{{"on", true}, {"off", false}}, OffVariant: "off", Default: s, Rules: rules}}
}

// made is the flag as it is evaluated, after it was stored.
func made(t *testing.T, f Flag, before map[string][]span) (Flag, *ready) {
	t.Helper()
	f, err := f.clean(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	f.buckets = f.allotted(before)
	s, err := compile([]Flag{f}, func(ID, string) *counter { return &counter{} })
	if err != nil {
		t.Fatal(err)
	}
	return f, s.flags[f.Key]
}

func (r *ready) servedTo(sub Subject, now time.Time) string {
	m := moment{now: func() time.Time { return now }}
	return r.variants[r.decide(&sub, &m, 0).variant].name
}

func share(variants ...any) Serve {
	s := &Split{}
	for i := 0; i < len(variants); i += 2 {
		s.Weights = append(s.Weights, Weight{variants[i].(string), variants[i+1].(float64)})
	}
	return Serve{Split: s}
}

const units = 100_000

// among returns what each of many people gets.
func (r *ready) among() []string {
	got := make([]string, units)
	for i := range got {
		got[i] = r.servedTo(Subject{Key: fmt.Sprintf("user-%d", i)}, time.Time{})
	}
	return got
}

func TestAPercentageIsThatPartOfManyPeople(t *testing.T) {
	_, r := made(t, onOff(share("on", 10.0, "off", 90.0)), nil)
	counts := map[string]int{}
	for _, v := range r.among() {
		counts[v]++
	}
	if got := float64(counts["on"]) / units * 100; math.Abs(got-10) > 1 {
		t.Errorf("%.2f %% are on, want 10 ± 1", got)
	}
	t.Logf("%.3f %% of %d are on", float64(counts["on"])/units*100, units)
}

func TestAPercentageThatGrowsLetsNobodyGo(t *testing.T) {
	f, r := made(t, onOff(share("on", 0.0, "off", 100.0)), nil)
	before := r.among()
	for _, percent := range []float64{0.001, 1, 5, 12.5, 50, 99.999, 100} {
		f.Default = share("on", percent, "off", 100-percent)
		f, r = made(t, f, f.buckets)
		now := r.among()
		count := 0
		for i := range now {
			if before[i] == "on" && now[i] != "on" {
				t.Fatalf("user-%d was on, and at %v %% is not", i, percent)
			}
			if now[i] == "on" {
				count++
			}
		}
		if math.Abs(float64(count)/units*100-percent) > 1 {
			t.Errorf("at %v %%: %d of %d", percent, count, units)
		}
		before = now
	}
	// Down again, the last that came go first.
	f.Default = share("on", 5.0, "off", 95.0)
	_, r = made(t, f, f.buckets)
	_, fresh := made(t, onOff(share("on", 5.0, "off", 95.0)), nil)
	for i, v := range r.among() {
		if v != fresh.servedTo(Subject{Key: fmt.Sprintf("user-%d", i)}, time.Time{}) {
			t.Fatalf("user-%d gets %s after it went up and down", i, v)
		}
	}
}

// Where several variants grow at once, no fixed order of buckets does: what is stored does.
func TestSeveralVariantsGrowAtTheCostOfTheOthersAlone(t *testing.T) {
	f := onOff(share("a", 10.0, "b", 10.0, "c", 10.0, "off", 70.0))
	f.Type = TypeString
	f.Variants = []Variant{{"a", "a"}, {"b", "b"}, {"c", "c"}, {"off", ""}}
	f, r := made(t, f, nil)
	before := r.among()
	f.Default = share("a", 20.0, "b", 25.5, "c", 10.0, "off", 44.5)
	_, r = made(t, f, f.buckets)
	counts := map[string]int{}
	for i, v := range r.among() {
		counts[v]++
		if before[i] != "off" && v != before[i] {
			t.Fatalf("user-%d had %s and has %s", i, before[i], v)
		}
	}
	for variant, percent := range map[string]float64{"a": 20, "b": 25.5, "c": 10, "off": 44.5} {
		if got := float64(counts[variant]) / units * 100; math.Abs(got-percent) > 1 {
			t.Errorf("%s: %.2f %%, want %v", variant, got, percent)
		}
	}
}

func TestWhereSomebodyLiesIsAPromise(t *testing.T) {
	// Computed with another program: int.from_bytes(sha256(b"salt:user-1").digest()[:8]) % 100000 in Python.
	for unit, want := range map[string]int{"user-1": 39251, "user-2": 58359, "acc_01jd8x0q3cfetb3p3ccw2s5r2a": 15966} {
		if got := bucketOf([]byte("salt:" + unit)); got != want {
			t.Errorf("%s lies in %d, want %d", unit, got, want)
		}
	}
}

func TestASplitSticksToWhatItSays(t *testing.T) {
	org := id.New[id.OrgKind]()
	s := share("on", 50.0, "off", 50.0)
	s.Split.By = "org"
	_, byOrganization := made(t, onOff(s), nil)
	first := byOrganization.servedTo(Subject{Key: "x", Org: org}, time.Time{})
	for i := range 100 {
		if got := byOrganization.servedTo(Subject{Key: fmt.Sprint(i), Org: org}, time.Time{}); got != first {
			t.Fatal("two people of one organization get different variants")
		}
	}
	s.Split.By = "device"
	_, byDevice := made(t, onOff(s), nil)
	got := map[string]bool{}
	for i := range 100 {
		got[byDevice.servedTo(Subject{Key: "x", Attributes: Attributes{"device": fmt.Sprint(i)}}, time.Time{})] = true
	}
	if len(got) != 2 {
		t.Errorf("a hundred devices of one person get %v", got)
	}
	// Who has no device is not guessed about: the flag is off for them.
	sub, m := Subject{Key: "x"}, moment{}
	if d := byDevice.decide(&sub, &m, 0); d.reason != Unknown || byDevice.variants[d.variant].name != "off" {
		t.Errorf("without a device: %+v", d)
	}
}

func TestARolloutMovesWithTheClock(t *testing.T) {
	begin := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := Serve{Rollout: &Rollout{Variant: "on", Otherwise: "off", FromPercent: 10, ToPercent: 60, StartsAt: begin, EndsAt: begin.Add(100 * time.Hour)}}
	_, r := made(t, onOff(s), nil)
	had := map[int]bool{}
	for hour, percent := range map[time.Duration]float64{-1: 10, 0: 10, 20: 20, 50: 35, 100: 60, 1000: 60} {
		count := 0
		for i := range units {
			if r.servedTo(Subject{Key: fmt.Sprint(i)}, begin.Add(hour*time.Hour)) == "on" {
				count++
			}
		}
		if math.Abs(float64(count)/units*100-percent) > 1 {
			t.Errorf("after %d hours: %d of %d, want %v %%", hour, count, units, percent)
		}
	}
	for hour := range 110 {
		for i := range 1000 {
			on := r.servedTo(Subject{Key: fmt.Sprint(i)}, begin.Add(time.Duration(hour)*time.Hour)) == "on"
			if had[i] && !on {
				t.Fatalf("%d was on, and after %d hours is not", i, hour)
			}
			had[i] = on
		}
	}
}

func TestAScheduleTurnsAFlagOnAndOff(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	f := onOff(Serve{Variant: "on"})
	f.Enabled = false
	f.Schedule = []Switch{{now.Add(time.Hour), true}, {now.Add(2 * time.Hour), false}}
	f.buckets = map[string][]span{}
	s, err := compile([]Flag{f}, func(ID, string) *counter { return &counter{} })
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]string{0: "off", time.Hour - 1: "off", time.Hour: "on", 90 * time.Minute: "on", 2 * time.Hour: "off"} {
		if got := s.flags["test"].servedTo(Subject{}, now.Add(after)); got != want {
			t.Errorf("after %v: %s", after, got)
		}
	}
	if got := f.settled(now.Add(time.Hour)); !got.Enabled || len(got.Schedule) != 1 {
		t.Errorf("after an hour it is %v with %d to come", got.Enabled, len(got.Schedule))
	}
}

func TestConditions(t *testing.T) {
	ada, org := id.New[id.AccountKind](), id.New[id.OrgKind]()
	sub := Subject{Account: ada, Org: org, EmailDomain: "example.com", Role: "admin", Plan: "pro", Administrator: true, Attributes: Attributes{
		"country": "AT", "age": 41.0, "beta": true, "version": "2.10.0", "build": "v1.0.0-rc.2+x", "since": "2030-01-02T00:00:00Z", "at": time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC),
		"teams": []any{"red", "blue"}, "groups": []string{"a", "b"}, "nested": map[string]any{"x": 1}, "nothing": nil, "nan": math.NaN(), "plan": "enterprise", "n": 3,
	}}
	for _, c := range []struct {
		attribute string
		operator  Operator
		values    []any
		want      bool
	}{
		{"user_id", OneOf, []any{ada.String()}, true}, {"user_id", OneOf, []any{org.String(), "x"}, false}, {"user_id", NotOneOf, []any{ada.String()}, false}, {"user_id", NotOneOf, []any{"x"}, true},
		{"user_id", StartsWith, []any{"acc_"}, true}, {"user_id", Present, nil, true},
		{"org_id", OneOf, []any{org.String()}, true}, {"org_id", NotOneOf, []any{org.String()}, false}, {"org_id", Absent, nil, false},
		{"email_domain", OneOf, []any{"example.com"}, true}, {"email_domain", EndsWith, []any{".org", "ple.com"}, true}, {"email_domain", OneOf, []any{"Example.com"}, false},
		{"plan", OneOf, []any{"pro"}, true}, {"plan", OneOf, []any{"enterprise"}, false}, // what the caller says of it counts for nothing
		{"role", OneOf, []any{"owner", "admin"}, true}, {"administrator", OneOf, []any{true}, true}, {"administrator", NotOneOf, []any{true}, false},
		{"country", OneOf, []any{"AT", "DE"}, true}, {"country", NotOneOf, []any{"AT"}, false}, {"country", Contains, []any{"T"}, true}, {"country", StartsWith, []any{"a"}, false},
		{"absent", OneOf, []any{"x"}, false}, {"absent", NotOneOf, []any{"x"}, false}, {"absent", Absent, nil, true}, {"absent", Present, nil, false}, {"nothing", Present, nil, false},
		{"age", Greater, []any{40.0}, true}, {"age", Greater, []any{41.0}, false}, {"age", AtLeast, []any{41.0}, true}, {"age", Less, []any{41.5}, true}, {"age", AtMost, []any{40.0}, false},
		{"age", OneOf, []any{41.0}, true}, {"n", OneOf, []any{3.0}, true}, {"age", Greater, []any{"1.0.0"}, false}, {"country", Greater, []any{1.0}, false},
		{"nan", AtMost, []any{1.0}, false}, {"nan", AtLeast, []any{1.0}, false}, {"beta", OneOf, []any{true}, true},
		{"version", Greater, []any{"2.9.9"}, true}, {"version", Less, []any{"2.9.9"}, false}, {"version", AtLeast, []any{"2.10.0"}, true}, {"build", Less, []any{"1.0.0"}, true}, {"build", Greater, []any{"1.0.0-rc.1"}, true},
		{"since", After, []any{"2030-01-01T00:00:00Z"}, true}, {"since", Before, []any{"2030-01-01T00:00:00Z"}, false}, {"at", Before, []any{"2030-01-02T00:00:01+00:00"}, true}, {"country", Before, []any{"2030-01-01T00:00:00Z"}, false},
		{"teams", OneOf, []any{"blue"}, true}, {"teams", NotOneOf, []any{"blue"}, false}, {"teams", NotOneOf, []any{"green"}, true}, {"teams", StartsWith, []any{"re"}, true}, {"groups", OneOf, []any{"b"}, true},
		{"nested", Present, nil, true}, {"nested", OneOf, []any{"x"}, false},
	} {
		one := Condition{c.attribute, c.operator, c.values}
		if !one.valid() {
			t.Errorf("%v is not valid", one)
			continue
		}
		if test := one.ready(); test.holds(&sub) != c.want {
			t.Errorf("%s %s %v: want %v", c.attribute, c.operator, c.values, c.want)
		}
	}
}

func TestVersionsAreOrderedAsTheStandardSays(t *testing.T) {
	// The example of Semantic Versioning 2.0, §11, and around it.
	order := strings.Fields("0.9.9 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.2.0 1.10.0 99999999999999999999.0.0")
	for i, a := range order {
		for j, b := range order {
			got, ok := compareVersions(a, b)
			if want := boolean(i > j) - boolean(i < j); !ok || got != want {
				t.Errorf("%s and %s: %d, %v", a, b, got, ok)
			}
		}
	}
	for _, text := range []string{"", "1", "1.0", "1.0.0.0", "01.0.0", "1.0.-1", "a.b.c", "1.0.0-", "1.0.0-a..b", "1.0.0-ä", "latest"} {
		if isVersion(text) {
			t.Errorf("%q is taken for a version", text)
		}
	}
}

func TestWhatIsNoFlagIsRefused(t *testing.T) {
	rule := func(change func(*Rule)) Flag {
		r := Rule{ID: "r", Conditions: []Condition{{"country", OneOf, []any{"AT"}}}, Serve: Serve{Variant: "on"}}
		change(&r)
		return onOff(Serve{Variant: "on"}, r)
	}
	with := func(change func(*Flag)) Flag {
		f := onOff(Serve{Variant: "on"})
		change(&f)
		return f
	}
	condition := func(c Condition) Flag { return rule(func(r *Rule) { r.Conditions = []Condition{c} }) }
	deep := map[string]any{"x": strings.Repeat("x", maxJSON)}
	for name, c := range map[string]struct {
		f     Flag
		want  error
		field string
	}{
		"no variants":             {with(func(f *Flag) { f.Variants = nil }), ErrVariants, "body.variants"},
		"two of one name":         {with(func(f *Flag) { f.Variants = []Variant{{"on", true}, {"on", false}} }), ErrVariants, "body.variants"},
		"text in a boolean":       {with(func(f *Flag) { f.Variants[1].Value = "no" }), ErrValue, "body.variants[1].value"},
		"nothing in a boolean":    {with(func(f *Flag) { f.Variants[1].Value = nil }), ErrValue, "body.variants[1].value"},
		"a list in JSON":          {with(func(f *Flag) { f.Type, f.Variants[0].Value = TypeJSON, []any{} }), ErrValue, "body.variants[0].value"},
		"much JSON":               {with(func(f *Flag) { f.Type, f.Variants[0].Value = TypeJSON, deep }), ErrValue, "body.variants[0].value"},
		"long text":               {with(func(f *Flag) { f.Type, f.Variants[0].Value = TypeString, strings.Repeat("x", maxText+1) }), ErrValue, "body.variants[0].value"},
		"unknown off variant":     {with(func(f *Flag) { f.OffVariant = "x" }), ErrVariant, "body.off_variant"},
		"nothing to serve":        {with(func(f *Flag) { f.Default = Serve{} }), ErrServe, "body.default"},
		"two things to serve":     {with(func(f *Flag) { f.Default = share("on", 100.0); f.Default.Variant = "on" }), ErrServe, "body.default"},
		"unknown variant":         {with(func(f *Flag) { f.Default.Variant = "x" }), ErrVariant, "body.default.variant"},
		"99 percent":              {onOff(share("on", 9.0, "off", 90.0)), ErrPercent, "body.default.split.weights"},
		"too fine":                {onOff(share("on", 0.0005, "off", 99.9995)), ErrPercent, "body.default.split.weights"},
		"a variant twice":         {onOff(share("on", 50.0, "on", 50.0)), ErrPercent, "body.default.split.weights"},
		"less than nothing":       {onOff(share("on", -10.0, "off", 110.0)), ErrPercent, "body.default.split.weights"},
		"unknown in a split":      {onOff(share("x", 100.0)), ErrVariant, "body.default.split.weights[0].variant"},
		"backward rollout":        {onOff(Serve{Rollout: &Rollout{Variant: "on", Otherwise: "off", StartsAt: time.Now(), EndsAt: time.Now().Add(-time.Hour)}}), ErrRollout, "body.default.rollout"},
		"rollout of nothing":      {onOff(Serve{Rollout: &Rollout{Variant: "on", StartsAt: time.Now(), EndsAt: time.Now().Add(time.Hour)}}), ErrVariant, "body.default.rollout.otherwise"},
		"no conditions":           {rule(func(r *Rule) { r.Conditions = nil }), ErrRules, "body.rules[0]"},
		"the default's id":        {rule(func(r *Rule) { r.ID = "default" }), ErrRules, "body.rules[0]"},
		"a pattern":               {condition(Condition{"country", "matches", []any{".*"}}), ErrCondition, "body.rules[0].conditions[0]"},
		"one of nothing":          {condition(Condition{"country", OneOf, nil}), ErrCondition, "body.rules[0].conditions[0]"},
		"starts with a number":    {condition(Condition{"country", StartsWith, []any{1.0}}), ErrCondition, "body.rules[0].conditions[0]"},
		"contains nothing":        {condition(Condition{"country", Contains, []any{""}}), ErrCondition, "body.rules[0].conditions[0]"},
		"greater than a word":     {condition(Condition{"age", Greater, []any{"old"}}), ErrCondition, "body.rules[0].conditions[0]"},
		"greater than two":        {condition(Condition{"age", Greater, []any{1.0, 2.0}}), ErrCondition, "body.rules[0].conditions[0]"},
		"before some day":         {condition(Condition{"since", Before, []any{"yesterday"}}), ErrCondition, "body.rules[0].conditions[0]"},
		"present somehow":         {condition(Condition{"since", Present, []any{true}}), ErrCondition, "body.rules[0].conditions[0]"},
		"one of an object":        {condition(Condition{"x", OneOf, []any{map[string]any{}}}), ErrCondition, "body.rules[0].conditions[0]"},
		"long value":              {condition(Condition{"x", OneOf, []any{strings.Repeat("x", 257)}}), ErrCondition, "body.rules[0].conditions[0]"},
		"scheduled for yesterday": {with(func(f *Flag) { f.Schedule = []Switch{{time.Now().Add(-time.Hour), true}} }), ErrSchedule, "body.schedule"},
		"a long description":      {with(func(f *Flag) { f.Description = strings.Repeat("x", 1001) }), ErrText, "body.description"},
		"an owner on two lines":   {with(func(f *Flag) { f.Owner = "a\nb" }), ErrText, "body.owner"},
		"empty tags":              {with(func(f *Flag) { f.Tags = []string{" "} }), ErrTags, "body.tags"},
		"too much altogether": {with(func(f *Flag) {
			f.Type, f.Variants = TypeJSON, nil
			for i := range 6 {
				f.Variants = append(f.Variants, Variant{fmt.Sprint(i), map[string]any{"x": strings.Repeat("x", 12<<10)}})
			}
			f.OffVariant, f.Default.Variant = "0", "0"
		}), ErrTooLarge, "body"},
	} {
		_, err := c.f.clean(time.Now())
		e, ok := errors.AsType[*errs.Error](err)
		if !errors.Is(err, c.want) || !ok || e.Field != c.field {
			t.Errorf("%s: %v at %v, want %v at %s", name, err, e, c.want, c.field)
		}
	}
	many := onOff(Serve{Variant: "on"})
	for i := range maxRules + 1 {
		many.Rules = append(many.Rules, Rule{ID: fmt.Sprint(i), Conditions: []Condition{{"x", Present, nil}}, Serve: Serve{Variant: "on"}})
	}
	if _, err := many.clean(time.Now()); !errors.Is(err, ErrRules) {
		t.Errorf("51 rules: %v", err)
	}
}

func TestTheFirstRuleThatHoldsDecides(t *testing.T) {
	in := func(country, variant string) Rule {
		return Rule{Conditions: []Condition{{"country", OneOf, []any{country}}, {"role", Absent, nil}}, Serve: Serve{Variant: variant}}
	}
	_, r := made(t, onOff(Serve{Variant: "off"}, in("AT", "on"), in("AT", "off"), in("DE", "off")), nil)
	for country, want := range map[string]decision{"AT": {0, TargetingMatch, 0, ""}, "DE": {1, TargetingMatch, 2, ""}, "FR": {1, TargetingMatch, 3, ""}} {
		sub, m := Subject{Attributes: Attributes{"country": country}}, moment{}
		if got := r.decide(&sub, &m, 0); got != want {
			t.Errorf("%s: %+v, want %+v", country, got, want)
		}
		sub.Role = "owner" // of a rule, all conditions have to hold
		if got := r.decide(&sub, &m, 0); got.rule != 3 {
			t.Errorf("%s with a role: %+v", country, got)
		}
	}
}

// However flags came to depend on each other, an evaluation ends.
func TestACircleOfFlagsIsNotMet(t *testing.T) {
	a, b := onOff(Serve{Variant: "on"}), onOff(Serve{Variant: "on"})
	a.Key, b.Key = "a", "b"
	a.Prerequisites, b.Prerequisites = []Prerequisite{{"b", []string{"on"}}}, []Prerequisite{{"a", []string{"on"}}}
	s, err := compile([]Flag{a, b}, func(ID, string) *counter { return &counter{} })
	if err != nil {
		t.Fatal(err)
	}
	if got := s.flags["a"].servedTo(Subject{}, time.Time{}); got != "off" {
		t.Errorf("a serves %s", got)
	}
}

func FuzzVersions(f *testing.F) {
	for _, v := range []string{"1.0.0", "v1.2.3-rc.1+b", "1..2", "-", "1.0.0-"} {
		f.Add(v, "1.0.0")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, ok := compareVersions(a, b)
		y, also := compareVersions(b, a)
		if ok != also || x != -y {
			t.Errorf("%q and %q: %d, %d", a, b, x, y)
		}
	})
}
