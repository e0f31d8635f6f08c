package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/observe"
	"github.com/tenonhq/tenon/platform/ratelimit"
)

// guard admits callers to an operation, before anything of the request is parsed.
// The order of refusal: 401, 404, 403, 401 for a stale proof, 429, 413 and 415, 400;
// then Huma's 422, then what the operation itself finds.
func (r *Router) guard(op Op, bodyLimit int64) func(huma.Context, func(huma.Context)) {
	params := pathParams(op.Path)
	return func(c huma.Context, next func(huma.Context)) {
		q, w := humago.Unwrap(c)
		if op.Deprecated.isSet() {
			op.Deprecated.announce(w.Header())
		}
		if op.answers != nil {
			own, err := r.ownPage(q)
			if err != nil {
				r.Refuse(w, q, err)
				return
			}
			q = own
		}
		ctx, err := r.admit(q, op, params)
		if err == nil {
			err = r.withinLimit(ctx, w, op)
		}
		if err == nil {
			if op.streams != "" {
				err = openBody(w, q, op.streams, bodyLimit)
			} else {
				err = readBody(w, q, c.Operation().RequestBody != nil, bodyLimit)
			}
			if err == nil {
				err = checkQuery(q.URL.RawQuery)
			}
			if err != nil {
				err = cmp.Or(r.missing(ctx, q, params), err)
			}
		}
		q = q.WithContext(ctx)
		if err != nil {
			r.Refuse(w, q, err)
			return
		}
		if op.answers != nil {
			r.connect(w, q, op)
			return
		}
		run := func(w http.ResponseWriter, q *http.Request) { next(humago.NewContext(c.Operation(), q, w)) }
		if op.idempotent() && q.Header.Get("Idempotency-Key") != "" {
			r.once(w, q, op, run)
			return
		}
		run(w, q)
	}
}

// cookies reads the cookies of q when they are asked for.
func cookies(q *http.Request) func(name string) string {
	return func(name string) string {
		c, err := q.Cookie(name)
		if err != nil {
			return ""
		}
		return c.Value
	}
}

// pathParams lists the parameters of a path but the organization.
func pathParams(path string) []string {
	var names []string
	for _, m := range pathParam.FindAllStringSubmatch(path, -1) {
		if m[1] != "org" {
			names = append(names, m[1])
		}
	}
	return names
}

// admit checks the declared access and returns the context of the operation.
func (r *Router) admit(q *http.Request, op Op, params []string) (context.Context, error) {
	missing := func(ctx context.Context) error { return r.missing(ctx, q, params) }
	ctx := context.WithValue(q.Context(), callKey{}, &call{router: r, op: op.ID, query: q.URL.RawQuery, request: q, missing: missing, cookie: cookies(q), members: op.members(q)})
	access := op.Access
	if access.Kind() != "public" || access.Honours() {
		p, err := r.caller(ctx, q)
		if err != nil {
			return ctx, err
		}
		if p != nil {
			ctx = authz.With(ctx, p)
			observe.SetAccount(ctx, p.Account)
			if p.Key != nil {
				observe.SetKey(ctx, p.Key.ID)
			}
		} else if access.Kind() != "public" {
			return ctx, authz.ErrSignIn
		}
	}
	switch access.Kind() {
	case "org":
		return r.admitMember(ctx, q, op, params)
	case "admin":
		if !authz.From(ctx).Admin {
			return ctx, authz.ErrDenied
		}
	case "signed_in":
		if key := authz.From(ctx).Key; key != nil && access.ByKey() {
			return r.admitKey(ctx, q, op, params, key.Org)
		}
	}
	if err := r.checkPathIDs(q, params); err != nil {
		return ctx, err
	}
	return ctx, r.checkCredential(ctx, q, op, params)
}

