package ratelimit

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	maxKeys = 200_000 // per table: about 10 MB
	shards  = 64
	sampled = 16 // entries looked at to make room for one

	us = int64(time.Microsecond) // what Redis counts in
)

// bucket is a Limit in the terms of GCRA: each attempt adds interval to a debt that time
// pays off, and is allowed while the debt stays within burst × interval. Nanoseconds, and
// interval in whole microseconds.
type bucket struct{ interval, burst int64 }

func newBucket(l Limit) bucket {
	if l.Burst <= 0 || l.Per <= 0 {
		return bucket{}
	}
	interval := int64(l.Per) / int64(l.Burst) / us * us
	return bucket{interval: max(us, interval), burst: min(int64(l.Burst), 1e9)}
}

// stricter allows half the burst over the same period, at least one.
func (b bucket) stricter() bucket {
	if b.burst == 0 {
		return b
	}
	half := max(1, b.burst/2)
	return bucket{interval: b.tolerance() / half / us * us, burst: half}
}

func (b bucket) tolerance() int64 { return b.interval * b.burst }

// add returns the debt after n attempts, and whether they fit.
func (b bucket) add(debt, n int64, force bool) (after int64, fits bool) {
	if b.burst == 0 {
		return debt, false
	}
	fits = n < 0 || max(n, 1) <= (b.tolerance()-debt)/b.interval
	switch {
	case fits && n >= 0:
		return debt + n*b.interval, true
	case !force:
		return debt, fits
	case n < 0:
		return max(0, debt-min(-n, b.burst)*b.interval), true
	default:
		return b.tolerance(), false
	}
}

func (b bucket) result(allowed bool, debt int64) Result {
	if b.burst == 0 {
		return Result{RetryAfter: 24 * time.Hour, Reset: 24 * time.Hour} // a mistake in the configuration
	}
	return Result{
		Allowed:    allowed,
		Limit:      int(b.burst),
		Remaining:  int((b.tolerance() - debt) / b.interval),
		RetryAfter: time.Duration(max(0, debt+b.interval-b.tolerance())),
		Reset:      time.Duration(debt),
	}
}

// table holds the debts of at most as many keys as it was made for. Keys are kept as
// 128-bit hashes under a secret of the process, so nobody can aim at another's entry.
type table struct {
	seeds [2]maphash.Seed
	shard [shards]shard
}

type shard struct {
	mu       sync.Mutex
	entries  map[hash]entry
	capacity int
	overflow int64    // when the debt of keys that found no room is paid
	_        [32]byte // a cache line of its own
}

type hash [2]uint64

// entry is the instant at which the debt is paid, and the debt at which attempts are refused.
type entry struct{ paid, tolerance int64 }

func newTable(keys int) *table {
	t := &table{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	for i := range t.shard {
		t.shard[i] = shard{entries: map[hash]entry{}, capacity: max(1, keys/shards)}
	}
	return t
}

func (t *table) take(key string, at time.Time, b bucket, n int, force bool) Result {
	if b.burst == 0 {
		return b.result(false, 0)
	}
	h := hash{maphash.String(t.seeds[0], key), maphash.String(t.seeds[1], key)}
	s := &t.shard[h[0]%shards]
	now := at.UnixNano()

	s.mu.Lock()
	defer s.mu.Unlock()
	e, known := s.entries[h]
	if !known && n > 0 && !s.makeRoom(now) {
		return s.takeOverflow(now, b, int64(n), force)
	}
	// The upper bound, and storing it, frees whoever would stay locked out after the clock was set back.
	stored := max(0, e.paid-now)
	after, fits := b.add(min(stored, b.tolerance()), int64(n), force)
	switch {
	case after == stored:
	case after == 0:
		delete(s.entries, h)
	default:
		s.entries[h] = entry{paid: now + after, tolerance: b.tolerance()}
	}
	return b.result(fits, after)
}

// takeOverflow counts for all keys that found no room together.
func (s *shard) takeOverflow(now int64, b bucket, n int64, force bool) Result {
	after, fits := b.add(max(0, min(s.overflow-now, b.tolerance())), n, force)
	s.overflow = max(s.overflow, now+after)
	return b.result(fits, after)
}

// makeRoom reports whether one more key fits. In a full shard it forgets keys of a random
// sample: those without debt cost nothing; otherwise the one with the least of its burst
// used, which is what a flood of fresh keys consists of. One that has used half or more
// is never forgotten, so a flood frees nobody who is blocked: new keys then share one
// bucket, which refuses too much rather than too little.
func (s *shard) makeRoom(now int64) bool {
	if len(s.entries) < s.capacity {
		return true
	}
	var least hash
	leastUsed, looked := 0.5, 0
	for h, e := range s.entries {
		if e.paid <= now {
			delete(s.entries, h)
		} else if used := float64(e.paid-now) / float64(e.tolerance); used < leastUsed {
			least, leastUsed = h, used
		}
		if looked++; looked == sampled {
			break
		}
	}
	if len(s.entries) < s.capacity {
		return true
	}
	if leastUsed < 0.5 {
		delete(s.entries, least)
		return true
	}
	return false
}
