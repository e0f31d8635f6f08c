package tenontest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenonhq/tenon/modules/files"
	"github.com/tenonhq/tenon/modules/flags"
	"github.com/tenonhq/tenon/modules/notifications"
	"github.com/tenonhq/tenon/modules/ops"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/secret"
)

// Sweep attacks every operation that the app's OpenAPI document describes, those of
// your modules too: as a stranger, as a member of another organization with ids that
// exist, with every role that is too weak, with API keys that lack the scope, with a sign-in
// that is not fresh, with malformed ids, unknown fields and parameters, and bodies that are none. Each must be
// refused with the status that the operation's x-access promises, in the order of
// refusal, and what belongs to others must be answered like what does not exist.
//
//	tenontest.Each(t, func(t *testing.T, app *tenontest.App) { tenontest.Sweep(t, app) }, withYourModules)
//
// For each path parameter it makes one thing with the POST operation of the list that the
// parameter is in, from the examples and the schema of its body; where that does not
// do, take Things.
func Sweep(t *testing.T, app *App, things ...Thing) {
	t.Helper()
	s := newSweep(t, app, things)
	for _, op := range s.ops {
		t.Run(op.ID, func(t *testing.T) { s.attack(t, op) })
	}
}

// Thing says how to make what a path parameter names, in an organization of owner's.
type Thing struct {
	Param string
	Make  func(owner *User, org id.Org) (id string)
}

// sweep is a world to attack: two organizations with strangers for owners, and one
// person for each of the ways to be refused.
type sweep struct {
	*App
	t      *testing.T
	ops    []operation
	doc    document
	things []Thing

	ours, theirs place                // each with one of everything
	roles        map[authz.Role]*User // in ours
	stale        *User                // owner of ours, whose proof of identity is old
	keys         map[string]string    // API keys of our owner in ours, by their scopes

	root, staleRoot *User // administrators of the installation
}

// place is an organization and the ids of what is in it.
type place struct {
	owner *User
	org   id.Org
	ids   map[string]string // by path parameter
}

func newSweep(t *testing.T, app *App, things []Thing) *sweep {
	t.Helper()
	s := &sweep{App: app, t: t, things: things, roles: map[authz.Role]*User{}, keys: map[string]string{}}
	s.readDocument()
	s.ours, s.theirs = s.place("ours"), s.place("theirs")
	for _, role := range authz.BuiltIn() {
		s.roles[role] = app.Member(s.ours.org, "sweep-"+string(role), role)
	}
	s.stale = app.Member(s.ours.org, "sweep-stale", authz.Owner)
	s.root, s.staleRoot = app.Administrator("sweep-root"), app.Administrator("sweep-stale-root")
	s.age(s.stale)
	s.age(s.staleRoot)
	return s
}

func (s *sweep) place(name string) place {
	s.t.Helper()
	owner := s.User("sweep-" + name)
	p := place{owner: owner, org: s.Org(owner, "sweep-"+name)}
	p.ids = map[string]string{"org": p.org.String()}
	for _, op := range s.ops {
		for _, param := range op.params() {
			if p.ids[param] == "" {
				p.ids[param] = s.thing(p, op, param)
			}
		}
	}
	return p
}

// age makes the person's proof of identity an hour old.
func (s *sweep) age(u *User) {
	s.t.Helper()
	_, err := s.DB.Platform("test").Exec(s.t.Context(), `UPDATE sessions SET authenticated_at = $2 WHERE id = $1`,
		u.Tokens.SessionID, s.Config.Now().Add(-authz.FreshFor-time.Hour))
	s.must(err)
}

