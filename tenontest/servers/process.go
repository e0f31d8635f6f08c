package servers

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	patience = 30 * time.Second      // how long a server may take to start or to stop
	pause    = 10 * time.Millisecond // between two looks at whether it has
)

// process is one server on a fixed port with a folder of its own, started and
// stopped as often as a test likes.
type process struct {
	dir   string // data, log and process id
	port  int
	owner *owner // nil: ourselves
	args  []string
	ready func() error

	cmd    *exec.Cmd
	exited chan struct{} // closed once cmd has been waited for
	guard  io.Closer
	gone   chan error // the guard's end
}

// newProcess makes the folder and its guard. The guard holds the other end of a
// pipe that closes when this process ends, however it ends; it then kills the
// server by the signal end and removes the folder: a killed test leaves nothing behind.
func newProcess(name string, as *owner, end string) (*process, error) {
	dir, err := os.MkdirTemp(tempDir(as), "tenontest-"+name+"-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for %s: %w", name, err)
	}
	p := &process{dir: dir, owner: as, gone: make(chan error, 1)}
	if as != nil {
		if err := os.Chown(dir, as.uid, as.gid); err != nil {
			return nil, errors.Join(fmt.Errorf("hand over the folder of %s: %w", name, err), os.RemoveAll(dir))
		}
	}
	guard := exec.Command("/bin/sh", "-c", guardScript, "guard", dir, end)
	guard.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C is for the tests, the guard outlives them
	pipe, err := guard.StdinPipe()
	if err == nil {
		err = guard.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("guard %s: %w", name, err), os.RemoveAll(dir))
	}
	p.guard = pipe
	go func() { p.gone <- guard.Wait() }()
	return p, nil
}

// A frozen server hears no signal before it continues; whoever ignores the signal
// for two seconds is killed.
const guardScript = `read _
pid=$(cat "$1/pid" 2>/dev/null) && [ -n "$pid" ] && kill -"$2" "$pid" 2>/dev/null && {
	kill -CONT "$pid"
	n=0
	while [ $n -lt 40 ] && kill -0 "$pid" 2>/dev/null; do
		case $(ps -o stat= -p "$pid" 2>/dev/null) in Z*) break ;; esac
		n=$((n+1)); sleep 0.05
	done
	kill -KILL "$pid" 2>/dev/null
}
rm -rf "$1"`

// start runs the server and waits until it answers. The shell writes the process
// id before it becomes the server, so the guard never misses one.
func (p *process) start() error {
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open the server's log: %w", err)
	}
	defer log.Close()
	p.cmd = exec.Command("/bin/sh", append([]string{"-c", `echo $$ > "$0" && exec "$@"`, p.pidFile()}, p.args...)...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = p.dir, log, log
	p.cmd.SysProcAttr = p.owner.attributes()
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.args[0], err)
	}
	exited := make(chan struct{})
	p.exited = exited
	go func(cmd *exec.Cmd) {
		_ = cmd.Wait() // how it ended is in its log
		close(exited)
	}(p.cmd)
	return p.await()
}

func (p *process) await() error {
	deadline := time.Now().Add(patience)
	for {
		err := p.ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended at once:\n%s", p.args[0], p.tail())
		case <-time.After(pause):
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("%s does not answer: %w\n%s", p.args[0], err, p.tail()), p.stop(syscall.SIGKILL))
		}
	}
}

// running reports whether the server was started and has not ended.
func (p *process) running() bool {
	if p.exited == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

func (p *process) signal(sig syscall.Signal) error {
	if !p.running() {
		return errors.New("the server is not running")
	}
	return p.cmd.Process.Signal(sig)
}

// stop sends sig and waits for the end.
func (p *process) stop(sig syscall.Signal) error {
	if err := p.signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.exited:
	case <-time.After(patience):
		return fmt.Errorf("%s ignores %s:\n%s", p.args[0], sig, p.tail())
	}
	if err := os.Remove(p.pidFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // the guard would kill whoever gets this process id next
	}
	return nil
}

// remove ends the server, if it runs, and waits until its folder is gone.
func (p *process) remove() error {
	if err := p.guard.Close(); err != nil {
		return err
	}
	return <-p.gone
}

func (p *process) pidFile() string { return filepath.Join(p.dir, "pid") }

// tail returns the end of the server's log.
func (p *process) tail() string {
	log, err := os.ReadFile(filepath.Join(p.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, len(log)-2000):])
}

// owner is the account that a server runs under when the tests run as root.
type owner struct{ uid, gid int }

// unprivileged returns the account to use for a server that refuses to run as
// root: nil when we are not root.
func unprivileged() (*owner, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		return &owner{uid, gid}, errors.Join(uidErr, gidErr)
	}
	return nil, errors.New("PostgreSQL does not run as root, and neither a user postgres nor a user nobody exists")
}

func (o *owner) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	if o != nil {
		attr.Credential = &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)}
	}
	return attr
}

// tempDir is where the owner can reach its folder: a private TMPDIR is not.
func tempDir(as *owner) string {
	if as != nil {
		return "/tmp"
	}
	return os.TempDir()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// attempts gives start a few ports: another process may take one between our
// finding it free and the server's listening on it.
func attempts(start func() error) (err error) {
	for range 3 {
		if err = start(); err == nil || !strings.Contains(strings.ToLower(err.Error()), "address already in use") {
			return err
		}
	}
	return err
}

// missing skips the test, or fails it where everything must be tested.
func missing(t testing.TB, what string, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s must be installed where CI=true: %v", what, err)
	}
	t.Skipf("this test needs %s: %v", what, err)
}
