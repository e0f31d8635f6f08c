package servers

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// redisDatabases is how many tests of one binary may use the shared server at a time.
const redisDatabases = 1024

// RedisServer is a running Redis server, as one test sees it.
type RedisServer struct {
	*process
	database int
	private  bool
}

// Redis returns an empty database on the Redis server that the tests of this
// binary share. The server starts on first use and ends with the binary.
func Redis(t testing.TB) *RedisServer {
	t.Helper()
	bin := redisBinary(t)
	sharedRedis.once.Do(func() { sharedRedis.proc, sharedRedis.err = startRedis(bin) })
	must(t, sharedRedis.err)
	r := &RedisServer{process: sharedRedis.proc, database: <-sharedRedis.databases()}
	t.Cleanup(func() {
		must(t, r.flush())
		sharedRedis.databases() <- r.database
	})
	return r
}

// NewRedis returns a server of the test's own, which it may kill, stop and start.
func NewRedis(t testing.TB) *RedisServer {
	t.Helper()
	proc, err := startRedis(redisBinary(t))
	must(t, err)
	t.Cleanup(func() { must(t, proc.remove()) })
	return &RedisServer{process: proc, private: true}
}

// URL returns the server's address with this test's database.
func (r *RedisServer) URL() string { return fmt.Sprintf("redis://127.0.0.1:%d/%d", r.port, r.database) }

// Kill ends a private server without warning; its data is lost.
func (r *RedisServer) Kill(t testing.TB) {
	t.Helper()
	r.mustBePrivate(t)
	must(t, r.stop(syscall.SIGKILL))
}

// Start starts a killed private server again, empty, on the same port.
func (r *RedisServer) Start(t testing.TB) {
	t.Helper()
	r.mustBePrivate(t)
	must(t, r.start())
}

// Stop freezes a private server: connections stay open and nothing answers.
func (r *RedisServer) Stop(t testing.TB) {
	t.Helper()
	r.mustBePrivate(t)
	must(t, r.signal(syscall.SIGSTOP))
}

// Continue lets a frozen server go on.
func (r *RedisServer) Continue(t testing.TB) {
	t.Helper()
	r.mustBePrivate(t)
	must(t, r.signal(syscall.SIGCONT))
}

func (r *RedisServer) mustBePrivate(t testing.TB) {
	t.Helper()
	if !r.private {
		t.Fatal("other tests use this server too: take a server of your own with NewRedis")
	}
}

func (r *RedisServer) flush() error {
	return redisCommands(r.port, "SELECT "+strconv.Itoa(r.database), "FLUSHDB")
}

var sharedRedis redisOfThisBinary

type redisOfThisBinary struct {
	once sync.Once
	proc *process
	err  error

	fill sync.Once
	free chan int
}

// databases holds the numbers that no test uses.
func (s *redisOfThisBinary) databases() chan int {
	s.fill.Do(func() {
		s.free = make(chan int, redisDatabases)
		for i := range redisDatabases {
			s.free <- i
		}
	})
	return s.free
}

func startRedis(bin string) (*process, error) {
	p, err := newProcess("redis", nil, "TERM")
	if err != nil {
		return nil, err
	}
	p.ready = func() error { return redisCommands(p.port, "PING") }
	err = attempts(func() (err error) {
		if p.port, err = freePort(); err != nil {
			return err
		}
		p.args = []string{bin, "--port", strconv.Itoa(p.port), "--bind", "127.0.0.1", "--dir", p.dir,
			"--save", "", "--appendonly", "no", "--databases", strconv.Itoa(redisDatabases)}
		return p.start()
	})
	if err != nil {
		return nil, errors.Join(err, p.remove())
	}
	return p, nil
}

// redisCommands sends inline commands, each of which must be answered by a simple string.
func redisCommands(port int, commands ...string) error {
	c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	answers := bufio.NewReader(c)
	for _, command := range commands {
		if _, err := fmt.Fprintf(c, "%s\r\n", command); err != nil {
			return err
		}
		answer, err := answers.ReadString('\n')
		if err != nil {
			return err
		}
		if !strings.HasPrefix(answer, "+") {
			return fmt.Errorf("redis answers %s with %q", command, answer)
		}
	}
	return nil
}

func redisBinary(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"redis-server", "valkey-server"} {
		if bin, err := exec.LookPath(name); err == nil {
			return bin
		}
	}
	missing(t, "Redis", errors.New("redis-server is not in PATH"))
	return ""
}
