package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	mit  = "MIT License\n\nPermission is hereby granted, free of charge, to any person\nobtaining a copy of this software"
	bsd  = "Redistribution and use in source and binary forms are permitted.\n * Redistributions in binary form must reproduce it.\n * Neither the name may be used to endorse or promote products."
	mpl  = "Mozilla Public License Version 2.0\n\n1.12. \"Secondary License\" means either the GNU General Public License, Version 2.0, or later"
	agpl = "GNU AFFERO GENERAL PUBLIC LICENSE\nEveryone is permitted to copy and distribute verbatim copies\n of this license document, but changing it is not allowed."
)

func TestLicencesAreRecognised(t *testing.T) {
	for body, want := range map[string][]string{
		mit: {"MIT"},
		bsd: {"BSD-3-Clause"},
		mpl: {"MPL-2.0"},
		"Apache License\n   Version 2.0, January 2004":             {"Apache-2.0"},
		"Licensed under the Apache License, Version 2.0\n\n" + mit: {"Apache-2.0", "MIT"},
		agpl:                  nil,
		"All rights reserved": nil,
	} {
		if diff := cmp.Diff(want, kindsOf(body)); diff != "" {
			t.Errorf("%.40q (-want +got):\n%s", body, diff)
		}
	}
}

func TestModulesThatWouldBindUsersAreRefused(t *testing.T) {
	for body, says := range map[string]string{
		agpl:                                    "a GNU licence",
		mit + "\n\nCommons Clause":              "the Commons Clause",
		"All rights reserved":                   "no licence that we know",
		"Business Source License 1.1\n\n" + mit: "the Business Source License",
	} {
		_, err := write([]module{{name: "m", version: "v1.0.0", texts: []text{{"LICENSE", body, kindsOf(body)}}}})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.40q is answered with %v, want %q", body, err, says)
		}
	}
	if _, err := write([]module{{name: "m", texts: nil}}); err == nil {
		t.Error("a module without any licence passes")
	}
	if err := acceptable(module{name: "m", texts: []text{{"LICENSE", mpl, kindsOf(mpl)}}}); err != nil {
		t.Error("MPL, which mentions the GNU licences, is refused:", err)
	}
}

func TestEqualTextsAreWrittenOnce(t *testing.T) {
	out, err := write([]module{
		{"a", "v1.0.0", []text{{"LICENSE", mit, []string{"MIT"}}}},
		{"b", "v2.0.0", []text{{"COPYING", mit, []string{"MIT"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"a  v1.0.0  MIT\n", "b  v2.0.0  MIT\n", "a (LICENSE)\nb (COPYING)\n"} {
		if !strings.Contains(string(out), line) {
			t.Errorf("no %q in:\n%s", line, out)
		}
	}
	if n := strings.Count(string(out), mit); n != 1 {
		t.Errorf("the text stands there %d times", n)
	}
}

func TestLicencesAreFoundBesideAndAboveAPackage(t *testing.T) {
	root := t.TempDir()
	lay(t, root, map[string]string{"LICENSE": mit, "NOTICE.txt": "thanks", "a/LICENCE.md": bsd, "a/b/x.go": "", "unused/LICENSE": agpl, "license.go": ""})
	texts, err := licences(root, map[string]bool{filepath.Join(root, "a", "b"): true})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, t := range texts {
		names = append(names, t.name)
	}
	if diff := cmp.Diff([]string{"LICENSE", "NOTICE.txt", "a/LICENCE.md"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestCopiedFilesAreFoundWithTheirLicences(t *testing.T) {
	root := t.TempDir()
	lay(t, root, map[string]string{
		"platform/x/vendored/tool@1.2.3/LICENSE": mit, "platform/x/vendored/tool@1.2.3/tool.js.gz": "", "platform/x/vendored/@scope@2.0.0/LICENSE": bsd,
		"node_modules/x/vendored/other@1/LICENSE": agpl, ".git/vendored/other@1/LICENSE": agpl, "platform/x/LICENSE": agpl,
	})
	got, err := vendored(root)
	if err != nil {
		t.Fatal(err)
	}
	want := []module{{"@scope", "2.0.0", []text{{"LICENSE", bsd, []string{"BSD-3-Clause"}}}}, {"tool", "1.2.3", []text{{"LICENSE", mit, []string{"MIT"}}}}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(module{}, text{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	lay(t, root, map[string]string{"vendored/nameless/LICENSE": mit})
	if _, err := vendored(root); err == nil {
		t.Error("a folder without a version passes")
	}
}

func lay(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, body := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
