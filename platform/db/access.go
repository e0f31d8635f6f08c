package db

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// accessVersion changes when grantAccess does, so that the next migration runs it again.
const accessVersion = "1"

// grantAccess makes PostgreSQL hold every statement to its scope: the two roles,
// what they may do in each table, and the row-level policies of tenant tables.
func (d *DB) grantAccess(ctx context.Context, runtime *DB, schemas []Schema) error {
	login := runtime.engine.(*postgres).pool.Config().ConnConfig.User
	statements := []string{
		makeRole(appRole), makeRole(platformRole),
		fmt.Sprintf(`GRANT %s, %s TO %s`, appRole, platformRole, quote(login)),
		fmt.Sprintf(`GRANT USAGE ON SCHEMA public TO %s, %s`, appRole, platformRole),
		fmt.Sprintf(`GRANT SELECT ON schema_files TO %s`, platformRole),
	}
	for _, s := range schemas {
		for _, t := range s.Tables {
			statements = append(statements, t.access()...)
		}
		statements = append(statements, s.Grants...)
	}
	return d.Platform("migrations").Tx(ctx, func(tx *Tx) error {
		for _, statement := range statements {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("grant access: %w (in: %s)", err, statement)
			}
		}
		return nil
	})
}

// makeRole creates a role that nobody signs in as. Roles belong to the whole
// server, so another database may have made it, perhaps this very moment.
func makeRole(name string) string {
	return fmt.Sprintf(`DO $$ BEGIN
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '%[1]s') THEN CREATE ROLE %[1]s NOLOGIN; END IF;
	EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`, name)
}

func (t Table) access() []string {
	name := quote(t.Name)
	all := []string{
		fmt.Sprintf(`REVOKE ALL ON %s FROM %s, %s`, name, appRole, platformRole),
		fmt.Sprintf(`GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s`, name, platformRole),
	}
	if t.Scope == ByPlatform {
		if t.Tenants != "" {
			all = append(all, fmt.Sprintf(`GRANT %s ON %s TO %s`, t.Tenants, name, appRole))
		}
		return all
	}
	all = append(all,
		fmt.Sprintf(`GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s`, name, appRole),
		fmt.Sprintf(`ALTER TABLE %s ENABLE ROW LEVEL SECURITY`, name),
		fmt.Sprintf(`DROP POLICY IF EXISTS platform ON %s`, name),
		fmt.Sprintf(`CREATE POLICY platform ON %s TO %s USING (true) WITH CHECK (true)`, name, platformRole),
		fmt.Sprintf(`DROP POLICY IF EXISTS tenant ON %s`, name),
		fmt.Sprintf(`CREATE POLICY tenant ON %s TO %s USING (%[3]s) WITH CHECK (%[3]s)`, name, appRole, t.own()),
		fmt.Sprintf(`DROP POLICY IF EXISTS mine ON %s`, name),
	)
	if t.Mine != "" {
		all = append(all, fmt.Sprintf(`CREATE POLICY mine ON %s FOR SELECT TO %s USING (%s = %s)`, name, appRole, quote(t.Mine), setting("account")))
	}
	return all
}

// own is the condition under which a row belongs to the tenant of the statement.
func (t Table) own() string {
	columns := t.KeyColumns()
	switch t.Scope {
	case ByOrg:
		return fmt.Sprintf(`%s = %s`, quote(columns[0]), setting("org"))
	case ByAccount:
		return fmt.Sprintf(`%s = %s`, quote(columns[0]), setting("account"))
	}
	return fmt.Sprintf(`%s = %s OR %s = %s`, quote(columns[0]), setting("org"), quote(columns[1]), setting("account"))
}

// setting reads the tenant; an unset setting reads as ”, which is nobody.
func setting(name string) string {
	return fmt.Sprintf(`(SELECT nullif(current_setting('tenon.%s', true), '')::uuid)`, name)
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// Verify checks that PostgreSQL really holds tenants apart: neither role may be
// powerful, tenants may own nothing, and every tenant table has its policies. It
// reports one sentence for each thing that is wrong.
func (d *DB) Verify(ctx context.Context, schemas []Schema) ([]string, error) {
	if d.Dialect() != Postgres {
		return nil, nil
	}
	c := d.Platform("start-up check of row-level security")
	wrong, err := All(ctx, c, Scalar[string], `
		SELECT 'role ' || rolname || ' must be neither superuser nor BYPASSRLS' FROM pg_roles
		WHERE rolname IN ('tenon_app', 'tenon_platform') AND (rolsuper OR rolbypassrls)
		UNION ALL
		SELECT 'role ' || pg_get_userbyid(relowner) || ' owns ' || relname || '; the owner must be the migration role' FROM pg_class
		WHERE pg_get_userbyid(relowner) IN ('tenon_app', 'tenon_platform')`)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range schemas {
		for _, t := range s.Tables {
			if t.Scope != ByPlatform {
				names = append(names, t.Name)
			}
		}
	}
	bare, err := All(ctx, c, Scalar[string], `
		SELECT 'table ' || n || ' has no row-level security; run: tenon migrate up'
		FROM unnest(string_to_array($1, ',')) AS n
		LEFT JOIN pg_class c ON c.oid = to_regclass(n)
		WHERE c.relrowsecurity IS NOT TRUE OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant')`,
		strings.Join(names, ","))
	return append(wrong, bare...), err
}
