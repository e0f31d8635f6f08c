package identities

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tenonhq/tenon/platform/authz"
)

// rule gives a role to whoever has a claim.
type rule struct {
	claim, value string
	org          string // short name of an organization; empty: of the installation
	role         authz.Role
}

// ClaimedRole is a role in an organization that a provider's claim stands for.
type ClaimedRole struct {
	Org  string     `json:"org"` // its short name
	Role authz.Role `json:"role"`
}

var (
	slugPattern = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])*$`)
	rolePattern = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)
)

// administrator is how a rule names who administrates the installation.
const administrator = "*admin"

// parseRules reads rules such as "groups=engineering -> acme:member; groups=admins -> *admin".
func parseRules(text string) ([]rule, error) {
	var rules []rule
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		r, ok := parseRule(part)
		if !ok {
			return nil, fmt.Errorf("%q is no rule like groups=engineering -> acme:member", part)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func parseRule(text string) (r rule, ok bool) {
	i := strings.LastIndex(text, "->")
	if i < 0 {
		return r, false
	}
	r.claim, r.value, ok = strings.Cut(text[:i], "=")
	r.claim, r.value = strings.TrimSpace(r.claim), strings.TrimSpace(r.value)
	if !ok || r.claim == "" || r.value == "" {
		return r, false
	}
	target := strings.TrimSpace(text[i+2:])
	if target == administrator {
		return r, true
	}
	org, role, ok := strings.Cut(target, ":")
	r.org, r.role = strings.TrimSpace(org), authz.Role(strings.TrimSpace(role))
	return r, ok && slugPattern.MatchString(r.org) && rolePattern.MatchString(string(r.role))
}

// claimed returns the roles that claims stand for, one for each organization: the
// first rule that fits. administers says that a rule makes an administrator.
func claimed(rules []rule, claims map[string]any) (roles []ClaimedRole, administers bool) {
	for _, r := range rules {
		if !slices.Contains(valuesOf(claims, r.claim), r.value) {
			continue
		}
		if r.org == "" {
			administers = true
			continue
		}
		if !slices.ContainsFunc(roles, func(c ClaimedRole) bool { return c.Org == r.org }) {
			roles = append(roles, ClaimedRole{r.org, r.role})
		}
	}
	return roles, administers
}

// valuesOf lists the values of a claim: of the one called name, else of the one that
// is reached by its parts, as in realm_access.roles.
func valuesOf(claims map[string]any, name string) []string {
	if v, ok := claims[name]; ok {
		return texts(v)
	}
	first, rest, nested := strings.Cut(name, ".")
	if inner, ok := claims[first].(map[string]any); ok && nested {
		return valuesOf(inner, rest)
	}
	return nil
}

func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case bool:
		return []string{strconv.FormatBool(v)}
	case []any:
		var list []string
		for _, item := range v {
			if s, ok := item.(string); ok {
				list = append(list, s)
			}
		}
		return list
	}
	return nil
}
