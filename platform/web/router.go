// Package web turns Go functions into HTTP operations. It is the only package that
// knows statuses, headers and cookies, and the only one that knows Huma.
//
// Owns: table idempotency_keys. An operation states beside its path who may call
// it; the same statement is checked here, published in the OpenAPI document and
// attacked by generated tests.
package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/secret"
)

// Prefix is the path below which operations live, unless they say otherwise.
const Prefix = "/api/v1"

// Op declares one HTTP operation.
type Op struct {
	ID          string // "orgs.invite": module, dot, verb
	Method      string
	Path        string // below Prefix, or from the root when it begins with "//"; one that ends with a slash answers without it too
	Summary     string // a few words
	Description string // what a caller should know, in Markdown
	Access      authz.Access
	Status      int             // on success; 200, or 204 without a body, when zero
	Limit       ratelimit.Limit // how often one caller may; none when zero
	BodyLimit   int64           // bytes; 256 KiB when zero
	Errors      []*errs.Error   // outcomes worth documenting beside the usual refusals
	ShownOnce   []string        // members of the answer that a replay by Idempotency-Key omits
	Deprecated  Deprecation     // set on an operation that will go
	Also        []int           // other statuses that come with the same answer, such as 503

	// WhileLooking opens an operation that changes something to an administrator who only
	// looks at somebody's account: to sign out, for instance.
	WhileLooking bool
	// WhileImpersonating opens an operation outside of organizations that changes something
	// to an administrator who may do more than look. Without it, what is a person's own is
	// theirs alone to change: nothing that is added later is open by mistake.
	WhileImpersonating bool

	// Members are what problem documents of the operation have beyond the usual, for
	// clients of a protocol that is not ours. It gets the status and the sentence.
	Members func(q *http.Request, status int, detail string) map[string]any

	streams string  // the media type of a body that the handler reads itself
	answers answers // writes the answer itself, where the operation is a connection

	// Content is the media type of an answer that is not JSON, of a connection.
	Content string

	// AnyQuery lets parameters pass that the operation does not know: where another site
	// sends a browser, with whatever it likes to add.
	AnyQuery bool
}

// InOrg is embedded by the input of every operation below /orgs/{org}.
// (Huma ignores the fields of an embedded struct that is not exported.)
type InOrg struct {
	Org id.Org `path:"org" doc:"Organization id" example:"org_01jd8x0q3cfetb3p3ccw2s5r2a"`
}

// ChosenOrg is embedded by the input of every operation whose organization the request
// chooses. The handler finds it in authz.MembershipFrom(ctx).
type ChosenOrg struct {
	OrgID string `header:"X-Org-Id" doc:"Organization id; absent: that of the API key, or your default organization" example:"org_01jd8x0q3cfetb3p3ccw2s5r2a"`
}

// Empty is the input or output of an operation that has none.
type Empty struct{}

// Options are what a Router needs. Every field is required.
type Options struct {
	Title, Version string
	Config         Config
	Log            *slog.Logger
	Now            clock.Now
	Keys           *secret.Keyring
	Limits         *ratelimit.Limiter
	DB             *db.DB
}

// Router collects the operations of an app and serves them.
type Router struct {
	Options
	auth    Auth
	api     huma.API
	mux     *http.ServeMux
	ops     []Op
	pathIDs map[string]PathID
	fixed   http.Header // of every answer
	pages   http.Handler
	base    string // the path of the public URL
	carry   []func(context.Context) context.Context

	registering string // the module of the operation under way in Handle
}

// Auth is how credentials become callers and callers become members.
type Auth struct {
	// Principal returns who shows a credential, or an error of kind Unauthenticated.
	Principal func(ctx context.Context, c Credential) (*authz.Principal, error)
	// Membership returns what the caller in ctx is in org, or an error of kind NotFound.
	Membership func(ctx context.Context, org id.Org) (*authz.Membership, error)
	// DefaultOrg returns the organization that the caller in ctx has made their default;
	// the zero id when there is none.
	DefaultOrg func(ctx context.Context) (id.Org, error)
}

// PathID describes a path parameter that names something.
type PathID struct {
	// Parse refuses what cannot be a name of such a thing.
	Parse func(text string) error
	// Exists reports whether the organization of the request, or the caller where
	// there is none, has it. It is asked only before a refusal: what belongs to
	// another is as unknown as what does not exist.
	Exists func(ctx context.Context, text string) (bool, error)
}

// NewRouter returns a router without operations.
func NewRouter(o Options) *Router {
	setUpHuma()
	r := &Router{Options: o, mux: http.NewServeMux(), pathIDs: map[string]PathID{}, fixed: fixedHeaders(o.Config), base: o.Config.Base()}
	cfg := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI:    "3.1.0",
			Info:       &huma.Info{Title: o.Title, Version: o.Version, Description: apiIntroduction},
			Components: &huma.Components{Schemas: huma.NewMapRegistry("#/components/schemas/", r.schemaName), SecuritySchemes: securitySchemes()},
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
	if r.base != "" {
		cfg.Servers = []*huma.Server{{URL: r.base}}
	}
	r.api = humago.New(exactMux{r.mux}, cfg)
	return r
}