// thing makes what param names in the list that it stands behind, or finds one there.
func (s *sweep) thing(p place, op operation, param string) string {
	s.t.Helper()
	for _, t := range append(s.things, s.builtIn()...) {
		if t.Param == param {
			return t.Make(p.owner, p.org)
		}
	}
	switch param { // what administrators name is there already
	case "person":
		return p.owner.ID.String()
	case "organization":
		return p.org.String()
	}
	if op.Access.Kind == "admin" { // an id that nothing has
		return id.New[id.OrgKind]().String()
	}
	list, _, _ := strings.Cut(op.path, "/{"+param+"}")
	if made, ok := s.operation(http.MethodPost, list); ok {
		if got := s.send(p.owner, made, p.ids, ""); got.Status < 300 && got.Get("id") != "" {
			return got.Get("id")
		}
	}
	if listed, ok := s.operation(http.MethodGet, list); ok {
		for _, item := range s.send(p.owner, listed, p.ids, "").Items() {
			for _, key := range []string{param + "_id", "id"} {
				if v, _ := item[key].(string); v != "" {
					return v
				}
			}
		}
	}
	s.t.Fatalf("%s: cannot make what {%s} names: POST %s does not make one from the examples of its body, and GET lists none; give Sweep a Thing", op.ID, param, list)
	return ""
}

// builtIn makes what no operation can: an identity comes from a provider, a passkey
// from an authenticator.
func (s *sweep) builtIn() []Thing {
	return []Thing{
		{Param: "passkey", Make: func(owner *User, _ id.Org) string { return s.AddPasskey(owner).Passkey.ID.String() }},
		{Param: "entry", Make: func(owner *User, org id.Org) string {
			entry := id.New[entryKind]()
			_, err := s.DB.Platform("test").Exec(s.t.Context(), `INSERT INTO account_waitlist (id, email, name, created_at) VALUES ($1, $2, 'Waits', $3)`,
				entry, org.String()+"@example.com", s.Config.Now())
			s.must(err)
			return entry.String()
		}},
		{Param: "flag", Make: func(*User, id.Org) string { return s.flag() }},
		{Param: "flag_key", Make: func(*User, id.Org) string { return s.flag() }},
		{Param: "job", Make: func(*User, id.Org) string {
			s.must(s.DB.Platform("test").Tx(s.t.Context(), func(tx *db.Tx) error {
				return s.Jobs.Enqueue(s.t.Context(), tx, ops.Sweep{}, jobs.At(s.Config.Now().Add(24*time.Hour)))
			}))
			made, err := s.Jobs.List(s.t.Context(), jobs.Filter{State: jobs.Scheduled, Kind: ops.Sweep{}.Kind()}, 0, 1)
			s.must(err)
			return made[0].ID.String()
		}},
		{Param: "file", Make: func(owner *User, org id.Org) string {
			a, err := s.Files.Announce(s.As(owner), org, files.NewFile{Name: "sweep.pdf", ContentType: "application/pdf", Size: 9})
			s.must(err)
			return a.File.ID.String()
		}},
		{Param: "link", Make: func(*User, id.Org) string { return "c3dlZXA" }},
		{Param: "avatar", Make: func(*User, id.Org) string { return files.AvatarID(id.New[id.OrgKind]()).String() }},
		{Param: "notification", Make: func(owner *User, _ id.Org) string {
			s.must(s.Notifications.Send(s.t.Context(), notifications.Message{To: []id.Account{owner.ID}, Kind: someNotice, Title: "to be attacked"}))
			s.Settle()
			made, err := s.Notifications.List(s.As(owner), notifications.Filter{}, nil, 1)
			s.must(err)
			return made[0].ID.String()
		}},
		{Param: "notice", Make: func(*User, id.Org) string { return someNotice }},
		{Param: "announcement", Make: func(*User, id.Org) string { return s.announcement() }},
		{Param: "grant", Make: func(*User, id.Org) string { return "c3dlZXA" }},
		{Param: "queue", Make: func(*User, id.Org) string { return "default" }},
		{Param: "schedule", Make: func(*User, id.Org) string { return ops.Sweep{}.Kind() }},
		{Param: "provider", Make: func(*User, id.Org) string { return someProvider }},
		{Param: "identity", Make: func(owner *User, _ id.Org) string {
			identity, now := id.New[identityKind](), s.Config.Now()
			_, err := s.DB.Account(owner.ID).Exec(s.t.Context(), `INSERT INTO identities (account_id, id, provider, issuer, subject, email, name, linked_at)
				VALUES ($1, $2, $3, 'https://provider.invalid', $4, '', '', $5)`, owner.ID, identity, someProvider, owner.ID.String(), now)
			s.must(err)
			return identity.String()
		}},
	}
}

