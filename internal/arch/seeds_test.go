package arch

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// seed is a small tree with one violation, or with none.
type seed struct {
	name  string
	files map[string]string
	says  string // part of the one sentence; empty when the tree is fine
}

const db = `import "github.com/tenonhq/tenon/platform/db"; `

// seeds breaks every rule, and stands close beside each without breaking it.
var seeds = map[string][]seed{
	"layers": {
		{"platform knows a module", imports("platform/web/a.go", "modules/orgs"), "platform knows no business"},
		{"platform knows tenon", imports("platform/web/a.go", ""), "platform knows no business"},
		{"platform uses internal", imports("platform/web/a.go", "internal/geoip"), ""},
		{"module knows a module", imports("module/module.go", "modules/orgs"), "plain data"},
		{"a module knows one after it", imports("modules/audit/a.go", "modules/orgs"), "publish an event"},
		{"a module knows one before it", imports("modules/orgs/a.go", "modules/audit"), ""},
		{"a module knows one without a place", imports("modules/orgs/a.go", "modules/tasks"), "a place in the order"},
		{"a module knows the app", imports("modules/orgs/a.go", ""), "field of Deps"},
		{"a module's test knows the app", imports("modules/orgs/a_test.go", ""), ""},
		{"a module's test starts an app", imports("modules/orgs/a_test.go", "tenontest"), ""},
		{"a module starts an app", imports("modules/orgs/a.go", "tenontest"), "field of Deps"},
		{"a platform test starts an app", imports("platform/web/a_test.go", "tenontest"), "tenontest/servers"},
		{"a platform test starts servers", imports("platform/web/a_test.go", "tenontest/servers"), ""},
		{"tenon knows the command line", imports("a.go", "cli"), "handed in by the caller"},
		{"the command line knows tests", imports("cli/a.go", "tenontest"), "stands on tenon"},
		{"a command knows an example", imports("cmd/tenon/main.go", "examples/tasks"), "never imported"},
		{"a command knows the command line", imports("cmd/tenon/main.go", "cli"), ""},
		{"an example knows internals", imports("examples/bare/main.go", "internal/geoip"), "user's own code"},
		{"an example knows itself", imports("examples/tasks/cmd/main.go", "examples/tasks/tasks"), ""},
		{"an internal package knows a module", imports("internal/geoip/a.go", "modules/orgs"), "below both"},
		{"the bench knows tenon", imports("internal/bench/a.go", ""), ""},
		{"tests know an example", imports("tenontest/a.go", "examples/tasks"), "never imported"},
		{"a new folder", imports("pkg/a.go", "platform/db"), "outside the layers"},
	},
	"libraries": {
		{"a module speaks Huma", source("modules/orgs/http.go", `import "github.com/danielgtaylor/huma/v2"`), "platform/web"},
		{"web speaks Huma", source("platform/web/web.go", `import "github.com/danielgtaylor/huma/v2"`), ""},
		{"a module's test speaks pgx", source("modules/orgs/service_test.go", `import "github.com/jackc/pgx/v5"`), "platform/db"},
		{"a platform test speaks pgx", source("platform/web/web_test.go", `import "github.com/jackc/pgx/v5"`), ""},
		{"web speaks database/sql", source("platform/web/web.go", `import "database/sql"`), "platform/db"},
		{"servers speak pgx", source("tenontest/servers/a.go", `import "github.com/jackc/pgx/v5"`), ""},
		{"tenontest speaks pgx", source("tenontest/a.go", `import "github.com/jackc/pgx/v5"`), "platform/db"},
		{"web speaks SQLite", source("platform/web/web.go", `import "modernc.org/sqlite"`), "platform/db"},
		{"db speaks River", source("platform/db/db.go", `import "github.com/riverqueue/river"`), "platform/jobs"},
		{"cache speaks Redis", source("platform/cache/a.go", `import "github.com/redis/rueidis"`), "platform/redis"},
		{"web speaks Otter", source("platform/web/a.go", `import "github.com/maypok86/otter/v2"`), "platform/cache"},
		{"web speaks JWT", source("platform/web/a.go", `import "github.com/lestrrat-go/jwx/v3/jwt"`), "platform/secret"},
		{"web sends mail", source("platform/web/a.go", `import "github.com/wneessen/go-mail"`), "platform/mail"},
		{"tenon parses commands", source("tenon.go", `import "github.com/spf13/cobra"`), "declared in cli"},
		{"mail reads the environment", source("platform/mail/a.go", `import "github.com/caarlos0/env/v11"`), "env tags"},
		{"tenon reads the environment", source("config.go", `import "github.com/caarlos0/env/v11"`), ""},
	},
	"templates": {
		{"a letter that calls methods", source("platform/mail/a.go", `import "html/template"`), "pkg/template/html"},
		{"its parser calls none", source("platform/mail/a.go", `import "text/template/parse"`), ""},
	},
	"outbound HTTP": {
		{"Get", source("modules/webhooks/a.go", `import "net/http"; func f() { http.Get("") }`), "platform/safehttp"},
		{"default client", source("modules/webhooks/a.go", `import "net/http"; func f() any { return http.DefaultClient }`), "platform/safehttp"},
		{"literal under another name", source("modules/webhooks/a.go", `import h "net/http"; func f() any { return &h.Client{} }`), "platform/safehttp"},
		{"zero value", source("modules/webhooks/a.go", `import "net/http"; func f() { var c http.Client; _ = c }`), "platform/safehttp"},
		{"new", source("modules/webhooks/a.go", `import "net/http"; func f() any { return new(http.Transport) }`), "platform/safehttp"},
		{"a handler", source("modules/webhooks/a.go", `import "net/http"; func f(c *http.Client, r *http.Request) int { return http.StatusOK }`), ""},
		{"safehttp", source("platform/safehttp/a.go", `import "net/http"; func f() any { return &http.Client{} }`), ""},
		{"a test", source("modules/webhooks/a_test.go", `import "net/http"; func f() { http.Get("") }`), ""},
	},
	"raw transactions": {
		{"a module", source("modules/orgs/store.go", db+`func f(tx *db.Tx) { db.RawTx(tx) }`), "enqueue with platform/jobs"},
		{"a test", source("modules/orgs/a_test.go", db+`func f(d *db.DB) { db.RawPool(d) }`), "methods of *db.Tx"},
		{"the queue", source("platform/jobs/a.go", db+`func f(tx *db.Tx) { db.RawTx(tx) }`), ""},
	},
	"SQL only in stores": {
		{"in a service", source("modules/orgs/service.go", "const q = `\n\tSELECT id FROM orgs`"), "store.go"},
		{"in a store", source("modules/orgs/store.go", "const q = `SELECT id FROM orgs`"), ""},
		{"in the store of a noun", source("modules/orgs/invitations_store.go", "const q = `DELETE FROM invitations`"), ""},
		{"a sentence", source("modules/orgs/orgs.go", "const s = `Select a plan`"), ""},
		{"in a test", source("modules/orgs/orgs_test.go", "const q = `SELECT id FROM orgs`"), ""},
	},
	"explicit columns": {
		{"SELECT *", source("modules/orgs/store.go", "const q = `SELECT * FROM orgs`"), "list them"},
		{"RETURNING *", source("platform/jobs/a.go", "const q = `INSERT INTO jobs (id) VALUES ($1) RETURNING *`"), "list them"},
		{"a table's all", source("modules/orgs/store.go", "const q = `SELECT o.id, m.* FROM orgs o`"), "list them"},
		{"in a migration", map[string]string{"modules/orgs/migrations/sqlite/1.sql": "INSERT INTO a SELECT * FROM b"}, "list them"},
		{"count", source("modules/orgs/store.go", "const q = `SELECT count(*) FROM orgs WHERE a * 2 > 1`"), ""},
	},
	"portable SQL": {
		{"lock", source("modules/orgs/store.go", "func f() string { return `SELECT id FROM orgs FOR UPDATE` }"), "FOR UPDATE"},
		{"lock in a fragment", source("modules/orgs/store.go", "const lock = ` FOR UPDATE`"), "FOR UPDATE"},
		{"skip", source("modules/orgs/store.go", "const q = `SELECT id FROM orgs SKIP LOCKED`"), "SKIP LOCKED"},
		{"cast", source("modules/orgs/store.go", "const q = `SELECT id::text FROM orgs`"), "SQLite does not know"},
		{"now", source("modules/orgs/store.go", "const q = `UPDATE orgs SET at = now()`"), "now()"},
		{"ILIKE", source("modules/orgs/store.go", "const q = `SELECT id FROM orgs WHERE name ILIKE $1`"), "ILIKE"},
		{"DISTINCT ON", source("modules/orgs/store.go", "const q = `SELECT DISTINCT ON (id) id FROM orgs`"), "DISTINCT ON"},
		{"LATERAL", source("modules/orgs/store.go", "const q = `SELECT id FROM orgs, LATERAL (SELECT 1) x`"), "LATERAL"},
		{"USING", source("modules/orgs/store.go", "const q = `DELETE FROM orgs o USING plans p WHERE true`"), "USING"},
		{"a switch on the dialect", source("modules/orgs/store.go", db+"func f(c db.Conn) string { if c.Dialect() == db.Postgres { return `SELECT 1 FOR UPDATE` }; return `` }"), ""},
		{"a file for PostgreSQL", source("modules/orgs/store_postgres.go", "const q = `SELECT now()`"), ""},
		{"the platform", source("platform/cache/a.go", "const q = `SELECT now()`"), "now()"},
		{"an address in the platform", source("platform/web/a.go", "const a = `fe80::a`"), ""},
		{"an upsert", source("modules/orgs/store.go", "const q = `INSERT INTO a (b) VALUES ($1) ON CONFLICT (b) DO UPDATE SET b = excluded.b`"), ""},
	},
	"transactions use their own connection": {
		{"a field", source("modules/orgs/service.go", `func (s *S) f() { s.db.Tx(ctx, func(tx T) error { return s.db.Exec(ctx) }) }`), "use tx"},
		{"a field of a field", source("modules/orgs/service.go", `func (s *S) f() { c.Tx(ctx, func(tx T) error { return s.deps.DB.Exec(ctx) }) }`), "use tx"},
		{"joining", source("modules/orgs/service.go", `func (s *S) f() { s.db.Tx(ctx, func(tx T) error { s.db.Dialect(); return s.db.In(tx).Exec(ctx) }) }`), ""},
		{"a type of package db", source("modules/orgs/service.go", db+`func (s *S) f() { s.db.Tx(ctx, func(tx T) error { var x *db.DB; _ = x; return nil }) }`), ""},
		{"another method", source("modules/orgs/service.go", `func (s *S) f() { s.db.Tx(ctx, func(tx T) error { return s.g() }) }; func (s *S) g() error { return s.h() }; func (s *S) h() error { return s.db.Exec() }`), "In(tx).g"},
		{"another method, bound", source("modules/orgs/service.go", `func (s *S) f() { s.db.Tx(ctx, func(tx T) error { return s.In(tx).g() }) }; func (s *S) g() error { return s.db.Exec() }; func (s *S) In(tx T) *S { return s }`), ""},
		{"a method without a connection", source("modules/orgs/service.go", `func (s *S) f() { s.db.Tx(ctx, func(tx T) error { return s.now() }) }; func (s *S) now() error { return nil }`), ""},
	},
	"no hidden state": {
		{"init", source("modules/orgs/a.go", `func init() {}`), "do it in New"},
		{"a variable", source("modules/orgs/a.go", `var count int`), "make it a field"},
		{"a map", source("platform/web/a.go", `var codes = map[string]int{"a": 1}`), "make it a field"},
		{"a slice", source("platform/web/a.go", `var codes = []string{"a"}`), "make it a field"},
		{"an array of pointers", source("platform/web/a.go", `var codes = [...]*T{&T{}}`), "make it a field"},
		{"constants", source("platform/web/a.go", `var a, b = regexp.MustCompile("a"), mustParse("b"); var c = [...]string{"c"}; var d = [2]T{{1, "x"}, {F: x.Y}}`), ""},
		{"a struct of constants", source("platform/web/a.go", `var l = limit.Limit{Burst: 1, Per: 10 * time.Second}; var end = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)`), ""},
		{"a struct with a map", source("platform/web/a.go", `var l = T{m: map[string]int{}}`), "make it a field"},
		{"a struct with a slice", source("platform/web/a.go", `var l = T{m: []int{1}}`), "make it a field"},
		{"a settings function that runs once", source("platform/mail/a.go", `var setUp = sync.OnceFunc(func() {})`), "make it a field"},
		{"errors", source("modules/orgs/a.go", `var ( ErrA = errs.New(errs.NotFound, "", ""); errB = errors.New("b"); ErrC = sql.ErrNoRows )`), ""},
		{"an assertion", source("modules/orgs/a.go", `var _ I = T{}`), ""},
		{"embedded files", source("modules/orgs/a.go", "import \"embed\"\n\n//go:embed migrations\nvar migrations embed.FS"), ""},
		{"a test", source("modules/orgs/a_test.go", `var count int; func init() {}`), ""},
		{"a method init", source("modules/orgs/a.go", `func (t T) init() {}`), ""},
	},
	"package names": {
		{"utils", map[string]string{"platform/utils/a.go": "package utils"}, "name it after what it owns"},
		{"tests of helpers", map[string]string{"platform/x/a_test.go": "package helpers_test"}, "name it after what it owns"},
		{"a noun", map[string]string{"platform/mail/a.go": "package mail"}, ""},
	},
	"module shape": {
		{"a good one", orgs(nil), ""},
		{"no doc.go", orgs(map[string]string{"doc.go": ""}), "has no doc.go"},
		{"no module.go", orgs(map[string]string{"module.go": ""}), "has no module.go"},
		{"no service.go", orgs(map[string]string{"service.go": ""}), "has no service.go"},
		{"a missing line", orgs(map[string]string{"doc.go": strings.Replace(orgsDoc, "// Jobs:        none\n", "", 1)}), `no line "Jobs:"`},
		{"a table not owned", orgs(map[string]string{"doc.go": strings.Replace(orgsDoc, "org_members", "members", 1)}), "says it owns"},
		{"a call not listed", orgs(map[string]string{"doc.go": strings.Replace(orgsDoc, "audit", "nothing", 1)}), "says it calls"},
		{"one dialect", orgs(map[string]string{"migrations/sqlite/0001_create_orgs.sql": ""}), "the same files"},
		{"a table on one dialect", orgs(map[string]string{"migrations/sqlite/0001_create_orgs.sql": "CREATE TABLE orgs (id BLOB);"}), "creates the tables"},
		{"without a place", map[string]string{
			"modules/tasks/doc.go":    "// Package tasks owns tasks.\n//\n// Owns: nothing\n// Permissions: none\n// Publishes: none\n// Jobs: none\n// Calls: nothing\npackage tasks",
			"modules/tasks/module.go": "package tasks", "modules/tasks/service.go": "package tasks"}, "no place in the order"},
	},
	"nothing left to do": {
		{"Go", source("modules/orgs/a.go", "// TODO: later"), "do it now"},
		{"SQL", map[string]string{"modules/orgs/migrations/sqlite/1.sql": "-- FIXME"}, "do it now"},
		{"a string", source("modules/orgs/a.go", `const s = "TODO"`), ""},
		{"context", source("modules/orgs/a.go", "func f() { context.TODO() } // hacks and todos"), ""},
	},
}