// Authenticate says how callers are recognised. It is called once, before serving.
func (r *Router) Authenticate(a Auth) { r.auth = a }

// Carry lets every request carry what with adds to its context. It is called before serving.
func (r *Router) Carry(with func(context.Context) context.Context) { r.carry = append(r.carry, with) }

// PathID declares the path parameter name. Operations whose path has a parameter
// that nobody declared are refused.
func (r *Router) PathID(name string, p PathID) {
	if _, dup := r.pathIDs[name]; dup {
		panic("web: path parameter {" + name + "} is declared twice")
	}
	r.pathIDs[name] = p
}

// TypedID is the PathID of entities of kind K.
func TypedID[K id.Kind](exists func(ctx context.Context, v id.ID[K]) (bool, error)) PathID {
	return PathID{
		Parse: func(s string) error { _, err := id.Parse[K](s); return err },
		Exists: func(ctx context.Context, s string) (bool, error) {
			v, err := id.Parse[K](s)
			if err != nil {
				return false, nil
			}
			return exists(ctx, v)
		},
	}
}

// Ops lists what was registered, for tests and documentation.
func (r *Router) Ops() []Op { return slices.Clone(r.ops) }

// OpenAPI is the document that describes the operations, as JSON.
func (r *Router) OpenAPI() ([]byte, error) { return r.api.OpenAPI().MarshalJSON() }

// Mount serves h for the paths of pattern beside the operations: pages, assets.
func (r *Router) Mount(pattern string, h http.Handler) { r.mux.Handle(pattern, h) }

// Pages serves h where a browser asks for a path that nothing else answers: the web
// application, which has addresses of its own.
func (r *Router) Pages(h http.Handler) { r.pages = h }

// Missing answers that there is nothing.
func (r *Router) Missing() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { r.Refuse(w, q, errPath) })
}

var pathParam = regexp.MustCompile(`\{([a-z_]+)\}`)

// exactMux takes a path that ends with a slash for that path, not for all below it.
type exactMux struct{ *http.ServeMux }

func (m exactMux) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	if without, ok := strings.CutSuffix(pattern, "/"); ok && !strings.HasSuffix(without, " ") {
		m.ServeMux.HandleFunc(pattern+"{$}", h)
		pattern = without
	}
	m.ServeMux.HandleFunc(pattern, h)
}

// Handle registers an operation. A mistake in op is a programming error and panics.
func Handle[I, O any](r *Router, op Op, fn func(context.Context, *I) (*O, error)) {
	register(r, r.declare(op, nil), fn)
}

// register registers an operation. There is one of it for each pair of types, so it does
// nothing that can be done without knowing them: it would be in the program two hundred times.
func register[I, O any](r *Router, d *declared, fn func(context.Context, *I) (*O, error)) {
	huma.Register(r.api, d.doc, func(ctx context.Context, in *I) (*O, error) {
		out, err := fn(ctx, in)
		if err != nil {
			return nil, r.problem(ctx, err)
		}
		return out, nil
	})
	r.complete(d)
}

// declared is an operation, and what Huma is to know of it.
type declared struct {
	op  Op
	doc huma.Operation
}

// declare checks and describes an operation; content is what it answers with where the
// handler's type does not say.
func (r *Router) declare(op Op, content map[string]*huma.MediaType) *declared {
	path := r.checked(op)
	r.ops = append(r.ops, op)
	r.registering = op.module()
	limit := op.BodyLimit
	if limit == 0 {
		limit = r.Config.BodyLimit
	}
	doc := huma.Operation{
		OperationID: op.ID, Method: op.Method, Path: path, Summary: op.Summary, Description: op.describe(), DefaultStatus: op.Status,
		Tags:       []string{op.module()},
		Extensions: map[string]any{"x-access": op.Access.Document()},
		Errors:     op.statuses(),
		Responses:  map[string]*huma.Response{},
		Deprecated: op.Deprecated.isSet(),

		SkipValidateParams: op.AnyQuery,
		MaxBodyBytes:       -1, BodyReadTimeout: -1, // read and bounded by guard
		Middlewares: huma.Middlewares{r.guard(op, limit)},
	}
	if content != nil {
		doc.Responses[strconv.Itoa(http.StatusOK)] = &huma.Response{Content: content}
	}
	if op.Access.Kind() != "public" {
		doc.Security = []map[string][]string{{"bearer": {}}, {"cookie": {}}}
	}
	return &declared{op, doc}
}

// complete says of an operation what Huma does not find out.
func (r *Router) complete(d *declared) {
	if d.op.streams != "" { // after Huma, which would read what it knows of
		r.document(d.op.Method, d.doc.Path).RequestBody = streamedBody(d.op.streams)
	}
	for _, status := range d.op.Also {
		same := *d.doc.Responses[strconv.Itoa(http.StatusOK)]
		same.Description = http.StatusText(status)
		d.doc.Responses[strconv.Itoa(status)] = &same
	}
}

