package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// server is a program under load: ours or the bare one, as a process of its own.
type server struct {
	name  string
	bin   string
	args  []string
	env   []string
	ready string // the path that answers 200 once it serves
	dir   string // data
	log   string // where its output goes
	addr  string
	db    int // process id of its PostgreSQL; 0 with SQLite

	cmd    *exec.Cmd
	exited chan struct{}
}

// start runs the server and returns how long it took to its first answer.
func (s *server) start(ctx context.Context) (time.Duration, error) {
	addr, err := freeAddr()
	if err != nil {
		return 0, err
	}
	s.addr = addr
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, fmt.Errorf("open the log of %s: %w", s.name, err)
	}
	defer log.Close()
	s.cmd = exec.Command(s.bin, append(s.args, "--addr", s.addr)...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, log, log
	s.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir}, s.env...)
	// Whatever becomes of us, it does not stay behind; and Ctrl-C is ours to handle.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return 0, fmt.Errorf("start %s: %w", s.name, err)
	}
	exited := make(chan struct{})
	s.exited = exited
	go func(cmd *exec.Cmd) {
		_ = cmd.Wait() // how it ended is in its log
		close(exited)
	}(s.cmd)
	err = s.await(ctx)
	return time.Since(began), err
}

func (s *server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request := message("GET", s.ready, "", "")
	for {
		if c, err := dial(ctx, s.addr, time.Second); err == nil {
			status, err := c.roundTrip(request)
			c.Close()
			if err == nil && status == 200 {
				return nil
			}
		}
		select {
		case <-s.exited:
			return fmt.Errorf("%s ended at once:\n%s", s.name, s.tail())
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w\n%s", s.name, ctx.Err(), s.tail())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// stop ends the server as an operator would, and waits for it.
func (s *server) stop() error {
	if s.cmd == nil || s.cmd.Process == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.exited:
		return nil
	case <-time.After(20 * time.Second):
		err := s.cmd.Process.Kill()
		<-s.exited
		return errors.Join(fmt.Errorf("%s did not stop within 20 seconds of SIGTERM:\n%s", s.name, s.tail()), err)
	}
}

// tail is the end of the server's log.
func (s *server) tail() string {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

// spent is what a server has used since it started, and all processes of the machine with it.
type spent struct {
	cpu, db    time.Duration
	machine    time.Duration
	statements int64
	roundTrips int64
}

func (s *server) spent() (spent, error) {
	var now spent
	var err error
	if now.machine, err = machineCPU(); err != nil {
		return now, err
	}
	if now.cpu, err = cpu(s.cmd.Process.Pid); err != nil {
		return now, fmt.Errorf("read the processor time of %s: %w", s.name, err)
	}
	if s.db != 0 {
		if now.db, err = familyCPU(s.db); err != nil {
			return now, fmt.Errorf("read the processor time of PostgreSQL: %w", err)
		}
	}
	if !s.counts() {
		return now, nil
	}
	var stats struct {
		Statements int64 `json:"statements"`
		RoundTrips int64 `json:"round_trips"`
	}
	if err := s.call("GET", "/_dev/stats", "", nil, 200, &stats); err != nil {
		return now, err
	}
	now.statements, now.roundTrips = stats.Statements, stats.RoundTrips
	return now, nil
}

// counts reports whether the server counts its statements: ours does.
func (s *server) counts() bool { return s.name != bareName }

func (a spent) minus(b spent) spent {
	return spent{a.cpu - b.cpu, a.db - b.db, a.machine - b.machine, a.statements - b.statements, a.roundTrips - b.roundTrips}
}

// call makes one request outside of the measurement.
func (s *server) call(method, path, token string, in any, status int, out any) error {
	body := []byte{}
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	req, err := http.NewRequest(method, "http://"+s.addr+path, strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{Timeout: patience}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("call %s: %w", s.name, err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", s.name, err)
	}
	if res.StatusCode != status {
		return fmt.Errorf("%s answered %s %s with status %d instead of %d: %.500s", s.name, method, path, res.StatusCode, status, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}