// checkCredential refuses what the caller's credential may not do, however much its
// owner may: what asks for a proof that is not recent, and what is a person's alone.
func (r *Router) checkCredential(ctx context.Context, q *http.Request, op Op, params []string) error {
	who, access := authz.From(ctx), op.Access
	var err error
	switch looks := q.Method == http.MethodGet || q.Method == http.MethodHead || op.WhileLooking; {
	case access.Kind() == "public" && !access.Honours():
	case who.Key != nil && !access.ByKey() && op.answers == nil: // a connection asks about each thing of its own
		err = authz.ErrNotByKey
	case who.Impersonator != nil && (access.IsFresh() || access.Kind() != "org" && !looks && !op.WhileImpersonating):
		err = authz.ErrNotByImpersonation
	case who.Impersonator != nil && !who.Impersonator.MayWrite && !looks:
		err = authz.ErrLooksOnly
	case access.IsFresh() && r.Now().Sub(who.AuthenticatedAt) > authz.FreshFor:
		err = authz.ErrFresh.With("methods", who.ConfirmBy)
	}
	if err == nil {
		return nil
	}
	return cmp.Or(r.missing(ctx, q, params), err)
}

func (r *Router) admitMember(ctx context.Context, q *http.Request, op Op, params []string) (context.Context, error) {
	org, err := r.org(ctx, q, op.Access)
	if err != nil {
		return ctx, err
	}
	observe.SetOrg(ctx, org)
	m, err := r.auth.Membership(ctx, org)
	if errs.KindOf(err) == errs.NotFound {
		return ctx, errNotFound.Because(err)
	}
	if err != nil {
		return ctx, err
	}
	ctx = authz.WithMembership(ctx, m)
	if err := r.checkPathIDs(q, params); err != nil {
		return ctx, err
	}
	if !m.Perms[op.Access.Perm()] {
		return ctx, r.deny(ctx, q, op.Access, params)
	}
	return ctx, r.checkCredential(ctx, q, op, params)
}

// org is the organization of the request: by its path, or as it chooses.
func (r *Router) org(ctx context.Context, q *http.Request, access authz.Access) (id.Org, error) {
	text, key := q.PathValue("org"), authz.From(ctx).Key
	if access.Chosen() {
		switch values := q.Header["X-Org-Id"]; {
		case len(values) == 1:
			text = values[0]
		case len(values) > 1:
			return id.Org{}, errNotFound
		case key != nil:
			return key.Org, nil
		default:
			return r.defaultOrg(ctx)
		}
	}
	org, err := id.Parse[id.OrgKind](text)
	if err != nil {
		return org, errNotFound
	}
	return org, nil
}

func (r *Router) defaultOrg(ctx context.Context) (id.Org, error) {
	org, err := r.auth.DefaultOrg(ctx)
	if err == nil && org.IsZero() {
		err = errNoOrg
	}
	return org, err
}

// admitKey admits an API key to an operation outside of organizations: as the member that
// its owner is in its organization, with the permission that the operation asks of keys.
func (r *Router) admitKey(ctx context.Context, q *http.Request, op Op, params []string, org id.Org) (context.Context, error) {
	if err := r.checkPathIDs(q, params); err != nil {
		return ctx, err
	}
	observe.SetOrg(ctx, org)
	m, err := r.auth.Membership(ctx, org)
	switch {
	case errs.KindOf(err) == errs.NotFound: // its owner has left
		return ctx, cmp.Or(r.missing(ctx, q, params), error(authz.ErrDenied.Because(err)))
	case err != nil:
		return ctx, err
	}
	ctx = authz.WithMembership(ctx, m)
	if !m.Perms[op.Access.Perm()] {
		return ctx, r.deny(ctx, q, op.Access, params)
	}
	return ctx, r.checkCredential(ctx, q, op, params)
}

// missing is errNotFound when the path names something that is not there. It is asked
// before any other refusal, so that each of them says nothing about what exists, and
// by the operation itself where nothing is refused.
func (r *Router) missing(ctx context.Context, q *http.Request, params []string) error {
	for _, name := range params {
		exists := r.pathIDs[name].Exists
		if exists == nil {
			continue
		}
		found, err := exists(ctx, q.PathValue(name))
		if err != nil {
			return err
		}
		if !found {
			return errNotFound
		}
	}
	return nil
}

