package flags

import (
	"context"
	"errors"
	"net/http"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) routes(r *web.Router) {
	r.PathID("flag", web.PathID{Parse: checkKey, Exists: s.exists})
	s.readRoutes(r)
	s.changeRoutes(r)
	s.evaluateRoutes(r)
	s.ofrepRoutes(r)
}

func checkKey(text string) error {
	if !keyPattern.MatchString(text) {
		return ErrKeyInvalid
	}
	return nil
}

func (s *Service) exists(ctx context.Context, key string) (bool, error) {
	_, err := flagByKey(ctx, s.DB.Platform(managing), key)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (s *Service) readRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "flags.list", Method: http.MethodGet, Path: "/admin/flags",
		Summary: "List feature flags", Description: "By key. With `stale=true` it is the report of flags that nobody needs any more.",
		Access: authz.Administrator(),
	}, s.handleList)

	web.Handle(r, web.Op{
		ID: "flags.get", Method: http.MethodGet, Path: "/admin/flags/{flag}",
		Summary: "Show a feature flag", Access: authz.Administrator(),
	}, s.handleGet)

	web.Handle(r, web.Op{
		ID: "flags.history", Method: http.MethodGet, Path: "/admin/flags/{flag}/changes",
		Summary: "List the changes of a feature flag", Description: "Newest first: who, when, why, and each field before and after.",
		Access: authz.Administrator(),
	}, s.handleHistory)

	web.Handle(r, web.Op{
		ID: "flags.usage", Method: http.MethodGet, Path: "/admin/flags/{flag}/usage",
		Summary: "Show how often a feature flag was served", Description: "Each variant on each of the last 30 days, a minute late at most.",
		Access: authz.Administrator(),
	}, s.handleUsage)

	web.Handle(r, web.Op{
		ID: "flags.test", Method: http.MethodPost, Path: "/admin/flags/{flag}/test",
		Summary: "Test what somebody gets of a feature flag", Description: "With an id of an account, what is known of it is filled in, unless the context says otherwise: so one can try what would be. Nothing is counted.",
		Access: authz.Administrator(),
		Errors: []*errs.Error{ErrArchived, ErrContext},
	}, s.handleTest)
}

func (s *Service) changeRoutes(r *web.Router) {
	definition := []*errs.Error{ErrReason, ErrText, ErrTags, ErrVariants, ErrValue, ErrVariant, ErrServe, ErrPercent, ErrRollout, ErrRules, ErrCondition, ErrSchedule, ErrTooLarge,
		ErrRequires, ErrCycle, ErrDepth}

	web.Handle(r, web.Op{
		ID: "flags.create", Method: http.MethodPost, Path: "/admin/flags", Status: http.StatusCreated,
		Summary: "Make a feature flag", Description: "Key and type stay as they are. A flag without variants gets `on` and `off` if it is boolean.",
		Access: authz.Administrator(),
		Errors: append([]*errs.Error{ErrKeyInvalid, ErrKeyTaken, ErrTooMany}, definition...),
	}, s.handleCreate)

	web.Handle(r, web.Op{
		ID: "flags.update", Method: http.MethodPatch, Path: "/admin/flags/{flag}",
		Summary: "Change a feature flag", Description: "Every node serves it within a second. `enabled` is the kill switch. A percentage that grows takes in more, and lets nobody go.",
		Access: authz.Administrator(),
		Errors: append([]*errs.Error{ErrArchived, ErrRequired}, definition...),
	}, s.handleUpdate)

	web.Handle(r, web.Op{
		ID: "flags.archive", Method: http.MethodPost, Path: "/admin/flags/{flag}/archive",
		Summary: "Archive a feature flag", Description: "Whoever still asks for it gets the fallback that the program names.",
		Access: authz.Administrator(),
		Errors: []*errs.Error{ErrArchived, ErrRequired, ErrReason},
	}, s.handleArchive)

	web.Handle(r, web.Op{
		ID: "flags.restore", Method: http.MethodPost, Path: "/admin/flags/{flag}/restore",
		Summary: "Take a feature flag out of the archive", Access: authz.Administrator(),
		Errors: []*errs.Error{ErrNotArchived, ErrRequires, ErrCycle, ErrDepth, ErrReason},
	}, s.handleRestore)

	web.Handle(r, web.Op{
		ID: "flags.delete", Method: http.MethodDelete, Path: "/admin/flags/{flag}", Status: http.StatusNoContent,
		Summary: "Delete an archived feature flag", Description: "With its history; the event log keeps that it was there.",
		Access: authz.Administrator(),
		Errors: []*errs.Error{ErrNotArchived, ErrReason},
	}, s.handleDelete)
}

