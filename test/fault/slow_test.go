package fault

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tenonhq/tenon/tenontest/servers"
)

// reaped is the longest that a connection without a request may stay.
const reaped = 10 * time.Second

func TestSlowAndGreedyClientsAreTheirOwnProblem(t *testing.T) {
	n := start(t, "DATABASE_URL="+servers.Postgres(t).CreateDatabase(t))
	var people []*person
	for i := range 4 {
		people = append(people, n.person(t, fmt.Sprint("person", i)))
	}
	good := func(i int) answer {
		as := people[i%len(people)]
		switch i % 10 {
		case 0:
			return n.send(ask{method: "POST", path: "/orgs", as: as, body: fmt.Sprintf(`{"name":"Org %d","slug":"org-%d-%d"}`, i, i, time.Now().UnixNano())})
		case 1:
			return n.send(ask{method: "GET", path: "/orgs?limit=5", as: as})
		case 2:
			return n.send(ask{method: "GET", path: "//health"})
		}
		return n.send(me(as))
	}
	during(time.Second, 100, good)
	calm := during(size(3*time.Second, 20*time.Second), 100, good)
	_, before := n.memory()

	attack := &assault{n: n, halt: make(chan struct{})}
	attack.headers(size(300, 2000))
	attack.bodies(size(50, 500))
	attack.readers(size(50, 500))
	attack.floods(4)
	time.Sleep(gathering)
	under := during(size(6*time.Second, 60*time.Second), 100, good)
	peak, _ := n.memory()
	attack.end()
	n.alive()

	t.Logf("calm: %v; under attack: %v; %d MiB in memory before, %d at most", calm, under, before, peak)
	calm.failed().wantNone(t, "failed in calm")
	under.where(func(a answer) bool { return a.status/100 != 2 }).wantNone(t, "failed under attack")
	if was, is := calm.percentile(95), under.percentile(95); is > 2*was+noise/2 {
		t.Errorf("95%% are answered within %v, in calm within %v: want at most twice that", is, was)
	}
	if bound := before + size(128, 384); peak > bound {
		t.Errorf("%d MiB in memory, want at most %d", peak, bound)
	}
	kept, longest := attack.headersKept, attack.longest
	t.Logf("connections without a request were closed after %v at most", longest.Round(time.Millisecond))
	if kept > 0 || longest > reaped {
		t.Errorf("%d connections without a request outlive %v, the last closed one %v", kept, reaped, longest)
	}
	for what, answers := range attack.refused {
		t.Logf("%s: answered %v", what, answers)
		if len(answers) == 0 {
			t.Errorf("%s: no answer at all", what)
		}
		for status := range answers {
			if status != 413 && status != 415 && status != 400 {
				t.Errorf("%s: answered %d", what, status)
			}
		}
	}
}

// assault is a crowd of bad clients, and what became of them.
type assault struct {
	n    *node
	halt chan struct{}
	all  sync.WaitGroup

	mu          sync.Mutex
	headersKept int
	longest     time.Duration
	refused     map[string]map[int]int
}

// gathering is the time in which the crowd assembles.
const gathering = 3 * time.Second

// gather makes the i-th of count clients wait for its turn.
func (a *assault) gather(i, count int) { a.pause(gathering * time.Duration(i) / time.Duration(count)) }

func (a *assault) end() {
	close(a.halt)
	a.all.Wait()
}

func (a *assault) over() bool {
	select {
	case <-a.halt:
		return true
	default:
		return false
	}
}

// pause waits, and reports whether the assault goes on.
func (a *assault) pause(d time.Duration) bool {
	select {
	case <-a.halt:
		return false
	case <-time.After(d):
		return true
	}
}

func (a *assault) dial() (net.Conn, error) {
	return net.Dial("tcp", strings.TrimPrefix(a.n.url, "http://"))
}

// headers are connections whose request never ends: a header line now and then. Each
// counts until the server closes it; they are not dialled again.
func (a *assault) headers(count int) {
	for k := range count {
		a.all.Go(func() {
			a.gather(k, count)
			c, err := a.dial()
			if err != nil {
				return
			}
			defer c.Close()
			began := time.Now()
			closed := make(chan struct{})
			go func() {
				defer close(closed)
				_, _ = io.Copy(io.Discard, c) // until it is closed
			}()
			fmt.Fprint(c, "GET /health HTTP/1.1\r\nHost: tenon.test\r\n")
			for i := 0; ; i++ {
				select {
				case <-closed:
					a.closed(time.Since(began))
					return
				case <-time.After(500 * time.Millisecond):
				}
				if time.Since(began) > reaped+2*time.Second {
					a.kept()
					return
				}
				fmt.Fprintf(c, "X-A: %d\r\n", i) // whether it arrives shows above
			}
		})
	}
}

