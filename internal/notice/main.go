// Command notice writes the file NOTICE: which third-party modules and copied files
// the product contains, under which licences, with their full texts. It refuses a module
// whose licence it does not know, or that would bind the product's users.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	check := flag.Bool("check", false, "say whether NOTICE is up to date, and write nothing")
	file := flag.String("o", "NOTICE", "the file to write")
	flag.Parse()
	if err := run(*file, *check); err != nil {
		fmt.Fprintln(os.Stderr, "notice:", err)
		os.Exit(1)
	}
}

func run(file string, check bool) error {
	modules, err := dependencies()
	if err != nil {
		return err
	}
	copied, err := vendored(".")
	if err != nil {
		return err
	}
	text, err := write(append(modules, copied...))
	if err != nil {
		return err
	}
	if !check {
		return os.WriteFile(file, text, 0o644)
	}
	have, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, text) {
		return fmt.Errorf("%s does not match go.mod and the vendored folders; run make notice and commit the result", file)
	}
	return nil
}

// module is one third-party module with its licence files.
type module struct {
	name, version string
	texts         []text
}

// text is one licence file, or the notice beside one.
type text struct {
	name, body string
	kinds      []string
}

// dependencies lists the modules that the product is built from, on any of the
// systems that it is built for, and what its tests do not add.
func dependencies() ([]module, error) {
	dirs := map[listed]map[string]bool{}
	for _, goos := range []string{"linux", "darwin", "windows"} {
		cmd := exec.Command("go", "list", "-deps", "-json=Dir,Module,Standard", "./...")
		cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("list the packages for %s: %w", goos, err)
		}
		if err := collect(dirs, out); err != nil {
			return nil, err
		}
	}
	return withTexts(dirs)
}

// vendored lists what other registries gave: the folders name@version in any
// folder named vendored, with the licences that lie beside the copied files.
func vendored(root string) (modules []module, err error) {
	err = filepath.WalkDir(root, func(dir string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || !d.IsDir():
			return err
		case d.Name() == "node_modules" || dir != root && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case filepath.Base(filepath.Dir(dir)) != "vendored":
			return nil
		}
		at := strings.LastIndex(d.Name(), "@")
		if at <= 0 {
			return fmt.Errorf("%s is not named name@version", dir)
		}
		texts, err := licences(dir, map[string]bool{dir: true})
		if err != nil {
			return err
		}
		modules = append(modules, module{d.Name()[:at], d.Name()[at+1:], texts})
		return fs.SkipDir
	})
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.name, b.name) })
	return modules, err
}

// listed is a module as the go command tells it.
type listed struct {
	Path, Version, Dir string
	Main               bool
}

// collect adds the folders of the packages in the answer of go list.
func collect(dirs map[listed]map[string]bool, answer []byte) error {
	for dec := json.NewDecoder(bytes.NewReader(answer)); ; {
		var p struct {
			Dir      string
			Module   listed
			Standard bool
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read the answer of go list: %w", err)
		}
		if p.Standard || p.Module.Main || p.Module.Path == "" {
			continue
		}
		if dirs[p.Module] == nil {
			dirs[p.Module] = map[string]bool{}
		}
		dirs[p.Module][p.Dir] = true
	}
}

// withTexts reads the licences of each module, and those of the Go project,
// whose standard library is part of every program.
func withTexts(dirs map[listed]map[string]bool) ([]module, error) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("find the standard library: %w", err)
	}
	root := strings.TrimSpace(string(goroot))
	texts, err := licences(root, map[string]bool{root: true})
	if err != nil {
		return nil, err
	}
	modules := []module{{name: "Go standard library", version: "", texts: texts}}
	for m, packages := range dirs {
		texts, err := licences(m.Dir, packages)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Path, err)
		}
		modules = append(modules, module{m.Path, m.Version, texts})
	}
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.name, b.name) })
	return modules, nil
}

// licences reads the licence files of a module: those in its root, and those
// beside or above a package that is used.
func licences(root string, packages map[string]bool) (texts []text, err error) {
	seen := map[string]bool{}
	for dir := range packages {
		for ; !seen[dir] && (dir == root || strings.HasPrefix(dir, root+string(filepath.Separator))); dir = filepath.Dir(dir) {
			seen[dir] = true
		}
	}
	seen[root] = true
	for dir := range seen {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.IsDir() || !legal(e.Name()) {
				continue
			}
			body, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				return nil, err
			}
			name, err := filepath.Rel(root, filepath.Join(dir, e.Name()))
			if err != nil {
				return nil, err
			}
			clean := strings.TrimSpace(strings.ReplaceAll(string(body), "\r\n", "\n"))
			texts = append(texts, text{filepath.ToSlash(name), clean, kindsOf(clean)})
		}
	}
	slices.SortFunc(texts, func(a, b text) int { return strings.Compare(a.name, b.name) })
	return texts, nil
}

// legal reports whether a file of this name holds a licence or a notice.
func legal(name string) bool {
	name = strings.ToLower(name)
	if strings.HasSuffix(name, ".go") {
		return false
	}
	return slices.ContainsFunc([]string{"license", "licence", "copying", "unlicense", "notice"}, func(p string) bool { return strings.HasPrefix(name, p) })
}
