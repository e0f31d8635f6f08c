// Package ratelimit counts attempts and refuses what is too many (GCRA, a leaky
// bucket that stores one instant per key).
//
// It owns the counts, in this process and on Redis. Limits fail closed: without
// Redis each process allows half, never everything. Keys must be opaque: pass
// identifiers or hashes, never secrets or addresses.
package ratelimit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/redis"
)

// Limit allows Burst attempts at once, refilled evenly over Per. The zero Limit allows
// nothing. One key goes with one Limit.
type Limit struct {
	Burst int
	Per   time.Duration
}

// Every allows n attempts per period.
func Every(n int, per time.Duration) Limit { return Limit{Burst: n, Per: per} }

// Result is the answer to one attempt, with what the RateLimit response fields need.
type Result struct {
	Allowed    bool
	Limit      int           // attempts a full bucket holds
	Remaining  int           // attempts allowed right now, after this one
	RetryAfter time.Duration // until one attempt is allowed; zero when one is allowed now
	Reset      time.Duration // until the bucket is full again
}

// Options configure a Limiter. Now and Log are required.
type Options struct {
	Redis *redis.Client // nil: one process, no sharing
	Now   clock.Now
	Log   *slog.Logger
	Off   bool // allow everything, for load tests
}

// Limiter holds the counts. Its methods may be called from many goroutines.
type Limiter struct {
	redis  *redis.Client
	now    clock.Now
	log    *slog.Logger
	off    bool
	script *redis.Script

	local  *table // what AllowLocal counts
	shadow *table // what this process let through of the shared limits
	alone  atomic.Bool
}

// New returns a Limiter with no attempts counted in this process.
func New(o Options) *Limiter {
	return &Limiter{
		redis:  o.Redis,
		now:    o.Now,
		log:    o.Log,
		off:    o.Off,
		script: redis.NewScript(program),
		local:  newTable(maxKeys),
		shadow: newTable(maxKeys),
	}
}

// Off reports whether everything is allowed, for load tests.
func (l *Limiter) Off() bool { return l.off }

// AllowLocal counts one attempt in this process only: no I/O, no allocation.
// Its counts are apart from those of the other methods.
func (l *Limiter) AllowLocal(key string, lim Limit) Result {
	if l.off {
		return unlimited(lim)
	}
	return l.local.take(key, l.now(), newBucket(lim), 1, false)
}

// Allow counts one attempt, across all nodes when Redis is there. An attempt that is
// refused is not counted. To limit only failures, Allow first and Refund on success:
// checking first and counting afterwards lets parallel attempts through.
func (l *Limiter) Allow(ctx context.Context, key string, lim Limit) Result {
	return l.take(ctx, key, lim, 1, false)
}

// Check tells whether Allow would say yes, and counts nothing.
func (l *Limiter) Check(ctx context.Context, key string, lim Limit) Result {
	return l.take(ctx, key, lim, 0, false)
}

// Charge counts n attempts that already happened, also beyond the limit: then the
// bucket is empty. Allowed tells whether they fitted. n below 1 counts nothing.
func (l *Limiter) Charge(ctx context.Context, key string, lim Limit, n int) Result {
	return l.take(ctx, key, lim, max(n, 0), true)
}

// Refund gives back n attempts that Allow counted. n below 1 gives nothing.
func (l *Limiter) Refund(ctx context.Context, key string, lim Limit, n int) Result {
	return l.take(ctx, key, lim, -max(n, 0), true)
}

// take asks this process first and Redis second. The first answer makes a flushed or
// flapping Redis harmless: no process ever lets more through than the whole limit.
// Without Redis nobody knows what the other nodes let through, and half the limit counts.
func (l *Limiter) take(ctx context.Context, key string, lim Limit, n int, force bool) Result {
	b := newBucket(lim)
	switch {
	case l.off:
		return unlimited(lim)
	case l.redis == nil:
		return l.shadow.take(key, l.now(), b, n, force)
	case !l.redis.Healthy():
		return l.takeAlone(key, b, n, force, redis.ErrUnavailable)
	}
	if here := l.shadow.take(key, l.now(), b, n, force); !here.Allowed && !force {
		return here
	}
	everywhere, err := l.takeShared(ctx, key, b, n, force)
	if charge := n > 0 && force; !charge && (err != nil || !everywhere.Allowed) {
		l.shadow.take(key, l.now(), b, -n, true) // it did not come to pass
	}
	if err != nil {
		return l.takeAlone(key, b, n, force, err)
	}
	l.notice(nil)
	return everywhere
}

func (l *Limiter) takeAlone(key string, b bucket, n int, force bool, why error) Result {
	l.notice(why)
	return l.shadow.take(key, l.now(), b.stricter(), n, force)
}

func (l *Limiter) takeShared(ctx context.Context, key string, b bucket, n int, force bool) (Result, error) {
	if b.burst == 0 {
		return b.result(false, 0), nil
	}
	forced := "0"
	if force {
		forced = "1"
	}
	// An attempt counts also when its caller has hung up.
	answer, err := l.redis.Eval(context.WithoutCancel(ctx), l.script, "limit:"+key,
		strconv.FormatInt(b.interval/us, 10), strconv.FormatInt(b.burst, 10), strconv.Itoa(n), forced)
	if err != nil {
		return Result{}, err
	}
	if len(answer) != 2 {
		return Result{}, redis.ErrUnavailable
	}
	return b.result(answer[0] == 1, answer[1]*us), nil
}

// notice logs when limits become local and when they are shared again, once each.
func (l *Limiter) notice(err error) {
	switch {
	case err != nil && l.alone.CompareAndSwap(false, true):
		l.log.Warn("rate limits are not shared: each process allows half", "error", err)
	case err == nil && l.alone.Load() && l.alone.CompareAndSwap(true, false):
		l.log.Info("rate limits are shared again")
	}
}

func unlimited(lim Limit) Result {
	return Result{Allowed: true, Limit: lim.Burst, Remaining: lim.Burst}
}

// program is take of local.go, in one atomic step on Redis. It reads the clock of Redis,
// because that is the one clock all nodes share: a node whose own clock runs ahead would
// otherwise refill every bucket. Microseconds fit a Lua number exactly; %.0f keeps them so.
const program = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst, n, force = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local tolerance = interval * burst
local stored = (tonumber(redis.call('GET', KEYS[1])) or 0) - now
local debt = math.max(0, math.min(stored, tolerance))
local wanted = debt + interval * n
local allowed = n < 0 or debt + interval * math.max(n, 1) <= tolerance
if force then wanted = math.max(0, math.min(wanted, tolerance)) end
if allowed or force then debt = wanted end
if n ~= 0 and debt ~= math.max(0, stored) then
  if debt > 0 then
    redis.call('SET', KEYS[1], string.format('%.0f', now + debt), 'PX', string.format('%.0f', math.ceil(debt / 1000)))
  else
    redis.call('DEL', KEYS[1])
  end
end
return {allowed and 1 or 0, debt}`

// KeyOf makes an opaque key of something private, such as an e-mail address.
func KeyOf(kind, private string) string {
	sum := sha256.Sum256([]byte(private))
	return kind + ":" + hex.EncodeToString(sum[:16])
}
