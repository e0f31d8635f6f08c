package db

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// accessVersion changes when grantAccess does, so that the next migration runs it again.
const accessVersion = "1"

// RestoreAccess makes roles, grants and policies as the schemas declare them, where
// somebody changed them since they were migrated. Config is as for Migrate.
func (d *DB) RestoreAccess(ctx context.Context, cfg Config, schemas []Schema) error {
	if d.Dialect() != Postgres {
		return nil
	}
	return d.asOwner(ctx, cfg, func(owner *DB) error { return owner.grantAccess(ctx, d, schemas) })
}

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
		fmt.Sprintf(`ALTER TABLE %s ENABLE ROW LEVEL SECURITY`, name))
	wanted := t.policies()
	for _, p := range []string{"platform", "tenant", "mine"} {
		all = append(all, fmt.Sprintf(`DROP POLICY IF EXISTS %s ON %s`, p, name))
		if p, ok := wanted[p]; ok {
			all = append(all, p.create(name))
		}
	}
	return all
}

// policy lets a role do something with the rows for which a condition holds.
type policy struct {
	name, command, role, condition string
}

func (p policy) create(table string) string {
	check := ""
	if p.command == "ALL" {
		check = fmt.Sprintf(` WITH CHECK (%s)`, p.condition)
	}
	return fmt.Sprintf(`CREATE POLICY %s ON %s FOR %s TO %s USING (%s)%s`, p.name, table, p.command, p.role, p.condition, check)
}

// policies are those that a tenant table has, by name, and it has no others.
func (t Table) policies() map[string]policy {
	all := map[string]policy{
		"platform": {"platform", "ALL", platformRole, "true"},
		"tenant":   {"tenant", "ALL", appRole, t.own()},
	}
	if t.Mine != "" {
		all["mine"] = policy{"mine", "SELECT", appRole, fmt.Sprintf(`%s = %s`, quote(t.Mine), setting("account"))}
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
// powerful or own anything, the tenants' role inherits from nobody and reaches no table
// of the platform, and every tenant table has its policies and no others. It reports
// one sentence for each thing that is wrong.
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
		WHERE pg_get_userbyid(relowner) IN ('tenon_app', 'tenon_platform')
		UNION ALL
		SELECT 'role tenon_app must not be a member of ' || roleid::regrole::text FROM pg_auth_members
		WHERE member = (SELECT oid FROM pg_roles WHERE rolname = 'tenon_app')`)
	if err != nil {
		return nil, err
	}
	tables, err := d.protection(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, s := range schemas {
		for _, t := range s.Tables {
			for _, fault := range t.faults(tables[t.Name]) {
				wrong = append(wrong, "table "+t.Name+" "+fault)
			}
			delete(tables, t.Name)
		}
	}
	for name, left := range tables {
		if left.rights != "" {
			wrong = append(wrong, "table "+name+" is open to tenants but declared by no module")
		}
	}
	slices.Sort(wrong)
	return wrong, nil
}

// protected is what the catalogue knows of a table's protection.
type protected struct {
	rowSecurity bool
	rights      string // what tenon_app may do
	policies    map[string]policy
}

// protection reads how each of our tables is protected.
func (d *DB) protection(ctx context.Context, c Conn) (map[string]protected, error) {
	tables := map[string]protected{}
	err := Each(ctx, c, func(r Row) error {
		var name string
		p := protected{policies: map[string]policy{}}
		if err := r.Scan(&name, &p.rowSecurity, &p.rights); err != nil {
			return err
		}
		tables[name] = p
		return nil
	}, `SELECT c.relname, c.relrowsecurity, (SELECT coalesce(string_agg(DISTINCT a.privilege_type, ', '), '') FROM aclexplode(c.relacl) AS a
			WHERE a.grantee = (SELECT oid FROM pg_roles WHERE rolname = 'tenon_app') OR a.grantee = 0)
		FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace`)
	if err != nil {
		return nil, err
	}
	err = Each(ctx, c, func(r Row) error {
		var table, check string
		var p policy
		if err := r.Scan(&table, &p.name, &p.command, &p.role, &p.condition, &check); err != nil {
			return err
		}
		if p.condition = spelling(p.condition); p.command == "ALL" && spelling(check) != p.condition {
			p.condition += " or, for new rows, " + spelling(check)
		}
		tables[table].policies[p.name] = p
		return nil
	}, `SELECT tablename, policyname, cmd, array_to_string(roles, ', '), coalesce(qual, 'true'), coalesce(with_check, qual, 'true')
		FROM pg_policies WHERE schemaname = current_schema() AND permissive = 'PERMISSIVE'`)
	return tables, err
}

// faults compares a table with its declaration.
func (t Table) faults(have protected) (faults []string) {
	if t.Scope == ByPlatform {
		if have.rights != t.Tenants {
			faults = append(faults, fmt.Sprintf("lets tenants do %q instead of %q; run: tenon migrate up", have.rights, t.Tenants))
		}
		return faults
	}
	if !have.rowSecurity {
		faults = append(faults, "has no row-level security; run: tenon migrate up")
	}
	wanted := t.policies()
	for name, p := range wanted {
		p.condition = spelling(p.condition)
		if have.policies[name] != p {
			faults = append(faults, "has not the policy "+name+" that it should; run: tenon migrate up")
		}
	}
	for name := range have.policies {
		if _, ok := wanted[name]; !ok {
			faults = append(faults, "has a policy "+name+" that nobody declared; drop it")
		}
	}
	return faults
}

// spelling reduces a condition to what PostgreSQL and we write alike.
func spelling(condition string) string {
	return strings.NewReplacer(" ", "", "(", "", ")", "", `"`, "", "::text", "", "asnullif", "").Replace(
		strings.ToLower(strings.NewReplacer(`AS "nullif"`, "", "AS nullif", "").Replace(condition)))
}