// document is what the OpenAPI document says of an operation.
func (r *Router) document(method, path string) *huma.Operation {
	at := r.api.OpenAPI().Paths[path]
	if method == http.MethodPut {
		return at.Put
	}
	return at.Post
}

func (r *Router) checked(op Op) (path string) {
	if op.Access.Kind() == "" {
		panic(fmt.Sprintf("web: operation %s does not declare its Access; say who may call it", op.ID))
	}
	if strings.Count(op.ID, ".") == 0 {
		panic(fmt.Sprintf("web: operation %q is not named module.verb", op.ID))
	}
	if slices.ContainsFunc(r.ops, func(o Op) bool { return o.ID == op.ID }) {
		panic(fmt.Sprintf("web: operation %s is declared twice", op.ID))
	}
	hasOrg := false
	for _, m := range pathParam.FindAllStringSubmatch(op.Path, -1) {
		if m[1] == "org" {
			hasOrg = true
		} else if _, ok := r.pathIDs[m[1]]; !ok {
			panic(fmt.Sprintf("web: operation %s has a path parameter {%s} that nobody declared with Router.PathID", op.ID, m[1]))
		}
	}
	if (op.Access.Kind() == "org" && !op.Access.Chosen()) != hasOrg {
		panic(fmt.Sprintf("web: operation %s: access in an organization and {org} in the path go together", op.ID))
	}
	if root, ok := strings.CutPrefix(op.Path, "//"); ok {
		return "/" + root
	}
	return Prefix + op.Path
}

// members adds Op.Members to a problem document about q.
func (op Op) members(q *http.Request) func(*Problem) {
	return func(p *Problem) {
		if op.Members != nil {
			p.add(op.Members(q, p.Status, p.Detail))
		}
	}
}

func (op Op) module() string { m, _, _ := strings.Cut(op.ID, "."); return m }

// describe appends who may call, and the outcomes that a caller may want to handle.
func (op Op) describe() string {
	text := op.Description + "\n\n**Access:** " + whoMay(op.Access) + "."
	for i, e := range op.Errors {
		if i == 0 {
			text += "\n\n**Outcomes**\n"
		}
		text += fmt.Sprintf("\n- `%d %s`: %s", statusOf(e.Kind), e.Code, e.Message)
	}
	return strings.TrimSpace(text)
}

// whoMay says in words what x-access says to programs.
func whoMay(a authz.Access) string {
	who := map[string]string{
		"public": "everyone", "signed_in": "signed in", "admin": "administrators of the installation",
		"org": "members of the organization who have `" + string(a.Perm()) + "`",
	}[a.Kind()]
	if a.Honours() {
		who += "; a credential that is sent must be good"
	}
	if a.Kind() == "signed_in" && a.ByKey() {
		who += ", or an API key that has `" + string(a.Perm()) + "`"
	}
	if a.IsFresh() {
		who += ", after a recent proof of identity"
	}
	if a.Kind() == "org" && !a.IsFresh() && !a.ByKey() {
		who += "; not by API key"
	}
	return who
}

func (op Op) statuses() []int {
	all := map[int]bool{429: true}
	if op.Access.Kind() != "public" {
		all[401] = true
	}
	if op.Access.Kind() == "org" || op.Access.Kind() == "admin" {
		all[403] = true
	}
	if strings.Contains(op.Path, "{") {
		all[404] = true
	}
	if op.Method != http.MethodGet && op.Method != http.MethodDelete {
		all[400], all[413], all[415] = true, true, true
	}
	for _, e := range op.Errors {
		all[statusOf(e.Kind)] = true
	}
	list := make([]int, 0, len(all))
	for s := range all {
		list = append(list, s)
	}
	slices.Sort(list)
	return list
}

// Deprecation announces the end of an operation.
type Deprecation struct {
	Since  time.Time // when it was announced: the Deprecation header (RFC 9745)
	Sunset time.Time // when it ends, if that is known: the Sunset header (RFC 8594)
	Link   string    // where the way on is described
}

func (d Deprecation) isSet() bool { return !d.Since.IsZero() }

func (d Deprecation) announce(h http.Header) {
	h.Set("Deprecation", fmt.Sprintf("@%d", d.Since.Unix()))
	if !d.Sunset.IsZero() {
		h.Set("Sunset", d.Sunset.UTC().Format(http.TimeFormat))
	}
	if d.Link != "" {
		h.Add("Link", "<"+d.Link+`>; rel="deprecation"`)
	}
}

// limitKey counts one caller: the API key or the account where there is one, else the address.
func limitKey(ctx context.Context) string {
	switch p := authz.From(ctx); {
	case p.Key != nil:
		return "key:" + p.Key.ID
	case !p.Account.IsZero():
		return "account:" + p.Account.String()
	}
	return "address:" + ClientFrom(ctx).Bucket()
}

// defaultBodyLimit is plenty for JSON made by people.
const defaultBodyLimit = 256 << 10

// idempotencyTerm is how long a repeated request gets the first one's answer.
const idempotencyTerm = 24 * time.Hour
