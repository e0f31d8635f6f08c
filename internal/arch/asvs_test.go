package arch_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What docs/asvs.csv says of OWASP ASVS 5.0 names tests that exist, or a reason.
func TestTheSelfAssessmentNamesItsEvidence(t *testing.T) {
	root := filepath.Join("..", "..")
	f, err := os.Open(filepath.Join(root, "docs", "asvs.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{} // by folder
	for _, row := range rows[1:] {
		id, status, tests, note := row[0], row[3], row[4], row[5]
		switch {
		case status != "met" && status != "partly" && status != "not applicable":
			t.Errorf("%s: status %q", id, status)
		case tests == "" && note == "":
			t.Errorf("%s: neither a test nor a reason", id)
		}
		for test := range strings.SplitSeq(tests, "; ") {
			folder, name, ok := strings.Cut(test, ":")
			if !ok {
				continue
			}
			if known[folder] == "" {
				known[folder] = source(t, filepath.Join(root, folder))
			}
			if !regexp.MustCompile(`func ` + name + `\(`).MatchString(known[folder]) {
				t.Errorf("%s: %s has no %s", id, folder, name)
			}
		}
	}
	if len(rows) < 80 {
		t.Errorf("only %d rows", len(rows))
	}
}

// source is the text of a folder's tests.
func source(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