// flag makes a feature flag, once: it belongs to the installation.
func (s *sweep) flag() string {
	const key = "sweep-flag"
	on := flags.Definition{Variants: []flags.Variant{{Name: "on", Value: true}}, OffVariant: "on", Default: flags.Serve{Variant: "on"}}
	_, err := s.Flags.Create(s.t.Context(), flags.NewFlag{Key: key, Type: flags.TypeBoolean, Client: true, Definition: on, Reason: "to be attacked"})
	if !errors.Is(err, flags.ErrKeyTaken) {
		s.must(err)
	}
	return key
}

// announcement makes an announcement, once: it is everybody's.
func (s *sweep) announcement() string {
	all, err := s.Notifications.AllAnnouncements(s.t.Context(), nil, 1)
	s.must(err)
	if len(all) > 0 {
		return all[0].ID.String()
	}
	a, err := s.Notifications.Announce(s.t.Context(), notifications.Draft{Title: "to be attacked"})
	s.must(err)
	return a.ID.String()
}

const someNotice = "orgs.role_changed"

type entryKind struct{}

func (entryKind) Prefix() string { return "wait" }

type identityKind struct{}

func (identityKind) Prefix() string { return "idn" }

func (s *sweep) operation(method, path string) (operation, bool) {
	i := slices.IndexFunc(s.ops, func(o operation) bool { return o.method == method && o.path == path })
	if i < 0 {
		return operation{}, false
	}
	return s.ops[i], true
}

// attack tries one operation from all sides.
func (s *sweep) attack(t *testing.T, op operation) {
	switch op.Access.Kind {
	case "public":
		s.attackPublic(t, op)
		return
	case "signed_in", "org", "admin":
	default:
		t.Fatalf("x-access says %q; every operation states who may call it", op.Access.Kind)
	}
	s.asStranger(t, op)
	s.asOthers(t, op)
	s.asTooWeak(t, op)
	s.byKey(t, op)
	s.withForeignIDs(t, op)
	s.withMalformedIDs(t, op)
	s.withoutFreshProof(t, op)
	s.withBadRequests(t, op, s.allowed(op))
}

// allowed is someone who may call the operation in our organization.
func (s *sweep) allowed(op operation) *User {
	switch op.Access.Kind {
	case "admin":
		return s.root
	case "org":
		for _, role := range slices.Backward(authz.BuiltIn()) {
			if s.Roles.Of(role)[op.Access.Permission] {
				return s.roles[role]
			}
		}
	}
	return s.ours.owner
}

// everythingWrong is a query that no operation knows: it is refused last of all, so
// whatever is answered instead came first, and nothing is changed.
const everythingWrong = "?sweep_unknown=1"

func (s *sweep) attackPublic(t *testing.T, op operation) {
	if got := s.send(nil, op, s.unknownIDs(op), everythingWrong); got.Status == http.StatusUnauthorized {
		t.Errorf("a stranger got 401 from a public operation: %s", got.Text)
	}
	s.withBadBodies(t, op, nil)
}

func (s *sweep) asStranger(t *testing.T, op operation) {
	s.want(t, "a stranger", s.send(nil, op, s.ours.ids, everythingWrong), 401, "auth.required")
	s.want(t, "a stranger with wrong ids", s.send(nil, op, malformed(op, "x"), everythingWrong), 401, "auth.required")
	q := s.request(op, s.ours.ids, everythingWrong, "")
	q.Header.Set("Authorization", "Bearer tn_at_forged")
	s.want(t, "a forged token", s.Send(q), 401, "auth.invalid_token")
	forged, _ := secret.NewToken("key")
	s.want(t, "a forged key", s.sendBy(forged, op, s.ours.ids, everythingWrong), 401, "auth.invalid_token")
}

