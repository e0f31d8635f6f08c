package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/realtime"
	"github.com/tenonhq/tenon/tenontest"
	"github.com/tenonhq/tenon/tenontest/servers"
)

// two starts two nodes on one database and one Redis.
func two(t *testing.T, redis *servers.RedisServer) (a, b *tenontest.App) {
	t.Helper()
	shared := tenontest.Configure(func(c *tenon.Config) { c.RedisURL = redis.URL() })
	url := tenontest.Database(t, db.Postgres)
	return tenontest.Node(t, url, shared), tenontest.Node(t, url, shared)
}

func TestTwoNodesAreOne(t *testing.T) {
	a, b := two(t, servers.Redis(t))
	ada := a.User("ada")
	org := a.Org(ada, "lovelace")
	atA, atB, channel := listen(t, a), listen(t, b), realtime.OrgWith(org, orgs.PermRead) // of which there are no hints
	here, there := open(t, atA, bearer(ada.Tokens.AccessToken)), open(t, atB, bearer(ada.Tokens.AccessToken))
	before := here.join(channel.Name())
	there.join(channel.Name())
	publish(t, a, channel, "test.one", nil)
	here.wants(channel.Name(), `{"type":"test.one"}`)
	there.wants(channel.Name(), `{"type":"test.one"}`)
	publish(t, b, channel, "test.two", nil)
	here.wants(channel.Name(), `{"type":"test.two"}`)

	t.Run("a position of one counts at the other", func(t *testing.T) {
		got := open(t, atB, bearer(ada.Tokens.AccessToken)).recover(channel.Name(), before.Epoch, before.Offset)
		if !got.Recovered || len(got.Pubs) != 2 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("who is there is there on both", func(t *testing.T) {
		servers.Within(t, soon, "two are there", func() bool {
			return len(there.ask(fmt.Sprintf(`"presence":{"channel":%q}`, channel.Name())).Presence.Presence) >= 2
		})
	})
	t.Run("a command reaches the node that has the connection", func(t *testing.T) {
		lines, _ := stream(t, atA, bearer(ada.Tokens.AccessToken))
		var m message
		if err := json.Unmarshal([]byte(wait(t, lines)), &m); err != nil || m.Connect == nil {
			t.Fatalf("not connected: %v", err)
		}
		command := fmt.Sprintf(`{"id":2,"subscribe":{"channel":%q}}`, channel.Name())
		body, err := json.Marshal(map[string]string{"session": m.Connect.Session, "node": m.Connect.Node, "data": command})
		if err != nil {
			t.Fatal(err)
		}
		servers.Within(t, soon, "the nodes know of each other", func() bool {
			return b.Call(nil, "POST", "/ws/emulation", string(body)).Status == http.StatusNoContent
		})
		if text := wait(t, lines); !strings.Contains(text, `"subscribe"`) {
			t.Errorf("got %s", text)
		}
	})
	t.Run("a right that ends on one ends on the other", func(t *testing.T) {
		w := open(t, atB, bearer(ada.Tokens.AccessToken))
		a.Call(ada, "POST", "/auth/logout", "").Want(t, http.StatusNoContent)
		if code := w.closed(within); code != 3500 {
			t.Errorf("closed with %d", code)
		}
	})
}

func TestTwoNodesWithoutRedisAreTwo(t *testing.T) {
	url := tenontest.Database(t, db.Postgres)
	a, b := tenontest.Node(t, url), tenontest.Node(t, url)
	ada := a.User("ada")
	w := open(t, listen(t, a), bearer(ada.Tokens.AccessToken))
	publish(t, b, realtime.User(ada.ID), "test.other", nil)
	publish(t, a, realtime.User(ada.ID), "test.own", nil)
	if m, err := w.next(soon); err != nil || string(m.Push.Pub.Data) != `{"type":"test.own"}` {
		t.Errorf("got %+v (%v)", m.Push, err)
	}
}

// R10: while Redis is away a node's own connections hear of what happens on it; when it is back,
// all are told that there was a gap, or that their position is worth nothing any more.
func TestWithoutRedisANodeServesItsOwnAndReportsTheGap(t *testing.T) {
	for _, c := range []struct {
		name       string
		away, back func(*testing.T, *servers.RedisServer)
	}{
		{"killed", func(t *testing.T, r *servers.RedisServer) { r.Kill(t) }, func(t *testing.T, r *servers.RedisServer) { r.Start(t) }},
		{"frozen", func(t *testing.T, r *servers.RedisServer) { r.Stop(t) }, func(t *testing.T, r *servers.RedisServer) { r.Continue(t) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			redis := servers.NewRedis(t)
			a, b := two(t, redis)
			ada := a.User("ada")
			atB := listen(t, b)
			here, there := open(t, listen(t, a), bearer(ada.Tokens.AccessToken)), open(t, atB, bearer(ada.Tokens.AccessToken))
			mine := realtime.User(ada.ID)
			publish(t, a, mine, "test.before", nil)
			here.wants(mine.Name(), `{"type":"test.before"}`)
			there.wants(mine.Name(), `{"type":"test.before"}`)

			c.away(t, redis)
			began := time.Now()
			for n := range 20 {
				publish(t, a, mine, "test.during", n)
			}
			if took := time.Since(began); took > soon/2 {
				t.Errorf("20 transactions took %v while Redis was away", took)
			}
			here.wants(mine.Name(), `{"type":"test.during","data":19}`)
			c.back(t, redis)
			if there.toldOfAGap(mine.Name()) {
				there = open(t, atB, bearer(ada.Tokens.AccessToken))
			}
			servers.Within(t, soon, "the nodes hear of each other again", func() bool {
				publish(t, a, mine, "test.after", nil)
				m, err := there.next(10 * time.Second)
				return err == nil && m.Push != nil && m.Push.Pub != nil && string(m.Push.Pub.Data) == `{"type":"test.after"}`
			})
		})
	}
}

// toldOfAGap waits until the client knows that it missed something: by a message, or by the end
// of the connection because its position is worth nothing any more.
func (w *wire) toldOfAGap(channel string) (ended bool) {
	w.t.Helper()
	for {
		m, err := w.next(2 * soon)
		if e, ok := errors.AsType[*websocket.CloseError](err); ok && e.Code == 3010 {
			return true
		}
		if err != nil {
			w.t.Fatalf("nobody says that there was a gap: %v", err)
		}
		if m.Push != nil && m.Push.Channel == channel && m.Push.Pub != nil && string(m.Push.Pub.Data) == `{"type":"gap"}` {
			return false
		}
	}
}
