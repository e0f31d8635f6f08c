package fault

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tenonhq/tenon/test/binary"
)

func TestMain(m *testing.M) { binary.Main(m) }

// rounds is how often a fault is repeated: few with every test, many by "make faults".
func rounds(few, many int) int {
	if os.Getenv("TENON_FAULTS") == "full" {
		return many
	}
	return few
}

// secret is shared by the nodes of a test.
const secret = "for tests alone 8fK2pLq0vXw7Zr4T"

// outcome is what one request got.
type outcome struct {
	began, ended time.Time
	binary.Answer
}

func (o outcome) took() time.Duration { return o.ended.Sub(o.began) }

func (o outcome) String() string {
	return fmt.Sprintf("at %s after %s: %d %s%v", o.began.Format("05.000"), o.took().Round(time.Millisecond), o.Status, o.Text, o.Err)
}

// load sends requests from several users, each with a pause between them, until it is stopped.
func load(users int, pause time.Duration, request func(user, n int) binary.Answer) (stop func() []outcome) {
	done := make(chan struct{})
	all := make([][]outcome, users)
	var running sync.WaitGroup
	for u := range users {
		running.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				case <-time.After(pause):
				}
				o := outcome{began: time.Now()}
				o.Answer = request(u, n)
				o.ended = time.Now()
				all[u] = append(all[u], o)
			}
		})
	}
	return func() []outcome {
		close(done)
		running.Wait()
		return slices.Concat(all...)
	}
}

// p returns the latency that a share of the outcomes stayed below.
func p(share float64, outcomes []outcome) time.Duration {
	if len(outcomes) == 0 {
		return 0
	}
	took := make([]time.Duration, len(outcomes))
	for i, o := range outcomes {
		took[i] = o.took()
	}
	slices.Sort(took)
	return took[int(share*float64(len(took)-1))]
}

// outage is a time in which a dependency was away.
type outage struct{ from, to time.Time }

// recovery is how long the product may take to find a dependency again.
const recovery = 2 * time.Second

func (o outage) covers(x outcome) bool {
	return x.ended.After(o.from) && x.began.Before(o.to.Add(recovery))
}

// refusedOnlyDuring fails the test for whatever went wrong in another way than a polite
// "not now" within an outage.
func refusedOnlyDuring(t *testing.T, outcomes []outcome, outages []outage) {
	t.Helper()
	refused, wrong := 0, 0
	for _, o := range outcomes {
		if o.Status >= 200 && o.Status < 300 {
			continue
		}
		polite := o.Status == http.StatusServiceUnavailable && o.Header.Get("Retry-After") != ""
		if polite && slices.ContainsFunc(outages, func(x outage) bool { return x.covers(o) }) {
			refused++
			continue
		}
		if wrong++; wrong <= 10 {
			t.Errorf("%s", o)
		}
	}
	for _, o := range outages {
		t.Logf("away from %s for %s", o.from.Format("05.000"), o.to.Sub(o.from).Round(time.Millisecond))
	}
	t.Logf("%d requests, %d refused during outages, %d wrong, p95 %s", len(outcomes), refused, wrong, p(0.95, outcomes).Round(time.Millisecond))
}
