package realtime

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/web"
)

// arrival is what was known of a connection before it said who it is.
type arrival struct {
	credential web.Credential // sent with the request; empty: none
	from       web.Client
	commands   *bucket
}

type arrivalKey struct{}

// client is what is asked of a *centrifuge.Client once it is connected; see running.
type client interface {
	UserID() string
	Channels() []string
	Unsubscribe(channel string, why ...centrifuge.Unsubscribe)
	Disconnect(why ...centrifuge.Disconnect)
}

// conn is one connection whose holder is known.
type conn struct {
	client client
	from   web.Client

	mu         sync.Mutex
	credential web.Credential
	who        *authz.Principal
}

type connKey struct{}

func connOf(ctx context.Context) *conn { c, _ := ctx.Value(connKey{}).(*conn); return c }

func (c *conn) holder() (web.Credential, *authz.Principal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.credential, c.who
}

// patience is how long the database may take to say who somebody is.
const patience = 5 * time.Second

// connecting finds out who a connection belongs to: by the token that it was opened with or sends
// now, else by the cookie of a page that may use it.
func (h *Hub) connecting(ctx context.Context, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
	a, _ := ctx.Value(arrivalKey{}).(*arrival)
	if a == nil {
		return centrifuge.ConnectReply{}, centrifuge.DisconnectServerError
	}
	credential := a.credential
	if e.Token != "" {
		credential = web.Credential{Bearer: e.Token}
	}
	if credential == (web.Credential{}) {
		h.Log.InfoContext(ctx, "realtime connection refused", "reason", "it shows no credential")
		return centrifuge.ConnectReply{}, centrifuge.DisconnectInvalidToken
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	who, err := h.auth.Principal(limited, credential)
	if err != nil {
		return centrifuge.ConnectReply{}, h.refusal(ctx, "realtime connection refused", err, centrifuge.ErrorTokenExpired)
	}
	c := &conn{from: a.from, credential: credential, who: who}
	reply := centrifuge.ConnectReply{
		Context:           context.WithValue(ctx, connKey{}, c),
		Credentials:       &centrifuge.Credentials{UserID: nameOf(who), ExpireAt: refreshAt(credential)},
		ClientSideRefresh: true,
	}
	if who.Key == nil {
		reply.Subscriptions = map[string]centrifuge.SubscribeOptions{User(who.Account).name: remembering()}
	}
	return reply, nil
}

// refusal is what a client is told of err: that the database is away, for a while, or no
// more than otherwise.
func (h *Hub) refusal(ctx context.Context, what string, err error, otherwise *centrifuge.Error) error {
	switch errs.KindOf(err) {
	case errs.Unauthenticated, errs.Forbidden, errs.NotFound:
		h.Log.InfoContext(ctx, what, "reason", err.Error())
		return otherwise
	}
	h.Log.WarnContext(ctx, what, "err", err)
	return centrifuge.ErrorInternal // which clients take as temporary
}

// nameOf is what others in a channel see of somebody: the id of an account, or of an API key.
func nameOf(who *authz.Principal) string {
	if who.Key != nil {
		return who.Key.ID
	}
	return who.Account.String()
}

func remembering() centrifuge.SubscribeOptions {
	return centrifuge.SubscribeOptions{EnableRecovery: true, EnablePositioning: true, HistoryMetaTTL: forget}
}

// refreshAt is when a client has to bring another token; zero: never. Sessions and API keys end
// by themselves, and are asked about.
func refreshAt(c web.Credential) int64 {
	parts := strings.Split(c.Bearer, ".")
	if len(parts) != 3 {
		return 0
	}
	var claims struct {
		Expires int64 `json:"exp"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil { // the token is good already
		return 0
	}
	return max(claims.Expires-int64(early.Seconds()), time.Now().Unix()+1)
}

// connected says what a connection may do. It may publish nothing.
func connected(h *Hub, client *centrifuge.Client) {
	ctx := client.Context()
	c := connOf(ctx)
	c.client = client
	h.conns.add(c)
	client.OnDisconnect(func(centrifuge.DisconnectEvent) { h.conns.remove(c) })
	client.OnSubscribe(func(e centrifuge.SubscribeEvent, cb centrifuge.SubscribeCallback) {
		options, err := h.subscribe(ctx, c, e.Channel)
		cb(centrifuge.SubscribeReply{Options: options}, err)
	})
	client.OnRefresh(func(e centrifuge.RefreshEvent, cb centrifuge.RefreshCallback) {
		cb(h.refresh(ctx, c, e.Token))
	})
	client.OnPresence(func(e centrifuge.PresenceEvent, cb centrifuge.PresenceCallback) {
		cb(centrifuge.PresenceReply{}, ofSubscribed(client, e.Channel, true))
	})
	client.OnPresenceStats(func(e centrifuge.PresenceStatsEvent, cb centrifuge.PresenceStatsCallback) {
		cb(centrifuge.PresenceStatsReply{}, ofSubscribed(client, e.Channel, true))
	})
	client.OnHistory(func(e centrifuge.HistoryEvent, cb centrifuge.HistoryCallback) {
		cb(centrifuge.HistoryReply{}, ofSubscribed(client, e.Channel, false))
	})
}

// ofSubscribed lets a client read about a channel that it is subscribed to.
func ofSubscribed(client *centrifuge.Client, channel string, orgOnly bool) error {
	if !client.IsSubscribed(channel) {
		return centrifuge.ErrorPermissionDenied
	}
	if orgOnly && !strings.HasPrefix(channel, "org:") {
		return centrifuge.ErrorNotAvailable
	}
	return nil
}

// subscribe admits a connection to a channel. A channel that there is not, an organization that
// there is not and one that is not theirs look the same.
func (h *Hub) subscribe(ctx context.Context, c *conn, name string) (centrifuge.SubscribeOptions, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := error(errDenied)
	channel, ok := parse(name)
	if ok {
		_, who := c.holder()
		err = h.allowed(limited, who, channel)
	}
	if err != nil {
		return centrifuge.SubscribeOptions{}, h.refusal(ctx, "realtime subscription refused", err, centrifuge.ErrorPermissionDenied)
	}
	options := remembering()
	options.EmitPresence = channel.isOrg()
	return options, nil
}

var errDenied = errs.New(errs.Forbidden, "realtime.denied", "You cannot subscribe to this channel.")

// allowed reports why who may not listen to a channel.
func (h *Hub) allowed(ctx context.Context, who *authz.Principal, channel Channel) error {
	switch {
	case channel.isOrg():
		m, err := h.auth.Membership(authz.With(ctx, who), channel.org)
		if err != nil {
			return err
		}
		if channel.perm != "" && !m.Perms[channel.perm] {
			return errDenied.Because(errors.New("the role lacks " + string(channel.perm)))
		}
		if m.Refusal != nil {
			return errDenied.Because(m.Refusal)
		}
		return nil
	case channel.name == administrators && who.Admin && who.Key == nil:
		return nil
	case !channel.account.IsZero() && who.Account == channel.account && who.Key == nil:
		return nil
	}
	return errDenied
}

var errOther = errs.New(errs.Unauthenticated, "realtime.other_account", "The new token is of another account.")

// refresh takes a new token for the one that is about to end.
func (h *Hub) refresh(ctx context.Context, c *conn, token string) (centrifuge.RefreshReply, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	credential := web.Credential{Bearer: token}
	who, err := h.auth.Principal(limited, credential)
	if _, before := c.holder(); err == nil && nameOf(who) != nameOf(before) {
		err = errOther
	}
	if err != nil {
		return centrifuge.RefreshReply{}, h.refusal(ctx, "realtime token refused", err, centrifuge.ErrorTokenExpired)
	}
	c.mu.Lock()
	c.credential, c.who = credential, who
	c.mu.Unlock()
	return centrifuge.RefreshReply{ExpireAt: refreshAt(credential)}, nil
}

// registry knows the connections, in groups that are looked at one after the other.
type registry struct {
	mu     sync.Mutex
	next   int
	groups [rounds]map[*conn]struct{}
	group  map[*conn]int
}

func (r *registry) add(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.group == nil {
		r.group = map[*conn]int{}
	}
	r.next = (r.next + 1) % rounds
	if r.groups[r.next] == nil {
		r.groups[r.next] = map[*conn]struct{}{}
	}
	r.groups[r.next][c] = struct{}{}
	r.group[c] = r.next
}

func (r *registry) remove(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if g, ok := r.group[c]; ok {
		delete(r.groups[g], c)
		delete(r.group, c)
	}
}

func (r *registry) of(round int) []*conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*conn, 0, len(r.groups[round]))
	for c := range r.groups[round] {
		list = append(list, c)
	}
	return list
}

func (r *registry) all() []*conn {
	var lists [][]*conn
	for g := range rounds {
		lists = append(lists, r.of(g))
	}
	return slices.Concat(lists...)
}
