package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/observe"
	"github.com/tenonhq/tenon/platform/ratelimit"
)

// coarse is what one address may ask of one process, whatever it asks for.
var coarse = ratelimit.Limit{Burst: 1000, Per: 10 * time.Second}

// ServeHTTP takes a request through everything that is the same for all of them,
// then hands it to the operation, page or asset that its path names.
func (r *Router) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	began := r.Now()
	client := r.client(q)
	ctx := context.WithValue(q.Context(), clientKey{}, &client)
	trace, _ := observe.Trace(q.Header.Get("Traceparent"))
	ctx = observe.With(ctx, observe.Fields{RequestID: client.RequestID, TraceID: trace})
	for _, with := range r.carry {
		ctx = with(ctx)
	}
	q = q.WithContext(ctx)
	out := &response{ResponseWriter: w}
	defer func() {
		if p := recover(); p != nil {
			r.recovered(out, q, p)
		}
		if !r.Log.Enabled(ctx, slog.LevelInfo) {
			return
		}
		r.Log.InfoContext(ctx, "request", "method", q.Method, "path", q.URL.Path, "status", out.status,
			"duration", r.Now().Sub(began), "bytes", out.bytes, "ip", client.Address.String(), "user_agent", client.UserAgent)
	}()
	r.headers(out.Header(), client.RequestID)
	if len(q.TransferEncoding) > 0 && q.ProtoMajor == 1 {
		// Chunks may have come beside a length that a proxy believes; what follows on the
		// connection is then not what that proxy takes it for (RFC 9112 §6.1).
		out.Header().Set("Connection", "close")
	}
	if err := checkTarget(q); err != nil {
		r.Refuse(out, q, err)
		return
	}
	if r.cors(out, q) {
		return
	}
	if err := r.checkOrigin(q); err != nil {
		r.Refuse(out, q, err)
		return
	}
	if got := r.Limits.AllowLocal(client.Bucket(), coarse); !got.Allowed {
		r.Refuse(out, q, errTooMany.After(got.RetryAfter))
		return
	}
	r.dispatch(out, r.below(q))
}

// below takes the path of the public URL away, where a proxy has left it on.
func (r *Router) below(q *http.Request) *http.Request {
	if r.base == "" || q.URL.Path != r.base && !strings.HasPrefix(q.URL.Path, r.base+"/") {
		return q
	}
	u := *q.URL
	u.Path, u.RawPath = "/"+strings.TrimPrefix(strings.TrimPrefix(u.Path, r.base), "/"), ""
	short := *q
	short.URL = &u
	return &short
}

// dispatch serves what the path names. The mux answers unknown paths and methods in
// plain text; we ask it first, and answer these ourselves.
func (r *Router) dispatch(w http.ResponseWriter, q *http.Request) {
	if _, pattern := r.mux.Handler(q); pattern != "" {
		r.mux.ServeHTTP(w, q)
		return
	}
	if allowed := r.methods(q); len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		r.Refuse(w, q, errMethod)
		return
	}
	if r.pages != nil && (q.Method == http.MethodGet || q.Method == http.MethodHead) && !reserved(q.URL.Path) {
		r.pages.ServeHTTP(w, q)
		return
	}
	r.Refuse(w, q, errPath)
}

// reserved reports whether a path is for programs: what is unknown there is no page.
func reserved(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return first == "api" || first == "health" || first == "reference" || first == "ofrep" || first == ".well-known" || first == "_dev"
}

// methods lists those that the path of q answers.
func (r *Router) methods(q *http.Request) []string {
	var allowed []string
	for _, m := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		other := q.Clone(q.Context())
		other.Method = m
		if _, pattern := r.mux.Handler(other); pattern != "" {
			allowed = append(allowed, m)
		}
	}
	return allowed
}

// recovered answers for a handler that panicked; the stack goes to the log alone.
func (r *Router) recovered(w *response, q *http.Request, p any) {
	if p == http.ErrAbortHandler {
		panic(p)
	}
	r.Log.ErrorContext(q.Context(), "panic", "err", fmt.Sprint(p), "stack", string(debug.Stack()))
	if w.status == 0 {
		r.Refuse(w, q, errInternal)
	}
}

