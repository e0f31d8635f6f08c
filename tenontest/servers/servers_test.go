package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

func TestTheOwnerOfADatabaseIsNoSuperuser(t *testing.T) {
	url := Postgres(t).CreateDatabase(t)
	got := ask[string](t, url, `SELECT format('%s super=%s createrole=%s createdb=%s owner=%s', rolname, rolsuper, rolcreaterole, rolcreatedb,
		(SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database())) FROM pg_roles WHERE rolname = current_user`)
	if want := "tenon super=f createrole=t createdb=t owner=tenon"; got != want {
		t.Errorf("signed in as %q, want %q", got, want)
	}
	tell(t, url, `CREATE TABLE in_public (id int); CREATE SCHEMA river; CREATE TABLE river.job (id int)`)
}

func TestADroppedDatabaseIsGone(t *testing.T) {
	pg := Postgres(t)
	url := pg.CreateDatabase(t)
	pg.DropDatabase(t, url)
	if c, err := pgx.Connect(t.Context(), url); err == nil {
		c.Close(t.Context())
		t.Error("the dropped database lets us in")
	}
}

const schema = `
CREATE TABLE versions (name text PRIMARY KEY, at timestamptz NOT NULL);
INSERT INTO versions VALUES ('0001', '2026-01-02 03:04:05.678901Z');
CREATE SCHEMA river;
CREATE TABLE river.job (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, args jsonb NOT NULL, twice bigint GENERATED ALWAYS AS (id * 2) STORED);
INSERT INTO river.job (args) VALUES ('{"quote": "it''s % fine"}');
CREATE TABLE parents (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE children (parent uuid NOT NULL REFERENCES parents (id), "odd Name" bytea);
CREATE TABLE events (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO parents VALUES ('00000000-0000-0000-0000-000000000001', 'built in');
INSERT INTO children VALUES ('00000000-0000-0000-0000-000000000001', '\x00ff');
ALTER TABLE children ENABLE ROW LEVEL SECURITY;
ALTER TABLE children FORCE ROW LEVEL SECURITY;`

const content = `SELECT concat_ws(E'\n',
	(SELECT json_agg(v) FROM versions v), (SELECT json_agg(j) FROM river.job j),
	(SELECT json_agg(p) FROM parents p), (SELECT json_agg(e) FROM events e))`

func TestADatabaseIsAsTheMigrationLeftIt(t *testing.T) {
	pg := Postgres(t)
	migrations := 0
	migrate := func(url string) error {
		migrations++
		tell(t, url, schema)
		return nil
	}
	var urls, contents []string
	for range 3 {
		t.Run("", func(t *testing.T) {
			url := pg.Database(t, "reuse", migrate)
			urls, contents = append(urls, url), append(contents, ask[string](t, url, content))
			tell(t, url, `UPDATE versions SET name = '0002'; INSERT INTO river.job (args) VALUES ('{}');
				INSERT INTO events VALUES ('2026-05-05'); INSERT INTO parents VALUES (gen_random_uuid(), 'mine')`)
			if id := ask[int](t, url, `SELECT max(id)::int FROM river.job`); id != 2 {
				t.Errorf("the next job has id %d, want 2", id)
			}
			admin := strings.Replace(url, "tenon@", "tenon_admin@", 1)
			if n := ask[int](t, admin, `SELECT count(*)::int FROM children WHERE "odd Name" = '\x00ff'`); n != 1 {
				t.Errorf("%d built-in rows behind row-level security, want 1", n)
			}
		})
	}
	if migrations != 1 {
		t.Errorf("migrated %d times, want once", migrations)
	}
	if urls[0] != urls[1] || urls[1] != urls[2] {
		t.Errorf("one test at a time needed several databases: %v", urls)
	}
	for _, later := range contents[1:] {
		if diff := cmp.Diff(contents[0], later); diff != "" {
			t.Errorf("a used database differs from the first (-first +later):\n%s", diff)
		}
	}
}

func TestConcurrentTestsNeverShareADatabase(t *testing.T) {
	pg := Postgres(t)
	var mu sync.Mutex
	inUse := map[string]bool{}
	t.Run("all", func(t *testing.T) {
		for i := range 6 {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				url := pg.Database(t, fmt.Sprint("concurrent", i%2), func(url string) error {
					tell(t, url, `CREATE TABLE things (id int)`)
					return nil
				})
				mu.Lock()
				defer mu.Unlock()
				if inUse[url] {
					t.Error("two tests have", url)
				}
				inUse[url] = true
				t.Cleanup(func() { mu.Lock(); defer mu.Unlock(); inUse[url] = false })
				tell(t, url, `INSERT INTO things VALUES (1)`)
			})
		}
	})
}

func TestADatabaseWithAForgottenConnectionIsNotReused(t *testing.T) {
	pg := Postgres(t)
	migrate := func(url string) error { tell(t, url, `CREATE TABLE things (id int)`); return nil }
	var first string
	var forgotten *pgx.Conn // held here, or the collector would close it
	t.Run("forgets", func(t *testing.T) {
		first = pg.Database(t, "forgotten", migrate)
		c, err := pgx.Connect(context.Background(), first)
		must(t, err)
		forgotten = c
	})
	defer forgotten.Close(context.Background())
	if second := pg.Database(t, "forgotten", migrate); first == second {
		t.Error("the next test got a database that somebody is connected to")
	}
}

func TestAPrivateServerSurvivesACrash(t *testing.T) {
	pg := NewPostgres(t)
	url := pg.CreateDatabase(t)
	tell(t, url, `CREATE TABLE things (id int); INSERT INTO things VALUES (1); SET synchronous_commit = on; INSERT INTO things VALUES (2)`)
	for _, mode := range []Mode{Crash, Fast} {
		pg.Stop(t, mode)
		if c, err := pgx.Connect(t.Context(), url); err == nil {
			c.Close(t.Context())
			t.Fatal("a stopped server lets us in")
		}
		pg.Start(t)
		if n := ask[int](t, url, `SELECT count(*)::int FROM things`); n != 2 {
			t.Errorf("%d rows after the restart, want 2", n)
		}
	}
}

func TestEachTestHasARedisDatabaseOfItsOwn(t *testing.T) {
	a, b := Redis(t), Redis(t)
	if a.URL() == b.URL() {
		t.Fatal("two tests share", a.URL())
	}
	must(t, redisCommands(a.port, fmt.Sprint("SELECT ", a.database), "SET key value"))
	must(t, a.flush())
}

func TestAFrozenRedisAnswersAgainWhenItContinues(t *testing.T) {
	r := NewRedis(t)
	r.Stop(t)
	answered := make(chan error, 1)
	go func() { answered <- redisCommands(r.port, "PING") }()
	select {
	case err := <-answered:
		t.Fatal("a frozen server answers:", err)
	case <-time.After(50 * time.Millisecond):
	}
	r.Continue(t)
	must(t, <-answered)
}

func TestAKilledRedisComesBackOnTheSamePort(t *testing.T) {
	r := NewRedis(t)
	url := r.URL()
	r.Kill(t)
	if err := redisCommands(r.port, "PING"); err == nil {
		t.Fatal("a killed server answers")
	}
	r.Start(t)
	if r.URL() != url {
		t.Errorf("it moved from %s to %s", url, r.URL())
	}
	must(t, redisCommands(r.port, "PING"))
}

// The test runs itself: the child starts servers, says where, and is killed.
func TestAKilledTestLeavesNothingBehind(t *testing.T) {
	if os.Getenv("TENON_SERVERS_CHILD") != "" {
		pg, r := NewPostgres(t), NewRedis(t)
		r.Stop(t)
		fmt.Println(pg.dir, r.dir)
		select {}
	}
	Postgres(t) // skips where there is none
	child := exec.Command(os.Args[0], "-test.run=^TestAKilledTestLeavesNothingBehind$")
	child.Env = append(os.Environ(), "TENON_SERVERS_CHILD=1")
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	var dirs [2]string
	if _, err := fmt.Fscan(out, &dirs[0], &dirs[1]); err != nil {
		t.Fatal("the child says nothing:", err)
	}
	var pids [2]int
	for i, dir := range dirs {
		pid, err := os.ReadFile(dir + "/pid")
		must(t, err)
		_, err = fmt.Sscan(string(pid), &pids[i])
		must(t, err)
	}
	must(t, child.Process.Kill())
	_ = child.Wait() // "signal: killed"
	for i, dir := range dirs {
		eventually(t, dir+" is gone", func() bool { _, err := os.Stat(dir); return os.IsNotExist(err) })
		eventually(t, "the server is gone", func() bool { return ended(pids[i]) })
	}
}

func TestASharedServerIsNotStopped(t *testing.T) {
	pg := Postgres(t)
	stopped := &recorder{TB: t}
	func() {
		defer func() { _ = recover() }()
		pg.Stop(stopped, Fast)
	}()
	if !strings.Contains(stopped.said, "NewPostgres") {
		t.Errorf("stopping the shared server says %q", stopped.said)
	}
	tell(t, pg.AdminURL("postgres"), "SELECT 1")
}

// recorder keeps what a failing helper says.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Helper() {}
func (r *recorder) Fatal(args ...any) {
	r.said = fmt.Sprint(args...)
	panic(r.said)
}

func ended(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			t.Fatal("waited ten seconds until ", what)
		}
	}
}

func tell(t testing.TB, url, statements string) {
	t.Helper()
	c, err := pgx.Connect(context.Background(), url)
	must(t, err)
	_, err = c.PgConn().Exec(context.Background(), statements).ReadAll()
	must(t, err)
	must(t, c.Close(context.Background()))
}

func ask[T any](t testing.TB, url, query string) (answer T) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	must(t, err)
	must(t, c.QueryRow(t.Context(), query).Scan(&answer))
	must(t, c.Close(t.Context()))
	return answer
}
