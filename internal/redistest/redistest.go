// Package redistest runs a real redis-server for a test, and makes it fail.
//
// Where the program is missing the test is skipped with a sentence; with CI=true
// that is a failure.
package redistest

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Server is one redis-server on a free port of the loopback interface.
type Server struct {
	t    *testing.T
	path string
	port int
	cmd  *exec.Cmd
}

// New reserves a port without starting the server: a Redis that is down.
func New(t *testing.T) *Server {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is not installed")
		}
		t.Skip("redis-server is not installed: what needs Redis is not tested here")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return &Server{t: t, path: path, port: l.Addr().(*net.TCPAddr).Port}
}

// Start returns a running server that ends with the test.
func Start(t *testing.T, args ...string) *Server {
	t.Helper()
	s := New(t)
	s.Start(args...)
	return s
}

// URL is the address to open, with a patient time limit for machines under load.
func (s *Server) URL() string { return s.StrictURL() + "?timeout=2s" }

// StrictURL is the address with the product's own time limit.
func (s *Server) StrictURL() string { return "redis://127.0.0.1:" + strconv.Itoa(s.port) + "/0" }

// Start runs the server, empty, and waits until it accepts connections.
func (s *Server) Start(args ...string) {
	s.t.Helper()
	s.cmd = exec.Command(s.path, append([]string{
		"--bind", "127.0.0.1", "--port", strconv.Itoa(s.port), "--save", "", "--appendonly", "no", "--dir", s.t.TempDir(),
	}, args...)...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd := s.cmd
	s.t.Cleanup(func() { end(cmd) })
	Eventually(s.t, 10*time.Second, "redis-server accepts connections", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.port))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// Kill ends the server at once, losing everything.
func (s *Server) Kill() { end(s.cmd) }

// Freeze stops the process: connections stay open, nothing answers.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

// Do sends one raw command line, such as "FLUSHALL".
func (s *Server) Do(line string) {
	s.t.Helper()
	c, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.port))
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(line + "\r\n")); err != nil {
		s.t.Fatal(err)
	}
	answer := make([]byte, 256)
	n, err := c.Read(answer)
	if err != nil || answer[0] == '-' {
		s.t.Fatalf("%s: %s %v", line, answer[:n], err)
	}
}

func (s *Server) signal(sig os.Signal) {
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

func end(cmd *exec.Cmd) {
	if cmd.ProcessState != nil {
		return
	}
	// Both fail only for a process that has ended, which is what is wanted.
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// Eventually polls until ok, and fails the test with the sentence what if that takes longer than limit.
func Eventually(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v it is still not true that %s", limit, what)
		}
	}
}
