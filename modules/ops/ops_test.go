package ops

import (
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/jobs"
)

func TestTheWorstThatMattersIsTheHealth(t *testing.T) {
	for _, c := range []struct {
		database, cache, want Status
	}{
		{OK, OK, OK},
		{OK, Degraded, Degraded},
		{Unavailable, OK, Unavailable},
		{Unavailable, Degraded, Unavailable},
	} {
		h := finding{database: c.database, cache: c.cache}.health()
		if h.Status != c.want || h.Checks != (Checks{c.database, c.cache}) {
			t.Errorf("database %s and cache %s make %+v", c.database, c.cache, h)
		}
	}
}

func TestLatencyIsInMillisecondsWithMicroseconds(t *testing.T) {
	if got := (finding{database: OK, latency: 1234567 * time.Nanosecond}).databaseOnly(); got.LatencyMS != 1.234 {
		t.Errorf("1.234567 ms is told as %v", got.LatencyMS)
	}
}

func TestAQueueIsSlowWhereAJobHasWaitedAndNobodyPausedIt(t *testing.T) {
	for name, q := range map[string]jobs.QueueState{
		"quick":  {OldestWait: 299},
		"slow":   {OldestWait: 301},
		"paused": {OldestWait: 301, Paused: true},
	} {
		if got, want := slow(q), name == "slow"; got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
