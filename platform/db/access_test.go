package db_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/tenontest/servers"
)

// tenantTables is a module with a table of every scope.
func tenantTables() []db.Schema {
	const create = `-- +goose Up
CREATE TABLE notes (org_id uuid NOT NULL, n bigint NOT NULL, author uuid, PRIMARY KEY (org_id, n));
CREATE TABLE letters (account_id uuid NOT NULL, n bigint NOT NULL, PRIMARY KEY (account_id, n));
CREATE TABLE hints (org_id uuid, account_id uuid, n bigint NOT NULL PRIMARY KEY);
CREATE TABLE secrets (n bigint NOT NULL PRIMARY KEY);
CREATE TABLE counters (n bigint NOT NULL PRIMARY KEY);
CREATE TABLE replies (org_id uuid NOT NULL PRIMARY KEY, n bigint REFERENCES hints (n) DEFERRABLE INITIALLY DEFERRED);
`
	life := db.Delete()
	return []db.Schema{{Name: "notes", FS: fstest.MapFS{"migrations/postgres/0001_create.sql": &fstest.MapFile{Data: []byte(create)}}, Tables: []db.Table{
		{Name: "notes", Scope: db.ByOrg, Mine: "author", Life: life},
		{Name: "letters", Scope: db.ByAccount, Life: life},
		{Name: "hints", Scope: db.ByEither, Life: life},
		{Name: "replies", Scope: db.ByOrg, Life: life},
		{Name: "secrets", Scope: db.ByPlatform, Life: life},
		{Name: "counters", Scope: db.ByPlatform, Tenants: "INSERT", Life: life},
	}}}
}

func protected(t *testing.T, pg *servers.PG) (d *db.DB, url string) {
	t.Helper()
	url = pg.CreateDatabase(t)
	d = open(t, url, func(c *db.Config) { c.MaxConns = 2 })
	must(t, d.Migrate(t.Context(), db.Config{}, tenantTables()))
	return d, url
}

