package flags

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
)

// Bool returns the value of a boolean flag for the caller in ctx. A flag that is not there,
// is archived or of another type is fallback, and the log says so once.
//
//	if flags.Bool(ctx, "new-dashboard", false) { … }
func Bool(ctx context.Context, key string, fallback bool) bool {
	v := find(ctx, key, TypeBoolean)
	if v == nil {
		return fallback
	}
	return v.value.(bool) // its type was checked
}

// String returns the value of a string flag for the caller in ctx, as Bool does.
func String(ctx context.Context, key, fallback string) string {
	v := find(ctx, key, TypeString)
	if v == nil {
		return fallback
	}
	return v.value.(string)
}

// Number returns the value of a number flag for the caller in ctx, as Bool does.
func Number(ctx context.Context, key string, fallback float64) float64 {
	v := find(ctx, key, TypeNumber)
	if v == nil {
		return fallback
	}
	return v.value.(float64)
}

// JSON returns the value of a JSON flag for the caller in ctx, as Bool does. A value that
// does not fit into T is fallback too.
func JSON[T any](ctx context.Context, key string, fallback T) T {
	v := find(ctx, key, TypeJSON)
	if v == nil {
		return fallback
	}
	var out T
	if err := json.Unmarshal(v.raw, &out); err != nil {
		evaluatorIn(ctx).complain(ctx, key, "its value does not fit: "+err.Error())
		return fallback
	}
	return out
}

type (
	evaluatorKey  struct{}
	attributesKey struct{}
)

// With returns a context in which flags are evaluated by s. Every request and job has it.
func (s *Service) With(ctx context.Context) context.Context {
	return context.WithValue(ctx, evaluatorKey{}, s)
}

// WithAttributes returns a context in which flags are also evaluated by attributes of the
// program's own. What we know ourselves, such as the role, they do not replace.
func WithAttributes(ctx context.Context, attributes Attributes) context.Context {
	return context.WithValue(ctx, attributesKey{}, attributes)
}

func evaluatorIn(ctx context.Context) *Service {
	s, _ := ctx.Value(evaluatorKey{}).(*Service)
	return s
}

// find returns what the caller in ctx gets of a flag; nil is the fallback.
func find(ctx context.Context, key string, want Type) *readyVariant {
	s := evaluatorIn(ctx)
	if s == nil {
		lost().once(key, func() {
			slog.WarnContext(ctx, "flag is not evaluated: the context comes from no request and no job; see flags.Service.With", "flag", key)
		})
		return nil
	}
	r := s.current().flags[key]
	switch {
	case r == nil:
		s.complain(ctx, key, "there is no such flag")
		return nil
	case r.flag.Type != want:
		s.complain(ctx, key, "it is of type "+string(r.flag.Type)+", not "+string(want))
		return nil
	}
	sub := s.subjectOf(ctx)
	m := moment{now: s.Now}
	return r.served(r.decide(&sub, &m, 0))
}

// served returns a variant and counts it.
func (r *ready) served(d decision) *readyVariant {
	v := &r.variants[d.variant]
	v.count.n.Add(1)
	return v
}

// complain says once, for each flag, why its fallback is used.
func (s *Service) complain(ctx context.Context, key, why string) {
	s.state.said.once(key, func() { s.Log.WarnContext(ctx, "flag has its fallback: "+why, "flag", key) })
}

// sayings remembers what was said about which flag. It is bounded: keys may be made up.
type sayings struct {
	mu   sync.Mutex
	keys map[string]bool
}

func newSayings() *sayings { return &sayings{keys: map[string]bool{}} }

const maxSayings = 1000

func (s *sayings) once(key string, say func()) {
	s.mu.Lock()
	first := !s.keys[key] && len(s.keys) < maxSayings
	if first {
		s.keys[key] = true
	}
	s.mu.Unlock()
	if first {
		say()
	}
}

// lost remembers the flags that were asked for outside of any app. There is no app then to
// remember it, so this belongs to the process.
var lost = sync.OnceValue(newSayings)

// Result is what someone gets of a flag, and why.
type Result struct {
	Key     string
	Type    Type
	Variant string
	Value   any
	Reason  Reason
	// Rule decided: its id, "default", or nothing where no rule was looked at.
	Rule string
	// Missed is the prerequisite that is not met.
	Missed string
}

// Evaluate returns what someone gets of a flag, or ErrNotFound. It is not counted.
func (s *Service) Evaluate(key string, sub Subject) (Result, error) {
	r := s.current().flags[key]
	if r == nil {
		return Result{}, ErrNotFound
	}
	m := moment{now: s.Now}
	return r.result(r.decide(&sub, &m, 0)), nil
}

// Caller returns whom flags are evaluated for in ctx.
func (s *Service) Caller(ctx context.Context) Subject { return s.subjectOf(ctx) }

func (r *ready) result(d decision) Result {
	v := r.variants[d.variant]
	out := Result{Key: r.flag.Key, Type: r.flag.Type, Variant: v.name, Value: v.value, Reason: d.reason, Missed: d.missed}
	if d.rule >= 0 {
		out.Rule = r.rules[d.rule].id
	}
	return out
}

// forPeople evaluates flags that are marked for clients: those called keys, or all.
func (s *Service) forPeople(sub Subject, keys []string) []Result {
	now := s.current()
	if keys == nil {
		keys = now.keys
	}
	all := []Result{}
	m := moment{now: s.Now}
	for _, key := range keys {
		if r := now.flags[key]; r != nil && r.flag.Client {
			d := r.decide(&sub, &m, 0)
			r.served(d)
			all = append(all, r.result(d))
		}
	}
	return all
}