// asOthers calls with the ids of an organization that the caller does not belong to.
func (s *sweep) asOthers(t *testing.T, op operation) {
	if op.Access.Kind != "org" {
		return
	}
	unknown := clone(s.ours.ids)
	unknown["org"] = id.New[id.OrgKind]().String()
	for _, query := range []string{"", everythingWrong} {
		foreign := s.send(s.theirs.owner, op, s.ours.ids, query)
		s.want(t, "the owner of another organization", foreign, 404, "not_found")
		s.alike(t, "a foreign organization", foreign, s.send(s.theirs.owner, op, unknown, query))
	}
}

func (s *sweep) asTooWeak(t *testing.T, op operation) {
	switch op.Access.Kind {
	case "admin":
		s.want(t, "no administrator", s.send(s.ours.owner, op, s.ours.ids, everythingWrong), 403, "auth.denied")
		return
	case "org":
	default:
		return
	}
	if _, known := s.Roles.Find(op.Access.Permission); !known {
		t.Errorf("requires %s, which no module declares", op.Access.Permission)
	}
	for role, user := range s.roles {
		got := s.send(user, op, s.ours.ids, everythingWrong)
		if !s.Roles.Of(role)[op.Access.Permission] {
			s.want(t, string(role), got, 403, "auth.denied")
			s.unknownBeforeDenied(t, op, role, user)
		} else if got.Status == 401 || got.Status == 403 || got.Status == 404 {
			t.Errorf("%s has %s, but got %d: %s", role, op.Access.Permission, got.Status, got.Text)
		}
	}
}

// unknownBeforeDenied: whoever may not, does not learn either what exists elsewhere.
func (s *sweep) unknownBeforeDenied(t *testing.T, op operation, role authz.Role, user *User) {
	for _, param := range s.owned(op) {
		foreign, unknown := clone(s.ours.ids), clone(s.ours.ids)
		foreign[param], unknown[param] = s.theirs.ids[param], s.unknown(param)
		got := s.send(user, op, foreign, everythingWrong)
		s.want(t, fmt.Sprintf("%s with a foreign {%s}", role, param), got, 404, "not_found")
		s.alike(t, fmt.Sprintf("%s: a foreign {%s}", role, param), got, s.send(user, op, unknown, everythingWrong))
	}
}

// withForeignIDs calls as someone who may, but names what belongs to others.
func (s *sweep) withForeignIDs(t *testing.T, op operation) {
	who := s.allowed(op)
	for _, param := range s.owned(op) {
		foreign, unknown := clone(s.ours.ids), clone(s.ours.ids)
		foreign[param], unknown[param] = s.theirs.ids[param], s.unknown(param)
		if op.Access.Kind == "admin" { // to whom nothing is foreign
			foreign = unknown
		}
		for _, query := range []string{everythingWrong, ""} {
			got := s.send(who, op, foreign, query)
			if got.Status != 404 {
				t.Errorf("a foreign {%s}%s got %d, want 404: %s", param, query, got.Status, got.Text)
			}
			s.alike(t, fmt.Sprintf("a foreign {%s}%s", param, query), got, s.send(who, op, unknown, query))
		}
	}
}

func (s *sweep) withMalformedIDs(t *testing.T, op operation) {
	who := s.allowed(op)
	params := op.params()
	if op.Access.Kind == "org" {
		params = append(params, "org")
	}
	for _, param := range params {
		for _, text := range []string{"0", "null", strings.ToUpper(s.ours.ids[param]), s.ours.ids[param] + "0", "00000000-0000-0000-0000-000000000000", "%F0%9F%92%A9"} {
			ids := clone(s.ours.ids)
			ids[param] = text
			if got := s.send(who, op, ids, everythingWrong); got.Status != 404 {
				t.Errorf("{%s} = %s got %d, want 404: %s", param, text, got.Status, got.Text)
			}
		}
	}
}

