package realtime

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"

	"github.com/tenonhq/tenon/platform/errs"
)

// bucket lets so many things happen per second, and some more at once.
type bucket struct {
	mu        sync.Mutex
	perSecond float64
	most      float64
	left      float64
	at        time.Time
}

func newBucket(most int, perSecond float64) *bucket {
	return &bucket{perSecond: perSecond, most: float64(most), left: float64(most), at: time.Now()}
}

// take reports whether one more may happen now.
func (b *bucket) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.left = min(b.most, b.left+now.Sub(b.at).Seconds()*b.perSecond)
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// What one connection may ask. A client that comes back subscribes to all of its channels at once.
const (
	commandsAtOnce    = 2 * mostChannels
	commandsPerSecond = 20
	pingsAtOnce       = 20
	pingsPerSecond    = 1
)

// disconnectPolicy closes a WebSocket with 1008 (RFC 6455 §7.4.1).
func disconnectPolicy(why string) centrifuge.Disconnect {
	return centrifuge.Disconnect{Code: 1008, Reason: why}
}

// command counts what a connection asks for, before it is looked at.
func command(client *centrifuge.Client, _ centrifuge.CommandReadEvent) error {
	if a, ok := client.Context().Value(arrivalKey{}).(*arrival); ok && !a.commands.take() {
		return disconnectPolicy("too many commands")
	}
	return nil
}

var (
	errFull    = errs.New(errs.Unavailable, "realtime.full", "Too many are connected at the moment. Try again in a while.")
	errStorm   = errs.New(errs.Unavailable, "realtime.busy", "Too many are connecting at the moment. Try again in a moment.")
	errAddress = errs.New(errs.TooMany, "realtime.too_many_connections", "Too many connections from your address.").After(30 * time.Second)
)

// arrivals counts connections as they come and go.
type arrivals struct {
	config Config
	rate   *bucket

	mu    sync.Mutex
	total int
	from  map[string]int // by address
}

func newArrivals(c Config) arrivals {
	return arrivals{config: c, rate: newBucket(2*c.Accept, float64(c.Accept)), from: map[string]int{}}
}

// admit lets one more connection in; leave says that it has ended, and does so once.
func (a *arrivals) admit(address string) (leave func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.from[address] >= a.config.PerAddress:
		return nil, errAddress
	case a.total >= a.config.Connections:
		return nil, errFull.After(later(30))
	case !a.rate.take():
		return nil, errStorm.After(later(10))
	}
	a.total++
	a.from[address]++
	return sync.OnceFunc(func() { a.leave(address) }), nil
}

func (a *arrivals) leave(address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.total--
	if a.from[address]--; a.from[address] == 0 {
		delete(a.from, address)
	}
}

// later is another number of seconds for each, so that those who are sent away do not
// all come back at once.
func later(most int) time.Duration { return time.Duration(1+rand.IntN(most)) * time.Second }
