package flags

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/web"
)

// The OpenFeature Remote Evaluation Protocol 0.3:
// https://github.com/open-feature/protocol/blob/main/service/openapi.yaml

// ErrorCode says what is wrong with an evaluation, in the words of OpenFeature.
type ErrorCode string

// The codes.
const (
	flagNotFound        ErrorCode = "FLAG_NOT_FOUND"
	parseError          ErrorCode = "PARSE_ERROR"
	targetingKeyMissing ErrorCode = "TARGETING_KEY_MISSING"
	invalidContext      ErrorCode = "INVALID_CONTEXT"
	general             ErrorCode = "GENERAL"
)

func (s *Service) ofrepRoutes(r *web.Router) {
	const whose = "\n\nA person evaluates for themselves: `targetingKey` is their account's id or absent, `org_id` an organization that they belong to. An API key with the scope `flags.evaluate` evaluates for anybody in its organization: " +
		"`targetingKey` is the id of a member, or what the program knows somebody by who has no account. Only flags that are marked for clients are there.\n\n" +
		"Refusals are problem documents with `errorCode` and `errorDetails`."

	// What is no key is no flag: the protocol has its own answer to both.
	r.PathID("flag_key", web.PathID{Parse: func(string) error { return nil }, Exists: func(_ context.Context, key string) (bool, error) {
		f := s.current().flags[key]
		return f != nil && f.flag.Client, nil
	}})

	web.Handle(r, web.Op{
		ID: "flags.ofrep_evaluate", Method: http.MethodPost, Path: "//ofrep/v1/evaluate/flags/{flag_key}",
		Summary: "Evaluate a feature flag (OFREP)", Description: "For OpenFeature's server-side providers." + whose,
		Access: authz.SignedIn().OrKey(PermEvaluate), WhileLooking: true, BodyLimit: smallBody, Members: failureMembers,
		Also: []int{http.StatusBadRequest, http.StatusNotFound},
	}, s.handleOFREP)

	web.Handle(r, web.Op{
		ID: "flags.ofrep_evaluate_all", Method: http.MethodPost, Path: "//ofrep/v1/evaluate/flags",
		Summary: "Evaluate all feature flags (OFREP)", Description: "For OpenFeature's client-side providers. With `If-None-Match`, 304 says that nothing has changed for this context." + whose,
		Access: authz.SignedIn().OrKey(PermEvaluate), WhileLooking: true, BodyLimit: smallBody, Members: failureMembers,
		Also: []int{http.StatusBadRequest},
	}, s.handleOFREPAll)
}

// failureMembers are what a refusal before the evaluation has for OpenFeature's clients.
func failureMembers(q *http.Request, status int, detail string) map[string]any {
	members := map[string]any{"errorCode": general, "errorDetails": detail}
	switch status {
	case http.StatusNotFound:
		members["errorCode"] = flagNotFound
	case http.StatusBadRequest:
		members["errorCode"] = parseError
	}
	if key := q.PathValue("flag_key"); key != "" {
		members["key"] = strings.ToValidUTF8(key, "")
	}
	return members
}

type ofrepBody struct {
	Context any `json:"context,omitempty" doc:"An object with targetingKey, org_id and further attributes" example:"{\"country\":\"AT\"}"`
}

type ofrepInput struct {
	Key  string `path:"flag_key" doc:"Key of a flag" example:"new-dashboard"`
	Body ofrepBody
}

type ofrepAllInput struct {
	IfNoneMatch  string `header:"If-None-Match" maxLength:"1000"`
	ETag         string `query:"flagConfigEtag" maxLength:"200" doc:"Of a change notification; without meaning here"`
	LastModified string `query:"flagConfigLastModified" maxLength:"40" doc:"Of a change notification; without meaning here"`
	Body         ofrepBody
}

type ofrepOutput struct {
	Status int
	Body   OFREPEvaluation
}

// OFREPEvaluation is a success or a failure of the protocol.
type OFREPEvaluation struct {
	Key      string         `json:"key,omitempty"`
	Reason   Reason         `json:"reason,omitempty"`
	Variant  string         `json:"variant,omitempty"`
	Value    any            `json:"value,omitempty"`
	Metadata map[string]any `json:"metadata,omitempty"`

	ErrorCode    ErrorCode `json:"errorCode,omitempty"`
	ErrorDetails string    `json:"errorDetails,omitempty"`
}

type ofrepAllOutput struct {
	Status int
	ETag   string `header:"ETag"`
	Body   OFREPEvaluations
}

// OFREPEvaluations is a success or a failure of the protocol.
type OFREPEvaluations struct {
	Flags *[]OFREPEvaluation `json:"flags,omitempty"`

	ErrorCode    ErrorCode `json:"errorCode,omitempty"`
	ErrorDetails string    `json:"errorDetails,omitempty"`
}

