package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestAnEjectedConsoleIsWholeAndOnesOwn(t *testing.T) {
	to := filepath.Join(t.TempDir(), "web")
	if err := eject(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package.json", "package-lock.json", "console/package.json", "console/vite.config.ts", "console/src/main.tsx", "console/dist/index.html", "clients/typescript/src/schema.d.ts"} {
		if info, err := os.Stat(filepath.Join(to, name)); err != nil || info.Mode().Perm()&0o200 == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := filepath.WalkDir(to, func(name string, d fs.DirEntry, err error) error {
		if filepath.Ext(name) == ".go" || d.Name() == "node_modules" {
			t.Errorf("%s was copied", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := eject(t.Context(), to); err == nil {
		t.Error("a folder that exists was written over")
	}
}
