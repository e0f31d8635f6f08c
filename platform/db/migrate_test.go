package db_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/platform/db"
)

const filesPerModule = 5

// schemas are three modules whose migrations take a moment each and write down that they ran.
func schemas() []db.Schema {
	var all []db.Schema
	for _, module := range []string{"first", "second", "third"} {
		files := fstest.MapFS{}
		for n := 1; n <= filesPerModule; n++ {
			for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
				files[fmt.Sprintf("migrations/%s/%04d_step.sql", dialect, n)] = &fstest.MapFile{Data: []byte(step(dialect, module, n))}
			}
		}
		all = append(all, db.Schema{Name: module, FS: files, Tables: []db.Table{{Name: module + "s", Scope: db.ByOrg, Life: db.Delete()}}})
	}
	return all
}

func step(dialect db.Dialect, module string, n int) string {
	pause, uuid := `SELECT pg_sleep(0.008);`, "uuid"
	if dialect == db.SQLite {
		pause, uuid = `CREATE TEMP TABLE pause AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 3000) SELECT max(x) AS x FROM c; DROP TABLE pause;`, "BLOB"
	}
	create := fmt.Sprintf(`CREATE TABLE %ss (org_id %s NOT NULL PRIMARY KEY);`, module, uuid)
	if n > 1 {
		create = fmt.Sprintf(`ALTER TABLE %ss ADD COLUMN c%d text;`, module, n)
	}
	return fmt.Sprintf("-- +goose Up\nCREATE TABLE IF NOT EXISTS runs (step text NOT NULL);\n%s\n%s\nINSERT INTO runs (step) VALUES ('%s/%04d_step.sql');\n",
		create, pause, module, n)
}

func allSteps() (steps []string) {
	for _, s := range schemas() {
		for n := 1; n <= filesPerModule; n++ {
			steps = append(steps, fmt.Sprintf("%s/%04d_step.sql", s.Name, n))
		}
	}
	slices.Sort(steps)
	return steps
}

// complete fails the test unless every step ran exactly once and nothing is pending.
func complete(t *testing.T, d *db.DB) {
	t.Helper()
	ran, err := db.All(t.Context(), platform(d), db.Scalar[string], `SELECT step FROM runs ORDER BY step`)
	must(t, err)
	if diff := cmp.Diff(allSteps(), ran); diff != "" {
		t.Errorf("steps (-wanted +ran): %s", diff)
	}
	all, err := d.Migrations(t.Context(), schemas())
	must(t, err)
	for _, m := range all {
		if m.Pending() {
			t.Errorf("%s/%s is pending", m.Module, m.File)
		}
	}
	if wrong, err := d.Verify(t.Context(), schemas()); err != nil || len(wrong) > 0 {
		t.Errorf("tenants are not kept apart: %v %v", wrong, err)
	}
}

func TestAMigratedDatabaseCostsTwoStatementsToCheck(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		all, err := d.Migrations(t.Context(), schemas())
		if err != nil || len(all) != 3*filesPerModule+1 || slices.ContainsFunc(all, func(m db.Migration) bool { return !m.Pending() }) {
			t.Errorf("before: %v %v", all, err)
		}
		must(t, d.Migrate(t.Context(), db.Config{}, schemas()))
		complete(t, d)
		before := d.Stats().Statements.Load()
		must(t, d.Migrate(t.Context(), db.Config{}, schemas()))
		if n := d.Stats().Statements.Load() - before; n != 2 {
			t.Errorf("%d statements", n)
		}
	})
}

func TestAMigrationThatWasChangedIsRefused(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		must(t, d.Migrate(t.Context(), db.Config{}, schemas()))
		changed := schemas()
		files := changed[1].FS.(fstest.MapFS)
		for _, dialect := range []string{"sqlite", "postgres"} {
			files["migrations/"+dialect+"/0002_step.sql"].Data = append(files["migrations/"+dialect+"/0002_step.sql"].Data, "-- a harmless remark\n"...)
		}
		_, listErr := d.Migrations(t.Context(), changed)
		for _, err := range []error{listErr, d.Migrate(t.Context(), db.Config{}, changed)} {
			if err == nil || !strings.Contains(err.Error(), "second/0002_step.sql was changed after it was applied") {
				t.Errorf("it returned %v", err)
			}
		}
	})
}

func TestANewFileIsAppliedAndANewTableProtected(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		must(t, d.Migrate(t.Context(), db.Config{}, schemas()[:2]))
		must(t, d.Migrate(t.Context(), db.Config{}, schemas()))
		complete(t, d)
		// What a later version applied does not trouble an earlier one, during a rolling upgrade.
		must(t, d.Migrate(t.Context(), db.Config{}, schemas()[:2]))
	})
}

