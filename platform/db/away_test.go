package db_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/tenontest/servers"
)

// R05: every error while PostgreSQL is away is ErrUnavailable, everything that was
// acknowledged is still there, and no one has to restart us.
func TestWhilePostgreSQLIsAwayTheAnswerIsUnavailable(t *testing.T) {
	pg := servers.NewPostgres(t)
	// The test servers confirm commits early, for speed; here they must mean it.
	d := open(t, pg.CreateDatabase(t)+"&synchronous_commit=on")
	c := ledger(t, d)
	for _, mode := range []servers.Mode{servers.Fast, servers.Crash} {
		var acknowledged, last atomic.Int64
		acknowledged.Store(int64(entries(t, c)))
		last.Store(int64(mode) * 1_000_000)
		ctx, stop := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() {
				for ctx.Err() == nil {
					n := int(last.Add(1))
					err := c.Tx(t.Context(), func(tx *db.Tx) error { return put(t.Context(), tx, n, n) })
					switch {
					case err == nil:
						acknowledged.Add(1)
					case !errors.Is(err, db.ErrUnavailable) || errs.KindOf(err) != errs.Unavailable:
						t.Errorf("while PostgreSQL was away: %v", err)
					}
				}
			})
		}
		clients.Go(func() { // in the middle of a query
			_, err := db.One(ctx, c, db.Scalar[string], `SELECT pg_sleep(20)::text`)
			if !errors.Is(err, db.ErrUnavailable) {
				t.Errorf("a query under way was broken off with %v", err)
			}
		})
		until(t, "the long query runs", func() bool {
			return count(t, c, `SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(20)%' AND state = 'active' AND pid <> pg_backend_pid()`) == 1
		})
		pg.Stop(t, mode)
		within(t, 3*time.Second, func(ctx context.Context) {
			if err := d.Ping(ctx); !errors.Is(err, db.ErrUnavailable) {
				t.Errorf("a stopped server answers %v", err)
			}
			if _, err := db.One(ctx, c, db.Scalar[int], `SELECT 1`); !errors.Is(err, db.ErrUnavailable) || errors.Is(err, db.ErrNoRows) {
				t.Errorf("a query of a stopped server returns %v", err)
			}
		})
		pg.Start(t)
		until(t, "the pool recovers", func() bool { return d.Ping(t.Context()) == nil })
		stop()
		clients.Wait()
		if have := int64(entries(t, c)); have < acknowledged.Load() {
			t.Errorf("%d rows are there of %d that were acknowledged", have, acknowledged.Load())
		}
	}
}

func TestAMistakeInAStatementIsNotAnOutage(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := ledger(t, d)
		_, syntax := c.Exec(t.Context(), `SELEC 1`)
		must(t, put(t.Context(), c, 1, 1))
		for name, err := range map[string]error{"syntax": syntax, "duplicate": put(t.Context(), c, 1, 1)} {
			if err == nil || errors.Is(err, db.ErrUnavailable) {
				t.Errorf("%s: %v", name, err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := put(ctx, c, 2, 2); !errors.Is(err, context.Canceled) || errors.Is(err, db.ErrUnavailable) {
			t.Errorf("a caller that left gets %v", err)
		}
	})
}

func TestASQLiteFileThatCannotBeOpenedSaysWhich(t *testing.T) {
	for _, url := range []string{"sqlite:", "mysql://x", "postgres://%zz", ""} {
		if d, err := db.Open(t.Context(), db.Config{URL: url}); err == nil {
			d.Close()
			t.Errorf("%q was opened", url)
		}
	}
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
