package realtime

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	longestQueue = 256 << 10        // bytes that a connection may leave unread
	mostChannels = 128              // that one connection may be subscribed to
	stale        = 10 * time.Second // that a connection may take to say who it is
	// A token is asked for anew this long before it ends, and must be there before it does.
	early = 30 * time.Second
	late  = 25 * time.Second
	// How often a position is compared with the channel's: what a broken Redis
	// connection lost is noticed within this time.
	compare = 10 * time.Second
)

// running is the node of a hub, or nil. What the node consists of is no part of the Hub's type, nor
// of its methods': generic code in it would be compiled anew in whatever imports Tenon.
func running(h *Hub) *centrifuge.Node {
	node, _ := h.node.Load().(*centrifuge.Node)
	return node
}

// newNode makes the machinery behind the hub: Centrifuge, which speaks the protocol of the stock
// clients (https://centrifugal.dev/docs/transports/client_protocol).
func newNode(h *Hub) (*centrifuge.Node, error) {
	node, err := centrifuge.New(centrifuge.Config{
		Name: "tenon", LogLevel: centrifuge.LogLevelError, LogHandler: h.log,
		ClientQueueMaxSize: longestQueue, ClientChannelLimit: mostChannels, UserConnectionLimit: h.Config.PerAccount,
		ClientStaleCloseDelay: stale, ClientExpiredCloseDelay: late, ClientChannelPositionCheckDelay: compare,
		HistoryMaxPublicationLimit: historySize, RecoveryMaxPublicationLimit: historySize, HistoryMetaTTL: forget,
		Metrics: centrifuge.MetricsConfig{RegistererGatherer: prometheus.NewRegistry()}, // its own: two hubs fit into a process
	})
	if err != nil {
		return nil, err
	}
	if h.Redis != nil {
		if err := connectRedis(h, node); err != nil {
			return nil, err
		}
	}
	node.OnConnecting(h.connecting)
	node.OnConnect(func(c *centrifuge.Client) { connected(h, c) })
	node.OnCommandRead(command)
	return node, node.Run()
}

// redisTimeout is how long a command may take; a frozen server's connection is given up.
const redisTimeout = time.Second

func connectRedis(h *Hub, node *centrifuge.Node) error {
	address, query, _ := strings.Cut(h.RedisURL, "?")
	if strings.HasPrefix(address, "redis") {
		address = strings.TrimSuffix(address, "/")
	}
	if query != "" {
		address += "?" + query
	}
	shard, err := centrifuge.NewRedisShard(node, centrifuge.RedisShardConfig{Address: address, ClientName: "tenon-realtime",
		ConnectTimeout: redisTimeout, IOTimeout: redisTimeout})
	if err != nil {
		return err
	}
	const prefix = "tenon:realtime"
	broker, err := centrifuge.NewRedisBroker(node, centrifuge.RedisBrokerConfig{Prefix: prefix, Shards: []*centrifuge.RedisShard{shard}})
	if err != nil {
		return err
	}
	presence, err := centrifuge.NewRedisPresenceManager(node, centrifuge.RedisPresenceManagerConfig{Prefix: prefix, Shards: []*centrifuge.RedisShard{shard}})
	if err != nil {
		return err
	}
	node.SetBroker(broker)
	node.SetPresenceManager(presence)
	return nil
}

// log passes on what the machinery has to say.
func (h *Hub) log(e centrifuge.LogEntry) {
	attrs := make([]slog.Attr, 0, len(e.Fields))
	for name, value := range e.Fields {
		if name == "error" {
			name = "err"
		}
		attrs = append(attrs, slog.Any(name, value))
	}
	h.Log.LogAttrs(context.Background(), slog.LevelWarn, "realtime: "+e.Message, attrs...)
}
