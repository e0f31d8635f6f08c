package web

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tenonhq/tenon/platform/errs"
)

// Upload is a file on its way in, read once. Its errors are outcomes: the sender broke
// off, sent too much, or sent something beside the file.
type Upload struct {
	io.Reader
	Name        string // as the sender calls it; whatever it likes
	ContentType string // as the sender says
	Size        int64  // of the body, which is a little more than the file's; -1: not said
}

const (
	multipartBody = "multipart/form-data"
	rawBody       = "application/octet-stream"
)

// HandleUpload registers an operation that takes one file, in the field "file" of a
// multipart body (RFC 7578), while it arrives: nothing of it is held in memory. Its
// op.BodyLimit bounds the file.
func HandleUpload[I, O any](r *Router, op Op, fn func(context.Context, *I, *Upload) (*O, error)) {
	op.streams = multipartBody
	op.BodyLimit += 64 << 10 // what stands around the file
	Handle(r, op, func(ctx context.Context, in *I) (*O, error) {
		up, err := fileOf(callFrom(ctx).request)
		if err != nil {
			return nil, err
		}
		return fn(ctx, in, up)
	})
}

// HandleRaw registers an operation that takes a body as it is, while it arrives.
func HandleRaw[I, O any](r *Router, op Op, fn func(context.Context, *I, *Upload) (*O, error)) {
	op.streams = rawBody
	Handle(r, op, func(ctx context.Context, in *I) (*O, error) {
		q := callFrom(ctx).request
		return fn(ctx, in, &Upload{Reader: &arriving{q.Body}, ContentType: q.Header.Get("Content-Type"), Size: q.ContentLength})
	})
}

func callFrom(ctx context.Context) *call { c, _ := ctx.Value(callKey{}).(*call); return c }

// openBody refuses a body by what its header says, and lets the rest arrive slowly.
func openBody(w http.ResponseWriter, q *http.Request, mediaType string, limit int64) error {
	if e := q.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return errRawType
	}
	if q.ContentLength > limit {
		return errTooLarge
	}
	if mediaType == multipartBody {
		kind, params, err := mime.ParseMediaType(q.Header.Get("Content-Type"))
		if err != nil || kind != multipartBody || params["boundary"] == "" {
			return errFileType
		}
	}
	control := http.NewResponseController(w)
	q.Body = &slow{http.MaxBytesReader(w, q.Body, limit), control}
	return nil
}

// slow moves the deadlines on with every read: an upload may take long, but not stand
// still. The one for the answer begins anew when all is read.
type slow struct {
	io.ReadCloser
	control *http.ResponseController
}

func (s *slow) Read(b []byte) (int, error) {
	now := time.Now()
	_ = s.control.SetReadDeadline(now.Add(patience)) // not every transport has deadlines
	_ = s.control.SetWriteDeadline(now.Add(2 * patience))
	return s.ReadCloser.Read(b)
}

// arriving turns what goes wrong with a body into outcomes.
type arriving struct{ io.Reader }

func (a *arriving) Read(b []byte) (int, error) {
	n, err := a.Reader.Read(b)
	return n, arrival(err)
}

var errBroken = errs.New(errs.Malformed, "request.broken_off", "The body ended before it was whole.")

func arrival(err error) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return errTooLarge
	}
	if _, known := errors.AsType[*errs.Error](err); known || err == nil || err == io.EOF {
		return err
	}
	return errBroken.Because(err)
}

// fileOf finds the file in a multipart body: its one part.
func fileOf(q *http.Request) (*Upload, error) {
	parts, err := q.MultipartReader()
	if err != nil {
		return nil, errMultipart.Because(err)
	}
	part, err := parts.NextPart()
	switch {
	case err == io.EOF:
		return nil, errMultipart.Because(errors.New("it has no part"))
	case err != nil:
		if err := arrival(err); errors.Is(err, errTooLarge) {
			return nil, err
		}
		return nil, errMultipart.Because(err)
	case part.FormName() != "file":
		return nil, errMultipart.Because(errors.New("its first field has another name"))
	case part.Header.Get("Content-Transfer-Encoding") != "":
		return nil, errMultipart.Because(errors.New("the field is encoded"))
	}
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil || params["filename"] == "" {
		return nil, errMultipart.Because(errors.New("the field is no file"))
	}
	return &Upload{Reader: &only{part: part, parts: parts}, Name: params["filename"], ContentType: part.Header.Get("Content-Type"), Size: q.ContentLength}, nil
}

