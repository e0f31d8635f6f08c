package jobs

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/db"
)

// nodeName tells this process apart from all others that ever ran.
func nodeName() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	return host[:min(len(host), 60)] + "-" + strconv.Itoa(os.Getpid()) + "-" + strings.ToLower(rand.Text()[:8])
}

// watch is what a node has seen of the others: counts, and since when each stands still
// by our own clock. The nodes' clocks need not agree.
type watch struct {
	seen   map[string]sighting
	looked time.Time
}

type sighting struct {
	beat  int64
	since time.Time
}

// look returns the nodes that have stood still for longer than patience. Who was away
// itself, because it was stopped or the database was, judges nobody by that time.
func (w *watch) look(now time.Time, beats map[string]int64, patience time.Duration) (still map[string]int64) {
	away := w.looked.IsZero() || now.Sub(w.looked) > patience/2
	w.looked = now
	was := w.seen
	w.seen, still = map[string]sighting{}, map[string]int64{}
	for name, beat := range beats {
		s, known := was[name]
		if !known || away || s.beat != beat {
			s = sighting{beat, now}
		}
		w.seen[name] = s
		if now.Sub(s.since) > patience {
			still[name] = beat
		}
	}
	return still
}

// beatsIn is how many beats fall into the time after which a silent node counts as dead.
const beatsIn = 6

// live counts this node's beats, saves the jobs of nodes that died, and writes down what
// was measured, for as long as ctx.
func (q *Queue) live(ctx context.Context) {
	w := &watch{}
	tick := time.NewTicker(q.cfg.LostAfter / beatsIn)
	defer tick.Stop()
	for n := 0; ; n++ {
		if err := q.liveOnce(ctx, w, n); err != nil && ctx.Err() == nil {
			q.log.WarnContext(ctx, "look after the nodes that run jobs", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sweepEvery is how many beats lie between two sweeps of old measurements.
const sweepEvery = 720

func (q *Queue) liveOnce(ctx context.Context, w *watch, n int) error {
	c := q.db.Platform(monitoring)
	if err := beat(ctx, c, q.node); err != nil {
		return err
	}
	all, err := beats(ctx, c)
	if err != nil {
		return err
	}
	var failed []error
	// time.Now counts on when the wall clock is set.
	for name, at := range w.look(time.Now(), all, q.cfg.LostAfter) {
		failed = append(failed, q.bury(ctx, name, at))
	}
	failed = append(failed, q.writeMinutes(ctx))
	if n%sweepEvery == 0 {
		failed = append(failed, forgetMinutes(ctx, c, q.now().Add(-keepMinutes)))
	}
	return errors.Join(failed...)
}

// bury takes the jobs from a node that died. Of the nodes that notice, one does.
func (q *Queue) bury(ctx context.Context, name string, at int64) error {
	saved := 0
	err := q.db.Platform(monitoring).Tx(ctx, func(tx *db.Tx) error {
		mine, err := buryNode(ctx, tx, name, at)
		if err != nil || !mine {
			return err
		}
		all, err := lostJobs(ctx, tx, name)
		if err != nil {
			return err
		}
		now := q.now()
		for _, l := range all {
			s, err := l.saved(name, now)
			if err != nil {
				return err
			}
			if err := saveJob(ctx, tx, l, s, now); err != nil {
				return err
			}
		}
		saved = len(all)
		return nil
	})
	if err == nil && saved > 0 {
		q.log.WarnContext(ctx, "a process that ran jobs died; they run again", "node", name, "jobs", saved)
	}
	return err
}

// saved is what becomes of a job whose process died: as if it had failed, since it may be
// the job that killed the process.
func (l lost) saved(node string, now time.Time) (saved, error) {
	text, err := json.Marshal(failure{At: now, Attempt: l.attempt, Error: "the process that ran it ended: " + node})
	s := saved{state: "retryable", errorJSON: text, scheduledAt: now.Add(backoff(l.attempt))}
	switch {
	case l.cancelled:
		s.state, s.finished, s.scheduledAt = "cancelled", true, now
	case l.attempt >= l.max:
		s.state, s.finished, s.scheduledAt = "discarded", true, now
	}
	return s, err
}

// backoff is how long the next attempt waits: n⁴ seconds, as after an error.
func backoff(attempt int) time.Duration {
	n := time.Duration(attempt)
	return n * n * n * n * time.Second
}