// E15: requests of many tenants take turns on two connections, in transactions and
// without, with failures between, and none ever sees or changes a row of another.
func TestNoTenantSeesWhatAnotherLeftOnTheConnection(t *testing.T) {
	d, _ := protected(t, servers.Postgres(t))
	var orgs [4]id.Org
	var people [4]id.Account
	for i := range orgs {
		orgs[i], people[i] = id.New[id.OrgKind](), id.New[id.AccountKind]()
		for n := range i + 1 {
			_, err := d.Org(orgs[i]).Exec(t.Context(), `INSERT INTO notes (org_id, n, author) VALUES ($1, $2, $3)`, orgs[i], n, people[i])
			must(t, err)
			_, err = d.Account(people[i]).Exec(t.Context(), `INSERT INTO letters (account_id, n) VALUES ($1, $2)`, people[i], n)
			must(t, err)
		}
	}
	request := func(i int) error {
		org, person, ctx := d.Org(orgs[i]), d.Account(people[i]), t.Context()
		switch rand.IntN(7) {
		case 0:
			return sees(ctx, org, `SELECT org_id FROM notes`, orgs[i].UUID(), i+1)
		case 1:
			return sees(ctx, person, `SELECT account_id FROM letters`, people[i].UUID(), i+1)
		case 2: // one's own rows across organizations
			return sees(ctx, person, `SELECT author FROM notes`, people[i].UUID(), i+1)
		case 3:
			return org.Tx(ctx, func(tx *db.Tx) error {
				n, err := tx.Exec(ctx, `UPDATE notes SET n = n`)
				if err == nil && int(n) != i+1 {
					err = fmt.Errorf("it changed %d rows of %d", n, i+1)
				}
				return errors.Join(err, sees(ctx, tx, `SELECT org_id FROM notes`, orgs[i].UUID(), i+1), sees(ctx, tx, `SELECT account_id FROM letters`, [16]byte{}, 0))
			})
		case 4: // a request that fails leaves nothing of itself either
			if err := org.Tx(ctx, func(*db.Tx) error { return errStop }); !errors.Is(err, errStop) {
				return err
			}
			if _, err := org.Exec(ctx, `SELECT 1 / 0`); err == nil {
				return errors.New("a division by zero worked")
			}
			return nil
		case 5:
			gone, cancel := context.WithCancel(ctx)
			cancel()
			_, _ = org.Exec(gone, `DELETE FROM notes`)
			return nil
		}
		n, err := db.One(ctx, platform(d), db.Scalar[int], `SELECT count(*) FROM notes`)
		if err == nil && n != 10 {
			err = fmt.Errorf("the platform sees %d rows of 10", n)
		}
		return err
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 125 {
				if err := request(rand.IntN(4)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// sees checks that every row a query without WHERE returns is the owner's, and how many.
func sees(ctx context.Context, c db.Conn, query string, owner [16]byte, want int) error {
	rows, err := db.All(ctx, c, db.Scalar[thingID], query)
	if err == nil && len(rows) != want {
		err = fmt.Errorf("%s: %d rows, want %d", query, len(rows), want)
	}
	for _, r := range rows {
		if r.UUID() != owner {
			err = errors.Join(err, fmt.Errorf("%s: a row of another", query))
		}
	}
	return err
}

func TestTenantsReachOnlyWhatTheTablesDeclare(t *testing.T) {
	d, _ := protected(t, servers.Postgres(t))
	a, b, person := id.New[id.OrgKind](), id.New[id.OrgKind](), id.New[id.AccountKind]()
	for _, insert := range []struct {
		c       db.Conn
		query   string
		args    []any
		allowed bool
	}{
		{d.Org(a), `INSERT INTO notes (org_id, n) VALUES ($1, 1)`, []any{a}, true},
		{d.Org(a), `INSERT INTO notes (org_id, n) VALUES ($1, 2)`, []any{b}, false},
		{d.Org(a), `INSERT INTO letters (account_id, n) VALUES ($1, 1)`, []any{person}, false},
		{d.Account(person), `INSERT INTO letters (account_id, n) VALUES ($1, 1)`, []any{person}, true},
		{d.Account(person), `INSERT INTO notes (org_id, n, author) VALUES ($1, 3, $2)`, []any{a, person}, false},
		{d.Org(a), `UPDATE notes SET org_id = $1`, []any{b}, false},
		{d.Org(a), `INSERT INTO hints (org_id, n) VALUES ($1, 1)`, []any{a}, true},
		{d.Org(a), `INSERT INTO hints (account_id, n) VALUES ($1, 2)`, []any{person}, false},
		{d.Account(person), `INSERT INTO hints (account_id, n) VALUES ($1, 3)`, []any{person}, true},
		{d.Org(a), `INSERT INTO replies (org_id, n) VALUES ($1, 99)`, []any{a}, false}, // known only at the end of the batch
		{d.Org(a), `INSERT INTO secrets (n) VALUES (1)`, nil, false},
		{d.Org(a), `SELECT n FROM secrets`, nil, false},
		{d.Org(a), `INSERT INTO counters (n) VALUES (1)`, nil, true},
		{d.Org(a), `SELECT n FROM counters`, nil, false},
		{d.Org(a), `SELECT sum FROM schema_files`, nil, false},
		{d.Org(a), `CREATE TABLE mine (n bigint)`, nil, false},
		{d.Org(a), `ALTER TABLE notes DISABLE ROW LEVEL SECURITY`, nil, false},
		{d.Org(a), `TRUNCATE notes`, nil, false},
	} {
		if _, err := insert.c.Exec(t.Context(), insert.query, insert.args...); (err == nil) != insert.allowed {
			t.Errorf("%s: %v", insert.query, err)
		}
	}
	// A role without a tenant, or with one that is none, sees nothing.
	for _, setting := range []string{`SELECT 1`, `SELECT set_config('tenon.org', '', true)`} {
		must(t, platform(d).Tx(t.Context(), func(tx *db.Tx) error {
			for _, s := range []string{`SET LOCAL ROLE tenon_app`, setting} {
				if _, err := tx.Exec(t.Context(), s); err != nil {
					return err
				}
			}
			for _, table := range []string{"notes", "letters", "hints"} {
				if n := count(t, tx, `SELECT count(*) FROM `+table); n != 0 {
					t.Errorf("nobody sees %d rows of %s", n, table)
				}
			}
			return nil
		}))
	}
}

// The owner of the tables migrates; the running product signs in as someone who owns
// nothing and is no superuser.
func TestTheRunningProductOwnsNothing(t *testing.T) {
	pg := servers.NewPostgres(t)
	owner := pg.CreateDatabase(t)
	admin := open(t, pg.AdminURL("postgres"))
	run(t, platform(admin), `CREATE ROLE tenon_run LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB`)
	d := open(t, strings.Replace(owner, "tenon@", "tenon_run@", 1), func(c *db.Config) { c.MaxConns = 2 })
	cfg := db.Config{MigrateURL: owner}

	if err := d.Migrate(t.Context(), db.Config{}, tenantTables()); err == nil {
		t.Error("it migrated without the owner's address")
	}
	// A first migration that was broken off has made the list, but not opened it to us.
	run(t, platform(open(t, owner)), `CREATE TABLE schema_files (module text NOT NULL, file text NOT NULL, sum text NOT NULL, applied_at timestamptz NOT NULL, PRIMARY KEY (module, file))`)
	all, err := d.Migrations(t.Context(), tenantTables())
	if err != nil || len(all) != 2 || !all[0].Pending() {
		t.Errorf("half-way the list is %v, %v", all, err)
	}
	must(t, d.Migrate(t.Context(), cfg, tenantTables()))
	must(t, d.Migrate(t.Context(), cfg, tenantTables()))

	c := platform(d)
	if n := count(t, c, `SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) IN ('tenon_run', 'tenon_app', 'tenon_platform')`); n != 0 {
		t.Errorf("the product's role owns %d relations", n)
	}
	if n := count(t, c, `SELECT count(*) FROM pg_roles WHERE rolname IN ('tenon_run', 'tenon_app', 'tenon_platform') AND (rolsuper OR rolbypassrls OR rolcreaterole)`); n != 0 {
		t.Errorf("%d roles are powerful", n)
	}
	run(t, c, `INSERT INTO secrets (n) VALUES (1)`, `DELETE FROM secrets`) // the platform's statements work
	a := id.New[id.OrgKind]()
	_, err = d.Org(a).Exec(t.Context(), `INSERT INTO notes (org_id, n) VALUES ($1, 1)`, a)
	must(t, err)
	if n := count(t, c, `SELECT count(*) FROM notes`); n != 1 {
		t.Errorf("the platform sees %d notes", n)
	}
	for _, statement := range []string{`DROP TABLE notes`, `CREATE TABLE mine (n bigint)`, `ALTER TABLE notes DISABLE ROW LEVEL SECURITY`, `UPDATE schema_files SET sum = ''`} {
		if _, err := c.Exec(t.Context(), statement); err == nil {
			t.Errorf("the product's role may %s", statement)
		}
	}
	if wrong, err := d.Verify(t.Context(), tenantTables()); err != nil || len(wrong) > 0 {
		t.Errorf("%v %v", wrong, err)
	}
}

func TestTamperingIsReported(t *testing.T) {
	pg := servers.NewPostgres(t)
	d, url := protected(t, pg)
	name := url[strings.LastIndex(url, "/")+1 : strings.Index(url, "?")]
	admin := platform(open(t, pg.AdminURL(name)))
	run(t, admin, `CREATE ROLE mighty`)
	for _, c := range []struct{ tamper, mend, report string }{
		{`ALTER ROLE tenon_app BYPASSRLS`, `ALTER ROLE tenon_app NOBYPASSRLS`, "role tenon_app must be neither superuser nor BYPASSRLS"},
		{`ALTER ROLE tenon_platform SUPERUSER`, `ALTER ROLE tenon_platform NOSUPERUSER`, "role tenon_platform must be neither superuser nor BYPASSRLS"},
		{`ALTER TABLE notes OWNER TO tenon_app`, `ALTER TABLE notes OWNER TO tenon`, "role tenon_app owns notes; the owner must be the migration role"},
		{`GRANT mighty TO tenon_app`, `REVOKE mighty FROM tenon_app`, "role tenon_app must not be a member of mighty"},
		{`ALTER TABLE hints DISABLE ROW LEVEL SECURITY`, "", "table hints has no row-level security; run: tenon migrate up"},
		{`DROP POLICY tenant ON letters`, "", "table letters has not the policy tenant that it should; run: tenon migrate up"},
		{`DROP POLICY platform ON letters`, "", "table letters has not the policy platform that it should; run: tenon migrate up"},
		{`DROP POLICY mine ON notes`, "", "table notes has not the policy mine that it should; run: tenon migrate up"},
		{`ALTER POLICY tenant ON letters USING (true)`, "", "table letters has not the policy tenant that it should; run: tenon migrate up"},
		{`ALTER POLICY tenant ON letters WITH CHECK (true)`, "", "table letters has not the policy tenant that it should; run: tenon migrate up"},
		{`ALTER POLICY platform ON notes TO public`, "", "table notes has not the policy platform that it should; run: tenon migrate up"},
		{`CREATE POLICY open ON notes USING (true)`, `DROP POLICY open ON notes`, "table notes has a policy open that nobody declared; drop it"},
		{`GRANT SELECT ON secrets TO tenon_app`, "", `table secrets lets tenants do "SELECT" instead of ""; run: tenon migrate up`},
		{`GRANT SELECT ON schema_files TO public`, `REVOKE SELECT ON schema_files FROM public`, "table schema_files is open to tenants but declared by no module"},
	} {
		run(t, admin, c.tamper)
		wrong, err := d.Verify(t.Context(), tenantTables())
		must(t, err)
		if diff := cmp.Diff([]string{c.report}, wrong); diff != "" && !(strings.Contains(c.tamper, "OWNER") && strings.Contains(strings.Join(wrong, "; "), c.report)) {
			t.Errorf("%s (-want +reported): %s", c.tamper, diff)
		}
		if c.mend != "" {
			run(t, admin, c.mend)
		}
		must(t, d.RestoreAccess(t.Context(), db.Config{}, tenantTables()))
		if wrong, err := d.Verify(t.Context(), tenantTables()); err != nil || len(wrong) > 0 {
			t.Fatalf("after %s was mended: %v %v", c.tamper, wrong, err)
		}
	}
}
