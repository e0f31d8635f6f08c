// Package redis is the connection to a Redis server that may be absent, slow or ill.
//
// It owns the circuit breaker: a command is answered within the time limit (50 ms)
// or refused at once with ErrUnavailable, and the way back is found in the
// background. Nothing that uses it may depend on Redis being there.
package redis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// ErrUnavailable reports that Redis was not asked, because it lately failed.
var ErrUnavailable = errors.New("redis is unavailable")

// Prefix begins every key and channel, so that a Redis may be shared with other programs.
const Prefix = "tenon:"

const (
	defaultTimeout = 50 * time.Millisecond
	dialTimeout    = time.Second            // only the background dials on purpose
	openWait       = 100 * time.Millisecond // how long Open waits for the first answer
	checkEvery     = 2 * time.Second        // while healthy, so that an idle node notices too
	retryFirst     = 100 * time.Millisecond // after a failure, doubled up to retryMost
	retryMost      = time.Second
	maxInFlight    = 512 // below the driver's queue, whose callers wait without a deadline once it is full
	longestKey     = 128
)

// Client sends commands to one Redis server. Its methods may be called from many goroutines.
type Client struct {
	options rueidis.ClientOption
	timeout time.Duration
	log     *slog.Logger

	conn     atomic.Pointer[rueidis.Client]
	healthy  atomic.Bool
	inFlight chan struct{}
	tripped  chan struct{}
	close    context.CancelFunc
	done     sync.WaitGroup
}

// Open returns a client for "redis://user:password@host:6379/0" ("rediss://" for TLS,
// "unix:///path" for a socket). It fails only for a malformed URL: a Redis that does
// not answer is looked for in the background until Close. The time limit of a command
// is 50 ms, or the URL's parameter "timeout" ("?timeout=200ms").
func Open(address string, log *slog.Logger) (*Client, error) {
	options, timeout, err := parse(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &Client{
		options:  options,
		timeout:  timeout,
		log:      log,
		inFlight: make(chan struct{}, maxInFlight),
		tripped:  make(chan struct{}, 1),
		close:    cancel,
	}
	first := make(chan struct{})
	c.done.Go(func() { c.watch(ctx, first) })
	select {
	case <-first:
	case <-time.After(openWait):
	}
	return c, nil
}

// Close ends the connection and the search for it.
func (c *Client) Close() {
	c.close()
	c.healthy.Store(false)
	c.done.Wait()
	if conn := c.conn.Load(); conn != nil {
		(*conn).Close()
	}
}

// Healthy reports whether commands are being sent. It does no I/O.
func (c *Client) Healthy() bool { return c.healthy.Load() }

// Ping asks the server for an answer, and fails like any command.
func (c *Client) Ping(ctx context.Context) error {
	return c.do(ctx, func(ctx context.Context, r rueidis.Client) error {
		return r.Do(ctx, r.B().Ping().Build()).Error()
	})
}

// Get returns the value of key; found is false when there is none.
func (c *Client) Get(ctx context.Context, key string) (value []byte, found bool, err error) {
	err = c.do(ctx, func(ctx context.Context, r rueidis.Client) error {
		value, err = r.Do(ctx, r.B().Get().Key(name(key)).Build()).AsBytes()
		return err
	})
	if rueidis.IsRedisNil(err) {
		return nil, false, nil
	}
	return value, err == nil, err
}

// Set stores value under key for ttl, which is rounded up to a millisecond.
func (c *Client) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return c.do(ctx, func(ctx context.Context, r rueidis.Client) error {
		return set(ctx, r, key, rueidis.BinaryString(value), ttl)
	})
}

// Delete removes keys; one that does not exist is no error.
func (c *Client) Delete(ctx context.Context, keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = name(k)
	}
	return c.do(ctx, func(ctx context.Context, r rueidis.Client) error {
		return r.Do(ctx, r.B().Del().Key(names...).Build()).Error()
	})
}

// Script is a Lua program that answers with integers. Make one per program, not one per call.
type Script struct{ lua *rueidis.Lua }

// NewScript prepares a program; it is sent to a server once and then named by its hash.
func NewScript(source string) *Script { return &Script{rueidis.NewLuaScript(source)} }

// Eval runs a script, atomically, on one key.
func (c *Client) Eval(ctx context.Context, s *Script, key string, args ...string) (answer []int64, err error) {
	err = c.do(ctx, func(ctx context.Context, r rueidis.Client) error {
		answer, err = s.lua.Exec(ctx, r, []string{name(key)}, args).AsIntSlice()
		return err
	})
	return answer, err
}

// Publish sends a message to whoever is subscribed to channel right now.
func (c *Client) Publish(ctx context.Context, channel string, message []byte) error {
	return c.do(ctx, func(ctx context.Context, r rueidis.Client) error {
		return r.Do(ctx, r.B().Publish().Channel(name(channel)).Message(rueidis.BinaryString(message)).Build()).Error()
	})
}

// Subscribe calls receive with each message on channel until ctx is done, through
// failures of Redis. Messages sent meanwhile are lost: they are hints, no record.
// receive must return quickly.
func (c *Client) Subscribe(ctx context.Context, channel string, receive func(message []byte)) {
	for ctx.Err() == nil {
		if conn := c.conn.Load(); conn != nil && c.Healthy() {
			r := *conn
			// The error says only that the connection is gone, which the breaker notices itself.
			_ = r.Receive(ctx, r.B().Subscribe().Channel(name(channel)).Build(), func(m rueidis.PubSubMessage) {
				receive([]byte(m.Message))
			})
		}
		sleep(ctx, retryFirst)
	}
}