// deny refuses a member who lacks the permission.
func (r *Router) deny(ctx context.Context, q *http.Request, access authz.Access, params []string) error {
	if err := r.missing(ctx, q, params); err != nil {
		return err
	}
	m := authz.MembershipFrom(ctx)
	if m.Refusal != nil {
		return m.Refusal
	}
	return authz.ErrDenied.Because(fmt.Errorf("role %s lacks %s", m.Role, access.Perm()))
}

func (r *Router) checkPathIDs(q *http.Request, params []string) error {
	for _, name := range params {
		if err := r.pathIDs[name].Parse(q.PathValue(name)); err != nil {
			return errNotFound.Because(err)
		}
	}
	return nil
}

// Credential is what a caller showed: one of the two.
type Credential struct {
	Bearer string // from the Authorization header
	Cookie string // from a browser
}

// caller returns who sent the request; nil is a stranger.
func (r *Router) caller(ctx context.Context, q *http.Request) (*authz.Principal, error) {
	c, err := r.credential(q)
	if err != nil || c == (Credential{}) {
		return nil, err
	}
	return r.auth.Principal(ctx, c)
}

var errCredential = errs.New(errs.Unauthenticated, "auth.invalid_token", "The access token is not valid. Sign in again.")

// ErrCredential is the answer to a credential that is not, or no longer, good.
func ErrCredential(cause error) error { return errCredential.Because(cause) }

// credential prefers the Authorization header: a browser sends its cookie anyway.
func (r *Router) credential(q *http.Request) (Credential, error) {
	if headers := q.Header["Authorization"]; len(headers) > 0 {
		scheme, token, _ := strings.Cut(headers[0], " ")
		if len(headers) > 1 || !strings.EqualFold(scheme, "bearer") || token == "" {
			return Credential{}, ErrCredential(errors.New("the Authorization header holds no single bearer token"))
		}
		return Credential{Bearer: token}, nil
	}
	if c, err := q.Cookie(r.Config.cookieName(sessionCookie)); err == nil {
		return Credential{Cookie: c.Value}, nil
	}
	return Credential{}, nil
}

// withinLimit counts the call where the operation declares a limit, and says in the
// RateLimit fields (draft-ietf-httpapi-ratelimit-headers) how much is left.
func (r *Router) withinLimit(ctx context.Context, w http.ResponseWriter, op Op) error {
	if err := r.withinCoarse(ctx); err != nil || op.Limit.Burst == 0 {
		return err
	}
	got := r.Limits.Allow(ctx, op.ID+":"+limitKey(ctx), op.Limit)
	h := w.Header()
	h.Set("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=%d", op.ID, op.Limit.Burst, int(op.Limit.Per.Seconds())))
	h.Set("RateLimit", fmt.Sprintf("%q;r=%d;t=%s", op.ID, got.Remaining, retrySeconds(got.Reset)))
	if !got.Allowed {
		return errTooMany.After(got.RetryAfter)
	}
	return nil
}

// What one account or API key, and one organization, may ask of one process, whatever it asks for.
var (
	coarseAccount = ratelimit.Limit{Burst: 1000, Per: 10 * time.Second}
	coarseOrg     = ratelimit.Limit{Burst: 5000, Per: 10 * time.Second}
)

// withinCoarse keeps one caller, or one organization, from taking the process for itself.
func (r *Router) withinCoarse(ctx context.Context) error {
	if who := authz.From(ctx); !who.Account.IsZero() {
		caller := string(who.Account[:])
		if who.Key != nil {
			caller = who.Key.ID
		}
		if got := r.Limits.AllowLocal(caller, coarseAccount); !got.Allowed {
			return errTooMany.After(got.RetryAfter)
		}
	}
	if org := authz.MembershipFrom(ctx).Org; !org.IsZero() {
		if got := r.Limits.AllowLocal(string(org[:]), coarseOrg); !got.Allowed {
			return errTooMany.After(got.RetryAfter)
		}
	}
	return nil
}
