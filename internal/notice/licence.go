package main

import (
	"fmt"
	"slices"
	"strings"
)

// licence is a kind of licence and the phrases that all of its texts contain.
type licence struct {
	kind    string
	phrases []string
}

// accepted lists the licences under which a module may be part of the product.
func accepted() []licence {
	return []licence{
		{"Apache-2.0", []string{"apache license version 2.0"}},
		{"MIT", []string{"permission is hereby granted, free of charge, to any person obtaining a copy"}},
		{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "endorse or promote products"}},
		{"BSD-2-Clause", []string{"redistribution and use in source and binary forms", "redistributions in binary form must reproduce"}},
		{"ISC", []string{"permission to use, copy, modify, and", "distribute this software for any purpose with or without fee is hereby granted"}},
		{"MPL-2.0", []string{"mozilla public license version 2.0"}},
		{"Zlib", []string{"altered source versions must be plainly marked as such"}},
		{"Unlicense", []string{"free and unencumbered software released into the public domain"}},
		{"CC0-1.0", []string{"cc0 1.0 universal"}},
	}
}

// refused lists the licences that would bind whoever builds on the product.
func refused() []licence {
	return []licence{
		{"a GNU licence", []string{"everyone is permitted to copy and distribute verbatim copies of this license document, but changing it is not allowed"}},
		{"a GNU licence", []string{"under the terms of the gnu"}},
		{"the Server Side Public License", []string{"server side public license"}},
		{"the Business Source License", []string{"business source license"}},
		{"the Elastic License", []string{"elastic license"}},
		{"the Commons Clause", []string{"commons clause"}},
		{"a non-commercial licence", []string{"noncommercial"}},
	}
}

// kindsOf names the accepted licences that a text contains.
func kindsOf(body string) (kinds []string) {
	flat := flatten(body)
	for _, l := range accepted() {
		if l.in(flat) && !(l.kind == "BSD-2-Clause" && slices.Contains(kinds, "BSD-3-Clause")) {
			kinds = append(kinds, l.kind)
		}
	}
	return kinds
}

// acceptable says why a module may not be part of the product, if it may not.
func acceptable(m module) error {
	known := false
	for _, t := range m.texts {
		known = known || len(t.kinds) > 0
		flat := flatten(t.body)
		for _, l := range refused() {
			if l.in(flat) {
				return fmt.Errorf("%s %s is under %s (%s); use another library", m.name, m.version, l.kind, t.name)
			}
		}
	}
	if !known {
		return fmt.Errorf("%s %s has no licence that we know; read it, and teach internal/notice about it if it is permissive", m.name, m.version)
	}
	return nil
}

func (l licence) in(flat string) bool {
	return !slices.ContainsFunc(l.phrases, func(p string) bool { return !strings.Contains(flat, p) })
}

// flatten makes texts comparable that are wrapped, indented or quoted differently.
func flatten(body string) string {
	body = strings.Map(func(r rune) rune {
		if strings.ContainsRune("*#>_\"`“”", r) {
			return ' '
		}
		return r
	}, strings.ToLower(body))
	return strings.ReplaceAll(strings.Join(strings.Fields(body), " "), "license, version 2.0", "license version 2.0")
}
