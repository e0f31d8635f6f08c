package web

import (
	"context"
	"net/http"
	"net/netip"
	"strings"

	"github.com/tenonhq/tenon/platform/observe"
)

// Client is where a request came from.
type Client struct {
	Address   netip.Addr
	UserAgent string
	RequestID string
	Device    string // the value of the cookie by which a browser is recognised; empty for others
}

// Bucket is what limits count by: an IPv4 address, or the /64 that an IPv6 host has to itself.
func (c Client) Bucket() string {
	if c.Address.Is4() || !c.Address.IsValid() {
		return c.Address.String()
	}
	network, err := c.Address.WithZone("").Prefix(64)
	if err != nil {
		return c.Address.String()
	}
	return network.String()
}

type clientKey struct{}

// ClientFrom returns where the request came from; the zero Client outside of requests.
func ClientFrom(ctx context.Context) Client {
	if c, ok := ctx.Value(clientKey{}).(*Client); ok {
		return *c
	}
	return Client{}
}

const maxUserAgent = 512

func (r *Router) client(q *http.Request) Client {
	agent := q.UserAgent()
	if len(agent) > maxUserAgent {
		agent = agent[:maxUserAgent]
	}
	device := ""
	if c, err := q.Cookie(r.Config.cookieName(deviceCookie)); err == nil {
		device = c.Value
	}
	return Client{
		Device:    device,
		Address:   clientAddress(q, r.Config.TrustedProxies),
		UserAgent: observe.Mask(strings.ToValidUTF8(strings.ReplaceAll(agent, "\x00", ""), "")),
		RequestID: observe.RequestID(q.Header.Get("X-Request-Id")),
	}
}

// clientAddress walks X-Forwarded-For from the right, past proxies that we trust,
// to the first hop that we do not: all that is left of it anyone could have written.
func clientAddress(q *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(q.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	at := peer.Addr().Unmap()
	if !contains(trusted, at) {
		return at
	}
	hops := strings.Split(strings.Join(q.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && contains(trusted, at); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil || hop.Zone() != "" {
			break
		}
		at = hop.Unmap()
	}
	return at
}

func contains(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}