// only is a part that must be the last: what comes behind it would be lost unseen.
type only struct {
	part  *multipart.Part
	parts *multipart.Reader
	end   error // of the part, once it was found
}

func (o *only) Read(b []byte) (int, error) {
	if o.end != nil {
		return 0, o.end
	}
	n, err := o.part.Read(b)
	if err == io.EOF {
		if _, err = o.parts.NextPart(); err == nil {
			err = errMultipart.Because(errors.New("something follows the file"))
		}
	}
	o.end = arrival(err)
	return n, o.end
}

func streamedBody(mediaType string) *huma.RequestBody {
	bytes := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	schema := bytes
	if mediaType == multipartBody {
		schema = &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"file": bytes}, Required: []string{"file"}}
	}
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{mediaType: {Schema: schema}}}
}

// File is an answer that is read from somewhere else, in parts if the client likes (RFC 9110 §14).
type File struct {
	Content     io.ReadSeekCloser
	ContentType string
	Name        string // what browsers save it as
	Inline      bool   // show it where it is; only for what cannot act
	Modified    time.Time
	ETag        string
	Forever     bool // the address changes with the content
}

type fileOutput struct{ Body func(huma.Context) }

// sandboxed keeps a document from doing anything in the name of the page or site that it
// is served from.
const sandboxed = "sandbox; default-src 'none'; frame-ancestors 'none'"

// HandleFile registers an operation that answers with a file that somebody sent.
func HandleFile[I any](r *Router, op Op, fn func(context.Context, *I) (*File, error)) {
	op.Errors = append(slices.Clone(op.Errors), errRange)
	content := map[string]*huma.MediaType{rawBody: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	register(r, r.declare(op, content), func(ctx context.Context, in *I) (*fileOutput, error) {
		f, err := fn(ctx, in)
		if err != nil {
			return nil, err
		}
		return &fileOutput{func(c huma.Context) { f.serve(ctx, c, r, op) }}, nil
	})
}

func (f *File) serve(ctx context.Context, c huma.Context, r *Router, op Op) {
	q, w := humago.Unwrap(c)
	h := w.Header()
	h.Set("Content-Type", f.ContentType)
	h.Set("Content-Disposition", Disposition(f.Name, f.Inline))
	h.Set("Content-Security-Policy", sandboxed)
	h.Set("Cache-Control", "private, no-store")
	if f.Forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if f.ETag != "" {
		h.Set("ETag", strconv.Quote(f.ETag))
	}
	part := &ranged{ResponseWriter: &patient{w, http.NewResponseController(w)}}
	http.ServeContent(part, q, "", f.Modified, f.Content)
	if part.refused {
		h.Del("Content-Disposition")
		r.Refuse(w, q, errRange)
	}
	if err := f.Content.Close(); err != nil {
		r.Log.WarnContext(ctx, "close a file", "op", op.ID, "err", err)
	}
}

var errRange = errs.New(errs.OutOfRange, "request.range", "The file has no such part. Its length is in the header Content-Range.")

// ranged holds back how the standard library refuses a range: a problem document says it.
type ranged struct {
	http.ResponseWriter
	refused bool
}

func (w *ranged) WriteHeader(status int) {
	if w.refused = status == http.StatusRequestedRangeNotSatisfiable; !w.refused {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *ranged) Write(b []byte) (int, error) {
	if w.refused {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// Disposition is the header Content-Disposition for a file of that name (RFC 6266): no
// character of the name can end the header, or its value.
func Disposition(name string, inline bool) string {
	kind := "attachment"
	if inline {
		kind = "inline"
	}
	if value := mime.FormatMediaType(kind, map[string]string{"filename": name}); value != "" {
		return value
	}
	return kind
}
