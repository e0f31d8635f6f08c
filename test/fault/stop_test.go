package fault

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tenonhq/tenon/tenontest/servers"
)

func TestAStoppingNodeFinishesWhatItBegan(t *testing.T) {
	t.Parallel()
	const delay = 1500 * time.Millisecond
	r := listen(t, habit{pause: func(string) time.Duration { return 3 * time.Second }})
	n, url := post(t, r.settings(fmt.Sprint("TENON_DRAIN_DELAY=", delay), "TENON_ACCOUNTS_VERIFY_EMAIL=off", "SMTP_TIMEOUT=30s"))
	ada := n.person(t, "ada")
	slow := size(20, 100)
	arrived := sync.WaitGroup{}
	arrived.Add(slow)
	inFlight := make(chan answers)
	go func() {
		inFlight <- together(slow, func(i int) answer {
			return n.drip(ada, fmt.Sprintf(`{"name":"Slow %d","slug":"slow-%d"}`, i, i), time.Second+time.Duration(i)*size(3*time.Second, 8*time.Second)/time.Duration(slow), arrived.Done)
		})
	}()
	arrived.Wait()
	n.do(t, 202, forgot(ada.Email))
	servers.Within(t, 5*time.Second, "the job that mails the letter is running", func() bool { return len(r.tries(ada.Email)) == 1 })

	n.signal(syscall.SIGTERM)
	told := time.Now()
	servers.Within(t, noise, "the node says that it is not ready", func() bool { return n.ready() == 503 })
	accepted := 0
	for time.Since(told) < delay-200*time.Millisecond {
		if a := n.send(me(ada)); a.status != 200 {
			t.Fatalf("%v after the signal a request is answered with %v", time.Since(told), a)
		}
		if got := n.ready(); got != 503 {
			t.Fatalf("it is ready again: %d", got)
		}
		accepted++
		time.Sleep(10 * time.Millisecond)
	}
	all := <-inFlight
	all.where(func(a answer) bool { return a.status != 201 }).wantNone(t, "to requests under way are no success")
	if code := n.exit(30*time.Second - time.Since(told)); code != 0 {
		t.Errorf("it exits with %d", code)
	}
	t.Logf("%d new requests served while draining; in flight: %v; exit after %v", accepted, all, time.Since(told).Round(time.Millisecond))
	if jobs := mailJobs(t, url); len(jobs) != 1 || jobs[0].State != "completed" || len(r.got(ada.Email)) != 1 {
		t.Errorf("the job under way is %+v, and %d letters arrived", jobs, len(r.got(ada.Email)))
	}
}

func TestAJobThatDoesNotFinishInTimeIsReleased(t *testing.T) {
	if !full() {
		t.Skip("it takes half a minute: make faults")
	}
	t.Parallel()
	r := listen(t, habit{greet: func(int) string { return "" }})
	n, url := post(t, r.settings("TENON_ACCOUNTS_VERIFY_EMAIL=off", "SMTP_TIMEOUT=50s"))
	ada := n.person(t, "ada")
	n.do(t, 202, forgot(ada.Email))
	servers.Within(t, 5*time.Second, "the job is running", func() bool {
		jobs := mailJobs(t, url)
		return len(jobs) == 1 && jobs[0].State == "running"
	})
	n.signal(syscall.SIGTERM)
	if code := n.exit(30 * time.Second); code != 0 {
		t.Errorf("it exits with %d", code)
	}
	if job := mailJobs(t, url)[0]; job.State != "retryable" && job.State != "available" {
		t.Errorf("the job that was interrupted is %+v: nobody will run it", job)
	}
}

func TestTheSecondSignalEndsItNow(t *testing.T) {
	t.Parallel()
	n := start(t, "TENON_DRAIN_DELAY=10s")
	ada := n.person(t, "ada")
	arrived := make(chan struct{})
	go n.drip(ada, `{"name":"Never"}`, time.Minute, func() { close(arrived) })
	<-arrived
	n.signal(syscall.SIGTERM)
	servers.Within(t, time.Second, "the first signal is heard", func() bool { return n.ready() == 503 })
	n.signal(syscall.SIGTERM)
	if code := n.exit(time.Second); code == 0 {
		t.Error("it claims that all went well")
	}
}

// drip creates an organization with a body that takes a while to send; begun is
// called once the server has the request and waits for the body.
func (n *node) drip(as *person, body string, takes time.Duration, begun func()) answer {
	slow, fast := io.Pipe()
	q, err := http.NewRequest("POST", n.url+"/api/v1/orgs", slow)
	if err != nil {
		return answer{err: err}
	}
	q.ContentLength = int64(len(body))
	ask{body: body, as: as}.dress(q.Header)
	go func() {
		_, _ = io.WriteString(fast, body[:1]) // a failure is the request's failure
		begun()
		time.Sleep(takes)
		_, _ = io.WriteString(fast, body[1:])
		_ = fast.Close()
	}()
	out := answer{began: time.Now()}
	r, err := (&http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}).Do(q)
	if err != nil {
		out.err = err
		return out
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	out.took, out.status, out.header, out.text, out.err = time.Since(out.began), r.StatusCode, r.Header, string(text), err
	return out
}

