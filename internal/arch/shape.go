package arch

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// moduleShape: who has read one module knows where to look in all of them.
func moduleShape(tree *Tree, report Report) {
	for _, name := range moduleFolders(tree) {
		dir := "modules/" + name
		if !slices.Contains(Order(), name) {
			report(dir, "has no place in the order of internal/arch; list it after the modules that it calls")
		}
		for _, file := range []string{"doc.go", "module.go", "service.go"} {
			if !tree.has(dir + "/" + file) {
				report(dir, "has no "+file+"; every module has doc.go, module.go and service.go")
			}
		}
		migrations(tree, dir, report)
		if doc := packageComment(tree, dir+"/doc.go"); doc != nil {
			docLines(tree, name, doc, report)
		}
	}
}

func moduleFolders(tree *Tree) []string {
	found := map[string]bool{}
	for _, p := range tree.all {
		if under(path.Dir(p), "modules") && path.Dir(p) != "modules" {
			found[moduleOf(p)] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// migrations: both dialects are migrated step by step alike, and end with the same tables.
func migrations(tree *Tree, dir string, report Report) {
	sqlite, postgres := migrationFiles(tree, dir, "sqlite"), migrationFiles(tree, dir, "postgres")
	if !slices.Equal(sqlite, postgres) {
		report(dir+"/migrations", fmt.Sprintf("has %v for SQLite and %v for PostgreSQL; give both dialects the same files", sqlite, postgres))
		return
	}
	if s, p := tables(tree, dir, "sqlite"), tables(tree, dir, "postgres"); !slices.Equal(s, p) {
		report(dir+"/migrations", fmt.Sprintf("creates the tables %v on SQLite and %v on PostgreSQL; create the same on both", s, p))
	}
}

func migrationFiles(tree *Tree, dir, dialect string) (names []string) {
	for _, p := range sortedKeys(tree.SQL) {
		if path.Dir(p) == dir+"/migrations/"+dialect {
			names = append(names, path.Base(p))
		}
	}
	return names
}

var (
	sqlComment  = regexp.MustCompile(`--[^\n]*`)
	tableChange = regexp.MustCompile(`(?i)\b(CREATE|DROP)\s+TABLE\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?"?([a-z_][a-z0-9_]*)"?(\s+PARTITION\s+OF)?|\bALTER\s+TABLE\s+"?([a-z_][a-z0-9_]*)"?\s+RENAME\s+TO\s+"?([a-z_][a-z0-9_]*)"?`)
)

// tables returns the tables that exist after all migrations of a dialect. A
// partition is part of its table.
func tables(tree *Tree, dir, dialect string) []string {
	exist := map[string]bool{}
	for _, name := range migrationFiles(tree, dir, dialect) {
		up, _, _ := strings.Cut(tree.SQL[dir+"/migrations/"+dialect+"/"+name], "+goose Down")
		for _, m := range tableChange.FindAllStringSubmatch(sqlComment.ReplaceAllString(up, ""), -1) {
			verb, table, partition, from, to := strings.ToUpper(m[1]), strings.ToLower(m[2]), m[3] != "", strings.ToLower(m[4]), strings.ToLower(m[5])
			switch {
			case verb == "CREATE" && !partition:
				exist[table] = true
			case verb == "DROP":
				delete(exist, table)
			case from != "":
				delete(exist, from)
				exist[to] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(exist))
}

// docLines: the five lines of doc.go are there, and those that can be checked are true.
func docLines(tree *Tree, name string, doc map[string]string, report Report) {
	where := "modules/" + name + "/doc.go"
	for _, label := range fiveLines {
		if _, ok := doc[label]; !ok {
			report(where, "has no line \""+label+":\"; write \""+label+": nothing\" if that is so")
		}
	}
	owns := slices.DeleteFunc(words(doc["Owns"]), func(w string) bool { return slices.Contains(fillers[:], w) })
	if exist := tables(tree, "modules/"+name, "postgres"); !slices.Equal(owns, exist) {
		report(where, fmt.Sprintf("says it owns %v, but its migrations create %v; make the line \"Owns:\" list just these tables", owns, exist))
	}
	called := slices.DeleteFunc(words(doc["Calls"]), func(w string) bool { return !slices.Contains(Order(), w) })
	if imports := importedModules(tree, name); !slices.Equal(called, imports) {
		report(where, fmt.Sprintf("says it calls %v, but it imports %v; make the line \"Calls:\" list just these modules", called, imports))
	}
}

var (
	fiveLines = [...]string{"Owns", "Permissions", "Publishes", "Jobs", "Calls"}
	fillers   = [...]string{"table", "tables", "and", "the", "none", "nothing"}
	word      = regexp.MustCompile(`[a-z][a-z0-9_]*`)
	docLine   = regexp.MustCompile(`^\s*(Owns|Permissions|Publishes|Jobs|Calls):(.*)$`)
)

func words(s string) []string {
	found := word.FindAllString(strings.ToLower(s), -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// packageComment returns the labelled lines of a file's package comment, with
// the lines that continue them; nil when there is no such file.
func packageComment(tree *Tree, p string) map[string]string {
	i := slices.IndexFunc(tree.Go, func(f *File) bool { return f.Path == p })
	if i < 0 {
		return nil
	}
	lines, label := map[string]string{}, ""
	for line := range strings.SplitSeq(tree.Go[i].AST.Doc.Text(), "\n") {
		switch m := docLine.FindStringSubmatch(line); {
		case m != nil:
			label = m[1]
			lines[label] = m[2]
		case strings.TrimSpace(line) == "":
			label = ""
		case label != "":
			lines[label] += " " + line
		}
	}
	return lines
}

func importedModules(tree *Tree, name string) []string {
	found := map[string]bool{}
	for _, f := range tree.Go {
		if !under(f.Path, "modules/"+name) || f.IsTest() {
			continue
		}
		for _, spec := range f.AST.Imports {
			if to, ok := strings.CutPrefix(imported(spec), modulePath+"/modules/"); ok && moduleOf(to) != name {
				found[moduleOf(to)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
