package realtime

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"

	"github.com/tenonhq/tenon/platform/redis"
)

// message waits to be published.
type message struct {
	channel string
	body    []byte
}

const (
	publishers  = 4    // goroutines; a channel is always served by the same one, which keeps its order
	queueLength = 1024 // messages that one of them has waiting
)

func queueOf(channel string) uint64 { return maphash.String(seed(), channel) % publishers }

// seed is any, but always the same.
var seed = sync.OnceValue(maphash.MakeSeed)

// enqueue hands a message to whoever publishes it. Where too many are waiting it is lost, and its channel told so later.
func (h *Hub) enqueue(m message) {
	select {
	case h.queues[queueOf(m.channel)] <- m:
	default:
		h.gaps.add(m.channel)
	}
}

// send publishes what is in the queue until the hub ends, then what is left.
func send(h *Hub, node *centrifuge.Node, queue <-chan message) {
	for {
		select {
		case m := <-queue:
			publish(h, node, m)
		case <-h.ended:
			for len(queue) > 0 {
				publish(h, node, <-queue)
			}
			return
		}
	}
}

// publish sends a message to all nodes. Where Redis is away, those who are connected here
// get it all the same, and all are told of a gap when it is back.
func publish(h *Hub, node *centrifuge.Node, m message) {
	err := broadcast(h, node, m)
	if err == nil {
		return
	}
	if !errors.Is(err, redis.ErrUnavailable) {
		h.Log.Warn("a realtime message reaches this process alone", "channel", m.channel, "err", err)
	}
	h.gaps.add(m.channel)
	if err := node.Hub().BroadcastPublication(m.channel, &centrifuge.Publication{Data: m.body}, centrifuge.StreamPosition{}); err != nil {
		h.Log.Warn("a realtime message reaches nobody", "channel", m.channel, "err", err)
	}
}

func broadcast(h *Hub, node *centrifuge.Node, m message) error {
	if h.Redis != nil && !h.Redis.Healthy() {
		return redis.ErrUnavailable
	}
	_, err := node.Publish(m.channel, m.body, centrifuge.WithHistory(historySize, historyTerm))
	return err
}

// hint is that something of a topic changed.
type hint struct{ channel, topic string }

// moment is how long hints wait for others of their kind.
const moment = 20 * time.Millisecond

// hint publishes x after a moment, once, however often it is asked to until then.
func (h *Hub) hint(x hint) {
	if h.hints.add(x) {
		time.AfterFunc(moment, func() {
			for _, x := range h.hints.take() {
				if b, err := encode("changed", map[string]string{"topic": x.topic}); err == nil { // text always encodes
					h.enqueue(message{x.channel, b})
				}
			}
		})
	}
}

// report tells channels that messages of theirs were lost, as soon as they can be told.
func (h *Hub) report(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	gap, _ := encode("gap", nil) // text always encodes
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, channel := range h.gaps.take() {
			if err := broadcast(h, running(h), message{channel, gap}); err != nil {
				h.gaps.add(channel)
			}
		}
	}
}

// set collects things until they are taken.
type set[T comparable] struct {
	mu sync.Mutex
	in map[T]struct{}
}

// add reports whether v is the first in the set.
func (s *set[T]) add(v T) (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first = len(s.in) == 0
	if first {
		s.in = map[T]struct{}{}
	}
	s.in[v] = struct{}{}
	return first
}

// take returns what is in the set, and leaves it empty.
func (s *set[T]) take() []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]T, 0, len(s.in))
	for v := range s.in {
		all = append(all, v)
	}
	s.in = nil
	return all
}
