package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"time"

	"github.com/gofrs/flock"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

// Migration is one file of a module, and whether it has been applied.
type Migration struct {
	Module    string
	File      string
	AppliedAt time.Time // zero: pending

	sum string
}

// Pending reports whether the file is still to be applied.
func (m Migration) Pending() bool { return m.AppliedAt.IsZero() }

// accessFile stands, among the migrations, for the policies and grants that follow from the tables.
const accessFile = "access"

// Migrations lists what the schemas need and what the database has, in order. A
// file that has been changed after it was applied is an error.
func (d *DB) Migrations(ctx context.Context, schemas []Schema) ([]Migration, error) {
	applied, err := d.applied(ctx)
	if err != nil {
		return nil, err
	}
	wanted, err := wanted(d.Dialect(), schemas)
	if err != nil {
		return nil, err
	}
	for i, m := range wanted {
		have, ok := applied[m.Module+"/"+m.File]
		if !ok || have.sum != m.sum && (m.File == accessFile || path.Ext(m.File) != ".sql") {
			continue
		}
		if have.sum != m.sum {
			return nil, fmt.Errorf("migration %s/%s was changed after it was applied; add a new one instead", m.Module, m.File)
		}
		wanted[i].AppliedAt = have.AppliedAt
	}
	return wanted, nil
}

// Migrate brings the database up to date: each module's migrations in the order of
// schemas, then the policies and grants. Two processes take turns; the second finds
// nothing to do. When all is applied already it costs one query.
func (d *DB) Migrate(ctx context.Context, cfg Config, schemas []Schema) error {
	if todo, err := d.Migrations(ctx, schemas); err != nil || !anyPending(todo) {
		return err
	}
	return d.asOwner(ctx, cfg, func(owner *DB) error { return owner.migrate(ctx, d, schemas) })
}

// asOwner runs fn on a connection that owns the tables, while no other process does so.
func (d *DB) asOwner(ctx context.Context, cfg Config, fn func(owner *DB) error) error {
	owner := d
	if cfg.MigrateURL != "" && d.Dialect() == Postgres {
		other := cfg
		other.URL, other.ReplicaURL, other.MaxConns = cfg.MigrateURL, "", 4
		var err error
		if owner, err = Open(ctx, other); err != nil {
			return fmt.Errorf("open the migration database: %w", err)
		}
		defer owner.Close()
	}
	return owner.locked(ctx, func() error { return fn(owner) })
}

func (d *DB) migrate(ctx context.Context, runtime *DB, schemas []Schema) error {
	plain := d.Platform("migrations")
	if _, err := plain.Exec(ctx, ledger(d.Dialect())); err != nil {
		return fmt.Errorf("prepare the list of migrations: %w", err)
	}
	todo, err := d.Migrations(ctx, schemas)
	if err != nil || !anyPending(todo) {
		return err
	}
	pool, done := d.sqlPool()
	defer done()
	for _, s := range schemas {
		if !slices.ContainsFunc(todo, func(m Migration) bool { return m.Module == s.Name && m.File != accessFile && m.Pending() }) {
			continue
		}
		if err := d.up(ctx, pool, s); err != nil {
			return fmt.Errorf("migrate %s: %w", s.Name, err)
		}
		if err := d.note(ctx, todo, func(m Migration) bool { return m.Module == s.Name && m.File != accessFile }); err != nil {
			return err
		}
	}
	if d.Dialect() == Postgres {
		if err := d.grantAccess(ctx, runtime, schemas); err != nil {
			return err
		}
	}
	return d.note(ctx, todo, func(m Migration) bool { return m.File == accessFile })
}

func (d *DB) up(ctx context.Context, pool *sql.DB, s Schema) error {
	if s.FS != nil {
		dir, err := fs.Sub(s.FS, "migrations/"+string(d.Dialect()))
		if err != nil {
			return err
		}
		dialect := database.DialectPostgres
		if d.Dialect() == SQLite {
			dialect = database.DialectSQLite3
		}
		store, err := database.NewStore(dialect, "schema_version_"+s.Name)
		if err != nil {
			return err
		}
		// Custom stores replace the dialect, so the dialect given to goose is empty.
		p, err := goose.NewProvider("", pool, dir, goose.WithStore(store))
		if err != nil {
			return err
		}
		if _, err := p.Up(ctx); err != nil {
			return err
		}
	}
	if s.Up != nil {
		return s.Up(ctx, d)
	}
	return nil
}

