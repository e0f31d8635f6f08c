// Package live connects to a real server, as browsers and programs do.
package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/realtime"
	"github.com/tenonhq/tenon/tenontest"
)

// soon is how long something may take that takes milliseconds on an idle machine.
const soon = 20 * time.Second

// listen serves the app on a real address until the test ends.
func listen(t *testing.T, app *tenontest.App) (url string) {
	t.Helper()
	s := httptest.NewServer(app.Handler())
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

func socketURL(url string) string { return "ws" + strings.TrimPrefix(url, "http") + "/api/v1/ws" }

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// wire is a client that speaks the protocol by hand.
type wire struct {
	t  *testing.T
	ws *websocket.Conn
	id int

	lines []string // of a frame that were not looked at yet
}

// message is what the server sends: a reply where id is set, else a push; empty is a ping.
type message struct {
	ID    int `json:"id"`
	Error *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
	Connect *struct {
		Client, Session, Node string
		Expires               bool
		TTL                   int                        `json:"ttl"`
		Subs                  map[string]json.RawMessage `json:"subs"`
	} `json:"connect"`
	Subscribe *subscribed `json:"subscribe"`
	Presence  *struct {
		Presence map[string]map[string]any `json:"presence"`
	} `json:"presence"`
	Push *struct {
		Channel string `json:"channel"`
		Pub     *struct {
			Data   json.RawMessage `json:"data"`
			Offset uint64          `json:"offset"`
		} `json:"pub"`
		Unsubscribe *struct{ Code int } `json:"unsubscribe"`
		Disconnect  *struct{ Code int } `json:"disconnect"`
	} `json:"push"`
}

type subscribed struct {
	Epoch     string `json:"epoch"`
	Offset    uint64 `json:"offset"`
	Recovered bool   `json:"recovered"`
	Pubs      []struct {
		Data json.RawMessage `json:"data"`
	} `json:"publications"`
}

// dial opens a WebSocket. The status is what the server answered where it refused.
func dial(t *testing.T, url string, header http.Header) (*wire, int, string) {
	t.Helper()
	ws, answer, err := (&websocket.Dialer{HandshakeTimeout: soon}).Dial(socketURL(url), header)
	if err != nil {
		if answer == nil {
			t.Fatalf("dial: %v", err)
		}
		var problem struct{ Code string }
		_ = json.NewDecoder(answer.Body).Decode(&problem) // Code stays empty
		return nil, answer.StatusCode, problem.Code
	}
	t.Cleanup(func() { _ = ws.Close() })
	return &wire{t: t, ws: ws}, answer.StatusCode, ""
}

// open is dial where nothing may be refused, and the connect command.
func open(t *testing.T, url string, header http.Header) *wire {
	t.Helper()
	w, status, code := dial(t, url, header)
	if w == nil {
		t.Fatalf("the connection was refused: %d %s", status, code)
	}
	if r := w.connect(""); r.Error != nil {
		t.Fatalf("connect: %+v", *r.Error)
	}
	return w
}

func (w *wire) raw(text string) {
	w.t.Helper()
	if err := w.ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		w.t.Fatalf("send: %v", err)
	}
}

// ask sends a command and returns its reply; pushes before it are lost.
func (w *wire) ask(command string) message {
	w.t.Helper()
	w.id++
	w.raw(fmt.Sprintf(`{"id":%d,%s}`, w.id, command))
	for {
		m, err := w.next(soon)
		if err != nil {
			w.t.Fatalf("no reply to %s: %v", command, err)
		}
		if m.ID == w.id {
			return m
		}
	}
}

func (w *wire) connect(token string) message {
	w.t.Helper()
	return w.ask(fmt.Sprintf(`"connect":{"token":%q}`, token))
}

func (w *wire) subscribe(channel string) message {
	w.t.Helper()
	return w.ask(fmt.Sprintf(`"subscribe":{"channel":%q,"recover":false}`, channel))
}

// join subscribes to a channel that must be allowed.
func (w *wire) join(channel string) *subscribed {
	w.t.Helper()
	r := w.subscribe(channel)
	if r.Error != nil {
		w.t.Fatalf("subscribe to %s: %+v", channel, *r.Error)
	}
	return r.Subscribe
}

func (w *wire) recover(channel, epoch string, offset uint64) *subscribed {
	w.t.Helper()
	r := w.ask(fmt.Sprintf(`"subscribe":{"channel":%q,"recover":true,"epoch":%q,"offset":%d}`, channel, epoch, offset))
	if r.Error != nil {
		w.t.Fatalf("recover %s: %+v", channel, *r.Error)
	}
	return r.Subscribe
}

// next returns the next message that is no ping.
func (w *wire) next(within time.Duration) (message, error) {
	var m message
	if err := w.ws.SetReadDeadline(time.Now().Add(within)); err != nil {
		return m, err
	}
	for {
		if len(w.lines) == 0 {
			_, frame, err := w.ws.ReadMessage()
			if err != nil {
				return m, err
			}
			w.lines = strings.Split(strings.TrimSpace(string(frame)), "\n")
		}
		line := w.lines[0]
		w.lines = w.lines[1:]
		if line == "{}" {
			continue
		}
		return m, json.Unmarshal([]byte(line), &m)
	}
}

// wants waits for a publication with the data.
func (w *wire) wants(channel, data string) {
	w.t.Helper()
	for {
		m, err := w.next(soon)
		if err != nil {
			w.t.Fatalf("%s in %s did not come: %v", data, channel, err)
		}
		if m.Push != nil && m.Push.Channel == channel && m.Push.Pub != nil && string(m.Push.Pub.Data) == data {
			return
		}
	}
}

// closed waits until the server closes, and returns the code.
func (w *wire) closed(within time.Duration) int {
	w.t.Helper()
	for end := time.Now().Add(within); ; {
		_, err := w.next(time.Until(end))
		if e, ok := errors.AsType[*websocket.CloseError](err); ok {
			return e.Code
		}
		if err != nil {
			w.t.Fatalf("the connection was not closed with a code: %v", err)
		}
	}
}

// publish publishes in a transaction that commits.
func publish(t *testing.T, app *tenontest.App, c realtime.Channel, kind string, data any) {
	t.Helper()
	err := app.DB.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
		app.Live.In(tx).Publish(t.Context(), c, kind, data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// cookie signs somebody in as browsers do.
func cookie(t *testing.T, app *tenontest.App, u *tenontest.User) string {
	t.Helper()
	a := app.Call(nil, "POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q,"cookie":true}`, u.Email, u.Password)).Want(t, http.StatusOK)
	c, _, _ := strings.Cut(a.Header.Get("Set-Cookie"), ";")
	return c
}
