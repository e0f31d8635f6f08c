package cli

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// collector is how much garbage the process lets pile up (https://go.dev/doc/gc-guide).
type collector struct {
	percent int   // of what lives
	limit   int64 // of the memory in all, in bytes
}

const (
	// The memory of a password hash, 19 MiB, is kept from one to the next: collect sooner
	// than by default, which is 100 %.
	garbagePercent = 70
	// What may pile up however little lives. Without it a server that holds three megabytes
	// would collect forty times a second as soon as it is busy.
	garbageFloor = 16 << 20
	// As long as there is room in it for the garbage of a busy server, the process keeps to
	// this much memory also while many people sign in at once.
	smallLimit = 52 << 20
	smallRoom  = 18 << 20
)

// tuneCollector sets how much garbage may pile up, again after every collection,
// unless the operator did so with GOGC or GOMEMLIMIT.
func tuneCollector() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	current := collectorFor(0, 0)
	current.apply()
	var afterCollection func(*[16]byte)
	afterCollection = func(sentinel *[16]byte) {
		if wanted := collectorFor(memoryInUse()); wanted != current {
			current = wanted
			current.apply()
		}
		runtime.SetFinalizer(sentinel, afterCollection)
	}
	runtime.SetFinalizer(new([16]byte), afterCollection)
}

// collectorFor goes in steps: to change it stops the process for a moment. Beside what lives, the
// limit counts stacks and the like, of which thousands of connections have many: a limit that
// they alone come near to would have the process collect without an end, for nothing.
func collectorFor(live, beside uint64) collector {
	c := collector{percent: garbagePercent, limit: math.MaxInt64}
	for c.percent < 500 && uint64(c.percent)*live < 100*garbageFloor*3/4 {
		c.percent += c.percent / 2
	}
	if live < smallLimit-smallRoom && live+beside+garbageFloor/2 < smallLimit {
		c.limit = smallLimit
	}
	return c
}

func (c collector) apply() {
	debug.SetGCPercent(c.percent)
	debug.SetMemoryLimit(c.limit)
}

// memoryInUse is how much the last collection found alive, and how much the memory limit
// counts beside that and its garbage.
func memoryInUse() (live, beside uint64) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	beside = samples[1].Value.Uint64()
	for _, heap := range samples[2:] {
		beside -= min(beside, heap.Value.Uint64())
	}
	return samples[0].Value.Uint64(), beside
}
