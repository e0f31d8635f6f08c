package live

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"
	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/realtime"
	"github.com/tenonhq/tenon/tenontest"
	"github.com/tenonhq/tenon/tenontest/servers"
)

func TestWhatIsPublishedInATransactionArrivesAfterItsCommitAndNeverWithoutOne(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		root, ada := app.Administrator("root"), app.User("ada")
		org := app.Org(ada, "lovelace")
		at := listen(t, app)
		hers, theirs := open(t, at, bearer(ada.Tokens.AccessToken)), open(t, at, bearer(root.Tokens.AccessToken))
		theirs.join("admin")
		all := []realtime.Channel{realtime.Org(org), realtime.OrgWith(org, orgs.PermRead)}
		for _, c := range all {
			hers.join(c.Name())
		}
		for _, c := range append(all, realtime.User(ada.ID), realtime.Administrators()) {
			to := hers
			if c == realtime.Administrators() {
				to = theirs
			}
			err := app.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
				app.Live.In(tx).Publish(t.Context(), c, "test.undone", nil)
				return context.Canceled
			})
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			publish(t, app, c, "test.done", map[string]int{"n": 1})
			m, err := to.next(soon)
			if err != nil || m.Push == nil || m.Push.Channel != c.Name() || string(m.Push.Pub.Data) != `{"type":"test.done","data":{"n":1}}` {
				t.Errorf("in %s came %+v (%v)", c.Name(), m.Push, err)
			}
		}
	})
}

func TestAStockClientConnectsByCookieAndByToken(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		at := listen(t, app)
		page := http.Header{"Cookie": {cookie(t, app, ada)}, "Origin": {at}}
		for name, config := range map[string]centrifuge.Config{
			"cookie": {Header: page}, "token": {Token: ada.Tokens.AccessToken}, "header": {Header: bearer(ada.Tokens.AccessToken)},
			"getToken": {GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) { return ada.Tokens.AccessToken, nil }},
		} {
			t.Run(name, func(t *testing.T) {
				client := centrifuge.NewJsonClient(socketURL(at), config)
				defer client.Close()
				got, ready := make(chan string, 10), make(chan struct{}, 1)
				client.OnSubscribed(func(centrifuge.ServerSubscribedEvent) { ready <- struct{}{} })
				client.OnPublication(func(e centrifuge.ServerPublicationEvent) { got <- string(e.Data) })
				if err := client.Connect(); err != nil {
					t.Fatal(err)
				}
				wait(t, ready)
				publish(t, app, realtime.User(ada.ID), "test.hello", nil)
				if text := wait(t, got); text != `{"type":"test.hello"}` {
					t.Errorf("got %s", text)
				}
			})
		}
	})
}

func wait[T any](t testing.TB, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(soon):
		t.Fatal("nothing came")
	}
	return v
}

