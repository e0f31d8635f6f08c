package flags

import (
	"slices"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/id"
)

// test is a condition made ready to be asked often.
type test struct {
	attribute string
	operator  Operator

	texts    map[string]bool
	accounts map[id.Account]bool // of texts, those that are ids of accounts
	orgs     map[id.Org]bool
	numbers  []float64
	truths   []bool

	needles []string // of starts_with, ends_with, contains
	number  *float64 // of comparisons
	version string
	at      time.Time
}

// valid reports whether the operator can do something with the values.
func (c Condition) valid() bool {
	if !namePattern.MatchString(c.Attribute) || len(c.Values) > 1000 {
		return false
	}
	for _, v := range c.Values {
		if text, ok := v.(string); ok && (text == "" || len(text) > 256) {
			return false
		}
	}
	switch c.Operator {
	case OneOf, NotOneOf:
		return len(c.Values) > 0 && !slices.ContainsFunc(c.Values, func(v any) bool { k := valueOf(v).kind; return k != isText && k != isFloat && k != isTruth })
	case StartsWith, EndsWith, Contains:
		return len(c.Values) > 0 && !slices.ContainsFunc(c.Values, func(v any) bool { return valueOf(v).kind != isText })
	case Greater, AtLeast, Less, AtMost:
		return len(c.Values) == 1 && (valueOf(c.Values[0]).kind == isFloat || isVersion(valueOf(c.Values[0]).text))
	case Before, After:
		if len(c.Values) != 1 {
			return false
		}
		_, err := time.Parse(time.RFC3339, valueOf(c.Values[0]).text)
		return err == nil
	case Present, Absent:
		return len(c.Values) == 0
	}
	return false
}

// ready makes a valid condition ready.
func (c Condition) ready() test {
	t := test{attribute: c.Attribute, operator: c.Operator}
	switch c.Operator {
	case OneOf, NotOneOf:
		t.collect(c.Values)
	case StartsWith, EndsWith, Contains:
		for _, v := range c.Values {
			t.needles = append(t.needles, valueOf(v).text)
		}
	case Greater, AtLeast, Less, AtMost:
		if v := valueOf(c.Values[0]); v.kind == isFloat {
			t.number = &v.number
		} else {
			t.version = v.text
		}
	case Before, After:
		t.at, _ = time.Parse(time.RFC3339, valueOf(c.Values[0]).text) // valid
	}
	return t
}

func (t *test) collect(values []any) {
	t.texts, t.accounts, t.orgs = map[string]bool{}, map[id.Account]bool{}, map[id.Org]bool{}
	for _, any := range values {
		switch v := valueOf(any); v.kind {
		case isText:
			t.texts[v.text] = true
			if account, err := id.Parse[id.AccountKind](v.text); err == nil {
				t.accounts[account] = true
			}
			if org, err := id.Parse[id.OrgKind](v.text); err == nil {
				t.orgs[org] = true
			}
		case isFloat:
			t.numbers = append(t.numbers, v.number)
		case isTruth:
			t.truths = append(t.truths, v.truth)
		}
	}
}

// holds reports whether the condition holds for someone.
func (t *test) holds(sub *Subject) bool {
	if t.texts != nil {
		switch { // ids are compared as such
		case t.attribute == attrUser && !sub.Account.IsZero():
			return t.accounts[sub.Account] == (t.operator == OneOf)
		case t.attribute == attrOrg && !sub.Org.IsZero():
			return t.orgs[sub.Org] == (t.operator == OneOf)
		}
	}
	v := sub.get(t.attribute)
	switch t.operator {
	case Present:
		return v.kind != missing
	case Absent:
		return v.kind == missing
	case NotOneOf:
		return v.kind != missing && !t.among(v)
	}
	if v.kind != isList {
		return t.matches(v)
	}
	for _, element := range v.list {
		if t.matches(valueOf(element)) {
			return true
		}
	}
	return false
}

func (t *test) among(v value) bool {
	if v.kind != isList {
		return t.listed(v)
	}
	for _, element := range v.list {
		if t.listed(valueOf(element)) {
			return true
		}
	}
	return false
}

func (t *test) listed(v value) bool {
	switch v.kind {
	case isText:
		return t.texts[v.text]
	case isFloat:
		return slices.Contains(t.numbers, v.number)
	case isTruth:
		return slices.Contains(t.truths, v.truth)
	}
	return false
}

func (t *test) matches(v value) bool {
	switch t.operator {
	case OneOf:
		return t.listed(v)
	case StartsWith, EndsWith, Contains:
		return v.kind == isText && t.found(v.text)
	case Before, After:
		return t.inTime(v)
	}
	order, ok := t.compare(v)
	if !ok {
		return false
	}
	switch t.operator {
	case Greater:
		return order > 0
	case AtLeast:
		return order >= 0
	case Less:
		return order < 0
	}
	return order <= 0
}

func (t *test) found(text string) bool {
	for _, needle := range t.needles {
		switch {
		case t.operator == StartsWith && strings.HasPrefix(text, needle),
			t.operator == EndsWith && strings.HasSuffix(text, needle),
			t.operator == Contains && strings.Contains(text, needle):
			return true
		}
	}
	return false
}

func (t *test) inTime(v value) bool {
	at := v.at
	if v.kind == isText {
		var err error
		if at, err = time.Parse(time.RFC3339, v.text); err != nil {
			return false
		}
	} else if v.kind != isInstant {
		return false
	}
	if t.operator == Before {
		return at.Before(t.at)
	}
	return at.After(t.at)
}

func (t *test) compare(v value) (order int, ok bool) {
	switch {
	case t.number != nil && v.kind == isFloat:
		switch {
		case v.number < *t.number:
			return -1, true
		case v.number > *t.number:
			return 1, true
		}
		return 0, v.number == *t.number // nothing compares with NaN
	case t.number == nil && v.kind == isText:
		return compareVersions(v.text, t.version)
	}
	return 0, false
}
