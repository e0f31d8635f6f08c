package flags

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
)

// PermEvaluate lets a program evaluate flags for the people of its organization.
const PermEvaluate authz.Permission = "flags.evaluate"

// The outcomes.
var (
	ErrNotFound    = errs.New(errs.NotFound, "flags.not_found", "There is no such flag.")
	ErrKeyInvalid  = errs.New(errs.Invalid, "flags.key_invalid", "Enter a key of 1 to 64 lower-case letters, digits, dots, dashes and underscores that begins with a letter or digit.").On("body.key")
	ErrKeyTaken    = errs.New(errs.Conflict, "flags.key_taken", "Another flag has this key.").On("body.key")
	ErrTooMany     = errs.New(errs.Conflict, "flags.too_many", "There can be 1,000 flags. Delete archived ones first.")
	ErrReason      = errs.New(errs.Invalid, "flags.reason_invalid", "Give a reason of 3 to 500 characters.").On("body.reason")
	ErrText        = errs.New(errs.Invalid, "flags.text_invalid", "This text is too long, or holds characters that cannot be shown.")
	ErrTags        = errs.New(errs.Invalid, "flags.tags_invalid", "Give at most 20 different tags of 1 to 40 characters.").On("body.tags")
	ErrVariants    = errs.New(errs.Invalid, "flags.variants_invalid", "Give 1 to 50 variants with different names of 1 to 64 letters, digits, dots, dashes and underscores.").On("body.variants")
	ErrValue       = errs.New(errs.Invalid, "flags.value_invalid", "The value of a variant must be of the flag's type: JSON values are objects of at most 16 KiB, texts have at most 4,096 bytes.")
	ErrVariant     = errs.New(errs.Invalid, "flags.variant_unknown", "The flag has no such variant.")
	ErrServe       = errs.New(errs.Invalid, "flags.serve_invalid", "Serve one variant, or a split, or a rollout.")
	ErrPercent     = errs.New(errs.Invalid, "flags.percent_invalid", "Percentages go in steps of 0.001 and add up to 100, each variant once.")
	ErrRollout     = errs.New(errs.Invalid, "flags.rollout_invalid", "A rollout leads from one percentage to another, and ends after it begins.")
	ErrRules       = errs.New(errs.Invalid, "flags.rules_invalid", "Give at most 50 rules, each with 1 to 20 conditions and an id of its own.").On("body.rules")
	ErrCondition   = errs.New(errs.Invalid, "flags.condition_invalid", "The operator does not fit the values: texts, numbers, versions such as 1.4.0, or instants such as 2030-01-31T00:00:00Z.")
	ErrSchedule    = errs.New(errs.Invalid, "flags.schedule_invalid", "Give at most 10 different instants to come.").On("body.schedule")
	ErrTooLarge    = errs.New(errs.Invalid, "flags.too_large", "A flag with all its rules has at most 64 KiB.").On("body")
	ErrRequires    = errs.New(errs.Invalid, "flags.prerequisites_invalid", "Name at most 10 other flags, each once, with variants that they have.").On("body.prerequisites")
	ErrCycle       = errs.New(errs.Conflict, "flags.prerequisite_cycle", "This flag would depend on itself.").On("body.prerequisites")
	ErrDepth       = errs.New(errs.Conflict, "flags.prerequisite_depth", "Flags depend on flags at most five deep.").On("body.prerequisites")
	ErrRequired    = errs.New(errs.Conflict, "flags.required", "Other flags depend on this one, or on a variant of it. Change those first.")
	ErrArchived    = errs.New(errs.Conflict, "flags.archived", "This flag is archived. Restore it first.")
	ErrNotArchived = errs.New(errs.Conflict, "flags.not_archived", "Archive this flag first: what still asks for it then gets its own fallback.")
	ErrContext     = errs.New(errs.Invalid, "flags.context_invalid", "Give at most 100 attributes, with names of at most 64 characters and texts of at most 1,024 bytes.").On("body.attributes")
	ErrOrg         = errs.New(errs.Invalid, "flags.org_unknown", "You do not belong to such an organization.").On("body.org_id")
)

