// Command configdoc writes docs/CONFIGURATION.md from the Config structs: the names and
// defaults are their env tags, the text is their doc comments. A setting that nobody
// explained is refused.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	check := flag.Bool("check", false, "say whether the page is up to date, and write nothing")
	flag.Parse()
	if err := run(".", *check); err != nil {
		fmt.Fprintln(os.Stderr, "configdoc:", err)
		os.Exit(1)
	}
}

func run(root string, check bool) error {
	text, err := page(root)
	if err != nil {
		return err
	}
	file := filepath.Join(root, "docs", "CONFIGURATION.md")
	if !check {
		return os.WriteFile(file, text, 0o644)
	}
	have, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, text) {
		return errors.New("docs/CONFIGURATION.md does not match the Config structs; run make configuration and commit the result")
	}
	return nil
}