// balancer spreads requests over nodes that say that they are ready, by turns.
type balancer struct {
	*httptest.Server
	slots [2]slot
	turn  atomic.Uint64
}

type slot struct {
	node  atomic.Pointer[node]
	ready atomic.Bool
}

func balance(t testing.TB, nodes [2]*node) *balancer {
	b := &balancer{}
	for i := range nodes {
		b.slots[i].node.Store(nodes[i])
		b.slots[i].ready.Store(true)
	}
	b.Server = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(q *httputil.ProxyRequest) {
			at, err := url.Parse(b.pick().url)
			must(t, err)
			q.SetURL(at)
			q.Out.Header["X-Forwarded-For"] = q.In.Header["X-Forwarded-For"]
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 100},
		ErrorLog:  log.New(io.Discard, "", 0),
	})
	t.Cleanup(b.Close)
	halt := make(chan struct{})
	t.Cleanup(func() { close(halt) })
	go b.watch(halt)
	return b
}

func (b *balancer) pick() *node {
	for range 2 {
		if s := &b.slots[b.turn.Add(1)%2]; s.ready.Load() {
			return s.node.Load()
		}
	}
	return b.slots[0].node.Load()
}

// watch asks every node ten times a second whether it is ready.
func (b *balancer) watch(halt chan struct{}) {
	for {
		select {
		case <-halt:
			return
		case <-time.After(100 * time.Millisecond):
		}
		for i := range b.slots {
			n := b.slots[i].node.Load()
			status := n.ready()
			if b.slots[i].node.Load() == n {
				b.slots[i].ready.Store(status == 200)
			}
		}
	}
}

func TestARollingRestartIsNotNoticed(t *testing.T) {
	t.Parallel()
	settings := []string{"DATABASE_URL=" + servers.Postgres(t).CreateDatabase(t), "TENON_DRAIN_DELAY=1s"}
	nodes := [2]*node{start(t, settings...), start(t, settings...)}
	b := balance(t, nodes)
	var people []*person
	for i := range 4 {
		people = append(people, nodes[0].person(t, fmt.Sprint("person", i)))
	}
	traffic := begin(size(100, 200), func(i int) answer {
		as := people[i%len(people)]
		if i%3 == 0 {
			return send(b.URL, ask{method: "POST", path: "/orgs", as: as, body: fmt.Sprintf(`{"name":"Org %d","slug":"org-%d"}`, i, i)})
		}
		return send(b.URL, me(as))
	})
	time.Sleep(500 * time.Millisecond)
	for range size(1, 5) {
		for i, n := range nodes {
			n.signal(syscall.SIGTERM)
			if code := n.exit(30 * time.Second); code != 0 {
				t.Errorf("it exits with %d", code)
			}
			nodes[i] = start(t, settings...)
			b.slots[i].node.Store(nodes[i]) // once the balancer has found out by itself that the old one is gone
			servers.Within(t, 5*time.Second, "the balancer uses the new node", b.slots[i].ready.Load)
			time.Sleep(300 * time.Millisecond)
		}
	}
	all := traffic.stop()
	t.Logf("%v", all)
	all.where(func(a answer) bool { return a.status/100 != 2 }).wantNone(t, "were noticed")
	for _, n := range nodes {
		if strings.Contains(n.said(), `"level":"ERROR"`) {
			t.Errorf("a new node complains:\n%s", n.lastWords())
		}
	}
}

// A client that keeps its connection across the signal finds it open: a node that
// stops closes none under a request that is on its way.
func TestAConnectionThatIsKeptIsNotCutAtTheSignal(t *testing.T) {
	t.Parallel()
	n := start(t, "TENON_DRAIN_DELAY=2s")
	c, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
	must(t, err)
	defer c.Close()
	must(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	request := "GET /health HTTP/1.1\r\nHost: tenon.test\r\n\r\n"
	exchange := func() string {
		_, err := io.WriteString(c, request)
		must(t, err)
		got := make([]byte, 4096)
		k, err := c.Read(got)
		if err != nil {
			t.Fatalf("the connection was cut: %v", err)
		}
		return string(got[:k])
	}
	exchange()
	n.signal(syscall.SIGTERM)
	servers.Within(t, time.Second, "the signal is heard", func() bool { return n.ready() == 503 })
	time.Sleep(100 * time.Millisecond)
	if got := exchange(); !strings.HasPrefix(got, "HTTP/1.1 200") || !strings.Contains(got, "Connection: close") {
		t.Errorf("it answers %q, want a success that says the connection ends", got)
	}
	if code := n.exit(10 * time.Second); code != 0 {
		t.Errorf("it exits with %d", code)
	}
}