type flagKind struct{}

// Prefix begins the id of every flag.
func (flagKind) Prefix() string { return "flag" }

// ID identifies a flag. Programs and addresses use its key.
type ID = id.ID[flagKind]

type changeKind struct{}

// Prefix begins the id of every change.
func (changeKind) Prefix() string { return "fch" }

// Type is what the values of a flag are.
type Type string

// The types.
const (
	TypeBoolean Type = "boolean"
	TypeString  Type = "string"
	TypeNumber  Type = "number"
	TypeJSON    Type = "json"
)

// Flag is a feature flag.
type Flag struct {
	ID          ID       `json:"id"`
	Key         string   `json:"key" doc:"What programs ask for" example:"new-dashboard"`
	Type        Type     `json:"type" enum:"boolean,string,number,json"`
	Description string   `json:"description"`
	Owner       string   `json:"owner" doc:"Who answers for it" example:"Growth team"`
	Tags        []string `json:"tags"`
	Client      bool     `json:"client" doc:"Whether people and their programs may ask for it"`
	Enabled     bool     `json:"enabled" doc:"At this moment. A flag that is off serves off_variant to everybody"`
	Definition

	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  *Person    `json:"created_by"`
	UpdatedAt  time.Time  `json:"updated_at"`
	UpdatedBy  *Person    `json:"updated_by"`
	ArchivedAt *time.Time `json:"archived_at" doc:"Since then nobody gets it"`

	LastEvaluatedAt *time.Time `json:"last_evaluated_at" doc:"To the minute, within 90 days"`
	Stale           Staleness  `json:"stale" enum:",not_evaluated,one_variant" doc:"not_evaluated: nobody asked for it in 30 days. one_variant: everybody got the same in 30 days. Empty otherwise"`

	salt    string
	buckets map[string][]span // of each split, by the id of its rule
}

// Person is an administrator who changed something.
type Person struct {
	ID   id.Account `json:"id"`
	Name string     `json:"name" example:"Ada Lovelace"`
}

// Staleness says why a flag may be of no use any more.
type Staleness string

// The kinds of staleness.
const (
	NotEvaluated Staleness = "not_evaluated"
	OneVariant   Staleness = "one_variant"
)

// Definition is what a flag serves to whom.
type Definition struct {
	Variants      []Variant      `json:"variants"`
	OffVariant    string         `json:"off_variant" doc:"Served while the flag is off, or a prerequisite is not met" example:"off"`
	Prerequisites []Prerequisite `json:"prerequisites" doc:"All must be met before rules are looked at"`
	Rules         []Rule         `json:"rules" doc:"In order: the first whose conditions all hold decides"`
	Default       Serve          `json:"default" doc:"Served where no rule holds"`
	Schedule      []Switch       `json:"schedule" doc:"When the flag goes on and off by itself; what has happened is removed with the next change"`
}

// Variant is one of the values that a flag can have.
type Variant struct {
	Name  string `json:"name" example:"on"`
	Value any    `json:"value" doc:"Of the flag's type"`
}

// Prerequisite is another flag, and the variants of which it must serve one.
type Prerequisite struct {
	Flag     string   `json:"flag" doc:"Key of the other flag" example:"new-navigation"`
	Variants []string `json:"variants" nullable:"false" minItems:"1" maxItems:"50"`
}

// Rule serves something to whom all its conditions hold for.
type Rule struct {
	ID          string      `json:"id,omitempty" maxLength:"64" doc:"Keeps people where they are when the rule's split changes; made for you where it is absent" example:"employees"`
	Description string      `json:"description,omitempty" maxLength:"500"`
	Conditions  []Condition `json:"conditions" nullable:"false"`
	Serve       Serve       `json:"serve"`
}

// Condition compares an attribute with values. Without the attribute it does not hold,
// unless it asks for just that.
type Condition struct {
	Attribute string   `json:"attribute" maxLength:"64" doc:"user_id, email_domain, org_id, plan, role, administrator, or one that the caller gives" example:"email_domain"`
	Operator  Operator `json:"operator" enum:"one_of,not_one_of,starts_with,ends_with,contains,greater,at_least,less,at_most,before,after,present,absent" example:"one_of"`
	Values    []any    `json:"values,omitempty" nullable:"false" maxItems:"1000" doc:"Texts, numbers or booleans; one for comparisons, none for present and absent"`
}