func (s *sweep) withoutFreshProof(t *testing.T, op operation) {
	who := s.stale
	if op.Access.Kind == "admin" {
		who = s.staleRoot
	}
	got := s.send(who, op, s.own(op, who), everythingWrong)
	if op.Access.Fresh {
		s.want(t, "an old proof of identity", got, 401, "auth.fresh_required")
	} else if got.Status == 401 {
		t.Errorf("asks for a fresh proof of identity, but does not say so: %s", got.Text)
	}
}

// own replaces the ids of what is a person's own by theirs.
func (s *sweep) own(op operation, u *User) map[string]string {
	ids := clone(s.ours.ids)
	if slices.Contains(op.params(), "session") {
		ids["session"] = u.Tokens.SessionID.String()
	}
	for _, param := range []string{"identity", "passkey"} {
		if slices.Contains(op.params(), param) && u != s.ours.owner {
			ids[param] = s.thing(place{owner: u}, op, param)
		}
	}
	return ids
}

func (s *sweep) withBadRequests(t *testing.T, op operation, who *User) {
	got := s.send(who, op, s.own(op, who), everythingWrong)
	s.wantField(t, "an unknown query parameter", got, "query.sweep_unknown")
	s.withBadBodies(t, op, who)
}

// withBadBodies sends bodies that are none, as someone who may.
func (s *sweep) withBadBodies(t *testing.T, op operation, who *User) {
	ids := s.unknownIDs(op)
	if who != nil {
		ids = s.own(op, who)
	}
	send := func(query, body string, change func(*http.Request)) *Answer {
		q := s.request(op, ids, query, body)
		authorize(q, who)
		if change != nil {
			change(q)
		}
		return s.Send(q)
	}
	if op.Body == nil {
		if op.method != http.MethodGet {
			s.want(t, "a body where none is taken", send("", `{"sweep":1}`, nil), 422, "request.unexpected_body")
		}
		return
	}
	if op.streams() != "" {
		s.want(t, "a body that is too large", send(everythingWrong, "x", func(q *http.Request) { q.ContentLength = 1 << 40 }), 413, "request.too_large")
		s.want(t, "a body that is compressed", send(everythingWrong, oneFile, func(q *http.Request) { q.Header.Set("Content-Encoding", "gzip") }), 415, "request.media_type")
		return
	}
	typed := func(kind ...string) func(*http.Request) {
		return func(q *http.Request) { q.Header["Content-Type"] = kind }
	}
	const unparsable = `{"sweep":`
	s.want(t, "a body that is too large", send(everythingWrong, unparsable, func(q *http.Request) { q.ContentLength = 1 << 40 }), 413, "request.too_large")
	for _, kind := range [][]string{nil, {"text/plain"}, {"application/x-www-form-urlencoded"}, {"application/json", "text/plain"}, {"application/json; charset=latin1"}} {
		s.want(t, fmt.Sprintf("Content-Type %q", kind), send(everythingWrong, unparsable, typed(kind...)), 415, "request.media_type")
	}
	s.want(t, "half a document", send(everythingWrong, unparsable, nil), 400, "request.unparsable")
	s.want(t, "two documents", send(everythingWrong, `{}{}`, nil), 400, "request.unparsable")
	s.want(t, "the same key twice", send(everythingWrong, `{"sweep":1,"sweep":1}`, nil), 400, "request.duplicate_key")
	s.want(t, "bytes that are no text", send(everythingWrong, "{\"sweep\":\"\xff\"}", nil), 400, "request.text")
	if op.Body.Required {
		s.want(t, "no body", send("", "", nil), 400, "request.no_body")
	}
	s.wantField(t, "an unknown field", send("", s.bodyWith(op, "sweep_unknown"), nil), "body.sweep_unknown")
	if first := firstKey(s.body(op)); first != "" {
		s.wantField(t, "a field in capitals", send("", s.bodyWith(op, strings.ToUpper(first)), nil), "body."+strings.ToUpper(first))
	}
}

