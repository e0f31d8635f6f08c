package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// flow is what one connection asks, over and over: the next request only after the
// answer to the last one.
type flow struct {
	request []byte                  // sent each time
	next    func() []byte           // makes each request, where they differ
	answer  func(body []byte) error // reads each answer, where the next request depends on it
	status  int                     // the only status that counts as success
}

// get is a request without a body.
func get(path, token string) *flow {
	return &flow{request: message("GET", path, token, ""), status: 200}
}

// message is a request as HTTP/1.1 sends it (RFC 9112).
func message(method, path, token, body string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: tenon-load/1\r\nAccept: application/json\r\n", method, path)
	if token != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", token)
	}
	if method != "GET" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return []byte(b.String())
}

// measured is what a load of some duration found.
type measured struct {
	took      time.Duration
	latencies []time.Duration // of successes, in order of size
	errors    int
	firstErr  error
}

func (m *measured) perSecond() float64 { return float64(len(m.latencies)) / m.took.Seconds() }

// quantile returns the latency that a share q of the requests did not exceed.
func (m *measured) quantile(q float64) time.Duration {
	if len(m.latencies) == 0 {
		return 0
	}
	return m.latencies[min(int(q*float64(len(m.latencies))), len(m.latencies)-1)]
}

// load keeps every flow busy on a connection of its own until duration is over.
func load(ctx context.Context, addr string, flows []*flow, duration time.Duration) (*measured, error) {
	conns := make([]*conn, 0, len(flows))
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for range flows {
		c, err := dial(ctx, addr, duration+patience)
		if err != nil {
			return nil, err
		}
		conns = append(conns, c)
	}
	each := make([]measured, len(flows))
	began := time.Now()
	var wg sync.WaitGroup
	for i, f := range flows {
		wg.Go(func() { each[i] = conns[i].drive(ctx, f, began.Add(duration)) })
	}
	wg.Wait()
	all := &measured{took: time.Since(began)}
	for _, m := range each {
		all.latencies = append(all.latencies, m.latencies...)
		all.errors += m.errors
		if all.firstErr == nil {
			all.firstErr = m.firstErr
		}
	}
	slices.Sort(all.latencies)
	return all, ctx.Err()
}

// patience is how long one answer may take.
const patience = 30 * time.Second

// conn is a kept-alive connection that is read without net/http: a client that
// costs as much as the server would halve what it measures.
type conn struct {
	net.Conn
	in   *bufio.Reader
	body []byte
}

func dial(ctx context.Context, addr string, lifetime time.Duration) (*conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	if err := c.SetDeadline(time.Now().Add(lifetime)); err != nil {
		return nil, err
	}
	return &conn{Conn: c, in: bufio.NewReaderSize(c, 16<<10), body: make([]byte, 0, 16<<10)}, nil
}

// drive runs a flow until the time is over or the connection broke.
func (c *conn) drive(ctx context.Context, f *flow, until time.Time) (m measured) {
	m.latencies = make([]time.Duration, 0, 1<<14)
	for now := time.Now(); now.Before(until) && ctx.Err() == nil; {
		request := f.request
		if f.next != nil {
			request = f.next()
		}
		status, err := c.roundTrip(request)
		done := time.Now()
		broken := err != nil
		switch {
		case broken:
		case status != f.status:
			err = fmt.Errorf("status %d: %.300s", status, c.body)
		case f.answer != nil:
			err = f.answer(c.body)
		}
		if err == nil {
			m.latencies = append(m.latencies, done.Sub(now))
		} else {
			m.errors++
			if m.firstErr == nil {
				m.firstErr = err
			}
		}
		if broken {
			return m
		}
		now = done
	}
	return m
}

// roundTrip sends a request and reads its answer's body into c.body.
func (c *conn) roundTrip(request []byte) (status int, err error) {
	if _, err := c.Write(request); err != nil {
		return 0, fmt.Errorf("send: %w", err)
	}
	status, length, err := c.head()
	if err != nil {
		return 0, fmt.Errorf("read the head of an answer: %w", err)
	}
	c.body = c.body[:0]
	if length == chunked {
		err = c.chunks()
	} else {
		err = c.take(length)
	}
	if err != nil {
		return 0, fmt.Errorf("read the body of an answer: %w", err)
	}
	return status, nil
}

const chunked = -1

var errProtocol = errors.New("not an HTTP/1.1 answer that keeps its connection")

// head reads the status line and the header fields, of which only the body's length matters.
func (c *conn) head() (status, length int, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, 0, err
	}
	if len(line) < 13 || string(line[:9]) != "HTTP/1.1 " {
		return 0, 0, errProtocol
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, 0, errProtocol
	}
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return 0, 0, err
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			return status, length, nil
		}
		switch value = bytes.TrimSpace(value); {
		case len(name) == 14 && bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
				return 0, 0, errProtocol
			}
		case len(name) == 17 && bytes.EqualFold(name, []byte("Transfer-Encoding")):
			length = chunked
		case len(name) == 10 && bytes.EqualFold(name, []byte("Connection")) && bytes.EqualFold(value, []byte("close")):
			return 0, 0, errProtocol
		}
	}
}

// take appends n bytes to the body.
func (c *conn) take(n int) error {
	have := len(c.body)
	c.body = slices.Grow(c.body, n)[:have+n]
	_, err := io.ReadFull(c.in, c.body[have:])
	return err
}

// chunks reads a body of the chunked coding, without trailers.
func (c *conn) chunks() error {
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 24)
		if err != nil {
			return errProtocol
		}
		if err := c.take(int(n)); err != nil {
			return err
		}
		if end, err := c.in.ReadSlice('\n'); err != nil || len(bytes.TrimSpace(end)) != 0 {
			return errors.Join(errProtocol, err)
		}
		if n == 0 {
			return nil
		}
	}
}