// Operator is how a condition compares.
type Operator string

// The operators. None of them is a pattern, so none takes long.
const (
	OneOf      Operator = "one_of"
	NotOneOf   Operator = "not_one_of"
	StartsWith Operator = "starts_with"
	EndsWith   Operator = "ends_with"
	Contains   Operator = "contains"
	Greater    Operator = "greater" // numbers, or versions (Semantic Versioning 2.0)
	AtLeast    Operator = "at_least"
	Less       Operator = "less"
	AtMost     Operator = "at_most"
	Before     Operator = "before" // instants
	After      Operator = "after"
	Present    Operator = "present"
	Absent     Operator = "absent"
)

// Serve is what somebody gets: one variant, or a part of them each of several.
type Serve struct {
	Variant string   `json:"variant,omitempty" doc:"For everybody" example:"on"`
	Split   *Split   `json:"split,omitempty"`
	Rollout *Rollout `json:"rollout,omitempty"`
}

// Split gives each of several variants to a part. The same one always gets the same: a
// percentage that grows takes in more, and lets nobody go.
type Split struct {
	By      string   `json:"by,omitempty" doc:"What counts as one: user, org, or an attribute" default:"user" maxLength:"64" example:"user"`
	Weights []Weight `json:"weights" nullable:"false" minItems:"1" maxItems:"50"`
}

// Weight is the part that one variant has of a split.
type Weight struct {
	Variant string  `json:"variant" example:"on"`
	Percent float64 `json:"percent" minimum:"0" maximum:"100" doc:"In steps of 0.001" example:"12.5"`
}

// Rollout is a split between two variants that moves with the clock.
type Rollout struct {
	By          string    `json:"by,omitempty" doc:"What counts as one: user, org, or an attribute" default:"user" maxLength:"64" example:"user"`
	Variant     string    `json:"variant" doc:"What spreads" example:"on"`
	Otherwise   string    `json:"otherwise" doc:"What the others get" example:"off"`
	FromPercent float64   `json:"from_percent" minimum:"0" maximum:"100"`
	ToPercent   float64   `json:"to_percent" minimum:"0" maximum:"100"`
	StartsAt    time.Time `json:"starts_at"`
	EndsAt      time.Time `json:"ends_at"`
}

// Switch turns a flag on or off at an instant.
type Switch struct {
	At      time.Time `json:"at"`
	Enabled bool      `json:"enabled"`
}

// NewFlag is what a new flag is made of.
type NewFlag struct {
	Key         string
	Type        Type
	Description string
	Owner       string
	Tags        []string
	Client      bool
	Enabled     bool
	Definition  Definition
	Reason      string
}

// Update changes a flag; nil fields stay as they are.
type Update struct {
	Description   *string
	Owner         *string
	Tags          *[]string
	Client        *bool
	Enabled       *bool
	Variants      *[]Variant
	OffVariant    *string
	Prerequisites *[]Prerequisite
	Rules         *[]Rule
	Default       *Serve
	Schedule      *[]Switch
	Reason        string
	Match         Match
}

// Match refuses a change when the caller read another state; nil never does.
type Match func(changedAt time.Time) error

func (m Match) check(f Flag) error {
	if m == nil {
		return nil
	}
	return m(f.UpdatedAt)
}