func TestEveryRuleBites(t *testing.T) {
	for _, rule := range Rules() {
		bites := false
		for _, s := range seeds[rule.Name] {
			bites = bites || s.says != ""
			t.Run(rule.Name+"/"+s.name, func(t *testing.T) {
				var said []string
				rule.Check(grow(t, s.files), func(where, sentence string) { said = append(said, where+" "+sentence) })
				switch {
				case s.says == "" && len(said) > 0:
					t.Errorf("finds fault with it: %q", said)
				case s.says != "" && (len(said) != 1 || !strings.Contains(said[0], s.says)):
					t.Errorf("says %q, want one sentence with %q", said, s.says)
				}
			})
		}
		if !bites {
			t.Errorf("no seed breaks the rule %q", rule.Name)
		}
	}
}

func TestPlatformCallsAreFound(t *testing.T) {
	files := source("modules/orgs/service.go", `func (s *Service) sweep() { s.db.Platform("purge orgs that are gone").Exec() }; func f(why string) { d.Platform(why) }`)
	want := []string{
		"modules/orgs/service.go Service.sweep: purge orgs that are gone",
		"modules/orgs/service.go f: (not a literal)",
	}
	if diff := cmp.Diff(want, PlatformCalls(grow(t, files))); diff != "" {
		t.Error(diff)
	}
}