type listInput struct {
	web.Page
	State string `query:"state" enum:"on,off,archived" doc:"On or off at this moment, or archived; without it all that are not archived"`
	Tag   string `query:"tag" maxLength:"40"`
	Text  string `query:"q" maxLength:"100" doc:"Part of the key, the description or the owner"`
	Stale bool   `query:"stale" doc:"Only those that nobody asked for, or that served everybody the same, in 30 days"`
}

// FlagInput names a flag in the path.
type FlagInput struct {
	Flag string `path:"flag" doc:"Key of a flag" example:"new-dashboard"`
}

type historyInput struct {
	FlagInput
	web.Page
}

type createInput struct {
	Body struct {
		Key         string   `json:"key" doc:"What programs ask for: lower-case letters, digits, dots, dashes and underscores" example:"new-dashboard"`
		Type        Type     `json:"type" enum:"boolean,string,number,json"`
		Description string   `json:"description,omitempty"`
		Owner       string   `json:"owner,omitempty" doc:"Who answers for it"`
		Tags        []string `json:"tags,omitempty" nullable:"false" maxItems:"20"`
		Client      bool     `json:"client,omitempty" doc:"Whether people and their programs may ask for it"`
		Enabled     bool     `json:"enabled,omitempty"`

		Variants      []Variant      `json:"variants,omitempty" nullable:"false" maxItems:"50"`
		OffVariant    string         `json:"off_variant,omitempty" doc:"Served while the flag is off; the last variant, unless set"`
		Prerequisites []Prerequisite `json:"prerequisites,omitempty" nullable:"false" maxItems:"10"`
		Rules         []Rule         `json:"rules,omitempty" nullable:"false" maxItems:"50"`
		Default       *Serve         `json:"default,omitempty" doc:"Served where no rule holds; the first variant, unless set"`
		Schedule      []Switch       `json:"schedule,omitempty" nullable:"false" maxItems:"10"`
		Reason        string         `json:"reason" doc:"Why; it stands in the history" example:"For the autumn release"`
	}
}

func (in *createInput) wish() NewFlag {
	b := in.Body
	n := NewFlag{Key: b.Key, Type: b.Type, Description: b.Description, Owner: b.Owner, Tags: b.Tags, Client: b.Client, Enabled: b.Enabled, Reason: b.Reason,
		Definition: Definition{Variants: b.Variants, OffVariant: b.OffVariant, Prerequisites: b.Prerequisites, Rules: b.Rules, Schedule: b.Schedule}}
	if len(b.Variants) == 0 && b.Type == TypeBoolean {
		n.Definition.Variants = []Variant{{"on", true}, {"off", false}}
	}
	variants := n.Definition.Variants
	if b.OffVariant == "" && len(variants) > 0 {
		n.Definition.OffVariant = variants[len(variants)-1].Name
	}
	if b.Default != nil {
		n.Definition.Default = *b.Default
	} else if len(variants) > 0 {
		n.Definition.Default = Serve{Variant: variants[0].Name}
	}
	return n
}

type updateInput struct {
	FlagInput
	web.IfMatch
	Body struct {
		Description   *string         `json:"description,omitempty"`
		Owner         *string         `json:"owner,omitempty"`
		Tags          *[]string       `json:"tags,omitempty" nullable:"false" maxItems:"20"`
		Client        *bool           `json:"client,omitempty"`
		Enabled       *bool           `json:"enabled,omitempty"`
		Variants      *[]Variant      `json:"variants,omitempty" nullable:"false" maxItems:"50"`
		OffVariant    *string         `json:"off_variant,omitempty"`
		Prerequisites *[]Prerequisite `json:"prerequisites,omitempty" nullable:"false" maxItems:"10"`
		Rules         *[]Rule         `json:"rules,omitempty" nullable:"false" maxItems:"50"`
		Default       *Serve          `json:"default,omitempty"`
		Schedule      *[]Switch       `json:"schedule,omitempty" nullable:"false" maxItems:"10"`
		Reason        string          `json:"reason" doc:"Why; it stands in the history" example:"The errors are fixed"`
	}
}

func (in *updateInput) update() Update {
	b := in.Body
	return Update{Description: b.Description, Owner: b.Owner, Tags: b.Tags, Client: b.Client, Enabled: b.Enabled, Variants: b.Variants, OffVariant: b.OffVariant,
		Prerequisites: b.Prerequisites, Rules: b.Rules, Default: b.Default, Schedule: b.Schedule, Reason: b.Reason, Match: in.Check}
}

