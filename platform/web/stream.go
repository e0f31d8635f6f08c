package web

import (
	"context"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Download is an answer that is written bit by bit, as a file.
type Download struct {
	ContentType string
	Filename    string
	Write       func(w io.Writer) error
}

type downloadOutput struct {
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        func(huma.Context)
}

// HandleDownload registers an operation that answers with a file. An error of fn is
// a problem document; one of Write breaks the connection off, so that nobody takes
// a part for the whole.
func HandleDownload[I any](r *Router, op Op, fn func(context.Context, *I) (*Download, error)) {
	Handle(r, op, func(ctx context.Context, in *I) (*downloadOutput, error) {
		d, err := fn(ctx, in)
		if err != nil {
			return nil, err
		}
		return &downloadOutput{
			Type:        d.ContentType,
			Disposition: mime.FormatMediaType("attachment", map[string]string{"filename": d.Filename}),
			Body: func(c huma.Context) {
				_, w := humago.Unwrap(c)
				if err := d.Write(&patient{w, http.NewResponseController(w)}); err != nil {
					r.Log.ErrorContext(ctx, "download broke off", "op", op.ID, "err", err)
					panic(http.ErrAbortHandler)
				}
			},
		}, nil
	})
}

// patience is how long bytes may stand still.
const patience = 30 * time.Second

// patient moves the write deadline on with every write: a download may take long, but not stand still.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (p *patient) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(patience)) // not every transport has deadlines
	return p.ResponseWriter.Write(b)
}
