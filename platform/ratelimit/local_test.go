package ratelimit

import (
	"strconv"
	"testing"
	"time"
)

func TestAFloodOfFreshKeysNeitherGrowsMemoryNorFreesTheBlocked(t *testing.T) {
	const keys = 64 * 32
	table, now := newTable(keys), time.Unix(1e9, 0)
	b := newBucket(Every(5, time.Hour))
	for i := range 300 {
		for range 5 {
			table.take("blocked "+strconv.Itoa(i), now, b, 1, false)
		}
	}
	for i := range 50 * keys {
		table.take("fresh "+strconv.Itoa(i), now, b, 1, false)
	}
	held := 0
	for i := range table.shard {
		held += len(table.shard[i].entries)
	}
	if held > keys {
		t.Fatalf("%d keys held, at most %d may be", held, keys)
	}
	for i := range 300 {
		if table.take("blocked "+strconv.Itoa(i), now, b, 1, false).Allowed {
			t.Fatalf("the flood freed blocked key %d", i)
		}
	}
}

func TestWhenAllHeldKeysAreBlockedNewOnesShareALimit(t *testing.T) {
	table, now := newTable(64*4), time.Unix(1e9, 0)
	b := newBucket(Every(1, time.Hour))
	yes := 0
	for i := range 10_000 {
		if table.take(strconv.Itoa(i), now, b, 1, false).Allowed {
			yes++
		}
	}
	if yes > 64*4+64 {
		t.Fatalf("%d allowed: a full table let everything through", yes)
	}
	later := now.Add(time.Hour)
	if !table.take("new", later, b, 1, false).Allowed {
		t.Fatal("the table does not recover")
	}
}

func TestCountingLocallyAllocatesNothing(t *testing.T) {
	table, b, now := newTable(maxKeys), newBucket(Every(5, time.Hour)), time.Now()
	if n := testing.AllocsPerRun(1000, func() { table.take("192.0.2.1", now, b, 1, false) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
