package fault

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// load is steady traffic: so many requests a second, however long answers take.
type load struct {
	halt    chan struct{}
	stopped sync.WaitGroup
	mu      sync.Mutex
	answers []answer
}

// begin sends next's requests, rate a second, until stop.
func begin(rate int, next func(i int) answer) *load {
	l := &load{halt: make(chan struct{})}
	l.stopped.Go(func() {
		tick := time.NewTicker(time.Second / time.Duration(rate))
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-l.halt:
				return
			case <-tick.C:
			}
			l.stopped.Go(func() {
				a := next(i)
				l.mu.Lock()
				defer l.mu.Unlock()
				l.answers = append(l.answers, a)
			})
		}
	})
	return l
}

// stop ends the traffic, waits for the answers, and returns them.
func (l *load) stop() answers {
	close(l.halt)
	l.stopped.Wait()
	return l.answers
}

// during is the traffic of a while.
func during(d time.Duration, rate int, next func(i int) answer) answers {
	l := begin(rate, next)
	time.Sleep(d)
	return l.stop()
}

type answers []answer

func (all answers) where(keep func(answer) bool) answers {
	return slices.DeleteFunc(slices.Clone(all), func(a answer) bool { return !keep(a) })
}

// since are the answers to requests that were sent after t.
func (all answers) since(t time.Time) answers {
	return all.where(func(a answer) bool { return a.began.After(t) })
}

// failed are those that a client would complain about.
func (all answers) failed() answers {
	return all.where(func(a answer) bool { return a.status == 0 || a.status >= 500 })
}

// percentile is the time within which p percent were answered.
func (all answers) percentile(p int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	times := make([]time.Duration, len(all))
	for i, a := range all {
		times[i] = a.took
	}
	slices.Sort(times)
	return times[min(len(times)-1, len(times)*p/100)]
}

// String sums up.
func (all answers) String() string {
	counts := map[int]int{}
	for _, a := range all {
		counts[a.status]++
	}
	ms := func(p int) time.Duration { return all.percentile(p).Round(100 * time.Microsecond) }
	return fmt.Sprintf("%d answers %v, p50 %v p95 %v p99 %v", len(all), counts, ms(50), ms(95), ms(99))
}

// wantNone fails the test if there are any, and shows some.
func (all answers) wantNone(t testing.TB, what string) {
	t.Helper()
	if len(all) == 0 {
		return
	}
	var some []string
	for _, a := range all[:min(5, len(all))] {
		some = append(some, a.began.Format("05.000")+" "+a.String())
	}
	t.Errorf("%d answers %s, such as\n\t%s", len(all), what, strings.Join(some, "\n\t"))
}

// together calls fn n times at once and waits for all.
func together(n int, fn func(i int) answer) answers {
	all, wg := make(answers, n), sync.WaitGroup{}
	for i := range n {
		wg.Go(func() { all[i] = fn(i) })
	}
	wg.Wait()
	return all
}
