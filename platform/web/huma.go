package web

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/observe"
)

// setUpHuma changes Huma's process-wide settings, once.
var setUpHuma = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true  // {"name": 1, "NAME": 2} would validate one and deliver the other
	huma.DefaultArrayNullable = false // lists are [], never null
	huma.NewError = problemFromHuma
	huma.NewErrorWithContext = func(c huma.Context, status int, message string, causes ...error) huma.StatusError {
		e := problemFromHuma(status, message, causes...)
		p, ok := e.(*Problem)
		if !ok || c == nil {
			return e
		}
		p = missingFirst(c.Context(), p).within(c.Context())
		p.RequestID = ClientFrom(c.Context()).RequestID
		return p
	}
})

// missingFirst is p, unless p says that the request is not valid and what its path
// names is not there: that comes first.
func missingFirst(ctx context.Context, p *Problem) *Problem {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok || p.Status != http.StatusBadRequest && p.Status != http.StatusUnprocessableEntity {
		return p
	}
	if err := c.missing(ctx); err != nil {
		return c.router.problem(ctx, err)
	}
	return p
}

const apiIntroduction = `JSON over HTTP. Instants are RFC 3339 in UTC, ids are text with a type prefix, keys are snake_case.

**Signing in.** Send an access token or an API key as ` + "`Authorization: Bearer …`" + `, or let a browser send its session cookie. Each operation's ` + "`x-access`" + ` says who may call it.

**Errors** are problem documents (RFC 9457) with a stable ` + "`code`" + ` and a ` + "`request_id`" + `.

**Lists** answer ` + "`{items, next_cursor}`" + `; pass ` + "`next_cursor`" + ` as ` + "`cursor`" + ` until it is null.

**Retrying safely.** Operations that create accept ` + "`Idempotency-Key`" + `: for 24 hours the same key and body get the first answer again.`

func securitySchemes() map[string]*huma.SecurityScheme {
	return map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "An access token from /auth/login or /auth/refresh, or an API key."},
		"cookie": {Type: "apiKey", In: "cookie", Name: "__Host-tenon_" + sessionCookie, Description: "A browser session from /auth/login with cookie: true."},
	}
}

// schemaName names a Go type in the document: package and type for our own, so that
// two modules may each have a Role. A type without a name belongs to the module whose
// operation is being registered.
func (r *Router) schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	pkg := t.PkgPath()
	switch {
	case t.Kind() == reflect.Struct && t.Name() == "":
		pkg = r.registering
	case pkg == "" || strings.HasSuffix(pkg, "platform/web"):
		return name
	}
	pkg = pkg[strings.LastIndex(pkg, "/")+1:]
	title := strings.ToUpper(pkg[:1]) + pkg[1:]
	// orgs.Org is Org, not OrgsOrg.
	if strings.HasPrefix(strings.ToLower(name), strings.TrimSuffix(strings.ToLower(title), "s")) {
		return name
	}
	return title + name
}

// problemFromHuma is used for what Huma finds by itself, such as a missing field.
// Of its messages only those that do not repeat what was sent are passed on.
func problemFromHuma(status int, message string, causes ...error) huma.StatusError {
	// An error that we made passes through Huma unchanged.
	for _, c := range causes {
		if p, ok := errors.AsType[*Problem](c); ok {
			return p
		}
	}
	switch {
	case status >= 500:
		return newProblem(context.Background(), errInternal)
	case status == http.StatusUnsupportedMediaType:
		return newProblem(context.Background(), errMediaType)
	case status == http.StatusNotAcceptable:
		return newProblem(context.Background(), errMediaType)
	case status == http.StatusBadRequest && message == "request body is required":
		return newProblem(context.Background(), errNoBody)
	}
	p := newProblem(context.Background(), errInvalid)
	if status == http.StatusBadRequest {
		p = newProblem(context.Background(), errUnparsable)
	}
	for _, c := range causes {
		if len(p.Errors) == maxFieldErrors {
			break
		}
		if d, ok := errors.AsType[*huma.ErrorDetail](c); ok {
			p.Errors = append(p.Errors, fieldError(d.Location, d.Message))
		}
	}
	return p
}

const maxFieldErrors = 20

