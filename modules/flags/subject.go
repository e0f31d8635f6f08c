package flags

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/id"
)

// Attributes are what a caller knows of someone or something beyond what we know: texts,
// numbers, booleans, instants, or lists of texts.
type Attributes map[string]any

// Subject is whom a flag is evaluated for. Zero fields are not known.
type Subject struct {
	Account       id.Account // one of our accounts
	Key           string     // what somebody is known by who is none
	EmailDomain   string
	Org           id.Org
	Role          authz.Role
	Plan          string
	Administrator bool
	Attributes    Attributes
}

// The attributes that we know ourselves. Nobody can give others for them.
const (
	attrUser  = "user_id"
	attrEmail = "email_domain"
	attrOrg   = "org_id"
	attrPlan  = "plan"
	attrRole  = "role"
	attrAdmin = "administrator"
)

// subjectOf is the caller in ctx, in the organization of the request. It copies nothing
// that would have to be put on the heap.
func (s *Service) subjectOf(ctx context.Context) Subject {
	who, m := authz.From(ctx), authz.MembershipFrom(ctx)
	sub := Subject{Account: who.Account, Administrator: who.Admin, Org: m.Org, Role: m.Role}
	if a, ok := who.Subject.(accounts.Account); ok {
		sub.EmailDomain = domainOf(a.Email)
	}
	if !m.Org.IsZero() {
		sub.Plan = s.Plan(m.Org)
	}
	sub.Attributes, _ = ctx.Value(attributesKey{}).(Attributes)
	return sub
}

func domainOf(email string) string { return email[strings.LastIndexByte(email, '@')+1:] }

// value is one attribute, as conditions compare it.
type value struct {
	kind   valueKind
	text   string
	number float64
	truth  bool
	at     time.Time
	list   []any
}

type valueKind int

const (
	missing valueKind = iota
	isText
	isFloat
	isTruth
	isInstant
	isList
	isOther // there, but nothing that can be compared
)

func textOf(s string) value {
	if s == "" {
		return value{}
	}
	return value{kind: isText, text: s}
}

// valueOf reads what a caller gave.
func valueOf(v any) value {
	switch v := v.(type) {
	case nil:
		return value{}
	case string:
		return value{kind: isText, text: v}
	case bool:
		return value{kind: isTruth, truth: v}
	case float64:
		return value{kind: isFloat, number: v}
	case int:
		return value{kind: isFloat, number: float64(v)}
	case int64:
		return value{kind: isFloat, number: float64(v)}
	case time.Time:
		return value{kind: isInstant, at: v}
	case []any:
		return value{kind: isList, list: v}
	case []string:
		list := make([]any, len(v))
		for i, text := range v {
			list[i] = text
		}
		return value{kind: isList, list: list}
	}
	return value{kind: isOther}
}

// get returns an attribute. The text of an id is made for it: conditions that name ids
// compare those themselves.
func (s *Subject) get(name string) value {
	switch name {
	case attrUser:
		if s.Account.IsZero() {
			return textOf(s.Key)
		}
		return textOf(s.Account.String())
	case attrEmail:
		return textOf(s.EmailDomain)
	case attrOrg:
		return textOf(s.Org.String())
	case attrPlan:
		return textOf(s.Plan)
	case attrRole:
		return textOf(string(s.Role))
	case attrAdmin:
		return value{kind: isTruth, truth: s.Administrator}
	}
	return valueOf(s.Attributes[name])
}

// appendUnit appends what a split counts as one. It reports false where that is not known.
func (s *Subject) appendUnit(b []byte, by string) ([]byte, bool) {
	switch by {
	case byUser, attrUser:
		if s.Account.IsZero() {
			return append(b, s.Key...), s.Key != ""
		}
		b, _ = s.Account.AppendText(b) // it never fails
		return b, true
	case byOrg, attrOrg:
		b, _ = s.Org.AppendText(b)
		return b, !s.Org.IsZero()
	}
	switch v := s.get(by); v.kind {
	case isText:
		return append(b, v.text...), v.text != ""
	case isFloat:
		return strconv.AppendFloat(b, v.number, 'f', -1, 64), true
	case isTruth:
		return strconv.AppendBool(b, v.truth), true
	}
	return b, false
}
