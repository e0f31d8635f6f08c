package db_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
)

var errStop = errors.New("stop")

func ledger(t *testing.T, d *db.DB) db.Conn {
	t.Helper()
	c := platform(d)
	run(t, c, `CREATE TABLE entries (n bigint PRIMARY KEY, v bigint NOT NULL)`)
	return c
}

func put(ctx context.Context, c db.Conn, n, v int) error {
	_, err := c.Exec(ctx, `INSERT INTO entries (n, v) VALUES ($1, $2)`, n, v)
	return err
}

func entries(t *testing.T, c db.Conn) int { return count(t, c, `SELECT count(*) FROM entries`) }

func TestATransactionHappensWholeOrNotAtAll(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := ledger(t, d)
		must(t, c.Tx(t.Context(), func(tx *db.Tx) error {
			must(t, put(t.Context(), tx, 1, 1))
			if n := entries(t, tx); n != 1 {
				t.Errorf("the transaction sees %d of its own rows", n)
			}
			return put(t.Context(), tx, 2, 2)
		}))
		err := c.Tx(t.Context(), func(tx *db.Tx) error {
			must(t, put(t.Context(), tx, 3, 3))
			return errStop
		})
		if !errors.Is(err, errStop) || entries(t, c) != 2 {
			t.Errorf("after a failure: %v, %d rows", err, entries(t, c))
		}
		func() {
			defer func() { _ = recover() }()
			_ = c.Tx(t.Context(), func(tx *db.Tx) error {
				must(t, put(t.Context(), tx, 4, 4))
				panic("stop")
			})
		}()
		if n := entries(t, c); n != 2 {
			t.Errorf("after a panic: %d rows", n)
		}
		// The connection of the panic is free again, for a write too.
		must(t, put(t.Context(), c, 5, 5))
	})
}

func TestATransactionInATransactionIsTheSame(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := ledger(t, d)
		err := c.Tx(t.Context(), func(tx *db.Tx) error {
			must(t, d.In(tx).Platform("test").Tx(t.Context(), func(inner *db.Tx) error {
				if inner != tx {
					t.Error("the inner transaction is another")
				}
				return put(t.Context(), inner, 1, 1)
			}))
			must(t, d.In(tx).Org(id.New[id.OrgKind]()).Tx(t.Context(), func(inner *db.Tx) error { return put(t.Context(), inner, 2, 2) }))
			return errStop
		})
		if !errors.Is(err, errStop) || entries(t, c) != 0 {
			t.Errorf("the inner transaction outlived the outer: %v, %d rows", err, entries(t, c))
		}
	})
}

func TestHintsAreGivenAfterTheCommitAndOnlyThen(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := ledger(t, d)
		var said []string
		must(t, c.Tx(t.Context(), func(tx *db.Tx) error {
			tx.AfterCommit(func() {
				if entries(t, c) == 1 {
					said = append(said, "first, and the row is there")
				}
			})
			must(t, tx.Tx(t.Context(), func(tx *db.Tx) error {
				tx.AfterCommit(func() { said = append(said, "second") })
				return put(t.Context(), tx, 1, 1)
			}))
			if len(said) > 0 {
				t.Error("a hint came before the commit")
			}
			return nil
		}))
		if diff := cmp.Diff([]string{"first, and the row is there", "second"}, said); diff != "" {
			t.Error(diff)
		}
		_ = c.Tx(t.Context(), func(tx *db.Tx) error {
			tx.AfterCommit(func() { t.Error("a hint came after a rollback") })
			return errStop
		})
		if d.Dialect() == db.Postgres { // a commit that fails is none
			run(t, c, `CREATE TABLE late (n bigint REFERENCES entries (n) DEFERRABLE INITIALLY DEFERRED)`)
			if err := c.Tx(t.Context(), func(tx *db.Tx) error {
				tx.AfterCommit(func() { t.Error("a hint came after a commit that failed") })
				_, err := tx.Exec(t.Context(), `INSERT INTO late (n) VALUES (99)`)
				return err
			}); !db.IsReferenced(err) {
				t.Errorf("the commit returned %v", err)
			}
			// Outside of a transaction, too, the constraint speaks up only at the end.
			if _, err := d.Platform("test").Exec(t.Context(), `INSERT INTO late (n) VALUES (99)`); !db.IsReferenced(err) {
				t.Errorf("the statement returned %v", err)
			}
		}
	})
}

