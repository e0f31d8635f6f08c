package db_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/tenontest/servers"
)

// each runs fn on an empty SQLite and an empty PostgreSQL database.
func each(t *testing.T, fn func(t *testing.T, d *db.DB), change ...func(*db.Config)) {
	t.Helper()
	for _, dialect := range []db.Dialect{db.SQLite, db.Postgres} {
		t.Run(string(dialect), func(t *testing.T) { fn(t, open(t, empty(t, dialect), change...)) })
	}
}

func empty(t *testing.T, dialect db.Dialect) (url string) {
	t.Helper()
	if dialect == db.Postgres {
		return servers.Postgres(t).CreateDatabase(t)
	}
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}

func open(t *testing.T, url string, change ...func(*db.Config)) *db.DB {
	t.Helper()
	cfg := db.Config{URL: url, MaxConns: 4, WriterWait: 5 * time.Second}
	for _, c := range change {
		c(&cfg)
	}
	d, err := db.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func platform(d *db.DB) db.Conn { return d.Platform("test") }

// run runs statements written for PostgreSQL; SQLite gets its own names of types.
func run(t *testing.T, c db.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if c.Dialect() == db.SQLite {
			s = strings.NewReplacer("uuid", "BLOB", "timestamptz", "INTEGER", "jsonb", "TEXT", "boolean", "INTEGER", "bigint", "INTEGER", "text", "TEXT").Replace(s)
		}
		if _, err := c.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func count(t *testing.T, c db.Conn, query string, args ...any) int {
	t.Helper()
	n, err := db.One(t.Context(), c, db.Scalar[int], query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// within fails the test when fn takes longer than limit.
func within(t *testing.T, limit time.Duration, fn func(ctx context.Context)) {
	t.Helper()
	began := time.Now()
	fn(t.Context())
	if took := time.Since(began); took > limit {
		t.Errorf("it took %v, longer than %v", took, limit)
	}
}

type thingKind struct{}

func (thingKind) Prefix() string { return "thing" }

type thingID = id.ID[thingKind]
