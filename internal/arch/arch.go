// Package arch owns the rules of the code base: which package may know which,
// where SQL may stand, what a module looks like. They are checked on parsed
// source alone, in a blink; each says in a sentence what to do instead.
package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

const modulePath = "github.com/tenonhq/tenon"

// Order lists the modules, lowest first. A module may import those before it.
func Order() []string {
	return []string{"audit", "accounts", "sessions", "passkeys", "mfa", "identities", "plans", "orgs", "apikeys",
		"files", "flags", "notifications", "webhooks", "billing", "privacy", "admin", "ops"}
}

// Rule is one promise that the source keeps.
type Rule struct {
	Name  string
	Check func(tree *Tree, report Report)
}

// Report takes one broken promise: where, and what to do instead.
type Report func(where, sentence string)

// Rules returns every rule.
func Rules() []Rule {
	return []Rule{
		{"layers", layers},
		{"libraries", libraries},
		{"templates", templates},
		{"outbound HTTP", outboundHTTP},
		{"raw transactions", rawTransactions},
		{"SQL only in stores", sqlOnlyInStores},
		{"explicit columns", explicitColumns},
		{"portable SQL", portableSQL},
		{"transactions use their own connection", transactionsKeepTheirConnection},
		{"no hidden state", noHiddenState},
		{"package names", packageNames},
		{"module shape", moduleShape},
		{"nothing left to do", nothingLeftToDo},
	}
}

// Broken returns what is wrong with tree, one sentence each, by rule name.
func Broken(tree *Tree) map[string][]string {
	broken := map[string][]string{}
	for _, rule := range Rules() {
		rule.Check(tree, func(where, sentence string) {
			broken[rule.Name] = append(broken[rule.Name], where+" "+sentence)
		})
	}
	return broken
}

// Tree is the source of the product.
type Tree struct {
	fset *token.FileSet
	Go   []*File
	SQL  map[string]string // path → text
	all  []string          // every path
}

// File is one parsed Go file.
type File struct {
	Path string
	AST  *ast.File
	tree *Tree
}

// Load reads and parses every Go and SQL file of fsys, a checkout's root.
func Load(fsys fs.FS) (*Tree, error) {
	tree := &Tree{fset: token.NewFileSet(), SQL: map[string]string{}}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if foreign(p) {
				return fs.SkipDir
			}
			return nil
		}
		return tree.add(fsys, p)
	})
	return tree, err
}

// foreign reports whether a folder holds no source of ours.
func foreign(dir string) bool {
	base := path.Base(dir)
	return base != "." && strings.HasPrefix(base, ".") ||
		slices.Contains([]string{"node_modules", "testdata", "data", "bin", "dist"}, base)
}

func (t *Tree) add(fsys fs.FS, p string) error {
	t.all = append(t.all, p)
	switch path.Ext(p) {
	case ".go":
		src, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(t.fset, p, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parse: %w", err)
		}
		t.Go = append(t.Go, &File{Path: p, AST: parsed, tree: t})
	case ".sql":
		text, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		t.SQL[p] = string(text)
	}
	return nil
}

func (t *Tree) has(p string) bool { return slices.Contains(t.all, p) }

// Dir returns the folder of the file.
func (f *File) Dir() string { return path.Dir(f.Path) }

// IsTest reports whether the file belongs to tests: by its name, or because its package is for tests.
func (f *File) IsTest() bool {
	return strings.HasSuffix(f.Path, "_test.go") || under(f.Path, "tenontest", "test")
}

// At says where a node stands.
func (f *File) At(n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.Path, f.tree.fset.Position(n.Pos()).Line)
}

// Name returns the name that the file uses for an imported package, or "".
func (f *File) Name(importPath string) string {
	for _, spec := range f.AST.Imports {
		if imported(spec) != importPath {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

// imports reports whether name stands for an imported package in this file.
func (f *File) imports(name string) bool {
	return slices.ContainsFunc(f.AST.Imports, func(spec *ast.ImportSpec) bool {
		return f.Name(imported(spec)) == name
	})
}

func imported(spec *ast.ImportSpec) string { return unquote(spec.Path) }

// unquote returns the value of a string literal, which the parser has already checked.
func unquote(lit *ast.BasicLit) string {
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return s
}

// under reports whether p is one of the folders or stands in one.
func under(p string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(dir string) bool {
		return p == dir || strings.HasPrefix(p, dir+"/")
	})
}

// selects reports whether n is pkg.name for one of the names, and which.
func selects(n ast.Node, pkg string, names ...string) (string, bool) {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	x, ok := sel.X.(*ast.Ident)
	return sel.Sel.Name, ok && pkg != "" && x.Name == pkg && slices.Contains(names, sel.Sel.Name)
}