// fieldError gives a validation message a code that a program can tell apart.
func fieldError(location, message string) FieldError {
	code := "invalid"
	for _, known := range []struct{ begins, code string }{
		{"expected required property", "required"}, {"required ", "required"}, {"unexpected property", "unknown_field"},
		{"unknown query parameter", "unknown_field"},
		{"expected length >=", "too_short"}, {"expected array length >=", "too_short"},
		{"expected length <=", "too_long"}, {"expected array length <=", "too_long"},
		{"expected value to be one of", "not_one_of"}, {"expected number", "out_of_range"},
		{"expected string to be", "malformed"}, {"expected string to match", "malformed"},
		{"expected array items to be unique", "duplicate"},
		{"expected boolean", "wrong_type"}, {"expected integer", "wrong_type"}, {"expected string", "wrong_type"},
		{"expected array", "wrong_type"}, {"expected object", "wrong_type"},
	} {
		if strings.HasPrefix(message, known.begins) {
			code = known.code
			break
		}
	}
	switch {
	case message == "expected number":
		code = "wrong_type"
	case code == "invalid", code == "malformed" && strings.Contains(message, ": "):
		message = "This value is not valid here." // the original may repeat what was sent
	}
	if len(location) > 200 {
		location = location[:200]
	}
	return FieldError{Location: observe.Mask(strings.ToValidUTF8(location, "")), Message: message, Code: code}
}

// Problem is what every refusal looks like (RFC 9457).
type Problem struct {
	Type      string       `json:"type" doc:"Always about:blank; code tells problems apart" example:"about:blank"`
	Title     string       `json:"title" doc:"The status, in words" example:"Conflict"`
	Status    int          `json:"status" doc:"The HTTP status" example:"409"`
	Detail    string       `json:"detail" doc:"What happened, for a person" example:"That slug is taken."`
	Code      string       `json:"code" doc:"What happened, for a program; never renamed" example:"orgs.slug_taken"`
	Field     string       `json:"field,omitempty" doc:"The field at fault, if it is one" example:"body.slug"`
	RequestID string       `json:"request_id" doc:"Quote this when you ask for help" example:"req_01jd8x0q3cfetb3p3ccw2s5r2a"`
	Errors    []FieldError `json:"errors,omitempty" doc:"Each field at fault"`

	extra  map[string]any
	header http.Header
}

// FieldError is one field at fault.
type FieldError struct {
	Location string `json:"location" doc:"Where the field is" example:"body.name"`
	Message  string `json:"message" doc:"What is wrong with it" example:"expected length >= 1"`
	Code     string `json:"code" doc:"What is wrong with it, for a program" example:"too_short"`
}

func newProblem(ctx context.Context, e *errs.Error) *Problem {
	status := statusOf(e.Kind)
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: e.Message, Code: e.Code, Field: e.Field,
		RequestID: ClientFrom(ctx).RequestID, extra: e.Extra, header: http.Header{}}
	if e.Field != "" {
		p.Errors = []FieldError{{Location: e.Field, Message: e.Message, Code: e.Code}}
	}
	if e.RetryAfter > 0 {
		p.header.Set("Retry-After", retrySeconds(e.RetryAfter))
	} else if status == http.StatusServiceUnavailable {
		p.header.Set("Retry-After", "2")
	}
	if status == http.StatusUnauthorized {
		p.header.Set("WWW-Authenticate", `Bearer realm="tenon"`)
	}
	return p
}

// within adds what the operation under way says of refusals beyond the usual.
func (p *Problem) within(ctx context.Context) *Problem {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.members(p)
	}
	return p
}

// add adds members, whose map may be shared by other problems.
func (p *Problem) add(members map[string]any) {
	all := maps.Clone(members)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, p.extra)
	p.extra = all
}

// MarshalJSON adds the members that this one problem has beyond the usual.
func (p *Problem) MarshalJSON() ([]byte, error) {
	type plain Problem
	body, err := json.Marshal((*plain)(p))
	if err != nil || len(p.extra) == 0 {
		return body, err
	}
	extra, err := json.Marshal(p.extra)
	if err != nil {
		return nil, err
	}
	return append(append(body[:len(body)-1], ','), extra[1:]...), nil
}

// Error hides the detail; what matters is in the log already.
func (p *Problem) Error() string { return p.Code }

// GetStatus is how Huma learns the status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders is how Huma learns the headers.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType is that of problem documents.
func (p *Problem) ContentType(string) string { return "application/problem+json" }
