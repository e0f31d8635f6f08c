package flags

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenonhq/tenon/platform/db"
)

// counter counts how often a variant was served since that was last written down.
type counter struct{ n atomic.Int64 }

// counters hold one counter for each variant that was ever served by this process: they
// outlive the snapshots that point to them.
type counters struct {
	mu  sync.Mutex
	all map[served]*counter
}

// served names a variant of a flag.
type served struct {
	flag    ID
	variant string
}

func (c *counters) of(flag ID, variant string) *counter {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := served{flag, variant}
	if c.all[key] == nil {
		c.all[key] = &counter{}
	}
	return c.all[key]
}

// count is what one variant of a flag was served.
type count struct {
	served
	n int64
}

// take returns what was counted, and begins anew.
func (c *counters) take() (counts []count) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, counter := range c.all {
		if n := counter.n.Swap(0); n > 0 {
			counts = append(counts, count{key, n})
		}
	}
	return counts
}

// giveBack is for what could not be written down: the next minute tries again.
func (c *counters) giveBack(counts []count) {
	for _, one := range counts {
		c.of(one.flag, one.variant).n.Add(one.n)
	}
}

// flushEvery is how exact counts are.
const flushEvery = time.Minute

// writeCounts writes down what was served, once a minute and once more at the end.
func (s *Service) writeCounts(ctx context.Context) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			return s.Flush(last)
		case <-tick.C:
			if err := s.Flush(ctx); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "count what flags served", "err", err)
			}
		}
	}
}

// Flush writes down what this process served since the last time, in one statement.
func (s *Service) Flush(ctx context.Context) error {
	counts := s.state.counters.take()
	if len(counts) == 0 {
		return nil
	}
	now := s.Now()
	err := s.DB.Platform("how often flags are served to whomever").Tx(ctx, func(tx *db.Tx) error { return addCounts(ctx, tx, counts, now) })
	if err != nil {
		s.state.counters.giveBack(counts)
	}
	return err
}
