package tenontest

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/platform/db"
)

func TestEveryTableAndEveryReferenceToAPersonIsDeclared(t *testing.T) {
	CheckSchema(t)
}

func TestAnUndeclaredReferenceIsFound(t *testing.T) {
	const columns = `org_id %ID NOT NULL, id %ID NOT NULL, owner_id %ID, title text NOT NULL, reviewed_by text, guest_email text, colour text, score %N, PRIMARY KEY (org_id, id));`
	create := func(id, n, strict, more string) *fstest.MapFile {
		body := "-- +goose Up\nCREATE TABLE papers (" + strings.NewReplacer("%ID", id, "%N", n).Replace(columns) + "\nCREATE TABLE drafts (n integer PRIMARY KEY" + more + ");\n"
		return &fstest.MapFile{Data: []byte(strings.ReplaceAll(body, ");\n", ") "+strict+";\n"))}
	}
	papers := With(func(app *tenon.App) {
		app.Use(module.Spec{
			Name: "papers",
			Migrations: fstest.MapFS{
				"migrations/sqlite/0001_create.sql":   create("BLOB", "TEXT", "STRICT", ", extra text"),
				"migrations/postgres/0001_create.sql": create("uuid", "bigint", "", ", other bytea"),
			},
			Tables: []db.Table{
				{Name: "papers", Scope: db.ByOrg, Life: db.Delete(), Others: []string{"id", "gone_id"}},
			},
		})
	})
	var faults []string
	for _, f := range schemaFaults(t, []Option{papers}) {
		if strings.Contains(f, "papers") || strings.Contains(f, "drafts") {
			faults = append(faults, f)
		}
	}
	slices.Sort(faults)
	const undeclared = " looks like a reference or like a person: declare it in Refs, or in Others when it is neither"
	want := []string{
		"drafts.extra is missing on PostgreSQL",
		"drafts.other is missing on SQLite",
		"papers.score is bigint on PostgreSQL and TEXT on SQLite: want INTEGER",
		"table drafts is in no module's Tables: declare its Scope and Life",
		"table papers declares column gone_id, which it does not have",
		"table papers: column guest_email" + undeclared,
		"table papers: column owner_id" + undeclared,
		"table papers: column reviewed_by" + undeclared,
	}
	if diff := cmp.Diff(want, faults); diff != "" {
		t.Errorf("faults (-want +found): %s", diff)
	}
	ghosts := map[string]db.Table{"ghosts": {Name: "ghosts", Scope: db.ByPlatform}}
	if diff := cmp.Diff([]string{"table ghosts is declared, but no migration makes it"}, declarationFaults(ghosts, nil)); diff != "" {
		t.Error(diff)
	}
}
