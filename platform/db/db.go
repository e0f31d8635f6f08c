// Package db opens SQLite or PostgreSQL and runs the same SQL on both.
//
// Queries are written once, in the subset both speak ($1 placeholders, RETURNING,
// ON CONFLICT); tables are declared twice and listed as Table values. A connection
// is asked for by scope, and on PostgreSQL row-level security holds it to that scope.
package db

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tenonhq/tenon/platform/id"
)

// Dialect names a database product and the folder its migrations live in.
type Dialect string

// The supported dialects.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Config says where the database is and how to use it. Its zero value, with a
// URL filled in, runs.
type Config struct {
	// URL is "sqlite:path/to/file.db" or "postgres://…". Empty: a SQLite file in the data folder.
	URL string `env:"DATABASE_URL"`
	// MigrateURL signs in as the owner of the tables, where the role of DATABASE_URL is not;
	// only migrations use it.
	MigrateURL string `env:"TENON_MIGRATE_DATABASE_URL"`
	// ReplicaURL is a PostgreSQL replica for reads that may be stale.
	ReplicaURL string `env:"DATABASE_REPLICA_URL"`
	// MaxConns bounds the PostgreSQL pool of this process.
	MaxConns int `env:"DATABASE_MAX_CONNS" envDefault:"20"`
	// MaxTx is the longest a transaction may last.
	MaxTx time.Duration `env:"TENON_DATABASE_MAX_TX" envDefault:"30s"`
	// WriterWait is how long a SQLite transaction waits for the one writer. (It is short in
	// tests, so that a write which escapes its transaction fails loudly.)
	WriterWait time.Duration `env:"TENON_SQLITE_WRITER_WAIT" envDefault:"10s"`
	// Synchronous is SQLite's durability: NORMAL survives a killed process, FULL
	// also a power cut (https://sqlite.org/pragma.html#pragma_synchronous).
	Synchronous string `env:"TENON_SQLITE_SYNCHRONOUS" envDefault:"NORMAL"`

	Log *slog.Logger
}

// DB is an open database, or that database seen from inside one transaction (In).
type DB struct {
	engine engine
	tx     *Tx
	stale  bool
}

// engine is one product: SQLite or PostgreSQL.
type engine interface {
	dialect() Dialect
	exec(ctx context.Context, s scope, query string, args []any) (int64, error)
	query(ctx context.Context, s scope, stale bool, query string, args []any) (Rows, error)
	begin(ctx context.Context, s scope) (transaction, error)
	ping(ctx context.Context) error
	close()
	stats() *Stats
	retryable(err error) bool
	maxTx() time.Duration
}

// transaction is what an engine's open transaction can do.
type transaction interface {
	exec(ctx context.Context, query string, args []any) (int64, error)
	query(ctx context.Context, query string, args []any) (Rows, error)
	commit(ctx context.Context) error
	rollback()
}

// Stats counts the work sent to the database since it was opened.
type Stats struct {
	Statements atomic.Int64 // the product's own, without BEGIN, COMMIT and scope settings
	RoundTrips atomic.Int64 // PostgreSQL: times that we waited for the server
}

// Open opens a database. It does not fail when a PostgreSQL server is down, only
// when the URL makes no sense: Ping says whether the server answers.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.MaxTx == 0 {
		cfg.MaxTx = 30 * time.Second
	}
	var (
		e   engine
		err error
	)
	switch scheme, rest, _ := strings.Cut(cfg.URL, ":"); scheme {
	case "sqlite":
		e, err = openSQLite(rest, cfg)
	case "postgres", "postgresql":
		e, err = openPostgres(ctx, cfg)
	default:
		return nil, fmt.Errorf("database URL must begin with sqlite: or postgres://, not %q", scheme+":")
	}
	if err != nil {
		return nil, err
	}
	return &DB{engine: e}, nil
}

// Close closes the database after the statements under way.
func (d *DB) Close() { d.engine.close() }

// Dialect reports which product this is.
func (d *DB) Dialect() Dialect { return d.engine.dialect() }

// Ping asks the database for an answer.
func (d *DB) Ping(ctx context.Context) error { return classify(d.engine.ping(ctx)) }

// Stats are the counters of this database.
func (d *DB) Stats() *Stats { return d.engine.stats() }

// In returns the database as seen from inside tx: every connection asked of it is tx.
func (d *DB) In(tx *Tx) *DB { return &DB{engine: d.engine, tx: tx} }

// Stale returns the database for reads that may lag behind: a replica, where there
// is one. Sign-in, sessions and permissions never use it.
func (d *DB) Stale() *DB { return &DB{engine: d.engine, tx: d.tx, stale: true} }

// Org connects to the rows of one organization.
func (d *DB) Org(org id.Org) Conn { return d.conn(scope{kind: orgScope, id: org}) }

// Account connects to one person's rows, across organizations.
func (d *DB) Account(account id.Account) Conn {
	return d.conn(scope{kind: accountScope, id: account})
}

// Platform connects to everybody's rows. It is for what belongs to no single
// tenant: sign-in, one-time tokens, sweeps, administration, erasure. The call
// sites are listed in internal/arch; reason says why this one is among them.
func (d *DB) Platform(reason string) Conn { return d.conn(scope{kind: platformScope, reason: reason}) }

func (d *DB) conn(s scope) Conn {
	if d.tx == nil {
		return &pooled{engine: d.engine, scope: s, stale: d.stale}
	}
	if !d.tx.scope.covers(s) {
		return broken{d.engine.dialect(), fmt.Errorf("db: a transaction of %v cannot reach %v", d.tx.scope, s)}
	}
	return d.tx
}

type scopeKind string

const (
	orgScope      scopeKind = "organization"
	accountScope  scopeKind = "account"
	platformScope scopeKind = "platform"
)

// scope is whose rows a connection may touch.
type scope struct {
	kind   scopeKind
	id     [16]byte
	reason string
}

func (s scope) covers(t scope) bool {
	return s.kind == platformScope || s.kind == t.kind && s.id == t.id
}

func (s scope) String() string {
	if s.kind == platformScope {
		return "the platform"
	}
	return fmt.Sprintf("%s %x", s.kind, s.id)
}