func (s *Service) handleOFREP(ctx context.Context, in *ofrepInput) (*ofrepOutput, error) {
	sub, err := s.remote(ctx, in.Body.Context)
	if f, ok := errors.AsType[*failure](err); ok {
		return &ofrepOutput{http.StatusBadRequest, OFREPEvaluation{Key: in.Key, ErrorCode: f.code, ErrorDetails: f.details}}, nil
	}
	if err != nil {
		return nil, err
	}
	found := s.forPeople(sub, []string{in.Key})
	if len(found) == 0 {
		return &ofrepOutput{http.StatusNotFound, OFREPEvaluation{Key: in.Key, ErrorCode: flagNotFound, ErrorDetails: ErrNotFound.Message}}, nil
	}
	return &ofrepOutput{http.StatusOK, inOFREP(found[0])}, nil
}

func (s *Service) handleOFREPAll(ctx context.Context, in *ofrepAllInput) (*ofrepAllOutput, error) {
	sub, err := s.remote(ctx, in.Body.Context)
	if f, ok := errors.AsType[*failure](err); ok {
		return &ofrepAllOutput{Status: http.StatusBadRequest, Body: OFREPEvaluations{ErrorCode: f.code, ErrorDetails: f.details}}, nil
	}
	if err != nil {
		return nil, err
	}
	all := []OFREPEvaluation{}
	for _, r := range s.forPeople(sub, nil) {
		all = append(all, inOFREP(r))
	}
	tag, err := tagOf(all)
	if err != nil {
		return nil, err
	}
	out := &ofrepAllOutput{Status: http.StatusOK, ETag: tag, Body: OFREPEvaluations{Flags: &all}}
	if slices.ContainsFunc(strings.Split(in.IfNoneMatch, ","), func(known string) bool {
		return strings.TrimPrefix(strings.TrimSpace(known), "W/") == tag
	}) {
		out.Status = http.StatusNotModified
	}
	return out, nil
}

func inOFREP(r Result) OFREPEvaluation {
	return OFREPEvaluation{Key: r.Key, Reason: r.Reason, Variant: r.Variant, Value: r.Value}
}

// tagOf is the validator of what somebody gets: it changes with the clock too.
func tagOf(all []OFREPEvaluation) (string, error) {
	text, err := json.Marshal(all)
	if err != nil {
		return "", fmt.Errorf("encode evaluations: %w", err)
	}
	sum := sha256.Sum256(text)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`, nil
}

// failure is what the protocol answers to a context that cannot be used.
type failure struct {
	code    ErrorCode
	details string
}

func (f *failure) Error() string { return string(f.code) + ": " + f.details }

func refused(details string) error { return &failure{invalidContext, details} }

// remote is whom a context of the protocol stands for.
func (s *Service) remote(ctx context.Context, sent any) (Subject, error) {
	context, ok := sent.(map[string]any)
	if !ok {
		return Subject{}, refused("Send a context: an object.")
	}
	if !Attributes(context).bounded() {
		return Subject{}, refused(ErrContext.Message)
	}
	target, err := text(context, "targetingKey")
	if err != nil {
		return Subject{}, err
	}
	org, err := orgIn(context)
	if err != nil {
		return Subject{}, err
	}
	if key := authz.From(ctx).Key; key != nil {
		return s.remoteByKey(ctx, key, target, org, context)
	}
	if target != "" && target != authz.From(ctx).Account.String() {
		return Subject{}, refused("Evaluate for yourself: leave targetingKey away, or let it be the id of your account.")
	}
	sub, err := s.caller(ctx, org, context)
	if errors.Is(err, ErrOrg) {
		err = refused(ErrOrg.Message)
	}
	return sub, err
}

// remoteByKey is somebody in the organization of an API key.
func (s *Service) remoteByKey(ctx context.Context, key *authz.Key, target string, org *id.Org, attributes Attributes) (Subject, error) {
	switch {
	case target == "":
		return Subject{}, &failure{targetingKeyMissing, "Name whom to evaluate for in targetingKey."}
	case org != nil && *org != key.Org:
		return Subject{}, refused("The API key belongs to another organization.")
	}
	sub, err := s.known(ctx, target, key.Org)
	if err == nil && !sub.Account.IsZero() && sub.Role == "" {
		err = refused("There is no such member of the API key's organization.")
	}
	sub.Attributes = attributes
	return sub, err
}

func text(context map[string]any, name string) (string, error) {
	v, there := context[name]
	s, ok := v.(string)
	if there && !ok {
		return "", refused(name + " must be a text.")
	}
	return s, nil
}

func orgIn(context map[string]any) (*id.Org, error) {
	s, err := text(context, "org_id")
	if err != nil || s == "" {
		return nil, err
	}
	org, err := id.Parse[id.OrgKind](s)
	if err != nil {
		return nil, refused("org_id must be the id of an organization.")
	}
	return &org, nil
}
