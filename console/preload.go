package console

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// preload is what the browser should ask for together with a page, not only once the
// scripts that every page has have come, and run, and found out that they need it.
type preload struct {
	pattern []string // segments of the path; one that begins with $ may be any
	inside  bool     // for whoever is signed in; others are led to the sign-in page
	link    string   // a header (RFC 8288)
}

// chunk is an entry of the manifest that Vite writes.
type chunk struct {
	File    string   `json:"file"`
	Imports []string `json:"imports"`
}

// A route's page is a chunk by the name of its file, whose dots are the slashes of its path.
const routePrefix, routeSuffix = "src/routes/", ".tsx?tsr-split=component"

// The pages inside have texts of their own; the English ones stand in for what another
// language lacks, so that they are always needed.
const insidePrefix, insideTexts = "_app", "src/locales/en/app.ts"

// takePreloads takes the manifest out of the files: it is for us. An application that was
// built otherwise may have none.
func takePreloads(files map[string]file, base string) ([]preload, error) {
	manifest, ok := files["manifest.json"]
	if !ok {
		return nil, nil
	}
	delete(files, "manifest.json")
	body, err := manifest.read(manifest.name)
	if err != nil {
		return nil, err
	}
	return preloads(body, base)
}

// preloads reads from the manifest which scripts each page needs beside those that its
// markup names already.
func preloads(manifest []byte, base string) ([]preload, error) {
	var chunks map[string]chunk
	if err := json.Unmarshal(manifest, &chunks); err != nil {
		return nil, fmt.Errorf("console: manifest.json: %w", err)
	}
	named := map[string]bool{}
	gather(chunks, "index.html", named)
	routes := map[string]string{}
	for key := range chunks {
		if name, ok := strings.CutSuffix(strings.TrimPrefix(key, routePrefix), routeSuffix); ok {
			routes[name] = key
		}
	}
	var all []preload
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(routes))) { // words before $, which may be any word
		needs := map[string]bool{}
		for outer, key := range routes {
			if outer == name || strings.HasPrefix(name, outer+".") {
				gather(chunks, key, needs)
			}
		}
		inside := strings.HasPrefix(name, insidePrefix)
		if inside {
			gather(chunks, insideTexts, needs)
		}
		all = append(all, preload{segments(name), inside, links(needs, named, base)})
	}
	return all, nil
}

// gather adds the file of a chunk and those of all that it imports.
func gather(chunks map[string]chunk, key string, files map[string]bool) {
	c := chunks[key]
	if files[c.File] {
		return
	}
	files[c.File] = true
	for _, other := range c.Imports {
		gather(chunks, other, files)
	}
}

// segments is the path of a route: what begins with _ groups routes, and is no part of it.
func segments(name string) (path []string) {
	for part := range strings.SplitSeq(name, ".") {
		if part != "index" && !strings.HasPrefix(part, "_") {
			path = append(path, strings.TrimSuffix(part, "_"))
		}
	}
	return path
}

func links(files, named map[string]bool, base string) string {
	var all []string
	for _, f := range slices.Sorted(maps.Keys(files)) {
		if !named[f] {
			all = append(all, "<"+base+"/"+f+">; rel=modulepreload")
		}
	}
	return strings.Join(all, ", ")
}

// early is the header for a page: what it needs, or where nobody is signed in, what the
// sign-in page needs that it leads to.
func early(all []preload, page string, signedIn bool) string {
	p := find(all, page)
	if p.inside && !signedIn {
		p = find(all, "sign-in")
	}
	return p.link
}

func find(all []preload, page string) (none preload) {
	path := strings.Split(page, "/")
	for _, p := range all {
		if p.fits(path) {
			return p
		}
	}
	return none
}

// fits reports whether the page is at a path.
func (p preload) fits(path []string) bool {
	return slices.EqualFunc(p.pattern, path, func(want, got string) bool {
		return want == got || strings.HasPrefix(want, "$") && want != "$"
	})
}