// headers sets what every answer has; pages replace the content security policy.
func (r *Router) headers(h http.Header, requestID string) {
	for name, value := range r.fixed {
		h[name] = value
	}
	h["X-Request-Id"] = []string{requestID}
}

// fixedHeaders are those that are the same for every answer. Their values are shared:
// who wants another one sets it, and who adds one gets a copy.
func fixedHeaders(c Config) http.Header {
	all := map[string]string{
		"Cache-Control":                "no-store",
		"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Referrer-Policy":              "no-referrer",
		"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Vary":                         "Origin",
	}
	if c.https() {
		all["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
	}
	h := http.Header{}
	for name, value := range all {
		h[name] = slices.Clip([]string{value})
	}
	return h
}

// checkTarget refuses paths with more than one reading, before the mux would
// redirect them: a redirect built from //evil.example leads off this host.
func checkTarget(q *http.Request) error {
	if q.Method == http.MethodConnect || q.Method == http.MethodTrace {
		return errMethod
	}
	if strings.ContainsAny(q.Host, " \t\"<>\\^`{|}@/?#,;") {
		return errHost
	}
	p := q.URL.Path
	if p == "" || p[0] != '/' || strings.ContainsAny(p, "\x00\\;") {
		return errPath
	}
	if clean := path.Clean(p); clean != p && clean+"/" != p {
		return errPath
	}
	if raw := strings.ToLower(q.URL.RawPath); strings.Contains(raw, "%2f") || strings.Contains(raw, "%2e") {
		return errPath
	}
	return nil
}

// checkOrigin keeps other sites from using a browser's cookie (CSRF). It judges
// only requests that change something and carry the cookie; bearer tokens are sent
// by programs, on purpose.
func (r *Router) checkOrigin(q *http.Request) error {
	switch q.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	if q.Header.Get("Authorization") != "" {
		return nil
	}
	if !r.BringsSession(q) {
		return nil
	}
	if origins, sent := q.Header["Origin"]; sent {
		if len(origins) != 1 || !r.ownOrigin(q, origins[0]) && !r.allowedOrigin(origins[0]) {
			return errOrigin
		}
		return nil
	}
	switch q.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return nil
	case "":
		// Not a browser of this decade, or not a browser. What an HTML form cannot
		// send was not sent by a form.
		if q.Method != http.MethodPost && q.Header.Get("Content-Type") == "" || q.Header.Get("X-Requested-With") != "" ||
			checkMediaType(q.Header) == nil {
			return nil
		}
	}
	return errOrigin
}

// ownOrigin reports whether origin is the product's own. Over plain HTTP, that is
// in development, localhost and 127.0.0.1 are both at home.
func (r *Router) ownOrigin(q *http.Request, origin string) bool {
	return origin == r.Config.origin() || !r.Config.https() && origin == "http://"+q.Host
}

func (r *Router) allowedOrigin(origin string) bool {
	for _, o := range r.Config.AllowedOrigins {
		if o == origin {
			return true
		}
	}
	return false
}

// cors answers preflight requests and lets the allowed origins read answers. It
// reports whether the request is done with.
func (r *Router) cors(w http.ResponseWriter, q *http.Request) bool {
	origin := q.Header.Get("Origin")
	preflight := q.Method == http.MethodOptions && origin != "" && q.Header.Get("Access-Control-Request-Method") != ""
	if origin != "" && r.allowedOrigin(origin) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, ETag, Idempotent-Replayed")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		if preflight {
			h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Org-Id, X-Request-Id, X-Requested-With")
			h.Set("Access-Control-Max-Age", "600")
		}
	}
	if preflight {
		w.WriteHeader(http.StatusNoContent)
	}
	return preflight
}

// response remembers what was answered, for the log.
type response struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *response) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *response) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap is how http.ResponseController reaches deadlines and flushing.
func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }
