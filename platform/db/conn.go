package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Conn is somewhere to run SQL: a scope of the database, or a transaction in it.
type Conn interface {
	// Exec runs a statement and reports how many rows it touched.
	Exec(ctx context.Context, query string, args ...any) (rows int64, err error)
	// Query runs a statement that returns rows. Prefer One, All and Each.
	Query(ctx context.Context, query string, args ...any) (Rows, error)
	// Tx runs fn in a transaction, joining the one that Conn already is. It commits
	// when fn returns nil, and rolls back otherwise. After a serialization failure fn
	// runs again: assign outer variables only at its end.
	Tx(ctx context.Context, fn func(tx *Tx) error) error
	// Dialect reports which product answers.
	Dialect() Dialect
}

// Row is what a scan function reads from. It reads ids into *id.ID, instants into
// *time.Time (both: NULL is the zero value) and JSON into *json.RawMessage.
type Row interface{ Scan(dest ...any) error }

// Rows is a result set.
type Rows interface {
	Row
	Next() bool
	Err() error
	Close() error
}

// ErrNoRows reports that One found nothing. Stores turn it into their own outcome.
var ErrNoRows = sql.ErrNoRows

// NoRows replaces ErrNoRows by the outcome that it means.
func NoRows(err, outcome error) error {
	if errors.Is(err, ErrNoRows) {
		return outcome
	}
	return err
}

// One returns the first row of a query, or ErrNoRows.
func One[T any](ctx context.Context, c Conn, scan func(Row) (T, error), query string, args ...any) (T, error) {
	var one T
	found := false
	err := Each(ctx, c, func(r Row) (err error) {
		if !found {
			found = true
			one, err = scan(r)
		}
		return err
	}, query, args...)
	if err == nil && !found {
		err = ErrNoRows
	}
	return one, err
}

// All returns every row of a query; an empty result is an empty slice, never nil.
func All[T any](ctx context.Context, c Conn, scan func(Row) (T, error), query string, args ...any) ([]T, error) {
	all := []T{}
	err := Each(ctx, c, func(r Row) error {
		v, err := scan(r)
		all = append(all, v)
		return err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Each calls fn with every row of a query, without keeping them.
func Each(ctx context.Context, c Conn, fn func(Row) error, query string, args ...any) (err error) {
	rows, err := c.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() {
		// A statement's error may appear only when its rows are closed.
		if cerr := rows.Close(); err == nil {
			err = classify(cerr)
		}
	}()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return classify(rows.Err())
}

// Scalar scans a single column of any supported type.
func Scalar[T any](r Row) (v T, err error) { return v, r.Scan(&v) }

// pooled runs each statement on a connection of the pool, in its scope.
type pooled struct {
	engine engine
	scope  scope
	stale  bool
}

func (p *pooled) Dialect() Dialect { return p.engine.dialect() }

func (p *pooled) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if p.stale {
		return 0, errStaleWrite
	}
	p.engine.stats().Statements.Add(1)
	n, err := p.engine.exec(ctx, p.scope, query, args)
	return n, classify(err)
}

func (p *pooled) Query(ctx context.Context, query string, args ...any) (Rows, error) {
	p.engine.stats().Statements.Add(1)
	rows, err := p.engine.query(ctx, p.scope, p.stale, query, args)
	return rows, classify(err)
}

// attempts is how often a transaction is tried when others keep getting in its way.
const attempts = 5

func (p *pooled) Tx(ctx context.Context, fn func(tx *Tx) error) error {
	if p.stale {
		return errStaleWrite
	}
	for n := 1; ; n++ {
		err := p.once(ctx, fn)
		if err == nil || n == attempts || !p.engine.retryable(err) || ctx.Err() != nil {
			return classify(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(n) * time.Duration(rand.IntN(10)+1) * time.Millisecond):
		}
	}
}

func (p *pooled) once(ctx context.Context, fn func(tx *Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, p.engine.maxTx())
	defer cancel()
	t, err := p.engine.begin(ctx, p.scope)
	if err != nil {
		return err
	}
	defer t.rollback() // does nothing after a commit; runs after a panic too
	tx := &Tx{engine: p.engine, scope: p.scope, t: t}
	err = fn(tx)
	if err == nil {
		err = t.commit(ctx)
	}
	if err != nil && ctx.Err() == context.DeadlineExceeded {
		// The engine rolled back in the middle; what the closure then saw says little.
		err = ErrUnavailable.Because(fmt.Errorf("the transaction took longer than %v: %w", p.engine.maxTx(), err))
	}
	if err != nil {
		return err
	}
	for _, hook := range tx.afterCommit {
		hook()
	}
	return nil
}

// Tx is a transaction. Only Conn.Tx makes one, and it ends when the closure returns.
type Tx struct {
	engine      engine
	scope       scope
	t           transaction
	afterCommit []func()
}

// Dialect reports which product answers.
func (t *Tx) Dialect() Dialect { return t.engine.dialect() }

// Exec runs a statement in the transaction.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	t.engine.stats().Statements.Add(1)
	n, err := t.t.exec(ctx, query, args)
	return n, classify(err)
}

// Query runs a statement that returns rows in the transaction.
func (t *Tx) Query(ctx context.Context, query string, args ...any) (Rows, error) {
	t.engine.stats().Statements.Add(1)
	rows, err := t.t.query(ctx, query, args)
	return rows, classify(err)
}

// Tx joins the transaction.
func (t *Tx) Tx(_ context.Context, fn func(tx *Tx) error) error { return fn(t) }

// AfterCommit calls fn once the transaction is committed, and never otherwise.
// It is for hints (wake a worker, drop a cached value); what must happen is a job.
func (t *Tx) AfterCommit(fn func()) { t.afterCommit = append(t.afterCommit, fn) }

// broken is the connection of a transaction asked for rows outside of its scope.
type broken struct {
	product Dialect
	err     error
}

func (b broken) Dialect() Dialect                                    { return b.product }
func (b broken) Exec(context.Context, string, ...any) (int64, error) { return 0, b.err }
func (b broken) Query(context.Context, string, ...any) (Rows, error) { return nil, b.err }
func (b broken) Tx(context.Context, func(*Tx) error) error           { return b.err }

var errStaleWrite = errors.New("db: a stale connection cannot write")
