package jobs_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

// workerURL, in the environment, makes the test binary a worker that is to be killed.
const workerURL = "TENON_TEST_WORKER"

// slowly does its work in the way that jobs should: what it changes, and the mark that it
// has, are one transaction.
func slowly() jobs.Handler {
	return jobs.On(func(ctx context.Context, c db.Conn, j note) error {
		if _, err := c.Exec(ctx, `INSERT INTO begun (n) VALUES ($1)`, j.N); err != nil {
			return err
		}
		time.Sleep(150 * time.Millisecond)
		return c.Tx(ctx, func(tx *db.Tx) error {
			marked, err := tx.Exec(ctx, `INSERT INTO marks (n) VALUES ($1) ON CONFLICT (n) DO NOTHING`, j.N)
			if err != nil || marked == 0 {
				return err
			}
			_, err = tx.Exec(ctx, `INSERT INTO effects (n) VALUES ($1)`, j.N)
			return err
		})
	})
}

func TestWorkerProcess(t *testing.T) {
	url := os.Getenv(workerURL)
	if url == "" {
		t.Skip("it is the process that the next test kills")
	}
	n := open(t, url, jobs.Config{Workers: 5, LostAfter: 2 * time.Second})
	n.Add(slowly())
	must(t, n.Start(context.Background()))
	time.Sleep(2 * time.Minute)
}

// R02: processes are killed in the midst of jobs, again and again. Every job ends, and has
// its effect once. (SQLite serves one process, which is started anew.)
func TestKilledProcessesLoseNoJobAndRepeatNoEffect(t *testing.T) {
	for dialect, workers := range map[db.Dialect]int{db.SQLite: 1, db.Postgres: 2} {
		t.Run(string(dialect), func(t *testing.T) {
			url := database(t, dialect)
			n := open(t, url, jobs.Config{})
			n.Add(slowly())
			c := n.db.Platform("test")
			for _, statement := range []string{`CREATE TABLE begun (n INTEGER NOT NULL)`, `CREATE TABLE marks (n INTEGER NOT NULL PRIMARY KEY)`, `CREATE TABLE effects (n INTEGER NOT NULL)`} {
				_, err := c.Exec(t.Context(), statement)
				must(t, err)
			}
			const many = 100
			n.fill(t, many)
			var running []*exec.Cmd
			for range workers {
				running = append(running, worker(t, url))
			}
			for i := range 4 {
				time.Sleep(700 * time.Millisecond)
				at := i % workers
				must(t, running[at].Process.Kill())
				_ = running[at].Wait() // says that it was killed
				running[at] = worker(t, url)
			}
			began := time.Now()
			for n.rows(t, "test.note", "completed") < many {
				if time.Since(began) > time.Minute {
					t.Fatalf("%d of %d jobs have completed", n.rows(t, "test.note", "completed"), many)
				}
				time.Sleep(50 * time.Millisecond)
			}
			for statement, want := range map[string]int{`SELECT count(*) FROM effects`: many, `SELECT count(DISTINCT n) FROM effects`: many} {
				if got, err := db.One(t.Context(), c, db.Scalar[int], statement); err != nil || got != want {
					t.Errorf("%s: %d, %v", statement, got, err)
				}
			}
			begun, err := db.One(t.Context(), c, db.Scalar[int], `SELECT count(*) FROM begun`)
			must(t, err)
			if begun <= many {
				t.Error("no job was killed")
			}
			t.Logf("%d runs of %d jobs; all had completed %v after the last kill", begun, many, time.Since(began).Round(100*time.Millisecond))
		})
	}
}

func worker(t *testing.T, url string) *exec.Cmd {
	t.Helper()
	w := exec.Command(os.Args[0], "-test.run=^TestWorkerProcess$", "-test.timeout=3m")
	w.Env = append(os.Environ(), workerURL+"="+url)
	must(t, w.Start())
	t.Cleanup(func() {
		_ = w.Process.Kill() // it may have ended already
		_ = w.Wait()
	})
	return w
}
