// Package clock tells the time. Time is a dependency: whatever needs it holds a
// Now function, so a test can stand still or jump a month.
//
// Instants are UTC and whole microseconds, which both databases store exactly.
package clock

import (
	"sync"
	"time"
)

// Now tells the current instant.
type Now func() time.Time

// System is the machine's clock.
func System() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Manual is a clock that moves only when told to, for tests.
type Manual struct {
	mu sync.Mutex
	at time.Time
}

// NewManual returns a clock that stands at t.
func NewManual(t time.Time) *Manual { return &Manual{at: t.UTC().Truncate(time.Microsecond)} }

// Now tells the instant the clock stands at.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at
}

// Advance moves the clock by d.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = m.at.Add(d)
}
