package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tenonhq/tenon/tenontest/servers"
)

// R20: a node is restarted, and everybody who was connected to it comes back.
func TestEverybodyComesBackAndHasMissedNothing(t *testing.T) {
	for name, jitter := range map[string]bool{"as the stock clients do": true, "without patience": false} {
		if jitter && !full() {
			continue // it takes its time
		}
		t.Run(name, func(t *testing.T) {
			many := size(400, 10_000)
			settings := []string{"DATABASE_URL=" + servers.Postgres(t).CreateDatabase(t), "TENON_RATELIMIT=off", "TENON_ADDR=" + freeAddress(t), "TENON_DRAIN_DELAY=0s",
				fmt.Sprint("TENON_REALTIME_CONNECTIONS_PER_ACCOUNT=", many), fmt.Sprint("TENON_REALTIME_ACCEPT_PER_SECOND=", size(100, 500))}
			n := start(t, settings...)
			ada := n.person(t, "ada")
			people, tokens := make([]*person, size(4, 40)), []string{}
			for i := range people {
				people[i] = n.person(t, fmt.Sprint("member", i))
				tokens = append(tokens, people[i].Token)
			}
			org := n.organization(t, ada, people...)
			_, before := n.memory()
			all := gather(t, order{n.url, many, tokens, jitter})
			all.await(many, 3*time.Minute)
			_, held := n.memory()
			t.Logf("%d are connected: %.1f kB for each", many, float64(held-before)*1024/float64(many))

			n.signal(syscall.SIGTERM)
			if code := n.exit(40 * time.Second); code != 0 {
				t.Errorf("it exits with %d", code)
			}
			all.left()
			n = start(t, settings...)
			again := time.Now()
			traffic := begin(20, func(i int) answer {
				if i%10 == 0 {
					return n.send(login(ada.Email, password))
				}
				return n.send(me(ada))
			})
			all.await(many/4, time.Minute)
			for _, p := range people { // each is told something meanwhile
				n.role(t, ada, org, p, "admin")
			}
			all.await(many, 3*time.Minute)
			took := time.Since(again)
			good := traffic.stop()
			signIns := good.where(func(a answer) bool { return a.get("access_token") != "" })
			n.alive()
			t.Logf("all are back after %v, %d times somebody was told to come later; others meanwhile: %v, of which sign-ins: %v", took.Round(time.Millisecond), all.shed(), good, signIns)
			if took > time.Minute {
				t.Errorf("the last is back after %v", took)
			}
			if all.shed() == 0 {
				t.Error("nobody was told to come later: it was no storm")
			}
			if p95 := good.percentile(95); p95 > time.Second {
				t.Errorf("95%% of the others are answered within %v", p95)
			}
			good.where(func(a answer) bool { return a.status != 200 }).wantNone(t, "failed meanwhile")
			servers.Within(t, 20*time.Second, "everybody knows what they were told meanwhile", func() bool { return all.now().Know == many })
			all.wrong()
		})
	}
}

// crowd is many who want to be connected, always. They are a process of their own, which gives
// way to others: who is connected elsewhere has a processor elsewhere.
type crowd struct {
	t    testing.TB
	mu   sync.Mutex
	told counts
	base int // of those who were shed before
}

// counts is what a crowd tells of itself, every moment.
type counts struct {
	Here, Know, Shed int
	Odd              map[string]int // what should not happen, and how often it did
}

// order is what a crowd is to do.
type order struct {
	URL    string
	Many   int
	Tokens []string
	Jitter bool
}

func gather(t testing.TB, o order) *crowd {
	t.Helper()
	cmd := exec.Command("nice", "-n", "10", os.Args[0])
	cmd.Env = append(os.Environ(), "TENON_FAULT_CROWD=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	must(t, json.NewEncoder(in).Encode(o)) // it ends with its input
	c := &crowd{t: t}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for d := json.NewDecoder(out); ; {
			var now counts
			if d.Decode(&now) != nil {
				return
			}
			c.mu.Lock()
			c.told = now
			c.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = in.Close()
		<-heard
		must(t, cmd.Wait())
	})
	return c
}

func (c *crowd) now() counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.told
}

func (c *crowd) await(many int, limit time.Duration) {
	c.t.Helper()
	servers.Within(c.t, limit, fmt.Sprint(many, " are connected"), func() bool { return c.now().Here >= many })
}

// left waits until nobody is connected.
func (c *crowd) left() {
	c.t.Helper()
	servers.Within(c.t, 10*time.Second, "everybody was disconnected", func() bool { return c.now().Here == 0 })
	c.base = c.now().Shed
}

