package realtime

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
)

// Every connection is asked about once in all rounds, a second and a half. The answers
// come from the memory that requests use too, so that is a microsecond each as a rule.
const (
	rounds  = 15
	round   = 100 * time.Millisecond
	askers  = 8 // at once, should the memory have to ask the database
	askTime = 2 * time.Second
)

// watch ends connections whose credential is no longer good, and subscriptions that are
// no longer allowed, whether or not their clients ever say a word.
func (h *Hub) watch(ctx context.Context) {
	tick := time.NewTicker(round)
	defer tick.Stop()
	for n := 0; ; n = (n + 1) % rounds {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.look(ctx, h.conns.of(n))
		}
	}
}

func (h *Hub) look(ctx context.Context, conns []*conn) {
	var all sync.WaitGroup
	turns := make(chan struct{}, askers)
	for _, c := range conns {
		turns <- struct{}{}
		all.Go(func() {
			h.ask(ctx, c)
			<-turns
		})
	}
	all.Wait()
}

// ask asks about one connection. While the database cannot answer everything stays as it is:
// to be connected is no more than to be told that there is something to ask for.
func (h *Hub) ask(ctx context.Context, c *conn) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	credential, _ := c.holder()
	who, err := h.auth.Principal(ctx, credential)
	switch {
	case errs.KindOf(err) == errs.Unauthenticated:
		if now, _ := c.holder(); now == credential { // no other has come meanwhile
			h.Log.InfoContext(ctx, "realtime connection ended", "reason", err.Error(), "user", c.client.UserID())
			go c.client.Disconnect(centrifuge.DisconnectInvalidToken)
		}
		return
	case err != nil:
		return
	}
	for _, name := range c.client.Channels() {
		if !h.stillAllowed(ctx, who, name) {
			h.Log.InfoContext(ctx, "realtime subscription ended", "channel", name, "user", c.client.UserID())
			c.client.Unsubscribe(name)
		}
	}
}

func (h *Hub) stillAllowed(ctx context.Context, who *authz.Principal, name string) bool {
	if strings.HasPrefix(name, "user:") { // as long as the connection lasts
		return true
	}
	channel, ok := parse(name)
	if !ok {
		return false
	}
	switch errs.KindOf(h.allowed(ctx, who, channel)) {
	case errs.Unauthenticated, errs.Forbidden, errs.NotFound:
		return false
	}
	return true
}
