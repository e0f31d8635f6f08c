package fault

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenonhq/tenon/test/binary"
)

// residentMemory is how much of the machine's memory the program holds, in MB.
func residentMemory(t *testing.T, n *binary.Node) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.PID()))
	if err != nil {
		t.Skip("reads /proc")
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.Fields(kb)[0])
			if err != nil {
				t.Fatal(err)
			}
			return n >> 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

func TestSlowAndHugeClientsHurtNobodyElse(t *testing.T) {
	node := binary.Serve(t, binary.Settings{"TENON_RATELIMIT": "off"})
	ada := binary.NewClient(node.URL).SignUp(t, "ada@example.com")
	good := func(int, int) binary.Answer { return ada.Call("GET", "/users/me", nil) }

	stop := load(2, 10*time.Millisecond, good)
	time.Sleep(2 * time.Second)
	alone := stop()

	stop = load(2, 10*time.Millisecond, good)
	var bad sync.WaitGroup
	for range rounds(200, 2000) {
		bad.Go(func() { drip(t, node.Addr) })
	}
	for range 4 {
		bad.Go(func() {
			for range rounds(10, 100) {
				flood(t, node.URL, ada.Token)
			}
		})
	}
	bad.Wait()
	attacked := stop()

	refusedOnlyDuring(t, attacked, nil)
	// The attackers take their share of the same processors; 100 ms is what a user notices.
	if limit := 2*p(0.95, alone) + 100*time.Millisecond; p(0.95, attacked) > limit {
		t.Errorf("p95 is %s under attack, want below %s (alone: %s)", p(0.95, attacked), limit, p(0.95, alone))
	}
	if mb := residentMemory(t, node); mb > 200 {
		t.Errorf("the program holds %d MB", mb)
	}
}

// drip sends a request letter by letter (slowloris), until it is cut off.
func drip(t *testing.T, addr string) {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		t.Errorf("connect: %v", err)
		return
	}
	defer conn.Close()
	began := time.Now()
	for _, letter := range "GET /health HTTP/1.1\r\nHost: " + strings.Repeat("a", 1000) {
		if _, err := conn.Write([]byte(string(letter))); err != nil {
			return // cut off, as it should be
		}
		if time.Since(began) > 12*time.Second {
			t.Error("a client that sends a letter now and then is still connected after 12 seconds")
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// flood sends a body of 64 MB, claiming its size or not.
func flood(t *testing.T, url, token string) {
	q, err := http.NewRequest("PATCH", url+"/api/v1/users/me", endless{})
	if err != nil {
		t.Error(err)
		return
	}
	q.Header.Set("Content-Type", "application/json")
	c := binary.NewClient(url).With(token)
	// It is answered before it is read, so the connection may break on the way.
	if got := c.Send(q); got.Err == nil && got.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body without end got %d, want 413", got.Status)
	}
}

// endless is a JSON text that goes on and on.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}
