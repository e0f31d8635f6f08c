package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const modulePath = "github.com/tenonhq/tenon"

// section is one struct of settings.
type section struct {
	title, about string
	settings     []setting
}

// setting is one environment variable.
type setting struct{ name, kind, byDefault, about string }

// read finds the settings of tenon.Config and of the structs that it is made of.
func read(root string) ([]section, error) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "config.go"), nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	config, _ := structOf(file, "Config")
	if config == nil {
		return nil, fmt.Errorf("config.go declares no struct Config")
	}
	general := section{title: "General"}
	if general.settings, err = settings(config); err != nil {
		return nil, err
	}
	all := []section{general}
	for _, field := range config.Fields.List {
		part, ok := field.Type.(*ast.SelectorExpr)
		if !ok || tag(field) != "" || len(field.Names) != 1 {
			continue
		}
		s, err := readPart(root, file, field.Names[0].Name, part)
		if err != nil {
			return nil, err
		}
		if len(s.settings) > 0 {
			all = append(all, s)
		}
	}
	return all, nil
}

// readPart finds the settings of a struct of another package.
func readPart(root string, file *ast.File, title string, typ *ast.SelectorExpr) (section, error) {
	s := section{title: title}
	dir, ok := folder(file, typ.X.(*ast.Ident).Name)
	if !ok {
		return s, nil // of another module: nothing that we configure
	}
	paths, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		return s, err
	}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return s, err
		}
		if found, doc := structOf(file, typ.Sel.Name); found != nil {
			first, _, _ := strings.Cut(strings.Join(strings.Fields(doc), " "), ". ")
			s.about = sentence(first, typ.Sel.Name)
			s.settings, err = settings(found)
			if err != nil {
				return s, fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	return s, nil
}

// folder returns where a package of ours lies.
func folder(file *ast.File, name string) (dir string, ok bool) {
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		dir, ours := strings.CutPrefix(path, modulePath+"/")
		if err == nil && ours && filepath.Base(dir) == name {
			return dir, true
		}
	}
	return "", false
}

func structOf(file *ast.File, name string) (*ast.StructType, string) {
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.TYPE {
			continue
		}
		for _, spec := range gen.Specs {
			if t := spec.(*ast.TypeSpec); t.Name.Name == name {
				s, _ := t.Type.(*ast.StructType)
				return s, gen.Doc.Text()
			}
		}
	}
	return nil, ""
}

// settings are the fields with an env tag.
func settings(s *ast.StructType) ([]setting, error) {
	var all []setting
	for _, field := range s.Fields.List {
		name := reflect.StructTag(tag(field)).Get("env")
		if name == "" {
			continue
		}
		about := field.Doc.Text()
		if about == "" {
			about = field.Comment.Text()
		}
		if about == "" {
			return nil, fmt.Errorf("nobody says what %s is; give its field a comment", name)
		}
		all = append(all, setting{name: name, kind: kind(field.Type), byDefault: reflect.StructTag(tag(field)).Get("envDefault"),
			about: sentence(about, field.Names[0].Name)})
	}
	return all, nil
}

func tag(field *ast.Field) string {
	if field.Tag == nil {
		return ""
	}
	text, err := strconv.Unquote(field.Tag.Value)
	if err != nil {
		return ""
	}
	return text
}

// kind says in a word what a value looks like.
func kind(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.Ident:
		switch t.Name {
		case "bool":
			return "true or false"
		case "int", "int64":
			return "number"
		}
	case *ast.SelectorExpr:
		if t.Sel.Name == "Duration" {
			return "duration (`30s`, `5m`)"
		}
	case *ast.StarExpr:
		return kind(t.X)
	case *ast.ArrayType:
		return "list, separated by commas"
	case *ast.MapType:
		return "list of `name:number`, separated by commas"
	}
	return "text"
}

// sentence turns a doc comment into a sentence of its own: "Addr is where to listen."
// becomes "Where to listen."
func sentence(doc, name string) string {
	text := strings.Join(strings.Fields(doc), " ")
	if rest, ok := strings.CutPrefix(text, name+" "); ok {
		for _, verb := range []string{"is ", "are ", "says "} {
			rest = strings.TrimPrefix(rest, verb)
		}
		text = rest
	}
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
