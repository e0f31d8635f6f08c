package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/tenonhq/tenon/platform/errs"
)

// The refusals of this package.
var (
	errInternal   = errs.New(errs.Internal, "internal", "Something went wrong on our side.")
	errNotFound   = errs.New(errs.NotFound, "not_found", "There is no such thing here.")
	errMethod     = errs.New(errs.NotAllowed, "request.method", "This path does not answer that method.")
	errPath       = errs.New(errs.NotFound, "not_found", "There is no such thing here.")
	errUnparsable = errs.New(errs.Malformed, "request.unparsable", "The request cannot be read as JSON.")
	errDuplicate  = errs.New(errs.Malformed, "request.duplicate_key", "A JSON object names the same key twice.")
	errDeep       = errs.New(errs.Malformed, "request.too_deep", "The JSON is nested too deeply.")
	errText       = errs.New(errs.Malformed, "request.text", "Text must be valid UTF-8 without NUL characters.")
	errQuery      = errs.New(errs.Malformed, "request.query", "The query must be valid, and name each parameter once.")
	errNoBody     = errs.New(errs.Malformed, "request.no_body", "This operation needs a JSON body.")
	errBody       = errs.New(errs.Invalid, "request.unexpected_body", "This operation takes no body.")
	errInvalid    = errs.New(errs.Invalid, "request.invalid", "Some values are not valid; see errors.")
	errTooLarge   = errs.New(errs.TooLarge, "request.too_large", "The body is larger than this operation accepts.")
	errMediaType  = errs.New(errs.Unsupported, "request.media_type", "Send JSON, with the header Content-Type: application/json.")
	errTooMany    = errs.New(errs.TooMany, "request.too_many", "Too many requests. Wait a little.")
	errOrigin     = errs.New(errs.Forbidden, "request.origin", "This request came from another site.")
	errHost       = errs.New(errs.Malformed, "request.host", "The Host header is not valid.")
	errNoOrg      = errs.New(errs.Malformed, "request.no_org", "Say which organization, in the header X-Org-Id, or choose a default one.")
	errMultipart  = errs.New(errs.Malformed, "request.multipart", "Send one file, in the field \"file\" of a multipart/form-data body.")
	errFileType   = errs.New(errs.Unsupported, "request.media_type", "Send multipart/form-data with the field \"file\".")
	errRawType    = errs.New(errs.Unsupported, "request.media_type", "Send the bytes as they are, without a Content-Encoding.")
	errClientGone = errs.New(errs.Unavailable, "request.cancelled", "The request was cancelled.")
)

func statusOf(k errs.Kind) int {
	switch k {
	case errs.Malformed:
		return http.StatusBadRequest
	case errs.Invalid:
		return http.StatusUnprocessableEntity
	case errs.Unauthenticated:
		return http.StatusUnauthorized
	case errs.Forbidden:
		return http.StatusForbidden
	case errs.NotFound:
		return http.StatusNotFound
	case errs.NotAllowed:
		return http.StatusMethodNotAllowed
	case errs.Conflict:
		return http.StatusConflict
	case errs.Stale:
		return http.StatusPreconditionFailed
	case errs.TooLarge:
		return http.StatusRequestEntityTooLarge
	case errs.Unsupported:
		return http.StatusUnsupportedMediaType
	case errs.OutOfRange:
		return http.StatusRequestedRangeNotSatisfiable
	case errs.TooMany:
		return http.StatusTooManyRequests
	case errs.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// problem is the one place where an error becomes a status. What is no outcome is
// logged whole, and answered without a word about it.
func (r *Router) problem(ctx context.Context, err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		p.RequestID = ClientFrom(ctx).RequestID
		return p
	}
	e, ok := errors.AsType[*errs.Error](err)
	switch {
	case !ok && errors.Is(err, context.Canceled) && ctx.Err() != nil:
		e = errClientGone
	case !ok, e.Kind == errs.Internal:
		r.Log.ErrorContext(ctx, "operation failed", "err", err)
		e = errInternal
	case e.Kind == errs.Unavailable:
		r.Log.WarnContext(ctx, "operation unavailable", "err", err)
	case e.Kind == errs.Unauthenticated || e.Kind == errs.Forbidden || e.Kind == errs.TooMany:
		r.Log.InfoContext(ctx, "refused", "reason", e.Error())
	}
	return newProblem(ctx, e).within(ctx)
}

// Refuse answers with a problem from outside of Huma.
func (r *Router) Refuse(w http.ResponseWriter, q *http.Request, err error) {
	p := r.problem(q.Context(), err)
	h := w.Header()
	for name, values := range p.header {
		h[name] = values
	}
	body, merr := json.Marshal(p)
	if merr != nil {
		r.Log.ErrorContext(q.Context(), "encode a problem", "err", merr)
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	if q.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may be gone
	}
}

// retrySeconds rounds up: a client that waits that long is not refused again.
func retrySeconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
