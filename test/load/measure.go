package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// sample is what one round found, per operation.
type sample struct {
	PerSecond  float64 `json:"per_second"`
	P50        float64 `json:"p50_us"`
	P95        float64 `json:"p95_us"`
	P99        float64 `json:"p99_us"`
	ServerCPU  float64 `json:"server_cpu_us"`
	DBCPU      float64 `json:"database_cpu_us"`
	ClientCPU  float64 `json:"client_cpu_us"`
	Statements float64 `json:"statements"`
	RoundTrips float64 `json:"round_trips"`
	Errors     int     `json:"errors"`
	Others     float64 `json:"others"` // share of the machine that strangers used meanwhile
}

// series are the rounds of one work on one target.
type series []sample

// median returns the middle of a figure over the rounds.
func (s series) median(figure func(sample) float64) float64 {
	all := make([]float64, len(s))
	for i, one := range s {
		all[i] = figure(one)
	}
	return median(all)
}

// paired returns the middle of a figure that compares a round with the other's
// round beside it: what slowed the machine down for a while slowed down both.
func (s series) paired(other series, compare func(ours, theirs sample) float64) float64 {
	all := make([]float64, min(len(s), len(other)))
	for i := range all {
		all[i] = compare(s[i], other[i])
	}
	return median(all)
}

func (s series) errors() (sum int) {
	for _, one := range s {
		sum += one.Errors
	}
	return sum
}

func median(of []float64) float64 {
	if len(of) == 0 {
		return 0
	}
	slices.Sort(of)
	return (of[(len(of)-1)/2] + of[len(of)/2]) / 2
}

// measurer runs rounds.
type measurer struct {
	warmup, round time.Duration
	rounds        int
	say           func(format string, args ...any)
}

// interleaved measures one work on several targets, taking turns: A B A B A B.
func (m measurer) interleaved(ctx context.Context, w work, connections int, targets []target) ([]series, error) {
	m.say("%s", w)
	flows := make([][]*flow, len(targets))
	idle := make([]spent, len(targets))
	for i, t := range targets {
		var err error
		if flows[i], err = t.flows(w, connections); err != nil {
			return nil, fmt.Errorf("prepare %s: %w", w, err)
		}
		if _, err = load(ctx, t.base().addr, flows[i], m.warmup); err != nil {
			return nil, err
		}
		if idle[i], err = resting(ctx, t.base()); err != nil {
			return nil, err
		}
	}
	found := make([]series, len(targets))
	for spare := 2 * m.rounds; len(found[0]) < m.rounds; {
		turn := make([]sample, len(targets))
		for i, t := range targets {
			var err error
			if turn[i], err = m.once(ctx, t.base(), flows[i], idle[i]); err != nil {
				return nil, fmt.Errorf("measure %s: %w", w, err)
			}
		}
		if spare > 0 && slices.ContainsFunc(turn, sample.disturbed) {
			m.say("  the machine did something else: once more")
			spare--
			continue
		}
		for i, one := range turn {
			found[i] = append(found[i], one)
		}
	}
	return found, nil
}

// disturbed reports whether others used so much of the machine that the round says little.
func (s sample) disturbed() bool { return s.Others > 0.08 }

// restingTime is how long a server is watched while nobody asks anything of it.
const restingTime = time.Second

// resting is what a server's own errands use in restingTime.
func resting(ctx context.Context, s *server) (spent, error) {
	if !s.counts() {
		return spent{}, nil
	}
	before, err := s.spent()
	if err != nil {
		return spent{}, err
	}
	select {
	case <-ctx.Done():
		return spent{}, ctx.Err()
	case <-time.After(restingTime):
	}
	after, err := s.spent()
	return after.minus(before), err
}

// once measures a round. Processor time includes the server's own errands, which
// are part of running it; statements do not, because they are exact otherwise.
func (m measurer) once(ctx context.Context, s *server, flows []*flow, idle spent) (sample, error) {
	before, err := s.spent()
	if err != nil {
		return sample{}, err
	}
	began, own := time.Now(), ownCPU()
	got, err := load(ctx, s.addr, flows, m.round)
	if err != nil {
		return sample{}, err
	}
	after, err := s.spent()
	if err != nil {
		return sample{}, err
	}
	took := time.Since(began)
	own = ownCPU() - own
	if got.firstErr != nil {
		m.say("  %s: %d errors, the first: %v", s.name, got.errors, got.firstErr)
	}
	used, n := after.minus(before), float64(max(1, len(got.latencies)))
	share := got.took.Seconds() / restingTime.Seconds()
	one := sample{
		PerSecond: got.perSecond(), Errors: got.errors,
		Others: max(0, (used.machine-used.cpu-used.db-own).Seconds()/took.Seconds()/float64(runtime.NumCPU())),
		P50:    micros(got.quantile(0.50)), P95: micros(got.quantile(0.95)), P99: micros(got.quantile(0.99)),
		ServerCPU: micros(used.cpu) / n, DBCPU: micros(used.db) / n, ClientCPU: micros(own) / n,
		Statements: max(0, float64(used.statements)-share*float64(idle.statements)) / n,
		RoundTrips: max(0, float64(used.roundTrips)-share*float64(idle.roundTrips)) / n,
	}
	m.say("  %-12s %8.0f/s  p95 %7.2f ms  server %6.0f µs  database %5.0f µs  client %4.0f µs  others %2.0f %%",
		s.name, one.PerSecond, one.P95/1000, one.ServerCPU, one.DBCPU, one.ClientCPU, one.Others*100)
	return one, nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// stormConnections is how many people sign in, over and over, during a storm.
const stormConnections = 4

// storm compares `me` while nobody signs in with `me` while many do, and returns
// the 95th percentiles of both in microseconds.
func (m measurer) storm(ctx context.Context, t target, connections int) (calm, stormy float64, err error) {
	m.say("storm of sign-ins on %s", t.base().name)
	asking, err := t.flows(me, connections)
	if err != nil {
		return 0, 0, err
	}
	signing, err := t.flows(signIn, stormConnections)
	if err != nil {
		return 0, 0, err
	}
	var calms, storms series
	for range m.rounds {
		one, err := m.once(ctx, t.base(), asking, spent{})
		if err != nil {
			return 0, 0, err
		}
		calms = append(calms, one)
		if one, err = m.during(ctx, t.base(), signing, func() (sample, error) { return m.once(ctx, t.base(), asking, spent{}) }); err != nil {
			return 0, 0, err
		}
		storms = append(storms, one)
	}
	p95 := func(s sample) float64 { return s.P95 }
	return calms.median(p95), storms.median(p95), nil
}

// during runs fn while flows keep the server busy.
func (m measurer) during(ctx context.Context, s *server, flows []*flow, fn func() (sample, error)) (sample, error) {
	ended := make(chan error, 1)
	go func() {
		got, err := load(ctx, s.addr, flows, m.round+m.round/4)
		if err == nil && got.firstErr != nil {
			m.say("  %s: %d sign-ins failed, the first: %v", s.name, got.errors, got.firstErr)
		}
		ended <- err
	}()
	time.Sleep(m.round / 8) // the storm is under way
	one, err := fn()
	if stormErr := <-ended; err == nil {
		err = stormErr
	}
	return one, err
}
