package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// readers is how many statements may read at once; writers take turns.
const readers = 8

type sqliteDB struct {
	path    string
	writer  *sql.DB // one connection: every transaction and every write
	reader  *sql.DB
	cfg     Config
	counts  Stats
	queries sync.Map // query as written → prepared on the readers
	spelled sync.Map // query as written → as SQLite spells it
}

func openSQLite(path string, cfg Config) (*sqliteDB, error) {
	path = strings.TrimPrefix(path, "//")
	if path == "" {
		return nil, errors.New("database URL: sqlite: needs a file, as in sqlite:./data/tenon.db")
	}
	if cfg.WriterWait == 0 {
		cfg.WriterWait = 10 * time.Second
	}
	if cfg.Synchronous == "" {
		cfg.Synchronous = "NORMAL"
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the database's folder: %w", err)
	}
	s := &sqliteDB{path: path, cfg: cfg}
	var err error
	if s.writer, err = s.pool(1, "_txlock=immediate"); err != nil {
		return nil, err
	}
	if s.reader, err = s.pool(readers, "_pragma=query_only(1)"); err != nil {
		return nil, err
	}
	// The first connection makes the file and switches it to a write-ahead log, which readers then find.
	if err := s.writer.Ping(); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, fmt.Errorf("keep %s private: %w", path, err)
	}
	return s, nil
}

func (s *sqliteDB) pool(conns int, mode string) (*sql.DB, error) {
	pragmas := []string{"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(" + s.cfg.Synchronous + ")",
		"foreign_keys(1)", "mmap_size(134217728)", "temp_store(MEMORY)", "cache_size(-8000)"}
	dsn := "file:" + (&url.URL{Path: s.path}).EscapedPath() + "?" + mode
	for _, p := range pragmas {
		dsn += "&_pragma=" + p
	}
	pool, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", s.path, err)
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return pool, nil
}

func (s *sqliteDB) dialect() Dialect     { return SQLite }
func (s *sqliteDB) stats() *Stats        { return &s.counts }
func (s *sqliteDB) maxTx() time.Duration { return s.cfg.MaxTx }

func (s *sqliteDB) ping(ctx context.Context) error {
	var one int
	return s.reader.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

func (s *sqliteDB) close() {
	s.reader.Close()
	s.writer.Close()
}

func (s *sqliteDB) retryable(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

func (s *sqliteDB) exec(ctx context.Context, _ scope, query string, args []any) (int64, error) {
	if err := bind(SQLite, args); err != nil {
		return 0, err
	}
	conn, err := s.write(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return affected(conn.ExecContext(ctx, s.numbered(query), args...))
}

func (s *sqliteDB) query(ctx context.Context, _ scope, _ bool, query string, args []any) (Rows, error) {
	if err := bind(SQLite, args); err != nil {
		return nil, err
	}
	if !reads(query) {
		return s.returning(ctx, query, args)
	}
	stmt, err := s.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	return sqliteRows{rows, nil}, err
}

// returning runs a write that returns rows; the writer is free again once they are closed.
func (s *sqliteDB) returning(ctx context.Context, query string, args []any) (Rows, error) {
	conn, err := s.write(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := conn.QueryContext(ctx, s.numbered(query), args...)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return sqliteRows{rows, conn}, nil
}

func (s *sqliteDB) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt, ok := s.queries.Load(query); ok {
		return stmt.(*sql.Stmt), nil
	}
	stmt, err := s.reader.PrepareContext(ctx, s.numbered(query))
	if err != nil {
		return nil, err
	}
	if other, lost := s.queries.LoadOrStore(query, stmt); lost {
		return other.(*sql.Stmt), stmt.Close()
	}
	return stmt, nil
}

// reads reports whether a statement only reads: our common table expressions never modify data.
func reads(query string) bool {
	q := strings.TrimLeft(query, " \t\r\n")
	return len(q) >= 6 && (strings.EqualFold(q[:6], "select") || strings.EqualFold(q[:4], "with"))
}

// write waits for the writer at most WriterWait: whoever waits longer is most likely
// waiting for a transaction of its own.
func (s *sqliteDB) write(ctx context.Context) (*sql.Conn, error) {
	wait, cancel := context.WithTimeoutCause(ctx, s.cfg.WriterWait, errWriterBusy)
	defer cancel()
	conn, err := s.writer.Conn(wait)
	if err != nil && ctx.Err() == nil && wait.Err() != nil {
		err = ErrUnavailable.After(time.Second).Because(errWriterBusy)
	}
	return conn, err
}

var errWriterBusy = errors.New("db: the SQLite writer was busy for too long; was a statement of a transaction sent past it?")

func (s *sqliteDB) begin(ctx context.Context, _ scope) (transaction, error) {
	conn, err := s.write(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &sqliteTx{s, conn, tx}, nil
}

type sqliteTx struct {
	db   *sqliteDB
	conn *sql.Conn
	tx   *sql.Tx
}

func (t *sqliteTx) exec(ctx context.Context, query string, args []any) (int64, error) {
	if err := bind(SQLite, args); err != nil {
		return 0, err
	}
	return affected(t.tx.ExecContext(ctx, t.db.numbered(query), args...))
}

func (t *sqliteTx) query(ctx context.Context, query string, args []any) (Rows, error) {
	if err := bind(SQLite, args); err != nil {
		return nil, err
	}
	rows, err := t.tx.QueryContext(ctx, t.db.numbered(query), args...)
	return sqliteRows{rows, nil}, err
}

func (t *sqliteTx) commit(context.Context) error { return t.tx.Commit() }

func (t *sqliteTx) rollback() {
	_ = t.tx.Rollback() // after a commit there is nothing to undo
	_ = t.conn.Close()  // back to the pool
}

type sqliteRows struct {
	*sql.Rows
	conn *sql.Conn // of a write outside of transactions
}

// Close gives the writer back.
func (r sqliteRows) Close() error {
	err := r.Rows.Close()
	if r.conn != nil {
		err = errors.Join(err, r.conn.Close())
	}
	return err
}

func (r sqliteRows) Scan(dest ...any) error {
	targets(dest)
	return r.Rows.Scan(dest...)
}

func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

var placeholder = regexp.MustCompile(`\$([0-9]+)`)

// numbered turns $1 into ?1. Our statements hold no literal with a dollar sign.
func (s *sqliteDB) numbered(query string) string {
	if q, ok := s.spelled.Load(query); ok {
		return q.(string)
	}
	q := placeholder.ReplaceAllString(query, "?$1")
	s.spelled.Store(query, q)
	return q
}
