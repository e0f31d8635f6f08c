package web

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	template "github.com/DataDog/datadog-agent/pkg/template/html"
)

//go:embed reference
var referenceFiles embed.FS

// Reference is the description of the API for people and programs: the OpenAPI
// document, and two pages that show it, all served from the binary.
type Reference struct {
	// Document returns the OpenAPI document. The first call describes the operations
	// that are registered by then; it is for requests, not for start-up.
	Document func() (*Static, error)
	// SwaggerUI returns the page on which operations can be tried.
	SwaggerUI func() (*Static, error)
	// ReDoc returns the page on which they can be read.
	ReDoc func() (*Static, error)
}

// NewReference mounts the assets of the two pages on r. documentPath, swaggerPath
// and redocPath are where the three answers will be, for the links between them.
func NewReference(r *Router, documentPath, swaggerPath, redocPath string) *Reference {
	assets := sync.OnceValues(readAssets)
	r.Mount("GET /reference/{version}/{name}", serveAssets(assets, r.Missing()))
	documentPath, swaggerPath, redocPath = r.base+documentPath, r.base+swaggerPath, r.base+redocPath
	page := func(here, policy string, names ...string) func() (*Static, error) {
		return sync.OnceValues(func() (*Static, error) {
			all, err := assets()
			if err != nil {
				return nil, err
			}
			f := frame{API: r.Title, Version: r.Version, DocumentPath: documentPath, SwaggerPath: swaggerPath, RedocPath: redocPath, Here: here}
			for _, name := range names {
				f.add(name, r.base+assetPath(all[name], name))
			}
			return f.page(policy)
		})
	}
	return &Reference{
		Document: sync.OnceValues(func() (*Static, error) {
			body, err := r.OpenAPI()
			if err != nil {
				return nil, fmt.Errorf("describe the API: %w", err)
			}
			return NewStatic("application/json", body)
		}),
		SwaggerUI: page(swaggerPath, swaggerPolicy, "swagger-ui.css", "page.css", "swagger-ui.js", "swagger.js"),
		ReDoc:     page(redocPath, redocPolicy, "page.css", "redoc.js", "read.js"),
	}
}

// What the pages may load and do. Nothing inline, and nothing from elsewhere.
const (
	pagePolicy    = "default-src 'none'; script-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
	swaggerPolicy = pagePolicy + "style-src 'self'"
	// ReDoc adds style elements: empty ones that it fills by script (the first hash is
	// that of nothing), and the style of its scroll bars (the second). Its search runs
	// in a worker made from a blob.
	redocPolicy = pagePolicy + "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='; worker-src blob:"
)

// serveAssets serves the embedded scripts and styles under paths that change with their
// content. They are read when somebody first asks, so that starting does not wait for them.
func serveAssets(assets func() (map[string]*Static, error), missing http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		all, err := assets()
		if err != nil {
			panic(fmt.Sprintf("web: the reference cannot be read: %v", err)) // it is in the program
		}
		s := all[q.PathValue("name")]
		if s == nil || s.version != q.PathValue("version") {
			missing.ServeHTTP(w, q)
			return
		}
		s.ServeHTTP(w, q)
	})
}

func assetPath(s *Static, name string) string { return "/reference/" + s.version + "/" + name }

func readAssets() (map[string]*Static, error) {
	all := map[string]*Static{}
	err := fs.WalkDir(referenceFiles, "reference", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		base := strings.TrimSuffix(path.Base(name), ".gz")
		if ext := path.Ext(base); ext != ".js" && ext != ".css" {
			return nil // a licence, a template
		}
		if all[base], err = openAsset(name, base); err != nil {
			return fmt.Errorf("open %s: %w", name, err)
		}
		return nil
	})
	return all, err
}

func openAsset(name, base string) (*Static, error) {
	contentType := mime.FormatMediaType(map[string]string{".js": "text/javascript", ".css": "text/css"}[path.Ext(base)], map[string]string{"charset": "utf-8"})
	s, err := readAsset(name, contentType)
	if err != nil {
		return nil, err
	}
	s.forever = true
	return s, nil
}

// readAsset leaves what is compressed already where it is: in the binary.
func readAsset(name, contentType string) (*Static, error) {
	if path.Ext(name) != ".gz" {
		body, err := referenceFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		return NewStatic(contentType, body)
	}
	f, err := referenceFiles.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	packed, ok := f.(io.ReaderAt) // embed promises this
	if !ok {
		return nil, fmt.Errorf("%T cannot be read at an offset", f)
	}
	return newPacked(contentType, packed, info.Size())
}

// frame is what the template of both pages shows.
type frame struct {
	API, Version                         string
	DocumentPath, SwaggerPath, RedocPath string
	Here                                 string
	Styles, Scripts                      []string
}

func (f *frame) add(name, at string) {
	if path.Ext(name) == ".css" {
		f.Styles = append(f.Styles, at)
	} else {
		f.Scripts = append(f.Scripts, at)
	}
}

func (f frame) page(policy string) (*Static, error) {
	t, err := template.ParseFS(referenceFiles, "reference/page.html")
	if err != nil {
		return nil, fmt.Errorf("read the template of the reference: %w", err)
	}
	var body bytes.Buffer
	if err := t.Execute(&body, f); err != nil {
		return nil, fmt.Errorf("render the reference: %w", err)
	}
	s, err := NewStatic("text/html; charset=utf-8", body.Bytes())
	if err != nil {
		return nil, err
	}
	s.policy = policy
	return s, nil
}
