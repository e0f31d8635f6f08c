package db_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

// erasable has a table for each way in which a row may be about somebody.
func erasable() []db.Schema {
	retained := db.Retain("a test", 0)
	return []db.Schema{
		{Name: "people", Tables: []db.Table{
			{Name: "people", Scope: db.ByAccount, Key: "id", Life: db.Delete()},
			{Name: "addresses", Scope: db.ByPlatform, Life: db.Delete(), Refs: []db.Ref{
				{Column: "account_id", To: db.ToAccount, Life: db.Delete()}, {Column: "email", To: db.Personal, Life: db.Delete()},
			}},
		}},
		{Name: "notes", Tables: []db.Table{
			{Name: "notes", Scope: db.ByOrg, Life: db.Delete(), Refs: []db.Ref{
				{Column: "made_by", To: db.ToAccount, Life: db.Anonymise()}, {Column: "made_by_name", To: db.Personal, Life: db.Anonymise()},
			}},
			{Name: "invitations", Scope: db.ByOrg, Life: db.Delete(), Refs: []db.Ref{
				{Column: "made_by", To: db.ToAccount, Life: db.Anonymise()}, {Column: "email", To: db.Personal, Life: db.Delete()},
			}},
			{Name: "facts", Scope: db.ByEither, Life: retained, Refs: []db.Ref{
				{Column: "actor", To: db.ToAnyone, Life: retained}, {Column: "device", To: db.Personal, Life: db.Anonymise()},
			}},
			{Name: "hints", Scope: db.ByPlatform, Life: db.Delete(), Refs: []db.Ref{{Column: "about", To: db.ToAnyone, Life: db.Delete()}}},
			{Name: "visits", Scope: db.ByAccount, Life: db.Delete(), Refs: []db.Ref{{Column: "guide", To: db.ToAccount, Life: db.Delete()}}},
		}},
	}
}

func createErasable(t *testing.T, c db.Conn) {
	uuid := "uuid"
	if c.Dialect() == db.SQLite {
		uuid = "BLOB"
	}
	for _, table := range []string{
		`people (id UUID PRIMARY KEY)`, `addresses (email text PRIMARY KEY, account_id UUID NOT NULL)`,
		`notes (org_id UUID, made_by UUID, made_by_name text NOT NULL)`, `invitations (org_id UUID, email text NOT NULL, made_by UUID)`,
		`facts (org_id UUID, account_id UUID, actor text NOT NULL, device text)`, `hints (about text NOT NULL)`,
		`visits (account_id UUID NOT NULL, guide UUID)`,
	} {
		run(t, c, `CREATE TABLE `+strings.ReplaceAll(table, "UUID", uuid))
	}
}

func TestAPersonIsErasedAsTheTablesDeclare(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c, ctx := platform(d), t.Context()
		createErasable(t, c)
		ada, bob := id.New[id.AccountKind](), id.New[id.AccountKind]()
		put := func(query string, args ...any) {
			t.Helper()
			_, err := c.Exec(ctx, query, args...)
			must(t, err)
		}
		for who, name := range map[id.Account]string{ada: "ada", bob: "bob"} {
			put(`INSERT INTO people (id) VALUES ($1)`, who)
			put(`INSERT INTO addresses (email, account_id) VALUES ($1, $2)`, name+"@example.com", who)
			put(`INSERT INTO notes (made_by, made_by_name) VALUES ($1, $2)`, who, name)
			put(`INSERT INTO invitations (email, made_by) VALUES ($1, $2)`, "from-"+name+"@example.com", who)
			put(`INSERT INTO invitations (email) VALUES ($1)`, name+"@example.com")
			put(`INSERT INTO facts (account_id, actor, device) VALUES ($1, $2, $3)`, who, who.String(), "of "+name)
			put(`INSERT INTO hints (about) VALUES ($1)`, who.String())
			put(`INSERT INTO visits (account_id) VALUES ($1)`, who)
		}
		put(`INSERT INTO visits (account_id, guide) VALUES ($1, $2)`, bob, ada)
		for range 2500 { // more than one batch
			put(`INSERT INTO visits (account_id) VALUES ($1)`, ada)
		}
		for range 2 { // twice does no harm
			must(t, db.Erase(ctx, c, erasable(), db.Person{Account: ada, Email: "ada@example.com"}))
		}
		left := map[string]int{}
		for name, query := range map[string]string{
			"people": `SELECT count(*) FROM people`, "addresses": `SELECT count(*) FROM addresses`, "visits": `SELECT count(*) FROM visits`, "hints": `SELECT count(*) FROM hints`,
			"notes": `SELECT count(*) FROM notes`, "notes by nobody": `SELECT count(*) FROM notes WHERE made_by IS NULL AND made_by_name = ''`, "notes by bob": `SELECT count(*) FROM notes WHERE made_by_name = 'bob'`,
			"invitations": `SELECT count(*) FROM invitations`, "invitations by her": `SELECT count(*) FROM invitations WHERE email = 'from-ada@example.com' AND made_by IS NULL`,
			"facts": `SELECT count(*) FROM facts`, "facts of nowhere": `SELECT count(*) FROM facts WHERE device IS NULL`,
		} {
			left[name] = count(t, c, query)
		}
		want := map[string]int{"people": 1, "addresses": 1, "visits": 1, "hints": 1, "notes": 2, "notes by nobody": 1, "notes by bob": 1,
			"invitations": 3, "invitations by her": 1, "facts": 2, "facts of nowhere": 1}
		if diff := cmp.Diff(want, left); diff != "" {
			t.Errorf("what is left (-want +got):\n%s", diff)
		}
	})
}

// An address is given to somebody else as soon as it is free: what is tied to a person
// by their id is never looked for by their address.
func TestASuccessorKeepsTheAddress(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := platform(d)
		createErasable(t, c)
		_, err := c.Exec(t.Context(), `INSERT INTO addresses (email, account_id) VALUES ('ada@example.com', $1)`, id.New[id.AccountKind]())
		must(t, err)
		must(t, db.Erase(t.Context(), c, erasable(), db.Person{Account: id.New[id.AccountKind](), Email: "ada@example.com"}))
		if n := count(t, c, `SELECT count(*) FROM addresses`); n != 1 {
			t.Errorf("%d addresses are left", n)
		}
	})
}

func TestADeclarationThatErasureCannotKeepIsReported(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := platform(d)
		createErasable(t, c)
		must(t, db.CheckErasure(t.Context(), c, erasable()))
		wrong := []db.Schema{{Name: "addresses", Tables: []db.Table{{Name: "addresses", Scope: db.ByPlatform, Life: db.Delete(), Refs: []db.Ref{
			{Column: "account_id", To: db.ToAccount, Life: db.Anonymise()},
		}}}}}
		if err := db.CheckErasure(t.Context(), c, wrong); err == nil || !strings.Contains(err.Error(), "account_id is to be anonymised") {
			t.Errorf("got %v", err)
		}
	})
}
