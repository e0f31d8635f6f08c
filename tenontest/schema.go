package tenontest

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/tenontest/servers"
)

// CheckSchema compares the tables that the migrations make with what the modules
// declare of them, on both databases: each table is declared, and so is each column
// that holds an id or may describe a person. Give it the options that add your modules.
// What it says becomes the promise that export and erasure keep.
func CheckSchema(t testing.TB, options ...Option) {
	t.Helper()
	for _, fault := range schemaFaults(t, options) {
		t.Error(fault)
	}
}

func schemaFaults(t testing.TB, options []Option) []string {
	t.Helper()
	lite := openDB(t, Database(t, db.SQLite, options...))
	app := build(t, "sqlite:"+t.TempDir()+"/declared.db", options)
	defer app.Close()
	declared := map[string]db.Table{}
	for _, s := range app.Schemas() {
		for _, table := range s.Tables {
			declared[table.Name] = table
		}
	}
	found := columnsOf(t, lite)
	if !servers.HasPostgres() {
		return declarationFaults(declared, found)
	}
	pg := openDB(t, Database(t, db.Postgres, options...))
	other := columnsOf(t, pg)
	faults := slices.Concat(declarationFaults(declared, other), dialectFaults(found, other))
	if err := db.CheckErasure(t.Context(), pg.Platform("compare the tables with their declarations"), app.Schemas()); err != nil {
		faults = append(faults, err.Error())
	}
	return faults
}

func openDB(t testing.TB, url string) *db.DB {
	t.Helper()
	d, err := db.Open(context.WithoutCancel(t.Context()), db.Config{URL: url, MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// column is one column of a table, with the name of its type in its own database.
type column struct{ table, name, kind string }

const (
	sqliteColumns = `SELECT m.name, c.name, lower(c.type) FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE m.type = 'table' ORDER BY m.name, c.name`
	postgresColumns = `SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
		ORDER BY c.relname, a.attname`
)

// bookkeeping are the tables of the libraries that migrate and queue.
var bookkeeping = regexp.MustCompile(`^(schema_files|schema_version_.*|river_.*|sqlite_.*)$`)

func columnsOf(t testing.TB, d *db.DB) []column {
	t.Helper()
	query := sqliteColumns
	if d.Dialect() == db.Postgres {
		query = postgresColumns
	}
	all, err := db.All(t.Context(), d.Platform("compare the tables with their declarations"), func(r db.Row) (c column, err error) {
		return c, r.Scan(&c.table, &c.name, &c.kind)
	}, query)
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(c column) bool { return bookkeeping.MatchString(c.table) })
	slices.SortFunc(all, func(a, b column) int { return cmp.Or(cmp.Compare(a.table, b.table), cmp.Compare(a.name, b.name)) })
	return all
}

// suspicious are names of columns that refer to someone or describe someone, unless
// the declaration says that this one does not.
var suspicious = regexp.MustCompile(`^((.+_)?(id|ids|by|email|name|phone|address|ip|country|city|recipient|user_agent|avatar_url|birthday|subject)|on_behalf_of)$`)

// declarationFaults says which tables and columns the declarations lack, and which
// they name in vain.
func declarationFaults(declared map[string]db.Table, found []column) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	has := map[string]bool{}
	for _, c := range found {
		table, ok := declared[c.table]
		if !ok && !has[c.table] {
			fault("table %s is in no module's Tables: declare its Scope and Life", c.table)
		}
		has[c.table], has[c.table+"."+c.name] = true, true
		if ok && (c.kind == "uuid" || c.kind != "integer" && c.kind != "bigint" && suspicious.MatchString(c.name)) && !names(table, c.name) {
			fault("table %s: column %s looks like a reference or like a person: declare it in Refs, or in Others when it is neither", c.table, c.name)
		}
	}
	for name, table := range declared {
		if !has[name] {
			fault("table %s is declared, but no migration makes it", name)
			continue
		}
		for _, c := range slices.Concat(table.KeyColumns(), columnsNamed(table)) {
			if !has[name+"."+c] {
				fault("table %s declares column %s, which it does not have", name, c)
			}
		}
	}
	slices.Sort(faults)
	return faults
}

func names(t db.Table, column string) bool {
	return slices.Contains(t.KeyColumns(), column) || slices.Contains(columnsNamed(t), column)
}

func columnsNamed(t db.Table) []string {
	all := slices.Clone(t.Others)
	for _, r := range t.Refs {
		all = append(all, r.Column)
	}
	if t.Mine != "" {
		all = append(all, t.Mine)
	}
	return all
}

// dialectFaults says where the two databases differ.
func dialectFaults(lite, pg []column) (faults []string) {
	index := func(all []column) map[string]string {
		m := map[string]string{}
		for _, c := range all {
			m[c.table+"."+c.name] = c.kind
		}
		return m
	}
	inLite, inPG := index(lite), index(pg)
	for name, kind := range inPG {
		got, ok := inLite[name]
		if want := onSQLite(kind); !ok {
			faults = append(faults, name+" is missing on SQLite")
		} else if got != want {
			faults = append(faults, fmt.Sprintf("%s is %s on PostgreSQL and %s on SQLite: want %s", name, kind, strings.ToUpper(got), strings.ToUpper(want)))
		}
	}
	for name := range inLite {
		if _, ok := inPG[name]; !ok {
			faults = append(faults, name+" is missing on PostgreSQL")
		}
	}
	slices.Sort(faults)
	return faults
}

// onSQLite is the type that stores what a PostgreSQL type does.
func onSQLite(kind string) string {
	switch kind {
	case "uuid", "bytea":
		return "blob"
	case "smallint", "integer", "bigint", "boolean", "timestamp with time zone", "interval":
		return "integer"
	case "real", "double precision":
		return "real"
	case "text", "jsonb":
		return "text"
	}
	return "another type: " + kind + " is not among those that both databases store"
}
