package flags

import (
	"context"
	"errors"
	"net/http"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/web"
)

// smallBody is plenty for a context.
const smallBody = 64 << 10

func (s *Service) evaluateRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "flags.evaluate", Method: http.MethodPost, Path: "/flags/evaluate",
		Summary:     "Evaluate feature flags for oneself",
		Description: "Those marked for clients: the ones in `keys`, or all. Who asks, and what they are in `org_id`, is known from their session; `attributes` add what the program knows beyond that.",
		Access:      authz.SignedIn(), WhileLooking: true, BodyLimit: smallBody,
		Errors: []*errs.Error{ErrOrg, ErrContext},
	}, s.handleEvaluate)
}

type evaluateInput struct {
	Body struct {
		Keys       *[]string  `json:"keys,omitempty" nullable:"false" maxItems:"1000" doc:"Those that are not there, or not for clients, are left out of the answer"`
		OrgID      *id.Org    `json:"org_id,omitempty" doc:"An organization that the caller belongs to"`
		Attributes Attributes `json:"attributes,omitempty" doc:"Texts, numbers, booleans, or lists of texts"`
	}
}

type evaluateOutput struct {
	Body struct {
		Flags map[string]Evaluated `json:"flags" doc:"By key"`
	}
}

// Evaluated is what the caller gets of a flag. It tells nothing about others.
type Evaluated struct {
	Value   any    `json:"value"`
	Variant string `json:"variant" example:"on"`
	Reason  Reason `json:"reason" enum:"STATIC,TARGETING_MATCH,SPLIT,DISABLED,UNKNOWN"`
}

func (s *Service) handleEvaluate(ctx context.Context, in *evaluateInput) (*evaluateOutput, error) {
	sub, err := s.caller(ctx, in.Body.OrgID, in.Body.Attributes)
	if err != nil {
		return nil, err
	}
	var keys []string
	if in.Body.Keys != nil {
		keys = append([]string{}, *in.Body.Keys...)
	}
	out := &evaluateOutput{}
	out.Body.Flags = map[string]Evaluated{}
	for _, r := range s.forPeople(sub, keys) {
		out.Body.Flags[r.Key] = Evaluated{r.Value, r.Variant, r.Reason}
	}
	return out, nil
}

// caller is whoever asks, in an organization that they belong to.
func (s *Service) caller(ctx context.Context, org *id.Org, attributes Attributes) (Subject, error) {
	if !attributes.bounded() {
		return Subject{}, ErrContext
	}
	if org != nil && !org.IsZero() {
		m, err := s.Orgs.Membership(ctx, *org)
		if errs.KindOf(err) == errs.NotFound {
			err = ErrOrg.Because(err)
		}
		if err != nil {
			return Subject{}, err
		}
		ctx = authz.WithMembership(ctx, m)
	}
	return s.subjectOf(WithAttributes(ctx, attributes)), nil
}

const (
	maxAttributes     = 100
	maxAttributeName  = 64
	maxAttributeText  = 1024
	maxAttributeItems = 100
)

// bounded reports whether attributes that somebody sent are few and short.
func (a Attributes) bounded() bool {
	if len(a) > maxAttributes {
		return false
	}
	for name, v := range a {
		if len(name) > maxAttributeName {
			return false
		}
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		if len(list) > maxAttributeItems {
			return false
		}
		for _, one := range list {
			if text, ok := one.(string); ok && len(text) > maxAttributeText {
				return false
			}
		}
	}
	return true
}

// Test returns what somebody gets of a flag, and why. What t does not say of an account is
// looked up.
func (s *Service) Test(ctx context.Context, key string, t TestContext) (Tested, error) {
	if !t.Attributes.bounded() {
		return Tested{}, ErrContext.On("body.context.attributes")
	}
	sub, err := s.tested(ctx, t)
	if err != nil {
		return Tested{}, err
	}
	if err := s.Load(ctx); err != nil { // whoever tests wants to know what is so now, on whatever node
		return Tested{}, err
	}
	r, err := s.Evaluate(key, sub)
	if errors.Is(err, ErrNotFound) {
		if there, err := s.exists(ctx, key); err != nil || there {
			return Tested{}, errors.Join(err, ErrArchived)
		}
	}
	used := UsedContext{UserID: sub.get(attrUser).text, OrgID: sub.Org.String(), EmailDomain: sub.EmailDomain, Role: string(sub.Role), Plan: sub.Plan, Administrator: sub.Administrator}
	return Tested{Variant: r.Variant, Value: r.Value, Reason: r.Reason, Rule: r.Rule, Prerequisite: r.Missed, Context: used}, err
}

func (s *Service) tested(ctx context.Context, t TestContext) (Subject, error) {
	var org id.Org
	if t.OrgID != nil {
		org = *t.OrgID
	}
	sub, err := s.known(ctx, t.UserID, org)
	if err != nil {
		return sub, err
	}
	sub.Attributes = t.Attributes
	set(&sub.EmailDomain, t.EmailDomain)
	set((*string)(&sub.Role), t.Role)
	set(&sub.Plan, t.Plan)
	set(&sub.Administrator, t.Administrator)
	return sub, nil
}

// known is somebody by their id, with what is known of them, in an organization that they
// may or may not belong to.
func (s *Service) known(ctx context.Context, who string, org id.Org) (Subject, error) {
	sub := Subject{Key: who, Org: org}
	if !org.IsZero() {
		sub.Plan = s.Plan(org)
	}
	account, err := id.Parse[id.AccountKind](who)
	if err != nil {
		return sub, nil
	}
	sub.Key, sub.Account = "", account
	a, err := s.Accounts.Get(ctx, account)
	if errors.Is(err, accounts.ErrNotFound) {
		return sub, nil
	}
	if err != nil {
		return sub, err
	}
	sub.EmailDomain, sub.Administrator = domainOf(a.Email), a.IsAdmin
	if org.IsZero() {
		return sub, nil
	}
	m, err := s.Orgs.Member(ctx, org, account)
	if errors.Is(err, orgs.ErrMemberNotFound) {
		return sub, nil
	}
	sub.Role = m.Role
	return sub, err
}