// do runs one command within the time limit, and opens the breaker when Redis is at fault.
func (c *Client) do(ctx context.Context, command func(context.Context, rueidis.Client) error) error {
	conn := c.conn.Load()
	if conn == nil || !c.healthy.Load() {
		return ErrUnavailable
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	err := c.queued(limited, func() error { return command(limited, *conn) })
	if ctx.Err() == nil && atFault(err) {
		c.trip(err)
	}
	return err
}

func (c *Client) queued(ctx context.Context, command func() error) error {
	select {
	case c.inFlight <- struct{}{}:
		defer func() { <-c.inFlight }()
		return command()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// trip opens the breaker: from now on commands are refused, until watch has an answer.
func (c *Client) trip(err error) {
	if !c.healthy.CompareAndSwap(true, false) {
		return
	}
	c.log.Warn("redis is unavailable: using what this process knows", "error", err)
	select {
	case c.tripped <- struct{}{}:
	default:
	}
}

// watch keeps the verdict on Redis current: at a slow pace while it answers, with
// growing pauses while it does not.
func (c *Client) watch(ctx context.Context, first chan<- struct{}) {
	pause, announced := retryFirst, false
	for ctx.Err() == nil {
		err := c.probe(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			if c.healthy.CompareAndSwap(false, true) {
				c.log.Info("redis is available")
			}
			pause = retryFirst
		case !announced && !c.healthy.Load():
			c.log.Warn("redis does not answer: starting without it", "error", err)
		default:
			c.trip(err)
		}
		if !announced {
			announced = true
			close(first)
		}
		if c.healthy.Load() {
			c.rest(ctx)
			continue
		}
		sleep(ctx, pause)
		pause = min(2*pause, retryMost)
	}
}

// rest waits for the next routine check, or for trouble and a first pause after it.
func (c *Client) rest(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(checkEvery):
	case <-c.tripped:
		sleep(ctx, retryFirst)
	}
}

// probe connects if need be and then writes a key within the time limit. It writes,
// because a server that is out of memory or a read-only replica still answers PING.
func (c *Client) probe(ctx context.Context) error {
	if c.conn.Load() == nil {
		r, err := rueidis.NewClient(c.options) // with an error it may still be a client that redials
		if r == nil {
			return fmt.Errorf("connect to redis: %w", err)
		}
		c.conn.Store(&r)
	}
	r := *c.conn.Load()
	for _, limit := range []time.Duration{dialTimeout, c.timeout} {
		limited, cancel := context.WithTimeout(ctx, limit)
		err := set(limited, r, "probe", "1", checkEvery)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

func set(ctx context.Context, r rueidis.Client, key, value string, ttl time.Duration) error {
	ms := max(1, (ttl + time.Millisecond - 1).Milliseconds())
	return r.Do(ctx, r.B().Set().Key(name(key)).Value(value).PxMilliseconds(ms).Build()).Error()
}

// atFault reports whether err says that Redis cannot serve, rather than that one command was wrong.
func atFault(err error) bool {
	if err == nil || rueidis.IsRedisNil(err) {
		return false
	}
	answer, answered := rueidis.IsRedisErr(err)
	if !answered {
		return true // no answer: network, time limit, closed connection
	}
	text := answer.Error()
	for _, state := range []string{
		"LOADING", "READONLY", "OOM", "MISCONF", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS", "BUSY",
		"NOAUTH", "WRONGPASS", "NOPERM", "MOVED", "ERR max number of clients",
	} {
		// Before version 7 an error inside a script is wrapped: "ERR Error running script (…): -OOM …".
		if strings.HasPrefix(text, state) || strings.Contains(text, "-"+state+" ") {
			return true
		}
	}
	return false
}

// name is the key as Redis sees it: long ones are hashed.
func name(key string) string {
	if len(key) > longestKey {
		sum := sha256.Sum256([]byte(key))
		return Prefix + "h:" + hex.EncodeToString(sum[:])
	}
	return Prefix + key
}

// parse reads the URL. Its errors never repeat it: it may hold a password.
func parse(address string) (rueidis.ClientOption, time.Duration, error) {
	malformed := errors.New(`redis URL: want "redis://user:password@host:port/number", rediss:// for TLS or unix:///path`)
	u, err := url.Parse(address)
	if err != nil {
		return rueidis.ClientOption{}, 0, malformed
	}
	timeout, query := defaultTimeout, u.Query()
	if query.Has("timeout") {
		if timeout, err = time.ParseDuration(query.Get("timeout")); err != nil || timeout <= 0 {
			return rueidis.ClientOption{}, 0, errors.New("redis URL: timeout must be a duration such as 50ms")
		}
		query.Del("timeout")
		u.RawQuery = query.Encode()
	}
	o, err := rueidis.ParseURL(u.String())
	if err != nil {
		return rueidis.ClientOption{}, 0, malformed
	}
	o.ForceSingleClient = true // and so a client even when the first dial fails
	o.DisableRetry = true      // a retry would outlive the time limit; the breaker decides
	o.DisableCache = true
	o.PipelineMultiplex = -1 // one connection, its commands pipelined
	o.ReadBufferEachConn, o.WriteBufferEachConn = 64<<10, 64<<10
	o.Dialer.Timeout = dialTimeout
	o.ConnWriteTimeout = 2 * time.Second // a frozen server's connection is given up
	o.ClientName = "tenon"
	return o, timeout, nil
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
