package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
)

// noHiddenState: what a function depends on is a field one can see, so two apps
// fit into one process and a test never waits for another.
func noHiddenState(tree *Tree, report Report) {
	for _, f := range tree.Go {
		if f.IsTest() {
			continue
		}
		for _, decl := range f.AST.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					report(f.At(d), "has an init function; do it in New, where the caller sees it")
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR {
					eachState(d, func(name *ast.Ident) {
						if slices.Contains(unavoidable[:], f.Dir()+" "+name.Name) {
							return
						}
						report(f.At(name), "keeps the package variable "+name.Name+"; make it a field, a constant, or a function that returns it")
					})
				}
			}
		}
	}
}

var unavoidable = [...]string{
	"platform/web setUpHuma", // Huma's settings belong to the process, so they are set once
}

// eachState calls fn for the variables of a declaration that are neither errors
// nor assertions nor embedded files nor constants that Go cannot declare as such.
func eachState(d *ast.GenDecl, fn func(name *ast.Ident)) {
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		if embeds(d.Doc) || embeds(v.Doc) {
			continue
		}
		for i, name := range v.Names {
			isError := strings.HasPrefix(strings.ToLower(name.Name), "err") && len(v.Values) > 0
			isConstant := len(v.Values) == len(v.Names) && constant(v.Values[i])
			if name.Name != "_" && !isError && !isConstant {
				fn(name)
			}
		}
	}
}

func embeds(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// constant reports whether a value is fixed although Go has no constant for it: the result
// of a Must function, a date, or an array or struct of such and of literals. Slices, maps and
// pointers are shared, so they are state.
func constant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.CallExpr:
		return made(e)
	case *ast.CompositeLit:
		return value(e.Type) && e.Type != nil && !slices.ContainsFunc(e.Elts, changeable)
	}
	return false
}

func made(call *ast.CallExpr) bool {
	for _, fixed := range [][2]string{{"time", "Date"}, {"sync", "OnceValue"}} { // a value that is computed when it is first asked for
		if _, ok := selects(call.Fun, fixed[0], fixed[1]); ok {
			return true
		}
	}
	switch fn := call.Fun.(type) {
	case *ast.SelectorExpr:
		return strings.HasPrefix(fn.Sel.Name, "Must")
	case *ast.Ident:
		return strings.HasPrefix(fn.Name, "must")
	}
	return false
}

// value reports whether a literal of type t is no slice and no map, as far as one sees.
func value(t ast.Expr) bool {
	switch t := t.(type) {
	case *ast.MapType:
		return false
	case *ast.ArrayType:
		return t.Len != nil
	}
	return true
}

// changeable reports whether an element of an array or struct is more than a constant.
func changeable(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.KeyValueExpr:
		return changeable(e.Value)
	case *ast.CompositeLit: // its type may be left out
		return !value(e.Type) || slices.ContainsFunc(e.Elts, changeable)
	case *ast.UnaryExpr:
		return e.Op == token.AND || changeable(e.X)
	case *ast.BinaryExpr:
		return changeable(e.X) || changeable(e.Y)
	case *ast.BasicLit, *ast.Ident, *ast.SelectorExpr:
		return false
	}
	return !constant(e)
}

var emptyNames = [...]string{"util", "utils", "common", "helper", "helpers", "model", "models", "type", "types", "manager", "impl"}

// packageNames: a name says what a package owns.
func packageNames(tree *Tree, report Report) {
	for _, f := range tree.Go {
		if name := strings.TrimSuffix(f.AST.Name.Name, "_test"); slices.Contains(emptyNames[:], name) {
			report(f.At(f.AST.Name), "is package "+name+", a name that says nothing; name it after what it owns")
		}
	}
}

var leftover = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)

// nothingLeftToDo: a note in the source is read by nobody who could act on it.
func nothingLeftToDo(tree *Tree, report Report) {
	const instead = "; do it now, or open an issue"
	for _, f := range tree.Go {
		if under(f.Path, "internal/arch") {
			continue
		}
		for _, group := range f.AST.Comments {
			for _, c := range group.List {
				if word := leftover.FindString(c.Text); word != "" {
					report(f.At(c), "says "+word+instead)
				}
			}
		}
	}
	for _, p := range sortedKeys(tree.SQL) {
		if word := leftover.FindString(tree.SQL[p]); word != "" {
			report(p, "says "+word+instead)
		}
	}
}

// PlatformCalls lists who asks for a connection that row-level security does not
// hold to one organization or account: "file function: reason", in order.
func PlatformCalls(tree *Tree) (calls []string) {
	for _, f := range tree.Go {
		if f.IsTest() || under(f.Path, "internal/arch") {
			continue
		}
		for _, decl := range f.AST.Decls {
			ast.Inspect(decl, func(n ast.Node) bool {
				if reason, ok := platformCall(f, n); ok {
					calls = append(calls, fmt.Sprintf("%s %s: %s", f.Path, declared(decl), reason))
				}
				return true
			})
		}
	}
	slices.Sort(calls)
	return calls
}

func platformCall(f *File, n ast.Node) (reason string, ok bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return "", false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Platform" {
		return "", false
	}
	if lit, ok := call.Args[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
		return unquote(lit), true
	}
	if name, ok := call.Args[0].(*ast.Ident); ok {
		return f.constantText(name.Name), true
	}
	return "(not a literal)", true
}

// constantText finds the text of a constant of f's package.
func (f *File) constantText(name string) string {
	for _, other := range f.tree.Go {
		if path.Dir(other.Path) != path.Dir(f.Path) {
			continue
		}
		for _, decl := range other.AST.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.CONST {
				continue
			}
			for _, spec := range gen.Specs {
				for i, n := range spec.(*ast.ValueSpec).Names {
					values := spec.(*ast.ValueSpec).Values
					if n.Name != name || i >= len(values) {
						continue
					}
					if lit, ok := values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
						return unquote(lit)
					}
				}
			}
		}
	}
	return "(not a literal)"
}

// declared names a declaration: a function, Type.method, or the package level.
func declared(decl ast.Decl) string {
	fn, ok := decl.(*ast.FuncDecl)
	if !ok {
		return "package"
	}
	if typ, _ := receiver(fn); typ != "" {
		return typ + "." + fn.Name.Name
	}
	return fn.Name.Name
}