func TestATransactionOfOneTenantReachesNoOther(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := ledger(t, d)
		orgA, orgB, person := id.New[id.OrgKind](), id.New[id.OrgKind](), id.New[id.AccountKind]()
		if d.Dialect() == db.Postgres {
			run(t, c, `DO $$ BEGIN CREATE ROLE tenon_app NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
				`GRANT tenon_app TO CURRENT_USER`, `GRANT ALL ON entries TO tenon_app`)
		}
		must(t, d.Org(orgA).Tx(t.Context(), func(tx *db.Tx) error {
			in := d.In(tx)
			for name, c := range map[string]db.Conn{"another organization": in.Org(orgB), "an account": in.Account(person), "the platform": in.Platform("test")} {
				if c.Dialect() != d.Dialect() {
					t.Errorf("%s: the dialect is %s", name, c.Dialect())
				}
				_, execErr := c.Exec(t.Context(), `DELETE FROM entries`)
				_, queryErr := c.Query(t.Context(), `SELECT n FROM entries`)
				txErr := c.Tx(t.Context(), func(*db.Tx) error { t.Errorf("%s was reached", name); return nil })
				for _, err := range []error{execErr, queryErr, txErr} {
					if err == nil || !strings.Contains(err.Error(), "cannot reach") {
						t.Errorf("%s: %v", name, err)
					}
				}
			}
			return put(t.Context(), in.Org(orgA), 1, 1)
		}))
		must(t, d.Platform("test").Tx(t.Context(), func(tx *db.Tx) error { // the platform reaches everybody
			return errors.Join(put(t.Context(), d.In(tx).Org(orgB), 2, 2), put(t.Context(), d.In(tx).Account(person), 3, 3))
		}))
	})
}

func TestReadsThatMayLagNeverWrite(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := ledger(t, d)
		stale := d.Stale().Platform("test")
		if _, err := stale.Exec(t.Context(), `DELETE FROM entries`); err == nil {
			t.Error("a stale connection deleted")
		}
		if err := stale.Tx(t.Context(), func(*db.Tx) error { return nil }); err == nil {
			t.Error("a stale connection began a transaction")
		}
		must(t, put(t.Context(), c, 1, 1))
		if n := entries(t, stale); n != 1 {
			t.Errorf("it reads %d rows", n)
		}
	})
}

// Two transactions read each other's row and then write their own: one of them has to
// run again, and both succeed.
func TestASerializationFailureRunsTheTransactionAgain(t *testing.T) {
	d := open(t, empty(t, db.Postgres))
	c := ledger(t, d)
	must(t, errors.Join(put(t.Context(), c, 1, 0), put(t.Context(), c, 2, 0)))
	runs := inTurn(t, c, func(tx *db.Tx, mine, other int, met func()) error {
		if _, err := tx.Exec(t.Context(), `SET TRANSACTION ISOLATION LEVEL SERIALIZABLE`); err != nil {
			return err
		}
		v, err := db.One(t.Context(), tx, db.Scalar[int], `SELECT v FROM entries WHERE n = $1`, other)
		if err != nil {
			return err
		}
		met()
		_, err = tx.Exec(t.Context(), `UPDATE entries SET v = $2 WHERE n = $1`, mine, v+1)
		return err
	})
	// One after the other, the second reads what the first wrote: 1, then 2.
	if sum := count(t, c, `SELECT sum(v) FROM entries`); runs != 3 || sum != 3 {
		t.Errorf("%d runs, sum %d; want 3 and 3", runs, sum)
	}
}

func TestADeadlockRunsOneTransactionAgain(t *testing.T) {
	d := open(t, empty(t, db.Postgres))
	c := ledger(t, d)
	must(t, errors.Join(put(t.Context(), c, 1, 0), put(t.Context(), c, 2, 0)))
	runs := inTurn(t, c, func(tx *db.Tx, mine, other int, met func()) error {
		if _, err := tx.Exec(t.Context(), `UPDATE entries SET v = v + 1 WHERE n = $1`, mine); err != nil {
			return err
		}
		met()
		_, err := tx.Exec(t.Context(), `UPDATE entries SET v = v + 1 WHERE n = $1`, other)
		return err
	})
	if sum := count(t, c, `SELECT sum(v) FROM entries`); runs != 3 || sum != 4 {
		t.Errorf("%d runs, sum %d; want 3 and 4", runs, sum)
	}
}

// inTurn runs two transactions that wait for each other in the middle of their first
// run, and returns how often fn ran.
func inTurn(t *testing.T, c db.Conn, fn func(tx *db.Tx, mine, other int, met func()) error) (runs int) {
	t.Helper()
	var mu sync.Mutex
	var both, done sync.WaitGroup
	both.Add(2)
	for n := 1; n <= 2; n++ {
		first := true
		done.Go(func() {
			err := c.Tx(t.Context(), func(tx *db.Tx) error {
				mu.Lock()
				runs++
				mu.Unlock()
				return fn(tx, n, 3-n, func() {
					if first {
						first = false
						both.Done()
						both.Wait()
					}
				})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	return runs
}

func TestAnOutcomeIsNotTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		runs := 0
		_ = platform(d).Tx(t.Context(), func(*db.Tx) error { runs++; return errStop })
		if runs != 1 {
			t.Errorf("it ran %d times", runs)
		}
	})
}

// A statement that goes past its own transaction waits for itself. It must not wait for long.
func TestAWriteThatEscapesItsTransactionFailsLoudly(t *testing.T) {
	d := open(t, empty(t, db.SQLite), func(c *db.Config) { c.WriterWait = 50 * time.Millisecond })
	c := ledger(t, d)
	must(t, c.Tx(t.Context(), func(tx *db.Tx) error {
		must(t, put(t.Context(), tx, 1, 1))
		for name, escape := range map[string]func(ctx context.Context) error{
			"Exec":  func(ctx context.Context) error { return put(ctx, c, 2, 2) },
			"Query": func(ctx context.Context) error { return returning(ctx, c) },
			"Tx":    func(ctx context.Context) error { return c.Tx(ctx, func(*db.Tx) error { return nil }) },
		} {
			within(t, 2*time.Second, func(ctx context.Context) {
				err := escape(ctx)
				if errs.KindOf(err) != errs.Unavailable || !strings.Contains(err.Error(), "past it") {
					t.Errorf("%s returned %v", name, err)
				}
			})
		}
		if n := entries(t, c); n != 0 { // reading past it is possible, and sees the state before
			t.Errorf("a reader sees %d rows of a transaction under way", n)
		}
		return nil
	}))
	must(t, returning(t.Context(), c))
	if n := entries(t, c); n != 2 {
		t.Errorf("%d rows", n)
	}
}

func returning(ctx context.Context, c db.Conn) error {
	_, err := db.One(ctx, c, db.Scalar[int], `INSERT INTO entries (n, v) VALUES (9, 9) RETURNING n`)
	return err
}

func TestATransactionThatTakesTooLongIsUndone(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := ledger(t, d)
		err := c.Tx(t.Context(), func(tx *db.Tx) error {
			must(t, put(t.Context(), tx, 1, 1))
			select { // what a slow closure does: nothing that the database could see
			case <-t.Context().Done():
			case <-time.After(150 * time.Millisecond):
			}
			return nil
		})
		if errs.KindOf(err) != errs.Unavailable || entries(t, c) != 0 {
			t.Errorf("it returned %v and left %d rows", err, entries(t, c))
		}
	}, func(c *db.Config) { c.MaxTx = 100 * time.Millisecond })
}

func TestManyWritersOfSQLiteTakeTurns(t *testing.T) {
	d := open(t, empty(t, db.SQLite))
	c := ledger(t, d)
	must(t, put(t.Context(), c, 1, 0))
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 20 {
				if err := c.Tx(t.Context(), func(tx *db.Tx) error {
					v, err := db.One(t.Context(), tx, db.Scalar[int], `SELECT v FROM entries WHERE n = 1`)
					if err == nil {
						_, err = tx.Exec(t.Context(), `UPDATE entries SET v = $1 WHERE n = 1`, v+1)
					}
					return err
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if v := count(t, c, `SELECT v FROM entries WHERE n = 1`); v != 320 {
		t.Errorf("%d of 320 increments survived", v)
	}
}
