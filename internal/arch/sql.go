package arch

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"
)

var (
	statement  = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s`)
	storeFile  = regexp.MustCompile(`^(.*_)?store(_postgres|_sqlite)?\.go$`)
	allColumns = regexp.MustCompile(`(?i)\b(SELECT|RETURNING)\s+(DISTINCT\s+)?(\w+\.)?\*|,\s*\w+\.\*`)

	// Each of these fails on SQLite.
	postgresOnly = regexp.MustCompile(`\bFOR (NO KEY )?(UPDATE|SHARE)\b|\bSKIP LOCKED\b|\w\)?::[a-z]|(?i:\bnow\(\))|\bILIKE\b|\bDISTINCT ON\b|\bLATERAL\b|\bDELETE FROM \w+( \w+)?\s+USING\b`)
)

// sqlOnlyInStores: whoever looks for a query of a module finds it in one place.
func sqlOnlyInStores(tree *Tree, report Report) {
	for _, f := range tree.Go {
		if !under(f.Path, "modules") || f.IsTest() || storeFile.MatchString(path.Base(f.Path)) {
			continue
		}
		eachString(f, func(lit *ast.BasicLit, _ ast.Node) {
			if statement.MatchString(unquote(lit)) {
				report(f.At(lit), "has SQL; move it into a function of store.go (or <noun>_store.go) and call that")
			}
		})
	}
}

// explicitColumns: during a rolling upgrade a table has columns that this code does not know.
func explicitColumns(tree *Tree, report Report) {
	const instead = "asks for all columns; list them, or a rolling upgrade that adds one breaks this"
	for _, f := range tree.Go {
		if f.IsTest() || under(f.Path, "internal/arch") {
			continue
		}
		eachString(f, func(lit *ast.BasicLit, _ ast.Node) {
			text := unquote(lit)
			if allColumns.MatchString(text) && (statement.MatchString(text) || strings.Contains(text, "RETURNING")) {
				report(f.At(lit), instead)
			}
		})
	}
	for _, p := range sortedKeys(tree.SQL) {
		if allColumns.MatchString(tree.SQL[p]) {
			report(p, instead)
		}
	}
}

// portableSQL: a query is written once, for both databases.
func portableSQL(tree *Tree, report Report) {
	for _, f := range tree.Go {
		if f.IsTest() || under(f.Path, "platform/db", "internal/arch", "internal/bench") || strings.HasSuffix(f.Path, "_postgres.go") {
			continue
		}
		isStore := storeFile.MatchString(path.Base(f.Path))
		eachString(f, func(lit *ast.BasicLit, around ast.Node) {
			text := unquote(lit)
			if !isStore && !statement.MatchString(text) || mentionsPostgres(f, around) {
				return
			}
			if found := postgresOnly.FindString(text); found != "" {
				report(f.At(lit), "uses "+strings.Join(strings.Fields(found), " ")+", which SQLite does not know; write it in the common subset, or in one function that switches on db.Postgres, or in a file named *_postgres.go")
			}
		})
	}
}

func mentionsPostgres(f *File, around ast.Node) (found bool) {
	if around == nil {
		return false
	}
	pkg := f.Name(modulePath + "/platform/db")
	ast.Inspect(around, func(n ast.Node) bool {
		_, here := selects(n, pkg, "Postgres", "SQLite")
		found = found || here
		return !found
	})
	return found
}

// eachString calls fn for every string literal that is no import, with the function around it, if any.
func eachString(f *File, fn func(lit *ast.BasicLit, around ast.Node)) {
	for _, decl := range f.AST.Decls {
		if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok == token.IMPORT {
			continue
		}
		var around ast.Node
		if function, ok := decl.(*ast.FuncDecl); ok {
			around = function
		}
		ast.Inspect(decl, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				fn(lit, around)
			}
			return true
		})
	}
}

// transactionsKeepTheirConnection: inside the closure of a transaction the only connection is
// the transaction. Any other escapes it, and on SQLite waits for itself.
func transactionsKeepTheirConnection(tree *Tree, report Report) {
	escaping := methodsThatConnect(tree)
	for _, f := range tree.Go {
		if f.IsTest() || under(f.Path, "platform/db") {
			continue
		}
		for _, decl := range f.AST.Decls {
			outer, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			eachTransaction(outer, func(body *ast.FuncLit) {
				for _, use := range connections(f, body) {
					report(f.At(use), "uses ."+use.Sel.Name+" inside a transaction; use tx, or bind it with In(tx)")
				}
				typ, recv := receiver(outer)
				for name, call := range calls(body, recv) {
					if escaping[method{f.Dir(), typ, name}] {
						report(f.At(call), "calls "+recv+"."+name+" inside a transaction, which connects anew; call "+recv+".In(tx)."+name)
					}
				}
			})
		}
	}
}

// eachTransaction calls fn for the closure of each call of a method Tx.
func eachTransaction(in ast.Node, fn func(body *ast.FuncLit)) {
	ast.Inspect(in, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		body, isFunc := call.Args[len(call.Args)-1].(*ast.FuncLit)
		if ok && isFunc && sel.Sel.Name == "Tx" {
			fn(body)
			return false // what is nested in it is inside this one
		}
		return true
	})
}

// connections returns the uses of a field db or DB, except those that join the
// transaction (.In) or only ask for the dialect.
func connections(f *File, in ast.Node) (uses []*ast.SelectorExpr) {
	harmless := map[ast.Node]bool{}
	ast.Inspect(in, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if sel.Sel.Name == "In" || sel.Sel.Name == "Dialect" {
			harmless[sel.X] = true
		}
		x, isName := sel.X.(*ast.Ident)
		if (sel.Sel.Name == "db" || sel.Sel.Name == "DB") && !harmless[sel] && !(isName && f.imports(x.Name)) {
			uses = append(uses, sel)
		}
		return true
	})
	return uses
}

// method names a method of a type in a folder.
type method struct{ dir, typ, name string }

// methodsThatConnect returns the methods that use their receiver's connection,
// themselves or through another method of the receiver.
func methodsThatConnect(tree *Tree) map[method]bool {
	connect, callees := map[method]bool{}, map[method][]method{}
	for _, f := range tree.Go {
		for _, decl := range f.AST.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			typ, recv := "", ""
			if ok {
				typ, recv = receiver(fn)
			}
			if recv == "" || fn.Body == nil || fn.Name.Name == "In" {
				continue
			}
			m := method{f.Dir(), typ, fn.Name.Name}
			connect[m] = slices.ContainsFunc(connections(f, fn.Body), func(use *ast.SelectorExpr) bool {
				x, ok := use.X.(*ast.Ident)
				return ok && x.Name == recv
			})
			for name := range calls(fn.Body, recv) {
				callees[m] = append(callees[m], method{f.Dir(), typ, name})
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for m, called := range callees {
			if !connect[m] && slices.ContainsFunc(called, func(c method) bool { return connect[c] }) {
				connect[m], changed = true, true
			}
		}
	}
	return connect
}

// receiver returns the type and the name of a method's receiver.
func receiver(fn *ast.FuncDecl) (typ, name string) {
	if fn.Recv == nil || len(fn.Recv.List) != 1 || len(fn.Recv.List[0].Names) != 1 {
		return "", ""
	}
	t := fn.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if ident, ok := t.(*ast.Ident); ok {
		return ident.Name, fn.Recv.List[0].Names[0].Name
	}
	return "", ""
}

// calls returns the methods that are called directly on recv, each with one call.
func calls(in ast.Node, recv string) map[string]*ast.CallExpr {
	found := map[string]*ast.CallExpr{}
	ast.Inspect(in, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && recv != "" && x.Name == recv {
				found[sel.Sel.Name] = call
			}
		}
		return true
	})
	return found
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