// shed is how often somebody was told to come later, since all had left.
func (c *crowd) shed() int { return c.now().Shed - c.base }

func (c *crowd) wrong() {
	c.t.Helper()
	for what, times := range c.now().Odd {
		c.t.Errorf("%d times: %s", times, what)
	}
}

// assemble is the crowd's own process.
func assemble() int {
	var o order
	if err := json.NewDecoder(os.Stdin).Decode(&o); err != nil {
		fmt.Fprintln(os.Stderr, "crowd:", err)
		return 1
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until it is closed
		cancel()
	}()
	all := &members{order: o, end: ctx, odd: map[string]int{}}
	var everybody sync.WaitGroup
	for i := range o.Many {
		everybody.Go(func() { all.live(i) })
	}
	for tell := json.NewEncoder(os.Stdout); ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		if tell.Encode(all.counts()) != nil {
			cancel()
		}
	}
	everybody.Wait()
	return 0
}

// members are those in a crowd.
type members struct {
	order
	end              context.Context
	here, know, shed atomic.Int64
	mu               sync.Mutex
	odd              map[string]int
}

func (c *members) counts() counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return counts{int(c.here.Load()), int(c.know.Load()), int(c.shed.Load()), maps.Clone(c.odd)}
}

func (c *members) note(odd string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.odd[odd]++
}

// wait is how long somebody waits before the next try.
func (c *members) wait(try int) time.Duration {
	if !c.Jitter {
		return time.Second
	}
	most := min(20*time.Second, 500*time.Millisecond<<min(try, 6)) // as the stock clients do
	return 500*time.Millisecond + time.Duration(rand.Int64N(int64(most)))
}

// live connects, listens, and comes back.
func (c *members) live(i int) {
	as := &person{Token: c.Tokens[i%len(c.Tokens)]}
	// Another address for each: one has 28,000 ports, and each of them rests for a minute.
	dialer := websocket.Dialer{ReadBufferSize: 512, WriteBufferSize: 512, HandshakeTimeout: 30 * time.Second,
		NetDialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(i>>8), byte(i))}}).DialContext}
	knows := false
	learn := func() {
		if !knows {
			knows = true
			c.know.Add(1)
		}
	}
	for try := 0; c.end.Err() == nil; try++ {
		ws, answer, err := dialer.DialContext(c.end, "ws"+strings.TrimPrefix(c.URL, "http")+"/api/v1/ws", http.Header{"Authorization": {"Bearer " + as.Token}})
		if err == nil {
			stop := context.AfterFunc(c.end, func() { _ = ws.Close() })
			if c.listen(ws, as, learn) {
				try = 0
			}
			stop()
			_ = ws.Close()
		} else if answer != nil {
			c.shed.Add(1)
			if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
				c.note(fmt.Sprint("refused with ", answer.Status))
			}
		}
		select {
		case <-c.end.Done():
		case <-time.After(c.wait(try)):
		}
	}
}

// listen reads until the connection ends, and reports whether it was let in.
func (c *members) listen(ws *websocket.Conn, as *person, learn func()) (in bool) {
	if ws.WriteMessage(websocket.TextMessage, []byte(`{"id":1,"connect":{}}`)) != nil {
		return false
	}
	for {
		_, frame, err := ws.ReadMessage()
		if err != nil {
			if in {
				c.here.Add(-1)
			}
			return in
		}
		for line := range strings.SplitSeq(strings.TrimSpace(string(frame)), "\n") {
			switch {
			case line == "{}":
				_ = ws.WriteMessage(websocket.TextMessage, []byte("{}")) // or reading ends
			case strings.Contains(line, `"notifications.created"`):
				learn()
			case !in && strings.Contains(line, `"connect"`):
				in = true
				c.here.Add(1)
				if c.unread(as) > 0 { // what came before the connection is asked for
					learn()
				}
			case strings.Contains(line, `"error"`):
				c.note(line)
			}
		}
	}
}

func (c *members) unread(as *person) (n int) {
	a := send(c.URL, ask{method: "GET", path: "/notifications/summary", as: as})
	var got struct{ Unread int }
	if a.status != http.StatusOK || json.Unmarshal([]byte(a.text), &got) != nil {
		if a.status != 0 { // the node may have gone meanwhile
			c.note(a.String())
		}
	}
	return got.Unread
}

// freeAddress is one that nobody listens at, and that a node can have again.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}