// ledger creates the list of applied files: one query on it tells whether there is anything to do.
func ledger(d Dialect) string {
	if d == Postgres {
		return `CREATE TABLE IF NOT EXISTS schema_files (module text NOT NULL, file text NOT NULL, sum text NOT NULL, applied_at timestamptz NOT NULL, PRIMARY KEY (module, file))`
	}
	return `CREATE TABLE IF NOT EXISTS schema_files (module TEXT NOT NULL, file TEXT NOT NULL, sum TEXT NOT NULL, applied_at INTEGER NOT NULL, PRIMARY KEY (module, file)) STRICT`
}

// ledgerExists asks the catalogue, because to query a missing table is an error, and
// so is to query one that a first migration, broken off, has not yet opened to us.
func ledgerExists(d Dialect) string {
	if d == Postgres {
		return `SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = 'schema_files'
			AND has_table_privilege(quote_ident(schemaname) || '.schema_files', 'SELECT')`
	}
	return `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_files'`
}

func (d *DB) applied(ctx context.Context) (map[string]Migration, error) {
	c := d.Platform("migrations")
	n, err := One(ctx, c, Scalar[int], ledgerExists(d.Dialect()))
	if err != nil || n == 0 {
		return nil, err
	}
	files := map[string]Migration{}
	err = Each(ctx, c, func(r Row) error {
		var m Migration
		if err := r.Scan(&m.Module, &m.File, &m.sum, &m.AppliedAt); err != nil {
			return err
		}
		files[m.Module+"/"+m.File] = m
		return nil
	}, `SELECT module, file, sum, applied_at FROM schema_files`)
	return files, err
}

func (d *DB) note(ctx context.Context, all []Migration, which func(Migration) bool) error {
	c := d.Platform("migrations")
	for _, m := range all {
		if !m.Pending() || !which(m) {
			continue
		}
		_, err := c.Exec(ctx, `INSERT INTO schema_files (module, file, sum, applied_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (module, file) DO UPDATE SET sum = excluded.sum, applied_at = excluded.applied_at`,
			m.Module, m.File, m.sum, time.Now())
		if err != nil {
			return fmt.Errorf("note migration %s/%s: %w", m.Module, m.File, err)
		}
	}
	return nil
}

func wanted(dialect Dialect, schemas []Schema) ([]Migration, error) {
	var all []Migration
	access := sha256.New()
	for _, s := range schemas {
		for _, t := range s.Tables {
			if err := t.Check(); err != nil {
				return nil, fmt.Errorf("module %s: %w", s.Name, err)
			}
			fmt.Fprintf(access, "%+v\n", t)
		}
		if s.FS != nil {
			files, err := fs.Glob(s.FS, "migrations/"+string(dialect)+"/*.sql")
			if err != nil {
				return nil, err
			}
			if len(files) == 0 {
				return nil, fmt.Errorf("module %s has no files in migrations/%s", s.Name, dialect)
			}
			sort.Strings(files)
			for _, f := range files {
				body, err := fs.ReadFile(s.FS, f)
				if err != nil {
					return nil, err
				}
				sum := sha256.Sum256(body)
				all = append(all, Migration{Module: s.Name, File: path.Base(f), sum: hex.EncodeToString(sum[:])})
			}
		}
		if s.Version != "" {
			all = append(all, Migration{Module: s.Name, File: "own", sum: s.Version})
		}
	}
	fmt.Fprint(access, accessVersion)
	return append(all, Migration{Module: "platform", File: accessFile, sum: hex.EncodeToString(access.Sum(nil))}), nil
}

func anyPending(all []Migration) bool { return slices.ContainsFunc(all, Migration.Pending) }

// sqlPool is the database as database/sql sees it, which is what goose takes.
func (d *DB) sqlPool() (*sql.DB, func()) {
	switch e := d.engine.(type) {
	case *postgres:
		pool := stdlib.OpenDBFromPool(e.pool)
		return pool, func() { pool.Close() }
	case *sqliteDB:
		return e.writer, func() {}
	}
	return nil, func() {}
}

// migrationLock is an arbitrary number, the same for every process of this product.
const migrationLock = 7_306_911_053

// locked runs fn while no other process migrates this database.
func (d *DB) locked(ctx context.Context, fn func() error) error {
	switch e := d.engine.(type) {
	case *postgres:
		// A connection of its own: the work below may need all that the pool has.
		conn, err := pgx.ConnectConfig(ctx, e.pool.Config().ConnConfig)
		if err != nil {
			return classify(err)
		}
		defer conn.Close(context.WithoutCancel(ctx)) // and the lock goes with it
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, migrationLock); err != nil {
			return fmt.Errorf("wait for another migration: %w", classify(err))
		}
		return fn()
	case *sqliteDB:
		lock := flock.New(e.path + ".lock")
		if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("wait for another migration: %w", err)
		}
		return errors.Join(fn(), lock.Unlock())
	}
	return fn()
}