func (s *sweep) want(t *testing.T, who string, got *Answer, status int, code string) {
	t.Helper()
	if got.Status != status || got.Get("code") != code {
		t.Errorf("%s got %d %s, want %d %s: %s", who, got.Status, got.Get("code"), status, code, got.Text)
		return
	}
	if got.Get("request_id") == "" || got.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s got no complete problem document: %s", who, got.Text)
	}
}

func (s *sweep) wantField(t *testing.T, what string, got *Answer, location string) {
	t.Helper()
	fields, _ := got.Body["errors"].([]any)
	if got.Status == 422 && slices.ContainsFunc(fields, func(f any) bool {
		field, _ := f.(map[string]any)
		return field["location"] == location
	}) {
		return
	}
	t.Errorf("%s got %d without an error at %s, want 422 with it: %s", what, got.Status, location, got.Text)
}

// alike: two answers that must not tell two cases apart.
func (s *sweep) alike(t *testing.T, what string, a, b *Answer) {
	t.Helper()
	for _, answer := range []*Answer{a, b} {
		delete(answer.Body, "request_id")
	}
	if diff := cmp.Diff(b.Body, a.Body); diff != "" || a.Status != b.Status {
		t.Errorf("%s is not answered like an unknown one (-unknown +foreign):\n%s", what, diff)
	}
}

// send calls op with a body made from its schema.
func (s *sweep) send(u *User, op operation, ids map[string]string, query string) *Answer {
	body := ""
	switch {
	case op.streams() != "":
		body = oneFile
	case op.Body != nil:
		body = mustJSON(s.body(op))
	}
	q := s.request(op, ids, query, body)
	authorize(q, u)
	return s.Send(q)
}

// sendBy calls op with a bearer token, and a body made from its schema.
func (s *sweep) sendBy(token string, op operation, ids map[string]string, query string) *Answer {
	return s.send(&User{Tokens: sessions.Tokens{AccessToken: token}}, op, ids, query)
}

func authorize(q *http.Request, u *User) {
	if u != nil {
		q.Header.Set("Authorization", "Bearer "+u.Tokens.AccessToken)
	}
}

func (s *sweep) request(op operation, ids map[string]string, query, body string) *http.Request {
	path := pathParam.ReplaceAllStringFunc(op.path, func(p string) string { return ids[strings.Trim(p, "{}")] })
	q := s.Request(op.method, "/"+path+query, body)
	if op.chooses() {
		q.Header.Set("X-Org-Id", ids["org"])
	}
	switch kind := op.streams(); kind {
	case "":
	case "multipart/form-data":
		q.Header.Set("Content-Type", kind+"; boundary=sweep")
	default:
		q.Header.Set("Content-Type", kind)
	}
	return q
}

// oneFile is a file as a form sends it.
const oneFile = "--sweep\r\nContent-Disposition: form-data; name=\"file\"; filename=\"sweep.pdf\"\r\n\r\n%PDF-1.7\r\n--sweep--\r\n"

// unknown is an id like the one we have, of something that is not there.
func (s *sweep) unknown(param string) string {
	prefix, _, _ := strings.Cut(s.ours.ids[param], "_")
	_, digits, _ := strings.Cut(id.New[id.OrgKind]().String(), "_")
	return prefix + "_" + digits
}

func (s *sweep) unknownIDs(op operation) map[string]string {
	ids := clone(s.ours.ids)
	for _, param := range s.owned(op) {
		ids[param] = s.unknown(param)
	}
	return ids
}

// owned lists the parameters of op that name what belongs to somebody: both places have
// one of their own.
func (s *sweep) owned(op operation) []string {
	return slices.DeleteFunc(op.params(), func(param string) bool { return s.ours.ids[param] == s.theirs.ids[param] })
}

func malformed(op operation, text string) map[string]string {
	ids := map[string]string{"org": text}
	for _, param := range op.params() {
		ids[param] = text
	}
	return ids
}

func clone(ids map[string]string) map[string]string {
	c := map[string]string{}
	for k, v := range ids {
		c[k] = v
	}
	return c
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // it came out of JSON
	}
	return string(b)
}

var pathParam = regexp.MustCompile(`\{[a-z_]+\}`)