type reasonInput struct {
	FlagInput
	web.IfMatch
	Body struct {
		Reason string `json:"reason" doc:"Why; it stands in the history" example:"It is on for everybody, and out of the code"`
	}
}

type testInput struct {
	FlagInput
	Body struct {
		Context TestContext `json:"context"`
	}
}

// TestContext is whom a flag is tested for. What is absent is looked up, where it can be.
type TestContext struct {
	UserID        string     `json:"user_id,omitempty" maxLength:"256" doc:"Id of an account, or what somebody is known by who has none"`
	OrgID         *id.Org    `json:"org_id,omitempty"`
	EmailDomain   *string    `json:"email_domain,omitempty" maxLength:"256"`
	Role          *string    `json:"role,omitempty" maxLength:"64"`
	Plan          *string    `json:"plan,omitempty" maxLength:"64"`
	Administrator *bool      `json:"administrator,omitempty"`
	Attributes    Attributes `json:"attributes,omitempty"`
}

type flagOutput struct {
	ETag string `header:"ETag"`
	Body Flag
}

func shown(f Flag) *flagOutput { return &flagOutput{web.ETag(f.UpdatedAt), f} }

type usageOutput struct {
	Body struct {
		Items []Usage `json:"items"`
	}
}

type testOutput struct{ Body Tested }

// Tested is what somebody gets, and why.
type Tested struct {
	Variant      string      `json:"variant"`
	Value        any         `json:"value"`
	Reason       Reason      `json:"reason" enum:"STATIC,TARGETING_MATCH,SPLIT,DISABLED,UNKNOWN"`
	Rule         string      `json:"rule" doc:"Id of the rule that decided; default where none held; empty where none was looked at"`
	Prerequisite string      `json:"prerequisite" doc:"Key of the flag that is not as it must be, where that decided"`
	Context      UsedContext `json:"context" doc:"With what was looked up"`
}

// UsedContext is what a test was made with.
type UsedContext struct {
	UserID        string `json:"user_id"`
	OrgID         string `json:"org_id"`
	EmailDomain   string `json:"email_domain"`
	Role          string `json:"role"`
	Plan          string `json:"plan"`
	Administrator bool   `json:"administrator"`
}

func (s *Service) handleList(ctx context.Context, in *listInput) (*web.ListOutput[Flag], error) {
	return web.Paged(ctx, in.Page, func(after *string, n int) ([]Flag, error) {
		begin := ""
		if after != nil {
			begin = *after
		}
		return s.List(ctx, Filter{State: in.State, Tag: in.Tag, Text: in.Text, Stale: in.Stale}, begin, n)
	}, func(f Flag) string { return f.Key })
}

func (s *Service) handleGet(ctx context.Context, in *FlagInput) (*flagOutput, error) {
	f, err := s.Get(ctx, in.Flag)
	return shown(f), err
}

func (s *Service) handleHistory(ctx context.Context, in *historyInput) (*web.ListOutput[Change], error) {
	return web.Paged(ctx, in.Page, func(after *place, n int) ([]Change, error) { return s.History(ctx, in.Flag, after, n) }, placeOf)
}

func (s *Service) handleUsage(ctx context.Context, in *FlagInput) (*usageOutput, error) {
	out := &usageOutput{}
	var err error
	out.Body.Items, err = s.Usage(ctx, in.Flag)
	return out, err
}

func (s *Service) handleTest(ctx context.Context, in *testInput) (*testOutput, error) {
	t, err := s.Test(ctx, in.Flag, in.Body.Context)
	return &testOutput{t}, err
}

func (s *Service) handleCreate(ctx context.Context, in *createInput) (*flagOutput, error) {
	f, err := s.Create(ctx, in.wish())
	return shown(f), err
}

func (s *Service) handleUpdate(ctx context.Context, in *updateInput) (*flagOutput, error) {
	f, err := s.Update(ctx, in.Flag, in.update())
	return shown(f), err
}

func (s *Service) handleArchive(ctx context.Context, in *reasonInput) (*flagOutput, error) {
	f, err := s.Archive(ctx, in.Flag, in.Body.Reason, in.Check)
	return shown(f), err
}

func (s *Service) handleRestore(ctx context.Context, in *reasonInput) (*flagOutput, error) {
	f, err := s.Restore(ctx, in.Flag, in.Body.Reason, in.Check)
	return shown(f), err
}

func (s *Service) handleDelete(ctx context.Context, in *reasonInput) (*web.Empty, error) {
	return nil, s.Delete(ctx, in.Flag, in.Body.Reason, in.Check)
}
