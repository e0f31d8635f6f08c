package fault

import (
	"context"
	"fmt"
	neturl "net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenonhq/tenon/tenontest/servers"
)

// ledger is what a client was told is stored.
type ledger struct {
	mu    sync.Mutex
	names []string
}

func (l *ledger) write(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names = append(l.names, name)
}

func TestARestartOfPostgreSQLCostsOnlyItsOwnTime(t *testing.T) {
	t.Parallel()
	pg := servers.NewPostgres(t)
	const pool = 10
	url := pg.CreateDatabase(t) + "&synchronous_commit=on"
	n := start(t, "DATABASE_URL="+url, fmt.Sprint("DATABASE_MAX_CONNS=", pool))
	var people []*person
	for i := range 4 {
		people = append(people, n.person(t, fmt.Sprint("person", i)))
	}
	book := &ledger{}
	traffic := begin(size(80, 200), func(i int) answer {
		as := people[i%len(people)]
		switch i % 4 {
		case 0:
			name := fmt.Sprint("Org ", i)
			a := n.send(ask{method: "POST", path: "/orgs", as: as, body: fmt.Sprintf(`{"name":%q,"slug":"org-%d"}`, name, i)})
			if a.status == 201 {
				book.write(name)
			}
			return a
		case 1:
			return n.send(ask{method: "GET", path: "/orgs?limit=5", as: as})
		case 2:
			return n.send(ask{method: "GET", path: "/sessions", as: as})
		}
		return n.send(me(as))
	})

	type outage struct{ from, to time.Time }
	var outages []outage
	most := atomic.Int64{}
	watching, stopWatching := context.WithCancel(t.Context())
	defer stopWatching()
	for range size(1, 5) {
		for _, mode := range []servers.Mode{servers.Fast, servers.Crash} {
			time.Sleep(1500 * time.Millisecond)
			o := outage{from: time.Now()}
			pg.Stop(t, mode)
			time.Sleep(size(300*time.Millisecond, time.Second))
			pg.Start(t)
			o.to = time.Now()
			outages = append(outages, o)
			go watchConnections(watching, pg.AdminURL("postgres"), time.Now().Add(2*time.Second), &most)
			time.Sleep(3 * time.Second)
		}
	}
	all := traffic.stop()
	n.alive()
	t.Logf("%v; outages of %v, and %v; at most %d connections", all, outages[0].to.Sub(outages[0].from), outages[1].to.Sub(outages[1].from), most.Load())

	failed := all.failed()
	if len(failed) == 0 {
		t.Error("nothing failed: the restarts were not felt, and nothing is proved")
	}
	failed.where(func(a answer) bool {
		return !slices.ContainsFunc(outages, func(o outage) bool {
			return a.began.Add(a.took).After(o.from) && a.began.Before(o.to.Add(2*time.Second+noise))
		})
	}).wantNone(t, "failed while the database was there")
	all.where(func(a answer) bool {
		return !(a.status/100 == 2 || a.status == 503 && a.header.Get("Retry-After") != "")
	}).wantNone(t, "are neither a success nor 503 with Retry-After")
	all.where(func(a answer) bool { return a.took > 8*time.Second }).wantNone(t, "took longer than eight seconds")
	if got := most.Load(); got == 0 || got > pool+1 { // and the one that hears when a job waits
		t.Errorf("%d connections after a restart, with a pool of %d", got, pool)
	}
	book.check(t, strings.Replace(url, "tenon@", "tenon_admin@", 1)) // past row-level security
	n.do(t, 202, ask{method: "POST", path: "/auth/request-password-reset", body: fmt.Sprintf(`{"email":%q}`, people[0].Email)})
	servers.Within(t, 10*time.Second, "jobs run again", func() bool {
		mail := n.send(ask{method: "GET", path: "//_dev/mail/messages?to=" + people[0].Email})
		return strings.Contains(mail.text, "token=")
	})
}

// check fails the test unless everything that was acknowledged is there.
func (l *ledger) check(t testing.TB, url string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer c.Close(t.Context())
	rows, err := c.Query(t.Context(), `SELECT name FROM orgs`)
	must(t, err)
	stored, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	there := map[string]bool{}
	for _, name := range stored {
		there[name] = true
	}
	gone := slices.DeleteFunc(slices.Clone(l.names), func(name string) bool { return there[name] })
	if len(gone) > 0 || len(l.names) == 0 {
		t.Errorf("%d of %d writes that were acknowledged are gone: %v", len(gone), len(l.names), gone)
	}
	t.Logf("%d writes were acknowledged, %d of them are gone", len(l.names), len(gone))
}

