package live

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/realtime"
	"github.com/tenonhq/tenon/tenontest"
	"github.com/tenonhq/tenon/tenontest/servers"
)

// frame is a frame as clients send them, masked with zeros (RFC 6455 §5.2).
func frame(first byte, payload []byte, announced uint64) []byte {
	head := []byte{first, 0x80 | 127}
	head = binary.BigEndian.AppendUint64(head, announced)
	return append(append(head, 0, 0, 0, 0), payload...)
}

const (
	final, more                           = 0x80, 0x00
	compressed                            = 0x40
	continuation, text, binaryFrame, ping = 0x0, 0x1, 0x2, 0x9
)

// C15: what no client of ours does ends its own connection, and nobody else notices.
func TestWhoSendsTooMuchIsClosedAndNobodyElseNotices(t *testing.T) {
	app := tenontest.Start(t, db.SQLite)
	ada := app.User("ada")
	at := listen(t, app)
	other := open(t, at, bearer(ada.Tokens.AccessToken))
	before := resident(t)
	for _, c := range []struct {
		name string
		send func(raw net.Conn) error
		code int
	}{
		{"a frame of 64 MiB", func(raw net.Conn) error {
			return write(raw, frame(final|text, nil, 64<<20), bytes.Repeat([]byte("x"), 1<<20), 64)
		}, websocket.CloseMessageTooBig},
		{"a frame of more than there can be", func(raw net.Conn) error {
			return write(raw, frame(final|text, nil, 1<<62), nil, 0)
		}, websocket.CloseMessageTooBig},
		{"10,000 fragments", func(raw net.Conn) error {
			return write(raw, frame(more|text, []byte(" "), 1), frame(more|continuation, []byte(" "), 1), 10_000)
		}, websocket.ClosePolicyViolation},
		{"10,000 larger fragments", func(raw net.Conn) error {
			return write(raw, frame(more|text, []byte(" "), 1), frame(more|continuation, bytes.Repeat([]byte(" "), 100), 100), 10_000)
		}, websocket.CloseMessageTooBig},
		{"a flood of pings", func(raw net.Conn) error { return write(raw, nil, []byte{final | ping, 0x80, 0, 0, 0, 0}, 5_000) }, websocket.ClosePolicyViolation},
		{"5,000 subscriptions", func(raw net.Conn) error {
			for n := range 5_000 {
				command := fmt.Appendf(nil, `{"id":%d,"subscribe":{"channel":"org:%d"}}`, n+2, n)
				if err := write(raw, frame(final|text, command, uint64(len(command))), nil, 0); err != nil {
					return err
				}
			}
			return nil
		}, websocket.ClosePolicyViolation},
		{"1,500 commands in a frame", func(raw net.Conn) error {
			all := []byte(strings.Repeat(`{"id":9,"presence":{"channel":"x"}}`+"\n", 1_500))
			return write(raw, frame(final|text, all, uint64(len(all))), nil, 0)
		}, websocket.ClosePolicyViolation},
		{"invalid UTF-8", func(raw net.Conn) error {
			bad := []byte("{\"id\":2,\"subscribe\":{\"channel\":\"\xff\xfe\"}}")
			return write(raw, frame(final|text, bad, uint64(len(bad))), nil, 0)
		}, websocket.CloseInvalidFramePayloadData},
		{"binary", func(raw net.Conn) error { return write(raw, frame(final|binaryFrame, []byte{1, 2, 3}, 3), nil, 0) }, websocket.CloseInvalidFramePayloadData},
		{"a compressed bomb, which nobody agreed to", func(raw net.Conn) error {
			var small bytes.Buffer
			z, _ := flate.NewWriter(&small, flate.BestCompression)
			for zeros, n := make([]byte, 1<<16), 0; n < 60<<20; n += len(zeros) {
				_, _ = z.Write(zeros)
			}
			_ = z.Flush()
			return write(raw, frame(final|compressed|text, small.Bytes(), uint64(small.Len())), nil, 0)
		}, websocket.CloseProtocolError},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, at, bearer(ada.Tokens.AccessToken))
			go func() { _ = c.send(w.ws.NetConn()) }() // which fails when the server has closed
			if code := w.closed(soon); code != c.code {
				t.Errorf("closed with %d, want %d", code, c.code)
			}
			publish(t, app, realtime.User(ada.ID), "test.still", c.name)
			other.wants(realtime.User(ada.ID).Name(), fmt.Sprintf(`{"type":"test.still","data":%q}`, c.name))
		})
	}
	if grown := resident(t) - before; grown > 64<<20 {
		t.Errorf("the process has grown by %d MiB", grown>>20)
	}
}