// on returns f with the update.
func (u Update) on(f Flag) Flag {
	set(&f.Description, u.Description)
	set(&f.Owner, u.Owner)
	set(&f.Tags, u.Tags)
	set(&f.Client, u.Client)
	set(&f.Enabled, u.Enabled)
	set(&f.Variants, u.Variants)
	set(&f.OffVariant, u.OffVariant)
	set(&f.Prerequisites, u.Prerequisites)
	set(&f.Rules, u.Rules)
	set(&f.Default, u.Default)
	set(&f.Schedule, u.Schedule)
	return f
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// Change is one entry in the history of a flag.
type Change struct {
	ID        id.ID[changeKind]       `json:"id"`
	Verb      string                  `json:"verb" enum:"created,updated,archived,restored"`
	Reason    string                  `json:"reason"`
	Changes   map[string]audit.Change `json:"changes" doc:"Fields before and after"`
	ChangedAt time.Time               `json:"changed_at"`
	ChangedBy *Person                 `json:"changed_by" doc:"Null where it was no person, or their account is gone"`
}

// Usage is how often a variant was served on a day.
type Usage struct {
	Day     string `json:"day" doc:"UTC" example:"2030-01-31"`
	Variant string `json:"variant" example:"on"`
	Count   int64  `json:"count"`
}

// Filter narrows a list of flags. Zero fields do not narrow.
type Filter struct {
	State string // on, off or archived; without it, all that are not archived
	Text  string
	Tag   string
	Stale bool
}

func (f Filter) lets(flag Flag) bool {
	switch f.State {
	case "archived":
		if flag.ArchivedAt == nil {
			return false
		}
	case "on", "off":
		if flag.ArchivedAt != nil || flag.Enabled != (f.State == "on") {
			return false
		}
	default:
		if flag.ArchivedAt != nil {
			return false
		}
	}
	text := strings.ToLower(strings.TrimSpace(f.Text))
	return (f.Tag == "" || slices.Contains(flag.Tags, f.Tag)) && (!f.Stale || flag.Stale != "") &&
		(text == "" || strings.Contains(flag.Key, text) || strings.Contains(strings.ToLower(flag.Description+"\n"+flag.Owner), text))
}

const (
	maxFlags         = 1000
	maxVariants      = 50
	maxRules         = 50
	maxConditions    = 20
	maxPrerequisites = 10
	maxSwitches      = 10
	maxText          = 4096
	maxJSON          = 16 << 10
	maxDefinition    = 64 << 10
	// maxDepth is how long a chain of prerequisites may be.
	maxDepth = 5

	// staleAfter is how long a flag does nothing before that is reported.
	staleAfter = 30 * 24 * time.Hour
	// keepCounts is how long it is known what a flag served.
	keepCounts = 90 * 24 * time.Hour
)

var (
	keyPattern  = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
	namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
)

// cleanLine trims text that stands on one line, or on several.
func cleanText(text string, most int, lines bool) (string, bool) {
	text = strings.TrimSpace(norm.NFC.String(text))
	strange := func(r rune) bool { return unicode.IsControl(r) && !(lines && (r == '\n' || r == '\t')) }
	return text, utf8.RuneCountInString(text) <= most && !strings.ContainsFunc(text, strange)
}

func cleanReason(text string) (string, error) {
	text, ok := cleanText(text, 500, true)
	if !ok || utf8.RuneCountInString(text) < 3 {
		return "", ErrReason
	}
	return text, nil
}

func cleanTags(tags []string) ([]string, error) {
	all := []string{}
	for _, tag := range tags {
		tag, ok := cleanText(tag, 40, false)
		if !ok || tag == "" {
			return nil, ErrTags
		}
		all = append(all, strings.ToLower(tag))
	}
	slices.Sort(all)
	if all = slices.Compact(all); len(all) > 20 {
		return nil, ErrTags
	}
	return all, nil
}

// enabledAt reports whether the flag is on at an instant: by its switch, or by what was
// scheduled since that was last touched.
func (f Flag) enabledAt(now time.Time) bool {
	on := f.Enabled
	for _, s := range f.Schedule {
		if !s.At.After(now) {
			on = s.Enabled
		}
	}
	return on
}

// settled is the flag as it is at an instant: what was scheduled until then has happened.
func (f Flag) settled(now time.Time) Flag {
	f.Enabled = f.enabledAt(now)
	f.Schedule = slices.DeleteFunc(slices.Clone(f.Schedule), func(s Switch) bool { return !s.At.After(now) })
	if f.Schedule == nil {
		f.Schedule = []Switch{}
	}
	return f
}
