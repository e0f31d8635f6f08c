package cli

import (
	"math"
	"testing"
)

// However little lives, a busy server does not collect after every few requests; and
// what it holds never makes the memory limit stand in its way.
func TestCollectorLeavesRoom(t *testing.T) {
	for live := uint64(0); live < 1<<30; live += 1 << 20 {
		c := collectorFor(live, 0)
		room := live * uint64(c.percent) / 100
		if live >= 4<<20 && room < garbageFloor/2 {
			t.Errorf("%d MiB live: collects after %d MiB", live>>20, room>>20)
		}
		if c.limit != math.MaxInt64 && uint64(c.limit) < live+garbageFloor {
			t.Errorf("%d MiB live: the limit is %d MiB", live>>20, c.limit>>20)
		}
		if c.percent < garbagePercent {
			t.Errorf("%d MiB live: collects after %d %%", live>>20, c.percent)
		}
	}
}

// Stacks and fragments count too: where they leave no room below it, there is no limit.
func TestNoLimitIsNearerThanItsRoom(t *testing.T) {
	for live := uint64(0); live < 64<<20; live += 1 << 20 {
		for beside := uint64(0); beside < 64<<20; beside += 1 << 20 {
			if c := collectorFor(live, beside); c.limit != math.MaxInt64 && uint64(c.limit) < live+beside+garbageFloor/2 {
				t.Fatalf("%d MiB live and %d MiB beside: the limit is %d MiB", live>>20, beside>>20, c.limit>>20)
			}
		}
	}
}
