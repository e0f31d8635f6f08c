package fault

import (
	"context"
	"fmt"
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
	mu   sync.Mutex
	rows map[string]string // id → name
}

func (l *ledger) write(id, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rows[id] = name
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
	book := &ledger{rows: map[string]string{}}
	traffic := begin(size(80, 200), func(i int) answer {
		as := people[i%len(people)]
		switch i % 4 {
		case 0:
			name := fmt.Sprint("Org ", i)
			a := n.send(ask{method: "POST", path: "/orgs", as: as, body: fmt.Sprintf(`{"name":%q,"slug":"org-%d"}`, name, i)})
			if a.status == 201 {
				book.write(a.get("id"), name)
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
	if got := most.Load(); got == 0 || got > pool {
		t.Errorf("%d connections after a restart, with a pool of %d", got, pool)
	}
	book.check(t, n, people)
	n.do(t, 202, ask{method: "POST", path: "/auth/request-password-reset", body: fmt.Sprintf(`{"email":%q}`, people[0].Email)})
	servers.Within(t, 10*time.Second, "jobs run again", func() bool {
		mail := n.send(ask{method: "GET", path: "//_dev/mail/messages?to=" + people[0].Email})
		return strings.Contains(mail.text, "token=")
	})
}

// check fails the test unless everything that was acknowledged is there.
func (l *ledger) check(t testing.TB, n *node, people []*person) {
	t.Helper()
	missing := 0
	for id, name := range l.rows {
		if !slices.ContainsFunc(people, func(p *person) bool {
			a := n.send(ask{method: "GET", path: "/orgs/" + id, as: p})
			return a.status == 200 && a.get("name") == name
		}) {
			missing++
		}
	}
	if missing > 0 || len(l.rows) == 0 {
		t.Errorf("%d of %d writes that were acknowledged are gone", missing, len(l.rows))
	}
	t.Logf("%d writes were acknowledged, %d of them are gone", len(l.rows), missing)
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
