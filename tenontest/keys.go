package tenontest

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/tenonhq/tenon/modules/apikeys"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/id"
)

// Key makes an API key of owner's in org and returns its value; send it with CallBy.
func (a *App) Key(owner *User, org id.Org, scopes ...authz.Permission) string {
	a.t.Helper()
	_, value, err := a.APIKeys.Create(a.As(owner), org, apikeys.NewKey{Name: "test", Scopes: scopes})
	a.must(err)
	return value
}

// CallBy is Call with a bearer token, such as an API key.
func (a *App) CallBy(token, method, path, body string) *Answer {
	a.t.Helper()
	q := a.Request(method, path, body)
	q.Header.Set("Authorization", "Bearer "+token)
	return a.Send(q)
}

// byKey calls with API keys of an owner, who may do everything: a key may do what it has
// the scope for, in its organization, and nothing that a person has to do.
func (s *sweep) byKey(t *testing.T, op operation) {
	none, all := s.key(), s.key(s.every()...)
	switch op.Access.Kind {
	case "signed_in":
		if op.Access.Permission != "" {
			s.byScope(t, op)
			return
		}
		s.want(t, "a key with every scope", s.sendBy(all, op, s.ours.ids, everythingWrong), 403, "auth.not_by_key")
	case "admin":
		s.want(t, "a key with every scope", s.sendBy(all, op, s.ours.ids, everythingWrong), 403, "auth.denied")
	case "org":
		s.want(t, "a key without scopes", s.sendBy(none, op, s.ours.ids, everythingWrong), 403, "auth.denied")
		s.unknownToKey(t, op, none)
		s.byScope(t, op)
		for _, query := range []string{"", everythingWrong} {
			s.want(t, "a key of another organization", s.sendBy(all, op, s.theirs.ids, query), 404, "not_found")
		}
	}
}

// byScope calls with a key that has every scope but the right one, and with one that has it alone.
func (s *sweep) byScope(t *testing.T, op operation) {
	perm := op.Access.Permission
	if _, known := s.Roles.Find(perm); !known {
		t.Errorf("asks %s of API keys, which no module declares", perm)
	}
	if !s.Roles.Of(authz.Owner)[perm] {
		return // the owner cannot hand it on
	}
	others := slices.DeleteFunc(s.every(), func(p authz.Permission) bool { return p == perm })
	s.want(t, "a key with every other scope", s.sendBy(s.key(others...), op, s.ours.ids, everythingWrong), 403, "auth.denied")
	got := s.sendBy(s.key(perm), op, s.ours.ids, everythingWrong)
	if op.Access.Fresh || op.Access.Person {
		s.want(t, "a key with the scope", got, 403, "auth.not_by_key")
	} else if got.Status == 401 || got.Status == 403 || got.Status == 404 {
		t.Errorf("a key with the scope %s got %d: %s", perm, got.Status, got.Text)
	}
	if op.method == http.MethodGet {
		head := op
		head.method = http.MethodHead
		if got := s.sendBy(s.key(others...), head, s.ours.ids, ""); got.Status != 403 {
			t.Errorf("HEAD by a key with every other scope got %d", got.Status)
		}
	}
}

// unknownToKey: a key that may not does not learn what exists elsewhere either.
func (s *sweep) unknownToKey(t *testing.T, op operation, key string) {
	for _, param := range op.params() {
		foreign, unknown := clone(s.ours.ids), clone(s.ours.ids)
		foreign[param], unknown[param] = s.theirs.ids[param], s.unknown(param)
		got := s.sendBy(key, op, foreign, everythingWrong)
		s.want(t, fmt.Sprintf("a key with a foreign {%s}", param), got, 404, "not_found")
		s.alike(t, fmt.Sprintf("a key: a foreign {%s}", param), got, s.sendBy(key, op, unknown, everythingWrong))
	}
}

// every lists the permissions that our owner has.
func (s *sweep) every() (all []authz.Permission) {
	for _, g := range s.Roles.All() {
		if s.Roles.Of(authz.Owner)[g.Perm] {
			all = append(all, g.Perm)
		}
	}
	return all
}

func (s *sweep) key(scopes ...authz.Permission) string {
	name := fmt.Sprint(scopes)
	if s.keys[name] == "" {
		s.keys[name] = s.Key(s.ours.owner, s.ours.org, scopes...)
	}
	return s.keys[name]
}
