package binary

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"
)

// Balancer hands each request to the next of its nodes that is ready.
type Balancer struct {
	URL string

	nodes  []*backend
	next   atomic.Int64
	stop   context.Context
	cancel func()
}

type backend struct {
	node  *Node
	proxy *httputil.ReverseProxy
	ready atomic.Bool
}

// NewBalancer starts a load balancer that has no nodes yet: they need its address.
func NewBalancer(t testing.TB) *Balancer {
	t.Helper()
	b := &Balancer{}
	b.stop, b.cancel = context.WithCancel(context.Background())
	t.Cleanup(b.cancel)
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.URL = server.URL
	return b
}

// Add puts nodes behind the balancer, before its first request. It asks each of them
// five times a second whether it is ready.
func (b *Balancer) Add(nodes ...*Node) {
	for _, n := range nodes {
		back := &backend{node: n, proxy: &httputil.ReverseProxy{
			Rewrite: func(q *httputil.ProxyRequest) {
				q.SetURL(&url.URL{Scheme: "http", Host: n.Addr})
				q.Out.Host = q.In.Host
			},
			Transport: &http.Transport{MaxIdleConnsPerHost: 100},
		}}
		back.ready.Store(true)
		b.nodes = append(b.nodes, back)
		go back.watch(b.stop)
	}
}

func (b *backend) watch(ctx context.Context) {
	for ctx.Err() == nil {
		b.ready.Store(b.node.Status("/health/ready") == http.StatusOK)
		time.Sleep(200 * time.Millisecond)
	}
}

func (b *Balancer) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	first := int(b.next.Add(1))
	for i := range b.nodes {
		back := b.nodes[(first+i)%len(b.nodes)]
		if back.ready.Load() {
			back.proxy.ServeHTTP(w, q)
			return
		}
	}
	http.Error(w, "no node is ready", http.StatusBadGateway)
}
