package tenontest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/tenontest/servers"
)

// The second wall, table by table: with every WHERE forgotten, a tenant still reads,
// changes and removes its own rows only, and nobody without a tenant reads any.
func TestRowLevelSecurityHoldsEveryTenantTable(t *testing.T) {
	url := Database(t, db.Postgres)
	app := Node(t, url)
	admin := openDB(t, servers.Postgres(t).AdminURL(url[strings.LastIndex(url, "/")+1:strings.Index(url, "?")])).Platform("test")
	columns := map[string][]column{}
	for _, c := range columnsOf(t, app.DB) {
		columns[c.table] = append(columns[c.table], c)
	}
	orgs := [2]id.Org{id.New[id.OrgKind](), id.New[id.OrgKind]()}
	people := [2]id.Account{id.New[id.AccountKind](), id.New[id.AccountKind]()}
	tables := 0
	for _, s := range app.Schemas() {
		for _, table := range s.Tables {
			if table.Scope == db.ByPlatform {
				continue
			}
			tables++
			t.Run(table.Name, func(t *testing.T) {
				for i := range 2 {
					seed(t, admin, table, columns[table.Name], orgs[i], people[i])
				}
				for i := range 2 {
					if table.Scope != db.ByAccount {
						holds(t, app.DB.Org(orgs[i]), table, "org_id", orgs[i], orgs[1-i])
					}
					if table.Scope != db.ByOrg {
						holds(t, app.DB.Account(people[i]), table, "account_id", people[i], people[1-i])
					}
					if table.Mine != "" {
						mine(t, app.DB.Account(people[i]), table, people[i])
					}
				}
				nobody(t, app.DB, table.Name)
			})
		}
	}
	if tables < 5 {
		t.Errorf("only %d tables were tried", tables)
	}
}

// seed inserts a row of an organization, of a person, or one of each.
func seed(t *testing.T, admin db.Conn, table db.Table, columns []column, org id.Org, person id.Account) {
	t.Helper()
	owners := []map[string]any{{}}
	switch table.Scope {
	case db.ByOrg:
		owners[0][table.KeyColumns()[0]] = org
	case db.ByAccount:
		owners[0][table.KeyColumns()[0]] = person
	case db.ByEither:
		owners = []map[string]any{{"org_id": org, "account_id": nil}, {"org_id": nil, "account_id": person}}
	}
	for _, owner := range owners {
		if table.Mine != "" {
			owner[table.Mine] = person
		}
		var names, places []string
		var args []any
		for _, c := range columns {
			value, set := owner[c.name]
			if !set {
				value = anything(c.kind)
			}
			if c.name == "expires_at" { // else a sweep takes the row meanwhile
				value = "2126-02-01T00:00:00Z"
			}
			names, args = append(names, `"`+c.name+`"`), append(args, value)
			places = append(places, fmt.Sprintf("$%d", len(args)))
		}
		err := admin.Tx(t.Context(), func(tx *db.Tx) error {
			// References to rows that are not there are beside the point.
			if _, err := tx.Exec(t.Context(), `SET LOCAL session_replication_role = replica`); err != nil {
				return err
			}
			_, err := tx.Exec(t.Context(), fmt.Sprintf(`INSERT INTO %s (%s) VALUES (%s)`, table.Name, strings.Join(names, ", "), strings.Join(places, ", ")), args...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func anything(kind string) any {
	switch kind {
	case "uuid":
		return id.New[id.AccountKind]()
	case "timestamp with time zone":
		return "2026-02-01T00:00:00Z"
	case "boolean":
		return false
	case "jsonb":
		return "{}"
	case "bytea":
		return []byte(rand.Text())
	case "smallint", "integer", "bigint", "real", "double precision":
		return 1
	}
	return rand.Text()
}

var errUndo = errors.New("undo")

// holds tries everything without a WHERE, as the tenant of c.
func holds[A, B any](t *testing.T, c db.Conn, table db.Table, either string, own A, other B) {
	t.Helper()
	key := either
	if table.Scope != db.ByEither {
		key = table.KeyColumns()[0]
	}
	rows := func(c db.Conn, where string, args ...any) int {
		n, err := db.One(t.Context(), c, db.Scalar[int], `SELECT count(*) FROM `+table.Name+where, args...)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if all, mine := rows(c, ""), rows(c, ` WHERE `+key+` = $1`, own); all != 1 || mine != 1 {
		t.Errorf("a tenant sees %d rows, %d of them its own; want 1", all, mine)
	}
	for _, statement := range []string{`UPDATE ` + table.Name + ` SET ` + key + ` = ` + key, `DELETE FROM ` + table.Name} {
		err := c.Tx(t.Context(), func(tx *db.Tx) error {
			n, err := tx.Exec(t.Context(), statement)
			if err == nil && n != 1 {
				t.Errorf("%s touched %d rows", statement, n)
			}
			return errors.Join(err, errUndo)
		})
		if !errors.Is(err, errUndo) || strings.Contains(err.Error(), "ERROR") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if n, err := c.Exec(t.Context(), `UPDATE `+table.Name+` SET `+key+` = $1`, other); err == nil {
		t.Errorf("a tenant gave %d of its rows to another", n)
	}
}

// mine checks that a person sees their rows in other tenants' tables, and changes none.
func mine(t *testing.T, c db.Conn, table db.Table, person id.Account) {
	t.Helper()
	all, err := db.All(t.Context(), c, db.Scalar[id.Account], `SELECT `+table.Mine+` FROM `+table.Name)
	if err != nil || len(all) != 1 || all[0] != person {
		t.Errorf("a person sees %v, %v", all, err)
	}
	if n, err := c.Exec(t.Context(), `DELETE FROM `+table.Name); err != nil || n != 0 {
		t.Errorf("a person removed %d rows, %v", n, err)
	}
}

// nobody checks that the tenants' role without a tenant, or with none that exists, sees nothing.
func nobody(t *testing.T, d *db.DB, table string) {
	t.Helper()
	for _, as := range []string{``, `SELECT set_config('tenon.org', '', true), set_config('tenon.account', '', true)`} {
		err := d.Platform("test").Tx(t.Context(), func(tx *db.Tx) error {
			if err := statements(t.Context(), tx, `SET LOCAL ROLE tenon_app`, as); err != nil {
				return err
			}
			n, err := db.One(t.Context(), tx, db.Scalar[int], `SELECT count(*) FROM `+table)
			if n != 0 {
				t.Errorf("nobody sees %d rows", n)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func statements(ctx context.Context, tx *db.Tx, all ...string) error {
	for _, s := range all {
		if s == "" {
			continue
		}
		if _, err := tx.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
