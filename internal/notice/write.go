package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

const preface = `Tenon
Copyright The Tenon Authors
Licensed under the Apache License, Version 2.0 (see LICENSE).

Tenon contains the following third-party modules. This file is generated from
go.mod, the vendored folders and the modules' own licence files (make notice);
do not edit it.

What the web console is built from, and its fonts, are in console/dist/licenses.txt,
which the program serves as /licenses.txt.
`

// write renders NOTICE: a table of the modules, then each distinct text once.
func write(modules []module) ([]byte, error) {
	var refusals error
	for _, m := range modules {
		refusals = errors.Join(refusals, acceptable(m))
	}
	if refusals != nil {
		return nil, refusals
	}
	var b bytes.Buffer
	b.WriteString(preface + "\n")
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, m := range modules {
		fmt.Fprintf(table, "%s\t%s\t%s\n", m.name, m.version, strings.Join(m.kinds(), ", "))
	}
	if err := table.Flush(); err != nil {
		return nil, err
	}
	for _, g := range grouped(modules) {
		b.WriteString("\n" + strings.Repeat("=", 78) + "\n")
		for _, user := range g.users {
			b.WriteString(user + "\n")
		}
		b.WriteString(strings.Repeat("-", 78) + "\n" + g.body + "\n")
	}
	return b.Bytes(), nil
}

func (m module) kinds() (kinds []string) {
	for _, t := range m.texts {
		kinds = append(kinds, t.kinds...)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// group is one text and the files in which it stands.
type group struct {
	body  string
	users []string
}

func grouped(modules []module) (groups []*group) {
	byBody := map[string]*group{}
	for _, m := range modules {
		for _, t := range m.texts {
			g := byBody[t.body]
			if g == nil {
				g = &group{body: t.body}
				byBody[t.body] = g
				groups = append(groups, g)
			}
			g.users = append(g.users, m.name+" ("+t.name+")")
		}
	}
	return groups
}
