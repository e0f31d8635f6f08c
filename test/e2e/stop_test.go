package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tenonhq/tenon/test/binary"
)

// slowRequest has sent its head and half of its body.
type slowRequest struct{ conn net.Conn }

const slowBody = `{"name":"Ada, who takes her time"}`

func beginSlowly(t *testing.T, addr, token string) slowRequest {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_, err = fmt.Fprintf(conn, "PATCH /api/v1/users/me HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		addr, token, len(slowBody), slowBody[:10])
	if err != nil {
		t.Fatal(err)
	}
	return slowRequest{conn}
}

func (s slowRequest) finish() (status int, err error) {
	if _, err := s.conn.Write([]byte(slowBody[10:])); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(s.conn), nil)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

func TestWhatIsUnderWayFinishesBeforeTheProgramStops(t *testing.T) {
	node := binary.Serve(t, binary.Settings{"TENON_DRAIN_DELAY": "2s"})
	ada := binary.NewClient(node.URL).SignUp(t, "ada@example.com")
	const many = 50
	var slow []slowRequest
	for range many {
		slow = append(slow, beginSlowly(t, node.Addr, ada.Token))
	}
	ada.Call("GET", "/users/me", nil).Want(t, 200) // all of them have arrived before this

	told := time.Now()
	node.Signal(syscall.SIGTERM)
	node.Await("say that it is not ready", time.Second, func() bool { return node.Status("/health/ready") == 503 })
	t.Logf("not ready after %s", time.Since(told).Round(time.Millisecond))
	if got := node.Status("/health"); got != 200 {
		t.Errorf("a stopping node is alive, but answered %d", got)
	}
	ada.Call("GET", "/users/me", nil).Want(t, 200) // load balancers have not noticed yet

	var all sync.WaitGroup
	for n, s := range slow {
		all.Go(func() {
			time.Sleep(time.Duration(n) * 80 * time.Millisecond) // up to four seconds
			if status, err := s.finish(); status != 200 {
				t.Errorf("request %d under way got %d, %v", n, status, err)
			}
		})
	}
	all.Wait()
	if code := node.Wait(30*time.Second - time.Since(told)); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestASecondSignalEndsTheProgramAtOnce(t *testing.T) {
	node := binary.Serve(t, binary.Settings{"TENON_DRAIN_DELAY": "20s"})
	node.Signal(syscall.SIGTERM)
	node.Await("say that it is not ready", time.Second, func() bool { return node.Status("/health/ready") == 503 })
	node.Signal(syscall.SIGTERM)
	if code := node.Wait(time.Second); code == 0 {
		t.Error("a program that was cut off says that all went well")
	}
}

func TestWhoNeverFinishesDoesNotKeepTheProgramFromStopping(t *testing.T) {
	t.Parallel() // it waits for the patience of the program to end
	node := binary.Serve(t, nil)
	ada := binary.NewClient(node.URL).SignUp(t, "ada@example.com")
	beginSlowly(t, node.Addr, ada.Token)
	ada.Call("GET", "/users/me", nil).Want(t, 200)
	node.Signal(syscall.SIGTERM)
	node.Wait(30 * time.Second)
}
