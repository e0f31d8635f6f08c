package live

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tenonhq/tenon/platform/realtime"
	"github.com/tenonhq/tenon/tenontest"
)

// told is what the client from npm says that happened.
type told struct {
	Event, Transport, Channel string
	Data                      json.RawMessage
	Code, Present             int
	Recovered                 bool
}

// npm runs the client until the test ends.
func npm(t *testing.T, asked map[string]any) <-chan told {
	t.Helper()
	_, noNode := exec.LookPath("node")
	if _, missing := os.Stat(filepath.Join("..", "..", "node_modules", "centrifuge")); noNode != nil || missing != nil {
		const why = "the client is not installed: run npm ci in the root of the repository"
		if os.Getenv("CI") == "true" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	in, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "client.mjs")
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(in)), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	all := make(chan told, 100)
	go func() {
		defer close(all)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var one told
			if json.Unmarshal(lines.Bytes(), &one) == nil {
				all <- one
			}
		}
		_ = cmd.Wait() // it is killed when the test ends
	}()
	return all
}

func until(t *testing.T, all <-chan told, event string) told {
	t.Helper()
	for {
		one := wait(t, all)
		if one.Event == event {
			return one
		}
		if one.Event == "" || one.Event == "disconnected" {
			t.Fatalf("waiting for %s, got %+v", event, one)
		}
	}
}

func TestTheStockClientFromNpmWorksUnchanged(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada := app.User("ada")
		org := app.Org(ada, "lovelace")
		at, channel := listen(t, app), realtime.Org(org)
		browser := map[string]any{"Cookie": cookie(t, app, ada), "Origin": at}
		for _, c := range []struct {
			transport string
			more      map[string]any
		}{
			{"websocket", map[string]any{"headers": browser}},
			{"websocket", map[string]any{"token": ada.Tokens.AccessToken}},
			{"websocket", map[string]any{"token": ada.Tokens.AccessToken, "refreshes": true}},
			{"sse", map[string]any{"headers": browser}},
			{"http_stream", map[string]any{"headers": browser}},
			{"http_stream", map[string]any{"token": ada.Tokens.AccessToken}},
		} {
			asked := map[string]any{"url": at, "transport": c.transport, "channel": channel.Name()}
			by := "cookie"
			for name, value := range c.more {
				asked[name] = value
				if name != "headers" {
					by = name
				}
			}
			t.Run(c.transport+" by "+by, func(t *testing.T) {
				all := npm(t, asked)
				if got := until(t, all, "connected"); got.Transport != c.transport {
					t.Errorf("connected by %s", got.Transport)
				}
				if got := until(t, all, "subscribed"); got.Present < 1 {
					t.Errorf("%d are present", got.Present)
				}
				for _, to := range []realtime.Channel{channel, realtime.User(ada.ID)} {
					publish(t, app, to, "test.npm", by)
					got := until(t, all, "publication")
					if got.Channel != to.Name() || string(got.Data) != fmt.Sprintf(`{"type":"test.npm","data":%q}`, by) {
						t.Errorf("in %s came %s", got.Channel, got.Data)
					}
				}
			})
		}
		t.Run("it is told when it is signed out, and stays away", func(t *testing.T) {
			other := *ada
			other.Tokens = app.SignIn(ada)
			all := npm(t, map[string]any{"url": at, "transport": "websocket", "channel": channel.Name(), "token": other.Tokens.AccessToken})
			until(t, all, "subscribed")
			app.Call(&other, "POST", "/auth/logout", "").Want(t, http.StatusNoContent)
			for one := wait(t, all); one.Event != "disconnected"; one = wait(t, all) {
			}
		})
		t.Run("it is told that a channel is not its own", func(t *testing.T) {
			eve := app.User("eve")
			all := npm(t, map[string]any{"url": at, "transport": "websocket", "channel": channel.Name(), "token": eve.Tokens.AccessToken})
			if got := until(t, all, "unsubscribed"); got.Code != 103 {
				t.Errorf("unsubscribed with %d", got.Code)
			}
		})
	})
}