// watchConnections keeps the greatest number of connections that the product had at a time.
func watchConnections(ctx context.Context, url string, until time.Time, most *atomic.Int64) {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return
	}
	defer c.Close(ctx)
	for time.Now().Before(until) && ctx.Err() == nil {
		var now int64
		if err := c.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE usename = 'tenon'`).Scan(&now); err != nil {
			return
		}
		if now > most.Load() {
			most.Store(now)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// The primary goes away, or stays and is one no more; its standby takes over.
func TestAfterAFailoverWritesGoToTheNewPrimary(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(testing.TB, *servers.PG){
		"the old primary is gone":      func(t testing.TB, old *servers.PG) { old.Stop(t, servers.Crash) },
		"the old primary is read-only": func(t testing.TB, old *servers.PG) { old.Demote(t) },
	} {
		if !full() && name == "the old primary is gone" {
			continue // a restart tells most of it
		}
		t.Run(name, func(t *testing.T) {
			old := servers.NewPostgres(t)
			first := old.CreateDatabase(t)
			standby := old.Standby(t)
			second, err := neturl.Parse(standby.URL("postgres"))
			must(t, err)
			both, err := neturl.Parse(first)
			must(t, err)
			both.Host += "," + second.Host
			both.RawQuery += "&target_session_attrs=read-write"
			n := start(t, "DATABASE_URL="+both.String())
			ada := n.person(t, "ada")
			phone := n.again(t, ada)
			n.do(t, 200, me(phone))
			caughtUp(t, old, standby)

			write := func(i int) answer {
				return n.send(ask{method: "POST", path: "/orgs", as: ada, body: fmt.Sprintf(`{"name":"Org %d","slug":"org-%d"}`, i, i)})
			}
			probes := 1_000_000
			traffic := begin(30, write)
			time.Sleep(500 * time.Millisecond)
			failed := time.Now()
			fail(t, old)
			stopped := time.Now()
			standby.Promote(t)
			servers.Within(t, 10*time.Second, "the node is ready and writes", func() bool {
				probes++
				time.Sleep(50 * time.Millisecond)
				return write(probes).status == 201 && n.ready() == 200
			})
			resumed := time.Now()
			time.Sleep(time.Second)
			all := traffic.stop()
			n.alive()
			t.Logf("writes resume %v after the failure; %v", resumed.Sub(failed).Round(time.Millisecond), all)
			all.where(func(a answer) bool {
				return !(a.status == 201 || a.status == 503 && a.header.Get("Retry-After") != "")
			}).wantNone(t, "are neither a success nor 503 with Retry-After")
			all.since(resumed.Add(noise)).where(func(a answer) bool { return a.status != 201 }).wantNone(t, "failed after the failover")

			// What was acknowledged since the failure is on the new primary.
			database := strings.TrimPrefix(both.Path, "/")
			for _, a := range all.since(stopped) {
				if a.status == 201 && count(t, standby.AdminURL(database), `SELECT count(*) FROM orgs WHERE name = '`+a.get("name")+`'`) != 1 {
					t.Errorf("%s was acknowledged by a server that is no primary", a.get("name"))
				}
			}
			// Nothing is read from the old one: a session that ends now has ended.
			n.do(t, 204, ask{method: "DELETE", path: "/sessions/" + phone.Session, as: ada})
			for range 10 {
				n.do(t, 401, me(phone))
				time.Sleep(50 * time.Millisecond)
			}
			if from := count(t, standby.AdminURL("postgres"), `SELECT count(*) FROM pg_stat_activity WHERE usename = 'tenon'`); from == 0 {
				t.Error("nobody is connected to the new primary")
			}
			if name == "the old primary is read-only" {
				// One may stay: it does nothing but hear hints that a job waits, which are not relied upon.
				if left := count(t, old.AdminURL("postgres"), `SELECT count(*) FROM pg_stat_activity WHERE usename = 'tenon'`); left > 1 {
					t.Errorf("%d connections to the old primary are still used", left)
				}
			}
		})
	}
}

// A database that refuses writes serves nobody who wants to sign in.
func TestANodeWhoseDatabaseRefusesWritesIsNotReady(t *testing.T) {
	t.Parallel()
	pg := servers.NewPostgres(t)
	n := start(t, "DATABASE_URL="+pg.CreateDatabase(t))
	pg.Demote(t)
	servers.Within(t, 5*time.Second, "the node is not ready", func() bool { return n.ready() == 503 })
	n.alive()
}

func caughtUp(t testing.TB, old, standby *servers.PG) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), old.AdminURL("postgres"))
	must(t, err)
	defer c.Close(t.Context())
	var at string
	must(t, c.QueryRow(t.Context(), `SELECT pg_current_wal_lsn()::text`).Scan(&at))
	servers.Within(t, 10*time.Second, "the standby has caught up", func() bool {
		return count(t, standby.AdminURL("postgres"), `SELECT (pg_last_wal_replay_lsn() >= '`+at+`'::pg_lsn)::int`) == 1
	})
}

// count returns what a statement counts.
func count(t testing.TB, url, query string) (n int) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer c.Close(t.Context())
	must(t, c.QueryRow(t.Context(), query).Scan(&n))
	return n
}
