package main

import (
	"bytes"
	"fmt"
	"strings"
)

const introduction = `# Configuration

Settings come from the environment. None is required on a developer's machine. ` + "`tenon doctor`" + `
shows those in effect, with secrets masked, and tries every dependency.

This page is written by ` + "`go run ./internal/configdoc`" + ` from the Config structs in the source.
In Go, set the fields of ` + "`tenon.Config`" + ` instead.
`

// page describes every setting, a section for each struct.
func page(root string) ([]byte, error) {
	sections, err := read(root)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(introduction)
	for _, s := range sections {
		fmt.Fprintf(&b, "\n## %s\n\n", s.title)
		if s.about != "" {
			fmt.Fprintf(&b, "%s\n\n", s.about)
		}
		b.WriteString("| variable | value | default | |\n|---|---|---|---|\n")
		for _, v := range s.settings {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", v.name, v.kind, code(v.byDefault), cell(v.about))
		}
	}
	return b.Bytes(), nil
}

// cell is text that Markdown leaves alone.
func cell(s string) string { return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(s) }

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}
