package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Static is an answer that stays the same for as long as the process runs: a page,
// a script, the OpenAPI document. It is kept compressed.
type Static struct {
	contentType string
	policy      string // Content-Security-Policy; that of every answer when empty
	forever     bool   // the path changes with the content
	packed      io.ReaderAt
	size        int64
	version     string // of the content
}

// NewStatic keeps body.
func NewStatic(contentType string, body []byte) (*Static, error) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(body); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return newPacked(contentType, bytes.NewReader(packed.Bytes()), int64(packed.Len()))
}

// newPacked keeps a body that is compressed already.
func newPacked(contentType string, packed io.ReaderAt, size int64) (*Static, error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(packed, 0, size)); err != nil {
		return nil, err
	}
	return &Static{contentType: contentType, packed: packed, size: size, version: hex.EncodeToString(hash.Sum(nil)[:8])}, nil
}

// HandleStatic registers an operation that answers with what load returns.
func HandleStatic(r *Router, op Op, contentType string, load func() (*Static, error)) {
	schema := &huma.Schema{Type: huma.TypeString}
	if strings.HasSuffix(contentType, "json") {
		schema.Type = huma.TypeObject
	}
	mediaType, _, _ := strings.Cut(contentType, ";")
	content := map[string]*huma.MediaType{mediaType: {Schema: schema}}
	type output struct{ Body func(huma.Context) }
	register(r, r.declare(op, content), func(context.Context, *Empty) (*output, error) {
		s, err := load()
		if err != nil {
			return nil, err
		}
		return &output{func(c huma.Context) {
			q, w := humago.Unwrap(c)
			s.ServeHTTP(w, q)
		}}, nil
	})
}

func (s *Static) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	h := w.Header()
	h.Set("Content-Type", s.contentType)
	h.Add("Vary", "Accept-Encoding")
	h.Set("ETag", s.etag())
	h.Set("Cache-Control", "no-cache") // keep it, but ask whether it is still current
	if s.forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if s.policy != "" {
		h.Set("Content-Security-Policy", s.policy)
	}
	if hasTag(q.Header.Values("If-None-Match"), s.etag()) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := io.Reader(io.NewSectionReader(s.packed, 0, s.size))
	if acceptsGzip(q.Header.Values("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.FormatInt(s.size, 10))
	} else {
		plain, err := gzip.NewReader(body)
		if err != nil {
			panic(fmt.Sprintf("web: a static answer is not compressed: %v", err)) // it was when it was made
		}
		body = plain
	}
	w.WriteHeader(http.StatusOK)
	if q.Method != http.MethodHead {
		_, _ = io.Copy(w, body) // the client may be gone
	}
}

// etag is weak, because both codings of the body have the same.
func (s *Static) etag() string { return `W/"` + s.version + `"` }

// hasTag reports whether If-None-Match names tag, by weak comparison (RFC 9110 §13.1.2).
func hasTag(fields []string, tag string) bool {
	opaque := strings.TrimPrefix(tag, "W/")
	for item := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		item = strings.TrimSpace(item)
		if item == "*" || strings.TrimPrefix(item, "W/") == opaque {
			return true
		}
	}
	return false
}

// acceptsGzip reads Accept-Encoding (RFC 9110 §12.5.3). Who does not send it gets the plain body.
func acceptsGzip(fields []string) bool {
	byName, byStar := -1.0, -1.0
	for item := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		name, params, _ := strings.Cut(item, ";")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			byName = max(byName, quality(params))
		case "*":
			byStar = quality(params)
		}
	}
	if byName >= 0 {
		return byName > 0
	}
	return byStar > 0
}

// quality is the weight among the parameters of an item; what cannot be read is a refusal.
func quality(params string) float64 {
	name, value, found := strings.Cut(strings.ReplaceAll(params, " ", ""), "=")
	if !found && name == "" {
		return 1
	}
	q, err := strconv.ParseFloat(value, 64)
	if err != nil || !strings.EqualFold(name, "q") || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}