func (a *assault) closed(after time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.longest = max(a.longest, after)
}

func (a *assault) kept() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.headersKept++
}

// bodies send one byte a second of what they announced.
func (a *assault) bodies(count int) {
	a.again(count, func(c net.Conn) {
		fmt.Fprintf(c, "POST /api/v1/auth/login HTTP/1.1\r\nHost: tenon.test\r\nX-Forwarded-For: %s\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n{", another())
		for a.pause(time.Second) {
			if _, err := c.Write([]byte(" ")); err != nil {
				return
			}
		}
	})
}

// readers ask for the largest answer there is, many times over, and do not read it.
func (a *assault) readers(count int) {
	a.again(count, func(c net.Conn) {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetReadBuffer(4096) // the kernel may keep its own size
		}
		for range 20 {
			if _, err := fmt.Fprintf(c, "GET /openapi.json HTTP/1.1\r\nHost: tenon.test\r\nX-Forwarded-For: %s\r\n\r\n", another()); err != nil {
				return
			}
		}
		one := make([]byte, 1)
		for a.pause(time.Second) {
			if _, err := c.Read(one); err != nil {
				return
			}
		}
	})
}

// again runs so many clients, each of which comes back when it is thrown out.
func (a *assault) again(count int, client func(net.Conn)) {
	for i := range count {
		a.all.Go(func() {
			a.gather(i, count)
			for !a.over() {
				c, err := a.dial()
				if err != nil {
					return
				}
				client(c)
				c.Close()
			}
		})
	}
}

// floods are bodies that are too large, one after the other: announced, endless,
// compressed, and nested.
func (a *assault) floods(each int) {
	bomb := &bytes.Buffer{}
	z := gzip.NewWriter(bomb)
	_, _ = io.CopyN(z, zeros{}, 64<<20) // into memory
	_ = z.Close()
	a.refused = map[string]map[int]int{}
	for what, f := range map[string]struct {
		headers string
		body    func(io.Writer) error
	}{
		"announced": {"Content-Length: 104857600\r\n", func(w io.Writer) error { _, err := io.CopyN(w, zeros{}, 100<<20); return err }},
		"endless": {"Transfer-Encoding: chunked\r\n", func(w io.Writer) error {
			chunk := append([]byte("10000\r\n"), append(make([]byte, 0x10000), "\r\n"...)...)
			for range 100 << 20 / 0x10000 {
				if _, err := w.Write(chunk); err != nil {
					return err
				}
			}
			return nil
		}},
		"compressed": {fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n", bomb.Len()), func(w io.Writer) error { _, err := w.Write(bomb.Bytes()); return err }},
		"nested":     {"Content-Length: 100000\r\n", func(w io.Writer) error { _, err := w.Write(bytes.Repeat([]byte("["), 100_000)); return err }},
	} {
		a.refused[what] = map[int]int{}
		for range each {
			a.all.Go(func() {
				for a.pause(100 * time.Millisecond) {
					if status := a.flood(f.headers, f.body); status != 0 {
						a.mu.Lock()
						a.refused[what][status]++
						a.mu.Unlock()
					}
				}
			})
		}
	}
}

// flood returns the answer's status, 0 when the connection was cut before it was read.
func (a *assault) flood(headers string, body func(io.Writer) error) int {
	c, err := a.dial()
	if err != nil {
		return 0
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second)) // on a connection that is open
	answered := make(chan int, 1)
	go func() {
		line, err := bufio.NewReader(c).ReadString('\n')
		status := 0
		if err == nil {
			_, _ = fmt.Sscanf(line, "HTTP/1.1 %d", &status) // 0 for what is no answer
		}
		answered <- status
	}()
	if _, err := fmt.Fprintf(c, "POST /api/v1/auth/login HTTP/1.1\r\nHost: tenon.test\r\nX-Forwarded-For: %s\r\nContent-Type: application/json\r\n%s\r\n", another(), headers); err != nil {
		return 0
	}
	if err := body(c); err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		return 0
	}
	return <-answered
}

// zeros is an endless file of zeros.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