func TestPartitionsAndDroppedTablesAreNotOwned(t *testing.T) {
	tree := grow(t, map[string]string{
		"modules/audit/migrations/postgres/1.sql": "-- +goose Up\nCREATE TABLE events (id uuid) PARTITION BY RANGE (id);\nCREATE TABLE events_2026 PARTITION OF events DEFAULT;\nCREATE TABLE IF NOT EXISTS old (id int); -- CREATE TABLE never\n-- +goose Down\nDROP TABLE events;",
		"modules/audit/migrations/postgres/2.sql": "DROP TABLE IF EXISTS old; CREATE TABLE a (id int); ALTER TABLE a RENAME TO b;",
	})
	if diff := cmp.Diff([]string{"b", "events"}, tables(tree, "modules/audit", "postgres")); diff != "" {
		t.Error(diff)
	}
}

func grow(t *testing.T, files map[string]string) *Tree {
	t.Helper()
	fsys := fstest.MapFS{}
	for path, text := range files {
		fsys[path] = &fstest.MapFile{Data: []byte(text)}
	}
	tree, err := Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func source(path, body string) map[string]string {
	return map[string]string{path: "package x\n\n" + body + "\n"}
}

// imports is a file that imports one package of ours.
func imports(path, ours string) map[string]string {
	return source(path, `import "`+strings.TrimSuffix(modulePath+"/"+ours, "/")+`"`)
}

const orgsDoc = `// Package orgs owns organizations and who belongs to them.
//
// Owns:        tables orgs,
//              org_members
// Permissions: orgs.read
// Publishes:   MemberJoined
// Jobs:        none
// Calls:       audit
package orgs
`

// orgs is a complete module with some files changed; an empty text takes a file away.
func orgs(changed map[string]string) map[string]string {
	files := map[string]string{
		"doc.go":     orgsDoc,
		"module.go":  "package orgs",
		"service.go": "package orgs",
		"orgs.go":    "package orgs\n\nimport \"" + modulePath + "/modules/audit\"",
		"migrations/postgres/0001_create_orgs.sql": "CREATE TABLE orgs (id uuid); CREATE TABLE org_members (id uuid);",
		"migrations/sqlite/0001_create_orgs.sql":   "CREATE TABLE orgs (id BLOB); CREATE TABLE org_members (id BLOB);",
	}
	maps.Copy(files, changed)
	whole := map[string]string{}
	for name, text := range files {
		if text != "" {
			whole["modules/orgs/"+name] = text
		}
	}
	return whole
}
