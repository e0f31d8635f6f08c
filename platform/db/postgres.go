package db

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// appRole is the role that tenant statements run as: it owns nothing, and
// row-level security applies to it. platformRole sees every row and owns nothing
// either; the login role is a member of both.
const (
	appRole      = "tenon_app"
	platformRole = "tenon_platform"
)

type postgres struct {
	pool    *pgxpool.Pool
	replica *pgxpool.Pool // the primary where there is no replica
	cfg     Config
	counts  Stats
}

func openPostgres(ctx context.Context, cfg Config) (*postgres, error) {
	pool, err := openPool(ctx, cfg, cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	p := &postgres{pool: pool, replica: pool, cfg: cfg}
	if cfg.ReplicaURL != "" {
		if p.replica, err = openPool(ctx, cfg, cfg.ReplicaURL); err != nil {
			pool.Close()
			return nil, fmt.Errorf("replica URL: %w", err)
		}
	}
	return p, nil
}

func openPool(ctx context.Context, cfg Config, url string) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("not a PostgreSQL URL: expected postgres://user:password@host:5432/database")
	}
	if cfg.MaxConns > 0 {
		c.MaxConns = int32(cfg.MaxConns)
	}
	c.MaxConnLifetime = time.Hour
	c.MaxConnLifetimeJitter = 10 * time.Minute
	if c.ConnConfig.ConnectTimeout == 0 {
		c.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	params := c.ConnConfig.RuntimeParams
	set := func(name, value string) {
		if _, chosen := params[name]; !chosen {
			params[name] = value
		}
	}
	set("application_name", "tenon")
	set("timezone", "UTC")
	// A forgotten transaction must not hold its locks, nor the invalidation window, for longer.
	set("idle_in_transaction_session_timeout", fmt.Sprint(cfg.MaxTx.Milliseconds()))
	var pool atomic.Pointer[pgxpool.Pool]
	keep := c.ConnConfig.OnPgError
	c.ConnConfig.OnPgError = func(conn *pgconn.PgConn, e *pgconn.PgError) bool {
		if p := pool.Load(); p != nil && e.Code == readOnly {
			p.Reset()
		}
		return e.Code != readOnly && keep(conn, e)
	}
	p, err := pgxpool.NewWithConfig(ctx, c)
	pool.Store(p)
	return p, err
}

// readOnly is the SQLSTATE of a write on a server that is a standby, or was demoted to
// one. Connections to it work, but never again for writes, and what they read grows
// old: all of them are given up, so that the next ones find the new primary.
const readOnly = "25006"

func (p *postgres) dialect() Dialect     { return Postgres }
func (p *postgres) stats() *Stats        { return &p.counts }
func (p *postgres) maxTx() time.Duration { return p.cfg.MaxTx }

// ping fails also for a server that accepts no writes: nobody can sign in on it.
func (p *postgres) ping(ctx context.Context) error {
	var refuses bool
	err := p.pool.QueryRow(ctx, `SELECT current_setting('transaction_read_only')::boolean`).Scan(&refuses)
	if err != nil || !refuses {
		return err
	}
	p.pool.Reset()
	return ErrUnavailable.After(2 * time.Second).Because(errors.New("the server accepts no writes"))
}

func (p *postgres) close() {
	if p.replica != p.pool {
		p.replica.Close()
	}
	p.pool.Close()
}

func (p *postgres) retryable(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01") // serialization failure, deadlock
}

func (p *postgres) exec(ctx context.Context, s scope, query string, args []any) (int64, error) {
	if err := bind(Postgres, args); err != nil {
		return 0, err
	}
	p.counts.RoundTrips.Add(1)
	if s.kind == platformScope {
		tag, err := p.pool.Exec(ctx, query, args...)
		return tag.RowsAffected(), err
	}
	b := enter(s)
	b.Queue(query, args...)
	results := p.pool.SendBatch(ctx, b)
	if _, err := results.Exec(); err != nil {
		return 0, errors.Join(err, results.Close())
	}
	tag, err := results.Exec()
	if cerr := results.Close(); err == nil {
		err = cerr
	}
	return tag.RowsAffected(), err
}

