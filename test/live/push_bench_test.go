package live

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/realtime"
	"github.com/tenonhq/tenon/tenontest"
)

const subscribers = 1000

// BenchmarkPush pushes messages to 1,000 WebSockets: ours from a committed transaction, and a
// library with nothing around it. Clients run in the same process, and cost both the same.
// Each message waits until the one before has arrived everywhere, or ten are under way.
func BenchmarkPush(b *testing.B) {
	for _, together := range []int{1, 10} {
		benchmarkPush(b, together)
	}
}

func benchmarkPush(b *testing.B, together int) {
	way := fmt.Sprintf("/%d-under-way", together)
	b.Run("bare"+way, func(b *testing.B) {
		hub := &bareHub{}
		hub.joining.Add(subscribers)
		s := httptest.NewServer(hub)
		b.Cleanup(s.Close)
		measure(b, together, "ws"+strings.TrimPrefix(s.URL, "http"), nil, "", func() {
			hub.send([]byte(`{"push":{"channel":"news","pub":{"data":{"type":"test.push","data":12345}}}}`))
		})
	})
	b.Run("ours"+way, func(b *testing.B) {
		app := tenontest.Start(b, db.SQLite, tenontest.Configure(func(c *tenon.Config) {
			c.Realtime.PerAccount, c.Realtime.PerAddress, c.Realtime.Accept = 2*subscribers, 2*subscribers, 2*subscribers
		}))
		ada := app.User("ada")
		s := httptest.NewServer(app.Handler())
		b.Cleanup(s.Close)
		measure(b, together, socketURL(s.URL), bearer(ada.Tokens.AccessToken), `{"id":1,"connect":{}}`, func() {
			err := app.DB.Platform("test").Tx(b.Context(), func(tx *db.Tx) error {
				app.Live.In(tx).Publish(b.Context(), realtime.User(ada.ID), "test.push", 12345)
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	})
}

// measure counts deliveries: messages of ours, of which a frame may hold several.
func measure(b *testing.B, together int, url string, header http.Header, hello string, send func()) {
	b.Helper()
	var heard atomic.Int64
	all := make(chan struct{}, 1)
	var want atomic.Int64
	var ready sync.WaitGroup
	for range subscribers {
		ws, _, err := websocket.DefaultDialer.Dial(url, header)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = ws.Close() })
		ready.Add(1)
		if hello == "" {
			ready.Done()
		} else if err := ws.WriteMessage(websocket.TextMessage, []byte(hello)); err != nil {
			b.Fatal(err)
		}
		go func() {
			greeted := hello == ""
			for {
				_, frame, err := ws.ReadMessage()
				if err != nil {
					return
				}
				if slices.Contains(strings.Split(string(frame), "\n"), "{}") { // a ping, which wants an answer
					_ = ws.WriteMessage(websocket.TextMessage, []byte("{}")) // clients stay until the end
				}
				if !greeted {
					greeted = true
					ready.Done()
					continue
				}
				brought := int64(strings.Count(string(frame), `"test.push"`))
				if n := heard.Add(brought); brought > 0 && n == want.Load() {
					all <- struct{}{}
				}
			}
		}()
	}
	ready.Wait()
	b.ResetTimer()
	for n := 0; n < b.N; n += together {
		some := min(together, b.N-n)
		want.Store(heard.Load() + int64(some*subscribers))
		for range some {
			send()
		}
		select {
		case <-all:
		case <-time.After(soon):
			b.Fatalf("n=%d heard %d want %d", n, heard.Load(), want.Load())
		}
	}
	b.ReportMetric(float64(b.N*subscribers)/b.Elapsed().Seconds(), "deliveries/s")
}

// bareHub sends to every connection, one after the other.
type bareHub struct {
	joining sync.WaitGroup
	mu      sync.Mutex
	all     []*websocket.Conn
}

func (h *bareHub) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	ws, err := (&websocket.Upgrader{}).Upgrade(w, q, nil)
	if err != nil {
		return
	}
	h.mu.Lock()
	h.all = append(h.all, ws)
	h.mu.Unlock()
	h.joining.Done()
}

func (h *bareHub) send(message []byte) {
	h.joining.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, ws := range h.all {
		_ = ws.WriteMessage(websocket.TextMessage, message) // clients stay until the end
	}
}
