package flags_test

import (
	"context"
	"testing"
	"time"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/modules/flags"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest"
	"github.com/tenonhq/tenon/tenontest/servers"
)

func TestAChangeReachesEveryNodeWithinASecond(t *testing.T) {
	for name, redis := range map[string]bool{"with Redis": true, "without Redis": false} {
		t.Run(name, func(t *testing.T) {
			option := tenontest.Configure(func(c *tenon.Config) {
				if redis {
					c.RedisURL = servers.Redis(t).URL()
				}
			})
			url := tenontest.Database(t, db.Postgres, option)
			a, b := tenontest.Node(t, url, option), tenontest.Node(t, url, option)
			reach(t, a, b)
		})
	}
	t.Run("two processes on one SQLite file", func(t *testing.T) {
		url := tenontest.Database(t, db.SQLite)
		reach(t, tenontest.Node(t, url), tenontest.Node(t, url))
	})
}

// reach changes a flag on a, time after time, and waits for it on b.
func reach(t *testing.T, a, b *tenontest.App) {
	t.Helper()
	w := &world{App: a, t: t, root: a.Administrator("root")}
	w.flag("switch", "")
	there, slowest := b.Flags.With(t.Context()), time.Duration(0)
	for _, on := range []bool{true, false, true, false, true} {
		if !on {
			w.patch("switch", `"enabled":false`).Want(t, 200)
		} else {
			w.patch("switch", `"enabled":true`).Want(t, 200)
		}
		if flags.Bool(a.Flags.With(t.Context()), "switch", !on) != on {
			t.Fatal("the node that made the change does not serve it")
		}
		changed := time.Now()
		for flags.Bool(there, "switch", false) != on {
			if time.Since(changed) > time.Second {
				t.Fatalf("the other node does not serve %v after a second", on)
			}
			time.Sleep(time.Millisecond)
		}
		slowest = max(slowest, time.Since(changed))
	}
	t.Logf("the slowest of five changes took %s", slowest.Round(time.Millisecond))
}

func TestWhileTheDatabaseIsAwayTheLastFlagsAreServed(t *testing.T) {
	pg := servers.NewPostgres(t)
	url := pg.CreateDatabase(t)
	app := tenontest.Node(t, url)
	w := &world{App: app, t: t, root: app.Administrator("root")}
	w.flag("steady", "")
	ctx := app.Flags.With(context.Background())
	pg.Stop(t, servers.Fast)
	for began := time.Now(); time.Since(began) < 3*time.Second; time.Sleep(10 * time.Millisecond) {
		if !flags.Bool(ctx, "steady", false) {
			t.Fatalf("the flag is lost %s after the database", time.Since(began))
		}
	}
	if err := app.Flags.Flush(t.Context()); err == nil {
		t.Error("counts are written without a database")
	}
	pg.Start(t)
	for began := time.Now(); app.Flags.Flush(t.Context()) != nil; time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Fatal("the database does not come back")
		}
	}
	n, err := db.One(t.Context(), app.DB.Platform("test"), db.Scalar[int], `SELECT sum(count) FROM flag_counts`)
	if err != nil || n < 200 {
		t.Errorf("%d evaluations were counted while the database was away, %v", n, err)
	}
	w.patch("steady", `"enabled":false`).Want(t, 200)
	if flags.Bool(ctx, "steady", true) {
		t.Error("a change after the return is not served")
	}
}
