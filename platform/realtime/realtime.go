// Package realtime pushes messages to browsers and programs that are connected, over
// WebSocket or, for those who cannot, server-sent events and HTTP streaming.
//
// It owns the operations below /ws and no table. A message is a hint that may get lost;
// what must arrive is an event or a job. A connection is asked again and again whether
// its session still stands, and each of its subscriptions whether it is still allowed.
package realtime

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/centrifugal/centrifuge"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/redis"
	"github.com/tenonhq/tenon/platform/web"
)

// Config is what an operator may need to change.
type Config struct {
	// Connections is how many open connections one process takes; 20,000 unless set.
	Connections int `env:"TENON_REALTIME_CONNECTIONS"`
	// PerAddress is how many of them may come from one address (IPv6: one /64); 500 unless set.
	PerAddress int `env:"TENON_REALTIME_CONNECTIONS_PER_ADDRESS"`
	// PerAccount is how many of them one account or API key may hold; 50 unless set.
	PerAccount int `env:"TENON_REALTIME_CONNECTIONS_PER_ACCOUNT"`
	// Accept is how many connections are let in per second; the others are told to come
	// back. 500 unless set.
	Accept int `env:"TENON_REALTIME_ACCEPT_PER_SECOND"`
}

// Check completes the configuration and refuses what makes no sense.
func (c *Config) Check() error {
	for value, standard := range map[*int]int{&c.Connections: 20_000, &c.PerAddress: 500, &c.PerAccount: 50, &c.Accept: 500} {
		if *value < 0 {
			return fmt.Errorf("TENON_REALTIME_…: %d is not a number of connections", *value)
		}
		*value = cmp.Or(*value, standard)
	}
	return nil
}

// Auth is who connections belong to. It is the same answer that requests get, except that
// looking at a connection is no activity of its session.
type Auth struct {
	Principal  func(ctx context.Context, c web.Credential) (*authz.Principal, error)
	Membership func(ctx context.Context, org id.Org) (*authz.Membership, error)
}

// Options are what a Hub needs. Redis may be nil: then messages stay in this process.
type Options struct {
	Config   Config
	Redis    *redis.Client
	RedisURL string // of the same server
	Log      *slog.Logger
}

// How long and how much a channel remembers for who was away for a moment. What is known of a
// channel that nobody writes to is forgotten after forget, and a client that comes later
// is told to read everything anew.
const (
	historySize = 100
	historyTerm = 5 * time.Minute
	forget      = time.Hour
)

// largest is what a message may measure; it is a hint, not a document.
const largest = 32 << 10

// Hub is the process's end of all connections. The machinery behind it is started by
// the first connection, or by Run where messages come from other nodes.
type Hub struct {
	Options
	auth     Auth
	node     atomic.Value // *centrifuge.Node, as running says
	doors    doors        // of the node
	starts   sync.Mutex
	draining atomic.Bool
	began    chan struct{} // closed when there is a node
	ended    chan struct{} // closed by Close

	arrivals arrivals
	conns    registry
	queues   [publishers]chan message
	sending  sync.WaitGroup
	hints    set[hint]
	gaps     set[string]
}

// New returns a hub that nobody is connected to.
func New(o Options) *Hub {
	h := &Hub{Options: o, began: make(chan struct{}), ended: make(chan struct{}), arrivals: newArrivals(o.Config)}
	for i := range h.queues {
		h.queues[i] = make(chan message, queueLength)
	}
	return h
}

// Authenticate says how connections are recognised. It is called once, before serving.
func (h *Hub) Authenticate(a Auth) { h.auth = a }

// In returns the hub bound to a transaction: what is published becomes known when it
// commits, and not at all when it is rolled back.
func (h *Hub) In(tx *db.Tx) *Publisher { return &Publisher{hub: h, tx: tx} }

// Publisher publishes when its transaction has committed.
type Publisher struct {
	hub *Hub
	tx  *db.Tx
}

// Publish sends a message to whoever is subscribed to c, as {"type": kind, "data": data}.
// It never fails and never waits: a message is a hint, and gets lost with the process.
func (p *Publisher) Publish(ctx context.Context, c Channel, kind string, data any) {
	if p.hub.unheard() {
		return
	}
	body, err := encode(kind, data)
	if err != nil {
		p.hub.Log.ErrorContext(ctx, "a realtime message is not sent", "channel", c.name, "type", kind, "err", err)
		return
	}
	p.tx.AfterCommit(func() { p.hub.enqueue(message{c.name, body}) })
}

// Changed tells who is subscribed to c that something of the topic changed, and no more. Many
// changes within a moment are one message.
func (p *Publisher) Changed(c Channel, topic string) {
	if !p.hub.unheard() {
		p.tx.AfterCommit(func() { p.hub.hint(hint{c.name, topic}) })
	}
}

// unheard reports whether nobody can be listening, here or elsewhere.
func (h *Hub) unheard() bool { return running(h) == nil && h.Redis == nil }

type body struct {
	Type string `json:"type"`
	Data any    `json:"data,omitempty"`
}

var errLarge = errors.New("it is larger than 32 KiB; send the id of what changed instead")

func encode(kind string, data any) ([]byte, error) {
	b, err := json.Marshal(body{kind, data})
	if err == nil && len(b) > largest {
		err = errLarge
	}
	return b, err
}

var (
	errStopping = errs.New(errs.Unavailable, "realtime.stopping", "The service is restarting. Connect again in a moment.").After(time.Second)
	errNoRedis  = errs.New(errs.Unavailable, "realtime.unavailable", "Realtime messages are not available at the moment. Try again in a moment.").After(2 * time.Second)
)

// start makes the node, once. It fails while Redis is configured and away.
func (h *Hub) start() error {
	if running(h) != nil {
		return nil
	}
	h.starts.Lock()
	defer h.starts.Unlock()
	if h.draining.Load() {
		return errStopping
	}
	if running(h) != nil {
		return nil
	}
	node, err := newNode(h)
	if err != nil {
		return errNoRedis.Because(err)
	}
	h.doors = doorsOf(node)
	h.node.Store(node)
	for _, q := range h.queues {
		h.sending.Go(func() { send(h, node, q) })
	}
	close(h.began)
	return nil
}

// retry is how long to wait for a Redis that is away.
const retry = time.Second

// Run starts the hub where messages come from other nodes, and looks after connections
// until ctx is done.
func (h *Hub) Run(ctx context.Context) error {
	for h.Redis != nil && running(h) == nil {
		if err := h.start(); err == nil {
			break
		} else if h.draining.Load() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retry):
		}
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-h.began:
	}
	var loops sync.WaitGroup
	loops.Go(func() { h.watch(ctx) })
	loops.Go(func() { h.report(ctx) })
	loops.Wait()
	return ctx.Err()
}

// Drain takes no more connections and ends those there are; clients come back to another
// node, or to the next process, after a random while.
func (h *Hub) Drain() error {
	h.draining.Store(true)
	var all sync.WaitGroup
	for _, c := range h.conns.all() {
		all.Go(func() { c.client.Disconnect(centrifuge.DisconnectShutdown) })
	}
	all.Wait()
	return nil
}

// closing is how long the node may take to say goodbye.
const closing = 5 * time.Second

// Close ends the hub. Nothing may be published afterwards.
func (h *Hub) Close() {
	h.draining.Store(true)
	h.starts.Lock() // a start under way comes to its end
	defer h.starts.Unlock()
	node := running(h)
	if node == nil {
		return
	}
	close(h.ended)
	h.sending.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	if err := node.Shutdown(ctx); err != nil {
		h.Log.Warn("end realtime connections", "err", err)
	}
}
