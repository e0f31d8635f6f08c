package ops_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tenonhq/tenon/modules/ops"
	"github.com/tenonhq/tenon/platform/blob"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/redis"
	"github.com/tenonhq/tenon/tenontest"
)

func TestWhatWasFoundIsSharedForASecond(t *testing.T) {
	now := clock.NewManual(time.Now())
	d := sqlite(t)
	s := service(d, now.Now)
	wants(t, s, ops.OK)
	d.Close()
	now.Advance(time.Second - time.Microsecond)
	wants(t, s, ops.OK)
	now.Advance(time.Microsecond)
	wants(t, s, ops.Unavailable)
}

func TestADatabaseThatDoesNotAnswerIsReportedInASecondToAll(t *testing.T) {
	s := service(open(t, "postgres://nobody@"+silent(t)+"/none?sslmode=disable"), clock.System)
	began := time.Now()
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if got, err := s.Database(t.Context()); err != nil || got.Status != ops.Unavailable || got.LatencyMS < 900 {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	all.Wait()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestWhoHangsUpIsLetGoAndSpoilsNothing(t *testing.T) {
	s := service(sqlite(t), clock.System)
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	if _, err := s.Health(gone); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("who hung up gets %v", err)
	}
	wants(t, s, ops.OK)
}

func TestWithoutRedisItIsDegradedAndReady(t *testing.T) {
	r, err := redis.Open("redis://"+silent(t), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	s := service(sqlite(t), clock.System)
	s.Redis = r
	wants(t, s, ops.Degraded)
	if got := s.Cache(); got != ops.Degraded {
		t.Errorf("Redis is %s", got)
	}
	if got, err := s.Readiness(t.Context()); err != nil || got.Status != ops.Degraded {
		t.Errorf("readiness is %+v, %v", got, err)
	}
}

// away is a store that nobody reaches.
type away struct{ blob.Store }

func (away) Open(context.Context, string) (*blob.Blob, error) { return nil, blob.ErrUnavailable }

func TestAStoreThatDoesNotAnswerIsUnavailableAndNothingElse(t *testing.T) {
	s := service(sqlite(t), clock.System)
	s.Blobs = away{}
	if got, err := s.Storage(t.Context()); err != nil || got != ops.Unavailable {
		t.Errorf("storage is %s, %v", got, err)
	}
	wants(t, s, ops.OK)
}

func TestAProcessAboutToStopIsNotReadyAtOnce(t *testing.T) {
	var why error
	s := service(sqlite(t), clock.NewManual(time.Now()).Now)
	s.Ready = func() error { return why }
	for _, want := range []ops.Status{ops.OK, ops.Unavailable, ops.OK} {
		got, err := s.Readiness(t.Context())
		if err != nil || got.Status != want || got.Checks.Database != ops.OK {
			t.Errorf("readiness is %+v, %v; want %s", got, err, want)
		}
		if why == nil {
			why = errors.New("draining")
		} else {
			why = nil
		}
	}
	wants(t, s, ops.OK) // it is as healthy as before
}

func TestTheSweepRemovesAnswersPastTheirTerm(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) {
		ada, c := app.User("ada"), app.DB.Platform("test")
		for key, age := range map[string]time.Duration{"old": 25 * time.Hour, "new": 23 * time.Hour} {
			if _, err := c.Exec(t.Context(), `INSERT INTO idempotency_keys (account_id, key, request, status, created_at) VALUES ($1, $2, $3, 200, $4)`,
				ada.ID, []byte(key), []byte("hash"), app.Config.Now().Add(-age)); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Tx(t.Context(), func(tx *db.Tx) error { return app.Jobs.Enqueue(t.Context(), tx, ops.Sweep{}) }); err != nil {
			t.Fatal(err)
		}
		app.Settle()
		left, err := db.All(t.Context(), c, db.Scalar[[]byte], `SELECT key FROM idempotency_keys`)
		if err != nil || len(left) != 1 || string(left[0]) != "new" {
			t.Errorf("%q is left, %v", left, err)
		}
	})
}

func service(d *db.DB, now clock.Now) *ops.Service {
	return ops.New(ops.Deps{DB: d, Ready: func() error { return nil }, Now: now, Log: slog.New(slog.DiscardHandler)})
}

func wants(t *testing.T, s *ops.Service, want ops.Status) {
	t.Helper()
	if got, err := s.Health(t.Context()); err != nil || got.Status != want {
		t.Errorf("health is %+v, %v; want %s", got, err, want)
	}
}

func sqlite(t *testing.T) *db.DB { return open(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db")) }

func open(t *testing.T, url string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// silent is the address of a server that accepts connections and never says a word.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}
