package jobs

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"
)

// meter counts in memory what this process did, by minute and queue, and writes that down
// every few seconds: so counting costs a job nothing, and the monitor reads a few hundred
// small rows, however many jobs there were.
type meter struct {
	mu      sync.Mutex
	minutes map[minuteKey]*minute
}

type minuteKey struct {
	at    int64
	queue string
}

// minute is what was done in a queue within one minute.
type minute struct {
	at                time.Time
	queue             string
	completed, failed int64
	waits, runs       histogram

	written bool
}

// histogram counts durations by size. Neighbouring sizes differ by a fifth, so a
// percentile read from it is at most a tenth off.
type histogram map[int]int64

const (
	smallest = 50 * time.Microsecond
	ratio    = 1.2
)

func (h histogram) add(d time.Duration) { h[sizeOf(d)]++ }

func sizeOf(d time.Duration) int {
	if d <= smallest {
		return 0
	}
	return int(math.Log(float64(d)/float64(smallest))/math.Log(ratio)) + 1
}

// merge adds what other counted.
func (h histogram) merge(other histogram) {
	for size, n := range other {
		h[size] += n
	}
}

// percentile is the duration, in milliseconds, that a share of all did not exceed.
func (h histogram) percentile(share float64) float64 {
	var total int64
	largest := 0
	for size, n := range h {
		total += n
		largest = max(largest, size)
	}
	if total == 0 {
		return 0
	}
	rank, seen := int64(math.Ceil(share*float64(total))), int64(0)
	for size := 0; size <= largest; size++ {
		if seen += h[size]; seen >= rank {
			// The middle of the size, by ratio.
			ms := float64(smallest) / float64(time.Millisecond) * math.Pow(ratio, float64(size)-0.5)
			return math.Round(ms*1000) / 1000
		}
	}
	return 0
}

// note counts one attempt that ended at now.
func (m *meter) note(queue string, now time.Time, wait, run time.Duration, failed bool) {
	at := now.Truncate(time.Minute)
	key := minuteKey{at.Unix(), queue}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.minutes == nil {
		m.minutes = map[minuteKey]*minute{}
	}
	one := m.minutes[key]
	if one == nil {
		one = &minute{at: at, queue: queue, waits: histogram{}, runs: histogram{}}
		m.minutes[key] = one
	}
	if failed {
		one.failed++
	} else {
		one.completed++
	}
	one.waits.add(wait)
	one.runs.add(run)
	one.written = false
}

// take returns copies of what has yet to be written, and forgets minutes that are over.
func (m *meter) take(now time.Time) (all []minute) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, one := range m.minutes {
		if !one.written {
			copied := *one
			copied.waits, copied.runs = histogram{}, histogram{}
			copied.waits.merge(one.waits)
			copied.runs.merge(one.runs)
			all = append(all, copied)
			one.written = true
		} else if now.Sub(one.at) > 5*time.Minute {
			delete(m.minutes, key)
		}
	}
	return all
}

// again says that a minute could not be written.
func (m *meter) again(one minute) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if kept := m.minutes[minuteKey{one.at.Unix(), one.queue}]; kept != nil {
		kept.written = false
	}
}

// keepMinutes is how long what was counted is kept: the longest window of Metrics.
const keepMinutes = 24 * time.Hour

// writeMinutes writes down what was counted since the last time.
func (q *Queue) writeMinutes(ctx context.Context) error {
	var all []error
	for _, one := range q.meter.take(q.now()) {
		if err := upsertMinute(ctx, q.db.Platform(monitoring), q.node, one); err != nil {
			q.meter.again(one)
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// Metrics is what was done, minute by minute.
type Metrics struct {
	Completed int64    `json:"completed" doc:"In the whole window"`
	Failed    int64    `json:"failed" doc:"Attempts that failed, in the whole window"`
	WaitP50   float64  `json:"wait_p50_ms" doc:"From when a job could run to when it began, in milliseconds; percentiles are exact to a tenth of their value"`
	WaitP95   float64  `json:"wait_p95_ms"`
	RunP50    float64  `json:"run_p50_ms"`
	RunP95    float64  `json:"run_p95_ms"`
	Minutes   []Minute `json:"minutes" nullable:"false" doc:"Oldest first, also those in which nothing ran"`
}

// Minute is what was done within a minute.
type Minute struct {
	At        time.Time `json:"at" doc:"When it began"`
	Completed int64     `json:"completed"`
	Failed    int64     `json:"failed"`
	WaitP50   float64   `json:"wait_p50_ms"`
	WaitP95   float64   `json:"wait_p95_ms"`
	RunP50    float64   `json:"run_p50_ms"`
	RunP95    float64   `json:"run_p95_ms"`
}

// Metrics sums up what all processes did within window until now; of one queue, or of all.
func (q *Queue) Metrics(ctx context.Context, window time.Duration, queue string) (Metrics, error) {
	now := q.now()
	first := now.Truncate(time.Minute).Add(-window.Truncate(time.Minute) + time.Minute)
	counted, err := minutesSince(ctx, q.db.Platform(monitoring), first)
	if err != nil {
		return Metrics{}, err
	}
	whole := minute{waits: histogram{}, runs: histogram{}}
	byMinute := map[int64]*minute{}
	for _, m := range counted {
		if queue != "" && m.queue != queue {
			continue
		}
		one := byMinute[m.at.Unix()]
		if one == nil {
			one = &minute{waits: histogram{}, runs: histogram{}}
			byMinute[m.at.Unix()] = one
		}
		one.merge(m)
		whole.merge(m)
	}
	out := Metrics{Completed: whole.completed, Failed: whole.failed, WaitP50: whole.waits.percentile(.5), WaitP95: whole.waits.percentile(.95),
		RunP50: whole.runs.percentile(.5), RunP95: whole.runs.percentile(.95), Minutes: []Minute{}}
	for at := first; !at.After(now); at = at.Add(time.Minute) {
		m := Minute{At: at}
		if one := byMinute[at.Unix()]; one != nil {
			m = Minute{At: at, Completed: one.completed, Failed: one.failed, WaitP50: one.waits.percentile(.5), WaitP95: one.waits.percentile(.95),
				RunP50: one.runs.percentile(.5), RunP95: one.runs.percentile(.95)}
		}
		out.Minutes = append(out.Minutes, m)
	}
	return out, nil
}

func (m *minute) merge(other minute) {
	m.completed += other.completed
	m.failed += other.failed
	m.waits.merge(other.waits)
	m.runs.merge(other.runs)
}
