package db

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tenonhq/tenon/platform/id"
)

// Person is somebody whose data is to be erased.
type Person struct {
	Account id.Account
	// Email is by what rows of others may name them, such as an invitation; none are
	// looked for when it is empty.
	Email string
}

// Erase does with a person's data what the declarations of schemas promise. Rows of the
// person's own go in batches, and so do rows that refer to them with db.Delete();
// references with db.Anonymise() become NULL, or empty where the column may not be NULL;
// what is retained stays. The account's own row goes last: as long as it is there, an
// erasure that was broken off can be run again, and it does no harm to do so.
//
// c reaches the rows of everybody, and is no transaction. What is kept elsewhere than in
// declared columns, such as files, is its module's to remove: see Erase in module.Spec.
func Erase(ctx context.Context, c Conn, schemas []Schema, p Person) error {
	steps, err := erasures(ctx, c, schemas, p)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if err := step.run(ctx, c); err != nil {
			return fmt.Errorf("erase %s by %s: %w", step.table, step.column, err)
		}
	}
	return nil
}

// CheckErasure reports the first declaration that Erase could not keep: a column that is
// to be anonymised, but can be neither NULL nor empty.
func CheckErasure(ctx context.Context, c Conn, schemas []Schema) error {
	_, err := erasures(ctx, c, schemas, Person{Email: "nobody"})
	return err
}

// erasure is one statement: it deletes the rows in which column is value, or overwrites
// some of their columns.
type erasure struct {
	table, column string
	value         any
	overwrite     []string // assignments; none: the rows are deleted
}

// erasures lists what is to be done, what refers to something before that.
func erasures(ctx context.Context, c Conn, schemas []Schema, p Person) ([]erasure, error) {
	columns, err := columnsIn(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("read the columns of all tables: %w", err)
	}
	var steps, last []erasure
	for _, s := range slices.Backward(schemas) {
		for _, t := range slices.Backward(s.Tables) {
			of, err := t.erasures(p, columns)
			if err != nil {
				return nil, fmt.Errorf("table %s: %w", t.Name, err)
			}
			if t.Scope == ByAccount && t.KeyColumns()[0] == "id" {
				last = append(last, of...)
			} else {
				steps = append(steps, of...)
			}
		}
	}
	return append(steps, last...), nil
}

// tableColumn is what has to be known of a column to overwrite it.
type tableColumn struct {
	kind     string
	nullable bool
}

func (t Table) erasures(p Person, columns map[string]tableColumn) (steps []erasure, err error) {
	add := func(column string, value any, life Lifecycle, along ...string) {
		switch {
		case err != nil:
		case life.Do == Deleted:
			steps = append(steps, erasure{t.Name, column, value, nil})
		case len(along) > 0:
			var overwrite []string
			if overwrite, err = t.overwrite(columns, along); err == nil {
				steps = append(steps, erasure{t.Name, column, value, overwrite})
			}
		}
	}
	if t.Scope == ByAccount || t.Scope == ByEither {
		key := t.KeyColumns()[len(t.KeyColumns())-1]
		add(key, p.Account, t.Life, t.personal(func(l Lifecycle) bool { return l.Do != Retained })...)
	}
	for _, r := range t.Refs {
		switch {
		case r.To == ToAccount || r.To == ToAnyone || r.To == ToOrgOrAcc:
			value := any(p.Account)
			if columns[t.Name+"."+r.Column].kind == "text" {
				value = p.Account.String()
			}
			if r.Life.Do == Retained {
				continue
			}
			along := []string{r.Column}
			if t.Scope != ByAccount {
				along = append(along, t.personal(func(l Lifecycle) bool { return l.Do == Anonymised })...)
			}
			add(r.Column, value, r.Life, along...)
		case r.To == Personal && p.Email != "" && t.namesByEmail(r) && r.Life.Do != Retained:
			add(r.Column, p.Email, r.Life, r.Column)
		}
	}
	return steps, err
}

// personal lists the columns that describe a person, of those whose lifecycle is so.
func (t Table) personal(so func(Lifecycle) bool) (columns []string) {
	for _, r := range t.Refs {
		if r.To == Personal && so(r.Life) {
			columns = append(columns, r.Column)
		}
	}
	return columns
}

// namesByEmail reports whether rows are found by the address in a column: where no other
// column ties them to the person. (Where one does, the address might be a successor's.)
func (t Table) namesByEmail(r Ref) bool {
	if t.Scope == ByAccount || t.Scope == ByEither || slices.ContainsFunc(t.Refs, func(r Ref) bool { return r.To == ToAccount && r.Life.Do == Deleted }) {
		return false
	}
	return r.Column == "email" || r.Column == "recipient" || strings.HasSuffix(r.Column, "_email")
}

func (t Table) overwrite(columns map[string]tableColumn, names []string) (assignments []string, err error) {
	for _, name := range names {
		c := columns[t.Name+"."+name]
		value := "NULL"
		if !c.nullable {
			if c.kind != "text" {
				return nil, fmt.Errorf("column %s is to be anonymised, but can be neither NULL nor empty", name)
			}
			value = "''"
		}
		assignments = append(assignments, quote(name)+" = "+value)
	}
	return assignments, nil
}

// eraseBatch is how many rows one statement deletes.
const eraseBatch = 1000

func (e erasure) run(ctx context.Context, c Conn) error {
	table, column := quote(e.table), quote(e.column)
	if len(e.overwrite) > 0 {
		_, err := c.Exec(ctx, fmt.Sprintf(`UPDATE %s SET %s WHERE %s = $1`, table, strings.Join(e.overwrite, ", "), column), e.value)
		return err
	}
	row := "rowid"
	if c.Dialect() == Postgres {
		row = "ctid"
	}
	for {
		n, err := c.Exec(ctx, fmt.Sprintf(`DELETE FROM %[1]s WHERE %[2]s = $1 AND %[3]s IN (SELECT %[3]s FROM %[1]s WHERE %[2]s = $1 LIMIT %[4]d)`,
			table, column, row, eraseBatch), e.value)
		if err != nil || n == 0 {
			return err
		}
	}
}

// columnsIn describes the columns of all tables, by table.column.
func columnsIn(ctx context.Context, c Conn) (map[string]tableColumn, error) {
	query := `SELECT m.name, c.name, lower(c.type), c."notnull" = 0 FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'`
	if c.Dialect() == Postgres {
		query = `SELECT c.relname, a.attname, format_type(a.atttypid, NULL), NOT a.attnotnull FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
			WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped`
	}
	columns := map[string]tableColumn{}
	err := Each(ctx, c, func(r Row) error {
		var table, name string
		var column tableColumn
		if err := r.Scan(&table, &name, &column.kind, &column.nullable); err != nil {
			return err
		}
		columns[table+"."+name] = column
		return nil
	}, query)
	return columns, err
}
