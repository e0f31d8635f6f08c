package console

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// file is one that is served, with what it was compressed to when it was built.
type file struct {
	contentType string
	version     string
	body        []byte
	packed      map[string][]byte // by content coding
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

func newFile(name string, body []byte) file {
	hash := sha256.Sum256(body)
	return file{contentType: contentType(name), version: hex.EncodeToString(hash[:8]), body: body, packed: map[string][]byte{}}
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
		body, err := fs.ReadFile(from, name)
		if err == nil {
			files[name] = newFile(name, body)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the console: %w", err)
	}
	for name := range files {
		for _, c := range codings() {
			if packed, ok := files[name+c.suffix]; ok {
				files[name].packed[c.name] = packed.body
				delete(files, name+c.suffix)
			}
		}
	}
	return files, nil
}

type handler struct {
	files   map[string]file
	pages   map[string][]byte // by theme
	policy  string
	missing http.Handler
}

func (h *handler) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	name := strings.TrimPrefix(path.Clean(q.URL.Path), "/")
	if f, ok := h.files[name]; ok {
		f.serve(w, q, strings.HasPrefix(name, "assets/"))
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
	write(w, q, h.pages[themeOf(q)])
}

// serve answers with the file. One whose name changes with its content is kept for ever.
func (f file) serve(w http.ResponseWriter, q *http.Request, forever bool) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("ETag", `W/"`+f.version+`"`) // weak: the codings share it
	h.Set("Cache-Control", "no-cache")
	if forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := f.body
	if len(f.packed) > 0 {
		h.Add("Vary", "Accept-Encoding")
		for _, c := range codings() {
			if packed, ok := f.packed[c.name]; ok && accepts(q.Header.Values("Accept-Encoding"), c.name) {
				h.Set("Content-Encoding", c.name)
				body = packed
				break
			}
		}
	}
	if strings.Contains(q.Header.Get("If-None-Match"), `"`+f.version+`"`) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	write(w, q, body)
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
