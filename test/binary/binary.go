// Package binary runs the product as its operators do: the real program, configured by
// its environment, in folders of its own, behind a load balancer or not.
//
// It is built once for all tests of a package. Whatever is started ends with its test.
package binary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Main builds the program for the tests of a package: call it from TestMain.
func Main(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

var built struct{ path string }

func buildAndRun(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "tenon-binary-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	built.path = filepath.Join(dir, "tenon")
	cmd := exec.Command("go", "build", "-o", built.path, "./cmd/tenon")
	cmd.Dir = Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// Root is the folder of the source, above that of the package under test.
func Root() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	panic("not below a go.mod")
}

// Settings are environment variables.
type Settings map[string]string

// Or returns the settings with those of others where these say nothing.
func (s Settings) Or(others Settings) Settings {
	all := Settings{}
	for _, m := range []Settings{others, s} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

// Result is how a command ended.
type Result struct {
	Code        int
	Out, ErrOut string
}

// Run runs one command to its end.
func Run(t testing.TB, s Settings, stdin string, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, built.path, args...)
	var out, errOut bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errOut
	cmd.Dir, cmd.Env = t.TempDir(), environment(s)
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatalf("run %v: %v", args, err)
	}
	return Result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// environment is what the program needs of ours, and the settings.
func environment(s Settings) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TZ=UTC"}
	for k, v := range s {
		env = append(env, k+"="+v)
	}
	return env
}

// Node is a running "serve" or "worker".
type Node struct {
	URL  string
	Addr string

	t      testing.TB
	args   []string
	s      Settings
	dir    string
	cmd    *exec.Cmd
	exited chan struct{}
	log    *buffer
}

// Serve starts a server and waits until it is ready.
func Serve(t testing.TB, s Settings, args ...string) *Node {
	t.Helper()
	n := Launch(t, s, args...)
	n.AwaitReady()
	return n
}

// Launch starts a server on a free port and does not wait.
func Launch(t testing.TB, s Settings, args ...string) *Node {
	t.Helper()
	n := &Node{t: t, args: append([]string{"serve"}, args...), dir: t.TempDir(), Addr: freeAddress(t)}
	n.URL = "http://" + n.Addr
	n.s = s.Or(Settings{"TENON_ADDR": n.Addr, "TENON_DATA": filepath.Join(n.dir, "data")})
	n.Start()
	t.Cleanup(n.end)
	return n
}

// Worker starts a process that only runs jobs.
func Worker(t testing.TB, s Settings) *Node {
	t.Helper()
	n := &Node{t: t, args: []string{"worker"}, dir: t.TempDir()}
	n.s = s.Or(Settings{"TENON_DATA": filepath.Join(n.dir, "data")})
	n.Start()
	t.Cleanup(n.end)
	return n
}

// Start starts the same program again, on the same address, with the same data.
func (n *Node) Start() {
	n.t.Helper()
	n.log = &buffer{}
	n.cmd = exec.Command(built.path, n.args...)
	n.cmd.Dir, n.cmd.Env, n.cmd.Stdout, n.cmd.Stderr = n.dir, environment(n.s), n.log, n.log
	// Whatever happens to this process, the program does not stay behind.
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := startInPlace(n.cmd); err != nil {
		n.t.Fatalf("start the program: %v", err)
	}
	n.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		_ = cmd.Wait() // how it ended is in its state
		close(exited)
	}(n.cmd, n.exited)
}

// startInPlace starts cmd from a thread that lives as long as this process: the death
// signal is sent when the starting thread ends.
func startInPlace(cmd *exec.Cmd) error {
	starter.once.Do(func() {
		starter.work = make(chan func())
		go func() {
			runtime.LockOSThread()
			for work := range starter.work {
				work()
			}
		}()
	})
	done := make(chan error)
	starter.work <- func() { done <- cmd.Start() }
	return <-done
}

var starter struct {
	once sync.Once
	work chan func()
}

// Signal sends a signal.
func (n *Node) Signal(sig syscall.Signal) {
	n.t.Helper()
	if err := n.cmd.Process.Signal(sig); err != nil {
		n.t.Fatalf("signal the program: %v", err)
	}
}

// Wait returns the exit code of a program that ends within a time.
func (n *Node) Wait(within time.Duration) int {
	n.t.Helper()
	select {
	case <-n.exited:
		return n.cmd.ProcessState.ExitCode()
	case <-time.After(within):
		n.t.Fatalf("the program still runs after %s:\n%s", within, n.Log())
		return 0
	}
}

// PID is the program's process id.
func (n *Node) PID() int { return n.cmd.Process.Pid }

// Running reports whether the program has not ended.
func (n *Node) Running() bool {
	select {
	case <-n.exited:
		return false
	default:
		return true
	}
}

// Restart stops the program as an operator does and starts it again.
func (n *Node) Restart() {
	n.t.Helper()
	n.Signal(syscall.SIGTERM)
	if code := n.Wait(30 * time.Second); code != 0 {
		n.t.Fatalf("stopped with exit code %d:\n%s", code, n.Log())
	}
	n.Start()
	n.AwaitReady()
}

// end is for the end of the test; a program that does not stop is a failure.
func (n *Node) end() {
	if n.Running() {
		_ = n.cmd.Process.Signal(syscall.SIGCONT)
		_ = n.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-n.exited:
		case <-time.After(35 * time.Second):
			n.t.Errorf("the program ignores SIGTERM")
			_ = n.cmd.Process.Kill()
			<-n.exited
		}
	}
	if n.t.Failed() {
		n.t.Logf("%s\n%s", n.Addr, tail(uncommon(n.Log()), 4000))
	}
	if log := n.Log(); strings.Contains(log, "\npanic: ") || strings.Contains(log, `"msg":"panic"`) {
		n.t.Errorf("the program panicked:\n%s", tail(log, 4000))
	}
}

// Log is what the program has written so far.
func (n *Node) Log() string { return n.log.String() }

// AwaitReady waits until the node says that it is ready.
func (n *Node) AwaitReady() {
	n.t.Helper()
	n.Await("be ready", 30*time.Second, func() bool { return n.Status("/health/ready") == http.StatusOK })
}

// Await polls until is is true.
func (n *Node) Await(what string, within time.Duration, is func() bool) {
	n.t.Helper()
	for deadline := time.Now().Add(within); !is(); time.Sleep(10 * time.Millisecond) {
		if !n.Running() {
			n.t.Fatalf("the program ended before it would %s:\n%s", what, n.Log())
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("the program did not %s within %s:\n%s", what, within, tail(n.Log(), 4000))
		}
	}
}

// Status is that of a GET, or 0 when there was no answer.
func (n *Node) Status(path string) int {
	client := http.Client{Timeout: 3 * time.Second}
	resp, err := client.Get(n.URL + path)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

var setupLink = regexp.MustCompile(`\S+/setup\?token=\S+`)

// SetupLink is the one-time link that the program printed.
func (n *Node) SetupLink() string {
	n.t.Helper()
	link := setupLink.FindString(n.Log())
	if link == "" {
		n.t.Fatalf("the program printed no set-up link:\n%s", n.Log())
	}
	return link
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// uncommon leaves out that requests were answered or refused.
func uncommon(log string) string {
	var left strings.Builder
	for line := range strings.Lines(log) {
		if !strings.Contains(line, `"msg":"request"`) && !strings.Contains(line, `"msg":"refused"`) {
			left.WriteString(line)
		}
	}
	return left.String()
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// buffer is what a program writes, to be read meanwhile.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