func (p *postgres) query(ctx context.Context, s scope, stale bool, query string, args []any) (Rows, error) {
	if err := bind(Postgres, args); err != nil {
		return nil, err
	}
	pool := p.pool
	if stale {
		pool = p.replica
	}
	p.counts.RoundTrips.Add(1)
	if s.kind == platformScope {
		rows, err := pool.Query(ctx, query, args...)
		return pgRows{rows, nil}, err
	}
	b := enter(s)
	b.Queue(query, args...)
	results := pool.SendBatch(ctx, b)
	if _, err := results.Exec(); err != nil {
		results.Close()
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		results.Close()
		return nil, err
	}
	return pgRows{rows, results}, nil
}

// enter begins a batch by taking on the tenant's role and identity. A batch is one
// implicit transaction, so both end with it and cost no round trip of their own.
// set_config is SET LOCAL as a function: it takes parameters, and does not warn.
func enter(s scope) *pgx.Batch {
	b := &pgx.Batch{}
	if s.kind == orgScope {
		b.Queue(`SELECT set_config('role', 'tenon_app', true), set_config('tenon.org', $1, true)`, uuidText(s.id))
	} else {
		b.Queue(`SELECT set_config('role', 'tenon_app', true), set_config('tenon.account', $1, true)`, uuidText(s.id))
	}
	return b
}

func uuidText(u [16]byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:16])
}

func (p *postgres) begin(ctx context.Context, s scope) (transaction, error) {
	begin := "BEGIN"
	switch s.kind { // the id is hexadecimal digits: nothing to quote
	case orgScope:
		begin += "; SET LOCAL ROLE tenon_app; SET LOCAL tenon.org = '" + uuidText(s.id) + "'"
	case accountScope:
		begin += "; SET LOCAL ROLE tenon_app; SET LOCAL tenon.account = '" + uuidText(s.id) + "'"
	}
	p.counts.RoundTrips.Add(1)
	tx, err := p.pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: begin})
	if err != nil {
		return nil, err
	}
	return &pgTx{tx, p}, nil
}

type pgTx struct {
	tx pgx.Tx
	p  *postgres
}

func (t *pgTx) exec(ctx context.Context, query string, args []any) (int64, error) {
	if err := bind(Postgres, args); err != nil {
		return 0, err
	}
	t.p.counts.RoundTrips.Add(1)
	tag, err := t.tx.Exec(ctx, query, args...)
	return tag.RowsAffected(), err
}

func (t *pgTx) query(ctx context.Context, query string, args []any) (Rows, error) {
	if err := bind(Postgres, args); err != nil {
		return nil, err
	}
	t.p.counts.RoundTrips.Add(1)
	rows, err := t.tx.Query(ctx, query, args...)
	return pgRows{rows, nil}, err
}

func (t *pgTx) commit(ctx context.Context) error {
	t.p.counts.RoundTrips.Add(1)
	return t.tx.Commit(ctx)
}

// rollback gives up quickly: a connection that does not answer is closed by the pool.
func (t *pgTx) rollback() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = t.tx.Rollback(ctx) // after a commit, or on a dead connection, there is nothing to undo
}

type pgRows struct {
	pgx.Rows
	batch pgx.BatchResults
}

func (r pgRows) Scan(dest ...any) error {
	targets(dest)
	return r.Rows.Scan(dest...)
}

// Close reports the batch's error too: a deferred constraint speaks up only there.
func (r pgRows) Close() error {
	r.Rows.Close()
	err := r.Rows.Err()
	if r.batch != nil {
		if cerr := r.batch.Close(); err == nil {
			err = cerr
		}
	}
	return err
}