// stream opens a connection by server-sent events, and returns its messages.
func stream(t *testing.T, at string, header http.Header) (lines <-chan string, status int) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), "GET", at+"/api/v1/ws/sse?cf_connect="+url.QueryEscape(`{"id":1,"connect":{}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header = header
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan string, 100)
	go func() {
		defer answer.Body.Close()
		defer close(out)
		for s := bufio.NewScanner(answer.Body); s.Scan(); {
			if data, ok := strings.CutPrefix(s.Text(), "data: "); ok && data != "{}" {
				out <- data
			}
		}
	}()
	return out, answer.StatusCode
}

func TestServerSentEventsBringTheSame(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		at := listen(t, app)
		page := http.Header{"Cookie": {cookie(t, app, ada)}, "Sec-Fetch-Site": {"same-origin"}}
		for _, header := range []http.Header{bearer(ada.Tokens.AccessToken), page} {
			lines, status := stream(t, at, header)
			if status != http.StatusOK || !strings.Contains(wait(t, lines), `"connect":{`) {
				t.Fatalf("not connected: %d", status)
			}
			publish(t, app, realtime.User(ada.ID), "test.hello", nil)
			if text := wait(t, lines); !strings.Contains(text, `{"type":"test.hello"}`) {
				t.Errorf("got %s", text)
			}
		}
	})
}

func TestOnlyWhoMaySubscribes(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		root, ada, eve := app.Administrator("root"), app.User("ada"), app.User("eve")
		org, other := app.Org(ada, "lovelace"), app.Org(eve, "elsewhere")
		viewer := app.Member(org, "vera", authz.Viewer)
		key := app.Key(ada, org, orgs.PermRead)
		at := listen(t, app)
		denied := 103
		for _, c := range []struct {
			who, token, channel string
			code                int
		}{
			{"a member", ada.Tokens.AccessToken, realtime.Org(org).Name(), 0},
			{"a member who has it", ada.Tokens.AccessToken, realtime.OrgWith(org, "audit.read").Name(), 0},
			{"a member who has it not", viewer.Tokens.AccessToken, realtime.OrgWith(org, "audit.read").Name(), denied},
			{"a weaker member", viewer.Tokens.AccessToken, realtime.Org(org).Name(), 0},
			{"somebody else", eve.Tokens.AccessToken, realtime.Org(org).Name(), denied},
			{"an administrator", root.Tokens.AccessToken, realtime.Org(org).Name(), denied},
			{"nobody's organization", ada.Tokens.AccessToken, realtime.Org(id.New[id.OrgKind]()).Name(), denied},
			{"no administrator", ada.Tokens.AccessToken, "admin", denied},
			{"administrators", root.Tokens.AccessToken, "admin", 0},
			{"another person's", eve.Tokens.AccessToken, realtime.User(ada.ID).Name(), denied},
			{"no permission", ada.Tokens.AccessToken, realtime.Org(org).Name() + ":", denied},
			{"an unknown permission", ada.Tokens.AccessToken, realtime.Org(org).Name() + ":no.such", denied},
			{"another spelling", ada.Tokens.AccessToken, strings.ToUpper(realtime.Org(org).Name()), denied},
			{"no channel", ada.Tokens.AccessToken, "news", denied},
			{"a key", key, realtime.Org(org).Name(), 0},
			{"a key within its scopes", key, realtime.OrgWith(org, orgs.PermRead).Name(), 0},
			{"a key beyond its scopes", key, realtime.OrgWith(org, "audit.read").Name(), denied},
			{"a key elsewhere", key, realtime.Org(other).Name(), denied},
			{"a key as its owner", key, realtime.User(ada.ID).Name(), denied},
		} {
			w := open(t, at, bearer(c.token))
			got := 0
			if r := w.subscribe(c.channel); r.Error != nil {
				got = r.Error.Code
			}
			if got != c.code {
				t.Errorf("%s: %s answers %d, want %d", c.who, c.channel, got, c.code)
			}
			for _, command := range []string{`"publish":{"channel":%q,"data":{}}`, `"rpc":{"method":%q}`} {
				if r := w.ask(fmt.Sprintf(command, c.channel)); r.Error == nil {
					t.Errorf("%s: may %s", c.who, command)
				}
			}
		}
		w, _, _ := dial(t, at, nil)
		r := w.ask(fmt.Sprintf(`"connect":{"token":%q}`, key))
		if r.Error != nil || len(r.Connect.Subs) != 0 {
			t.Errorf("a key is connected as %+v (%+v)", r.Connect, r.Error)
		}
	})
}

func TestMembersSeeWhoIsThere(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		org := app.Org(ada, "lovelace")
		bob, eve := app.Member(org, "bob", authz.Member), app.User("eve")
		at, channel := listen(t, app), realtime.Org(org).Name()
		hers, his := open(t, at, bearer(ada.Tokens.AccessToken)), open(t, at, bearer(bob.Tokens.AccessToken))
		hers.join(channel)
		his.join(channel)
		asked := fmt.Sprintf(`"presence":{"channel":%q}`, channel)
		users := map[string]bool{}
		for client, info := range hers.ask(asked).Presence.Presence {
			users[info["user"].(string)] = true
			if diff := cmp.Diff(map[string]any{"client": client, "user": info["user"]}, info); diff != "" {
				t.Errorf("presence says more than who is there:\n%s", diff)
			}
		}
		if diff := cmp.Diff(map[string]bool{ada.ID.String(): true, bob.ID.String(): true}, users); diff != "" {
			t.Errorf("who is there (-want +got):\n%s", diff)
		}
		if r := open(t, at, bearer(eve.Tokens.AccessToken)).ask(asked); r.Error == nil || r.Error.Code != 103 {
			t.Errorf("a stranger sees %+v", r.Presence)
		}
		if err := his.ws.Close(); err != nil {
			t.Fatal(err)
		}
		servers.Within(t, soon, "who has left is not there", func() bool { return len(hers.ask(asked).Presence.Presence) == 1 })
	})
}

func TestWhoComesBackGetsWhatTheyMissed(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		org := app.Org(ada, "lovelace")
		at, channel := listen(t, app), realtime.Org(org)
		w := open(t, at, bearer(ada.Tokens.AccessToken))
		before := w.join(channel.Name())
		if err := w.ws.Close(); err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			publish(t, app, channel, "test.missed", n)
		}
		servers.Within(t, soon, "what was missed is remembered", func() bool {
			return len(open(t, at, bearer(ada.Tokens.AccessToken)).recover(channel.Name(), before.Epoch, before.Offset).Pubs) == 3
		})
		got := open(t, at, bearer(ada.Tokens.AccessToken)).recover(channel.Name(), before.Epoch, before.Offset+1)
		if !got.Recovered || len(got.Pubs) != 2 || string(got.Pubs[0].Data) != `{"type":"test.missed","data":1}` {
			t.Errorf("after the first came %+v", got)
		}
		if got := open(t, at, bearer(ada.Tokens.AccessToken)).recover(channel.Name(), "another", before.Offset); got.Recovered {
			t.Error("a position of another epoch counts")
		}
		for n := range 150 {
			publish(t, app, channel, "test.many", n)
		}
		servers.Within(t, soon, "a gap too large is said to be one", func() bool {
			return !open(t, at, bearer(ada.Tokens.AccessToken)).recover(channel.Name(), before.Epoch, before.Offset).Recovered
		})
	})
}

func TestEventsAreFollowedByHintsThatSayNoMoreThanTheirTopic(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		root, ada := app.Administrator("root"), app.User("ada")
		org := app.Org(ada, "lovelace")
		viewer := app.Member(org, "vera", authz.Viewer)
		at := listen(t, app)
		w := open(t, at, bearer(viewer.Tokens.AccessToken))
		w.join(realtime.Org(org).Name())
		hers, theirs := open(t, at, bearer(ada.Tokens.AccessToken)), open(t, at, bearer(root.Tokens.AccessToken))
		theirs.join("admin")

		app.Call(ada, "PATCH", "/orgs/"+org.String(), `{"name":"Lovelace & Co."}`).Want(t, http.StatusOK)
		w.wants(realtime.Org(org).Name(), `{"type":"changed","data":{"topic":"orgs"}}`)
		app.Call(ada, "PATCH", "/users/me", `{"name":"Augusta"}`).Want(t, http.StatusOK)
		hers.wants(realtime.User(ada.ID).Name(), `{"type":"changed","data":{"topic":"accounts"}}`)
		app.Call(root, "POST", "/admin/flags", `{"key":"live","type":"boolean","client":true,"enabled":true,"reason":"test"}`).Want(t, http.StatusCreated)
		theirs.wants("admin", `{"type":"changed","data":{"topic":"flags"}}`)
	})
}
