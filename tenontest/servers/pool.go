package servers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// pool hands out copies of one migrated database. Emptying a copy for the next
// test takes milliseconds, a new one a large part of a second.
type pool struct {
	once     sync.Once
	err      error
	template string
	restore  string // statements that bring back the rows and sequences of the template

	mu   sync.Mutex
	idle []string
}

// Database returns the URL of a database that is as migrate left it and that no
// other test uses. Migrate runs once for each key; tests that name the same key
// share the work. A test that changes tables takes CreateDatabase instead.
func (p *PG) Database(t testing.TB, key string, migrate func(url string) error) (url string) {
	t.Helper()
	pool := p.pool(key)
	pool.once.Do(func() {
		pool.err = errors.New("it did not finish") // migrate may end its goroutine by t.Fatal
		pool.err = p.prepare(context.Background(), pool, migrate)
	})
	if pool.err != nil {
		t.Fatalf("migrate the template %q: %v", key, pool.err)
	}
	name := pool.take()
	if name == "" {
		var err error
		name, err = p.create(t.Context(), pool.template)
		must(t, err)
	}
	t.Cleanup(func() { p.giveBack(t, pool, name) })
	return p.URL(name)
}

// pool finds or makes the pool of a key.
func (p *PG) pool(key string) *pool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pools[key] == nil {
		p.pools[key] = &pool{}
	}
	return p.pools[key]
}

// prepare makes the template.
func (p *PG) prepare(ctx context.Context, pool *pool, migrate func(url string) error) (err error) {
	p.migrating.Lock()
	defer p.migrating.Unlock()
	if pool.template, err = p.create(ctx, "template1"); err != nil {
		return err
	}
	if err := migrate(p.URL(pool.template)); err != nil {
		return err
	}
	if err := p.asAdmin(ctx, pool.template, pool.snapshot); err != nil {
		return fmt.Errorf("write down the migrated template: %w", err)
	}
	return p.asAdmin(ctx, "postgres", func(c *pgx.Conn) error { return unused(ctx, c, pool.template) })
}

// giveBack empties a database for the next test, or drops it when somebody is
// still connected: what they do later must not surprise that test.
func (p *PG) giveBack(t testing.TB, pool *pool, name string) {
	t.Helper()
	if !p.running() {
		return // a fault test ended with its server
	}
	ctx := context.Background()
	err := p.asAdmin(ctx, name, func(c *pgx.Conn) error {
		if err := unused(ctx, c, name); err != nil {
			return err
		}
		_, err := c.PgConn().Exec(ctx, emptyAll+pool.restore).ReadAll()
		return err
	})
	switch {
	case errors.Is(err, errInUse):
		must(t, p.drop(ctx, name))
	case err != nil:
		t.Errorf("empty the database for the next test: %v", err)
		must(t, p.drop(ctx, name))
	default:
		pool.put(name)
	}
}

var errInUse = errors.New("somebody is still connected to the database")

// unused waits a moment for the last sessions of a database to end; a server
// notices only after a while that its client has gone.
func unused(ctx context.Context, c *pgx.Conn, database string) error {
	for range 50 {
		var sessions int
		err := c.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = $1
			AND backend_type = 'client backend' AND pid <> pg_backend_pid()`, database).Scan(&sessions)
		if err != nil || sessions == 0 {
			return err
		}
		time.Sleep(pause)
	}
	return errInUse
}

func (p *pool) take() (name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		name, p.idle = p.idle[n-1], p.idle[:n-1]
	}
	return name
}

func (p *pool) put(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, name)
}

// emptyAll deletes every row; the partitions of a table empty with it. Foreign keys and
// triggers rest meanwhile. DELETE beats TRUNCATE on small tables by two orders of magnitude.
const emptyAll = `SET session_replication_role = replica;
DO $$ DECLARE r RECORD; BEGIN
	FOR r IN SELECT c.oid::regclass AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
		AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%' LOOP
		EXECUTE 'DELETE FROM ' || r.name;
	END LOOP; END $$;
`

// snapshot notes as statements what the migration itself wrote (versions, built-in
// rows) and where the sequences stand.
func (p *pool) snapshot(c *pgx.Conn) error {
	ctx := context.Background()
	tables, err := lines(ctx, c, writeQueries)
	if err != nil {
		return err
	}
	var restore []string
	for _, query := range append(tables, writeSequences) {
		statements, err := lines(ctx, c, query)
		if err != nil {
			return err
		}
		restore = append(restore, statements...)
	}
	p.restore = strings.Join(restore, ";\n")
	return nil
}

func lines(ctx context.Context, c *pgx.Conn, query string) ([]string, error) {
	rows, err := c.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// writeQueries yields for each table a query that yields the INSERT of its rows, if it
// has any: JSON, read back by the table's own row type. Generated columns compute themselves.
const writeQueries = `
SELECT format('SELECT format(%L, json_agg(r)) FROM %s r HAVING count(*) > 0',
	format('INSERT INTO %1$s (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM json_populate_recordset(NULL::%1$s, %%L)',
		replace(t.name::text, '%', '%%'), replace(t.columns, '%', '%%')), t.name)
FROM (
	SELECT c.oid::regclass AS name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
		AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
	GROUP BY c.oid
) t`

const writeSequences = `
SELECT format('SELECT setval(%L, %s, %L)', quote_ident(schemaname) || '.' || quote_ident(sequencename),
	coalesce(last_value, start_value), last_value IS NOT NULL)
FROM pg_sequences`
