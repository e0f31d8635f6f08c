package fault

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tenonhq/tenon/tenontest/servers"
)

// node is one process of the program under test.
type node struct {
	t      testing.TB
	cmd    *exec.Cmd
	guard  io.Closer
	exited chan struct{} // closed once it has been waited for
	log    string
	url    string // http://127.0.0.1:port
}

// launch runs "tenon serve" with settings such as "REDIS_URL=…" over those of every
// test, and waits until it listens, not until it is ready. A SQLite database of its
// own is the default.
func launch(t testing.TB, settings ...string) *node {
	t.Helper()
	dir := t.TempDir()
	n := &node{t: t, log: filepath.Join(dir, "log"), exited: make(chan struct{})}
	log, err := os.Create(n.log)
	must(t, err)
	defer log.Close()
	n.cmd = exec.Command(program, "serve", "--data", dir)
	n.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TENON_ADDR=127.0.0.1:0", "TENON_PUBLIC_URL=http://tenon.test",
		"TENON_ROOT_SECRET=for tests alone 8fK2pLq0vXw7Zr4T", "TENON_ACCOUNTS_VERIFY_EMAIL=off", "TENON_TRUSTED_PROXIES=127.0.0.0/8"}, settings...)
	n.cmd.Stdout, n.cmd.Stderr = log, log
	must(t, n.cmd.Start())
	go func() {
		_ = n.cmd.Wait() // the tests ask for its state
		close(n.exited)
	}()
	n.guarded()
	t.Cleanup(n.end)
	servers.Within(t, 30*time.Second, "the program listens", func() bool {
		if n.gone() {
			t.Fatalf("the program ended at once:\n%s", n.said())
		}
		if at := listening.FindStringSubmatch(n.said()); at != nil {
			n.url = at[1]
		}
		return n.url != ""
	})
	return n
}

var listening = regexp.MustCompile(`is listening on (http://\S+)`)

// start is launch, until the node is ready.
func start(t testing.TB, settings ...string) *node {
	t.Helper()
	n := launch(t, settings...)
	servers.Within(t, 30*time.Second, "the node is ready", func() bool { return n.ready() == 200 })
	return n
}

// guarded kills the process should the tests be killed: the shell's input ends with them.
func (n *node) guarded() {
	guard := exec.Command("/bin/sh", "-c", `read _; kill -KILL "$1" 2>/dev/null`, "guard", strconv.Itoa(n.cmd.Process.Pid))
	guard.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	pipe, err := guard.StdinPipe()
	must(n.t, err)
	must(n.t, guard.Start())
	n.guard = pipe
	n.t.Cleanup(func() { _ = guard.Wait() }) // it has nothing to say
}

// end kills what is left, and shows the log of a test that failed.
func (n *node) end() {
	if !n.gone() {
		_ = n.cmd.Process.Kill() // it may have ended by itself since
		<-n.exited
	}
	_ = n.guard.Close() // the guard finds nobody to kill
	if n.t.Failed() {
		n.t.Logf("the last words of %s:\n%s", n.url, n.lastWords())
	}
}

func (n *node) said() string {
	text, err := os.ReadFile(n.log)
	must(n.t, err)
	return string(text)
}

// lastWords leaves out requests and refusals.
func (n *node) lastWords() string {
	var lines [][]byte
	for line := range bytes.Lines([]byte(n.said())) {
		if !bytes.Contains(line, []byte(`"msg":"request"`)) && !bytes.Contains(line, []byte(`"msg":"refused"`)) {
			lines = append(lines, line)
		}
	}
	return string(bytes.Join(lines[max(0, len(lines)-25):], nil))
}

func (n *node) signal(sig syscall.Signal) {
	n.t.Helper()
	must(n.t, n.cmd.Process.Signal(sig))
}

func (n *node) gone() bool {
	select {
	case <-n.exited:
		return true
	default:
		return false
	}
}

// exit waits for the end and returns the exit code.
func (n *node) exit(limit time.Duration) int {
	n.t.Helper()
	select {
	case <-n.exited:
	case <-time.After(limit):
		n.t.Fatalf("the process has not ended after %v", limit)
	}
	return n.cmd.ProcessState.ExitCode()
}

// memory is the most that the process ever had in memory, in MiB, and what it has now.
func (n *node) memory() (peak, now int) {
	n.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.cmd.Process.Pid))
	if errors.Is(err, os.ErrNotExist) {
		n.t.Skip("memory is read from /proc/PID/status")
	}
	must(n.t, err)
	read := func(field string) int {
		_, rest, _ := strings.Cut(string(status), field+":")
		kb, err := strconv.Atoi(strings.Fields(rest)[0])
		must(n.t, err)
		return kb >> 10
	}
	return read("VmHWM"), read("VmRSS")
}

// alive fails the test if the process has ended.
func (n *node) alive() {
	n.t.Helper()
	if n.gone() {
		n.t.Fatal("the process ended")
	}
}
