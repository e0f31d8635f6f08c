package web

import (
	"bufio"
	"context"
	"net"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// answers is how an operation answers that writes its answer itself.
type answers func(w http.ResponseWriter, q *http.Request, c Credential) error

// HandleConnection registers an operation that becomes a connection: it takes the
// request over, or answers for as long as it likes. fn gets the credential that the
// guard found good; an error, before anything was written, is a problem document.
//
// A cookie counts only where a page that may use it asks, by any method: what a browser
// connects to is not kept from other sites by the rules of CORS (RFC 6455 §10.2).
func HandleConnection(r *Router, op Op, fn func(w http.ResponseWriter, q *http.Request, c Credential) error) {
	op.answers = fn
	if op.Method == http.MethodPost {
		op.streams = op.Content
	}
	var content map[string]*huma.MediaType
	if op.Content != "" {
		op.Status = http.StatusOK
		content = map[string]*huma.MediaType{op.Content: {Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	register(r, r.declare(op, content), func(context.Context, *Empty) (*Empty, error) { return &Empty{}, nil })
}

// ownPage is q as a connection may use it. It refuses other sites, whatever they send, and leaves out the
// cookie where nothing says which page asks.
func (r *Router) ownPage(q *http.Request) (*http.Request, error) {
	switch origins := q.Header["Origin"]; {
	case len(origins) > 1, len(origins) == 1 && !r.ownOrigin(q, origins[0]) && !r.allowedOrigin(origins[0]):
		return q, errOrigin
	case len(origins) == 1, q.Header.Get("Upgrade") == "" && q.Header.Get("Sec-Fetch-Site") == "same-origin": // a page's own GET has no Origin
		return q, nil
	}
	q = q.Clone(q.Context())
	q.Header.Del("Cookie")
	return q, nil
}

// connect answers q by op itself.
func (r *Router) connect(w http.ResponseWriter, q *http.Request, op Op) {
	c, err := r.credential(q)
	if err == nil {
		err = op.answers(w, q, c)
	}
	if err != nil {
		r.Refuse(w, q, err)
	}
}

// Hijack gives a connection away.
func (r *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(r.ResponseWriter).Hijack()
	if err == nil {
		r.status = http.StatusSwitchingProtocols
	}
	return conn, buffered, err
}