func TestABrokenMigrationLeavesNothingBehind(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		broken := schemas()
		for _, dialect := range []string{"sqlite", "postgres"} {
			broken[1].FS.(fstest.MapFS)["migrations/"+dialect+"/0003_step.sql"].Data = []byte("-- +goose Up\nCREATE TABLE half (n text);\nSELECT nonsense FROM nowhere;\n")
		}
		if err := d.Migrate(t.Context(), db.Config{}, broken); err == nil || !strings.Contains(err.Error(), "migrate second") {
			t.Errorf("it returned %v", err)
		}
		if _, err := platform(d).Exec(t.Context(), `SELECT n FROM half`); err == nil {
			t.Error("half a migration was kept")
		}
		must(t, d.Migrate(t.Context(), db.Config{}, schemas()))
		complete(t, d)
	})
}

func TestDeclarationsAreComplete(t *testing.T) {
	d := open(t, empty(t, db.SQLite))
	for want, s := range map[string]db.Schema{
		"declare its Scope":         {Name: "m", Tables: []db.Table{{Name: "t"}}},
		"a table without a name":    {Name: "m", Tables: []db.Table{{}}},
		"declare its Life":          {Name: "m", Tables: []db.Table{{Name: "t", Scope: db.ByOrg}}},
		"say why it is retained":    {Name: "m", Tables: []db.Table{{Name: "t", Scope: db.ByOrg, Life: db.Retain("", 0)}}},
		"the Life of column who":    {Name: "m", Tables: []db.Table{{Name: "t", Scope: db.ByOrg, Life: db.Delete(), Refs: []db.Ref{{Column: "who"}}}}},
		"no files in migrations":    {Name: "m", FS: fstest.MapFS{"migrations/x": &fstest.MapFile{Mode: fs.ModeDir}}},
		"the Life of column gender": {Name: "m", Tables: []db.Table{{Name: "t", Scope: db.ByOrg, Life: db.Delete(), Refs: []db.Ref{{Column: "gender", Life: db.Retain("", time.Hour)}}}}},
	} {
		if err := d.Migrate(t.Context(), db.Config{}, []db.Schema{s}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

const childURL = "TENON_TEST_MIGRATE"

// TestTheChildMigrates is what the other processes of the tests below run.
func TestTheChildMigrates(t *testing.T) {
	url := os.Getenv(childURL)
	if url == "" {
		t.Skip("run by other tests, in a process of its own")
	}
	d := open(t, url)
	fmt.Println("migrating")
	must(t, d.Migrate(t.Context(), db.Config{}, schemas()))
}

// child starts a process that migrates the database, and returns once it is about to.
func child(ctx context.Context, url string) (*exec.Cmd, error) {
	c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestTheChildMigrates$", "-test.timeout=60s")
	c.Env = append(os.Environ(), childURL+"="+url)
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		return nil, err
	}
	line := make([]byte, len("migrating"))
	_, err = out.Read(line)
	return c, err
}

func eachURL(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) { fn(t, empty(t, dialect)) })
	}
}

func TestProcessesThatMigrateAtOnceTakeTurns(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				c, err := child(t.Context(), url)
				if err == nil {
					err = c.Wait()
				}
				if err != nil {
					t.Errorf("a process that migrated: %v", err)
				}
			})
		}
		all.Wait()
		complete(t, open(t, url))
	})
}

// R04: whenever a migrating process is killed, the list never claims more than was
// done, and the next start does the rest.
func TestAKilledMigrationIsResumed(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		began := time.Now()
		must(t, first(t, empty(t, dialectOf(url))))
		took := time.Since(began)
		killed := 0
		for range 40 {
			c, err := child(t.Context(), url)
			must(t, err)
			died := make(chan error, 1)
			go func() { died <- c.Wait() }()
			var finished bool
			select {
			case err := <-died:
				must(t, err)
				finished = true
			case <-time.After(rand.N(took/6 + 1)):
				if err := c.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
					must(t, err)
				}
				finished = <-died == nil
			}
			claimsNoMore(t, url)
			if finished {
				break
			}
			killed++
		}
		t.Logf("killed %d processes, with %v for a whole migration", killed, took)
		if killed == 0 {
			t.Error("no process was killed")
		}
		d := open(t, url)
		must(t, d.Migrate(t.Context(), db.Config{}, schemas()))
		complete(t, d)
	})
}

// first migrates a database without being killed, to learn how long that takes.
func first(t *testing.T, url string) error {
	t.Helper()
	c, err := child(t.Context(), url)
	return errors.Join(err, c.Wait())
}

func dialectOf(url string) db.Dialect {
	if strings.HasPrefix(url, "sqlite") {
		return db.SQLite
	}
	return db.Postgres
}

func claimsNoMore(t *testing.T, url string) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: url, MaxConns: 2})
	must(t, err)
	defer d.Close()
	all, err := d.Migrations(t.Context(), schemas())
	must(t, err)
	ran, _ := db.All(t.Context(), platform(d), db.Scalar[string], `SELECT step FROM runs`) // no such table: nothing ran
	for _, m := range all {
		if name := m.Module + "/" + m.File; !m.Pending() && m.File != "access" && !slices.Contains(ran, name) {
			t.Errorf("%s is claimed to be applied, but is not", name)
		}
	}
}
