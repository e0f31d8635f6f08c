package console

import (
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// file is one that is served, with what it was compressed to when it was built. It stays
// where it is, in the program or on disk, until somebody asks for it.
type file struct {
	contentType string
	name        string
	packed      map[string]string // names by content coding
	read        func(name string) ([]byte, error)
	version     func() (string, error) // what it holds, in short
}

// contentType names the types that the application is made of. The machine's own table,
// which is asked for others, may say something else of these, or nothing.
func contentType(name string) string {
	ext := path.Ext(name)
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	}
	return cmp.Or(mime.TypeByExtension(ext), "application/octet-stream")
}

func newFile(name string, read func(name string) ([]byte, error)) file {
	return file{contentType: contentType(name), name: name, packed: map[string]string{}, read: read, version: sync.OnceValues(func() (string, error) {
		body, err := read(name)
		hash := sha256.Sum256(body)
		return hex.EncodeToString(hash[:8]), err
	})}
}

func inMemory(name string, body []byte) file {
	return newFile(name, func(string) ([]byte, error) { return body, nil })
}

type coding struct{ name, suffix string }

// codings are what files are compressed to, the smallest first.
func codings() [2]coding { return [2]coding{{"br", ".br"}, {"gzip", ".gz"}} }

func readFiles(from fs.FS) (map[string]file, error) {
	files := map[string]file{}
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name] = newFile(name, func(name string) ([]byte, error) { return fs.ReadFile(from, name) })
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the console: %w", err)
	}
	for name := range files {
		if plain, ok := strings.CutSuffix(name, ".gz"); ok {
			if _, there := files[plain]; !there {
				files[plain] = newFile(plain, func(name string) ([]byte, error) { return unpacked(from, name) })
			}
		}
	}
	for name := range files {
		for _, c := range codings() {
			if _, ok := files[name+c.suffix]; ok {
				files[name].packed[c.name] = name + c.suffix
				delete(files, name+c.suffix)
			}
		}
	}
	return files, nil
}

// unpacked reads a file, or makes it of its compressed form: of what nearly every client
// takes compressed, the program need not hold another copy.
func unpacked(from fs.FS, name string) ([]byte, error) {
	body, err := fs.ReadFile(from, name)
	if !errors.Is(err, fs.ErrNotExist) {
		return body, err
	}
	packed, err := from.Open(name + ".gz")
	if err != nil {
		return nil, err
	}
	defer packed.Close()
	plain, err := gzip.NewReader(packed)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(plain)
}

type handler struct {
	files    map[string]file
	pages    map[look][]byte
	preloads []preload
	session  func(*http.Request) bool
	policy   string
	missing  http.Handler
}

func (h *handler) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	name := strings.TrimPrefix(path.Clean(q.URL.Path), "/")
	if f, ok := h.files[name]; ok {
		if err := f.serve(w, q, strings.HasPrefix(name, "assets/")); err != nil {
			panic(fmt.Sprintf("console: %s was there at the start: %v", name, err)) // logged, and answered with 500
		}
		return
	}
	// What is no page is not answered with one: a script that is gone since an update
	// would be read as markup, and a program that asks for JSON would wonder.
	if path.Ext(name) != "" || strings.HasPrefix(name+"/", "assets/") || !strings.Contains(q.Header.Get("Accept"), "text/html") {
		h.missing.ServeHTTP(w, q)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", h.policy)
	header.Set("Cache-Control", "no-cache")
	header.Add("Vary", "Cookie")
	header.Add("Vary", "Accept")
	signedIn := h.session(q)
	if link := early(h.preloads, name, signedIn); link != "" {
		header.Set("Link", link)
	}
	write(w, q, h.pages[look{themeOf(q), signedIn}])
}

// serve answers with the file. One whose name changes with its content is kept for ever.
func (f file) serve(w http.ResponseWriter, q *http.Request, forever bool) error {
	version, err := f.version()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("ETag", `W/"`+version+`"`) // weak: the codings share it
	h.Set("Cache-Control", "no-cache")
	if forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if len(f.packed) > 0 {
		h.Add("Vary", "Accept-Encoding")
	}
	if strings.Contains(q.Header.Get("If-None-Match"), `"`+version+`"`) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	name, coding := f.chosen(q.Header.Values("Accept-Encoding"))
	body, err := f.read(name)
	if err != nil {
		return err
	}
	if coding != "" {
		h.Set("Content-Encoding", coding)
	}
	write(w, q, body)
	return nil
}

// chosen is the smallest form that the client accepts.
func (f file) chosen(accepted []string) (name, coding string) {
	for _, c := range codings() {
		if packed, ok := f.packed[c.name]; ok && accepts(accepted, c.name) {
			return packed, c.name
		}
	}
	return f.name, ""
}

func write(w http.ResponseWriter, q *http.Request, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if q.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may be gone
	}
}

// accepts reads Accept-Encoding (RFC 9110 §12.5.3): a coding that is named, and not with
// a weight of nothing.
func accepts(fields []string, coding string) bool {
	for item := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		name, params, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		weight := strings.TrimSpace(strings.TrimPrefix(strings.ReplaceAll(params, " ", ""), "q="))
		q, err := strconv.ParseFloat(weight, 64)
		return weight == "" || err == nil && q > 0
	}
	return false
}