func write(to net.Conn, first, then []byte, times int) error {
	if _, err := to.Write(first); err != nil {
		return err
	}
	for range times {
		if _, err := to.Write(then); err != nil {
			return err
		}
	}
	return nil
}

// resident is what the process holds in memory, in bytes.
func resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("the system does not tell:", err)
	}
	_, line, _ := strings.Cut(string(status), "VmRSS:")
	var kilobytes int
	if _, err := fmt.Sscan(line, &kilobytes); err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

func TestConnectionsAreLimited(t *testing.T) {
	app := tenontest.Start(t, db.SQLite, tenontest.Configure(func(c *tenon.Config) {
		c.Realtime.PerAccount, c.Realtime.PerAddress = 3, 5
	}))
	ada, eve := app.User("ada"), app.User("eve")
	at := listen(t, app)
	var hers []*wire
	for range 3 {
		hers = append(hers, open(t, at, bearer(ada.Tokens.AccessToken)))
	}
	w, _, _ := dial(t, at, bearer(ada.Tokens.AccessToken))
	w.raw(`{"id":1,"connect":{}}`)
	if code := w.closed(soon); code != 3504 {
		t.Errorf("the fourth of an account is closed with %d", code)
	}
	servers.Within(t, soon, "who was refused is not counted", func() bool {
		w, _, _ := dial(t, at, bearer(eve.Tokens.AccessToken))
		return w != nil && w.connect("").Connect != nil
	})
	dial(t, at, nil)
	servers.Within(t, soon, "an address has a limit", func() bool {
		_, status, code := dial(t, at, bearer(eve.Tokens.AccessToken))
		return status == http.StatusTooManyRequests && code == "realtime.too_many_connections"
	})
	for _, w := range hers {
		_ = w.ws.Close()
	}
	servers.Within(t, soon, "who has left makes room", func() bool {
		w, _, _ := dial(t, at, bearer(ada.Tokens.AccessToken))
		return w != nil && w.connect("").Connect != nil
	})
}

func TestAStormIsToldToComeBack(t *testing.T) {
	app := tenontest.Start(t, db.SQLite, tenontest.Configure(func(c *tenon.Config) { c.Realtime.Accept = 5 }))
	at := listen(t, app)
	shed := 0
	for range 40 {
		if _, status, code := dial(t, at, nil); status == http.StatusServiceUnavailable && code == "realtime.busy" {
			shed++
		}
	}
	if shed < 20 {
		t.Errorf("%d of 40 were told to come back", shed)
	}
	q := app.Request("GET", "/ws/sse?cf_connect=%7B%22id%22%3A1%2C%22connect%22%3A%7B%7D%7D", "")
	if a := app.Send(q).WantCode(t, http.StatusServiceUnavailable, "realtime.busy"); a.Header.Get("Retry-After") == "" {
		t.Error("nobody says when")
	}
}

// Who reads too slowly is let go of, and keeps nobody waiting.
func TestWhoDoesNotReadIsClosed(t *testing.T) {
	app := tenontest.Start(t, db.SQLite)
	ada := app.User("ada")
	at := listen(t, app)
	slow, quick := open(t, at, bearer(ada.Tokens.AccessToken)), open(t, at, bearer(ada.Tokens.AccessToken))
	if tcp, ok := slow.ws.NetConn().(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4 << 10)
	}
	heard := make(chan struct{}, 4096)
	go func() {
		for {
			m, err := quick.next(soon)
			if err != nil {
				return
			}
			if m.Push != nil {
				heard <- struct{}{}
			}
		}
	}()
	filler := strings.Repeat("x", 30<<10)
	for range 600 {
		publish(t, app, realtime.User(ada.ID), "test.much", filler)
		wait(t, heard)
	}
	servers.Within(t, soon, "the slow one is gone", func() bool {
		if err := slow.ws.SetReadDeadline(time.Now().Add(soon)); err != nil {
			return true
		}
		for {
			if _, _, err := slow.ws.ReadMessage(); err != nil {
				return true
			}
		}
	})
}
