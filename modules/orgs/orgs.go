package orgs

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
)

// The permissions.
const (
	PermRead          authz.Permission = "orgs.read"
	PermUpdate        authz.Permission = "orgs.update"
	PermDelete        authz.Permission = "orgs.delete"
	PermTransfer      authz.Permission = "orgs.transfer"
	PermListMembers   authz.Permission = "orgs.list_members"
	PermInvite        authz.Permission = "orgs.invite"
	PermManageMembers authz.Permission = "orgs.manage_members"
	PermManageRoles   authz.Permission = "orgs.manage_roles"
	PermListTeams     authz.Permission = "orgs.list_teams"
	PermManageTeams   authz.Permission = "orgs.manage_teams"
)

// The outcomes about organizations.
var (
	ErrNotFound        = errs.New(errs.NotFound, "orgs.not_found", "This organization does not exist.")
	ErrSuspended       = errs.New(errs.Conflict, "orgs.suspended", "This organization is suspended.")
	ErrDeleting        = errs.New(errs.Conflict, "orgs.deleting", "This organization is being deleted. An owner can restore it.")
	ErrNotDeleting     = errs.New(errs.Conflict, "orgs.not_deleting", "This organization is not being deleted.")
	ErrSlugTaken       = errs.New(errs.Conflict, "orgs.slug_taken", "This short name is taken. Choose another.").On("body.slug")
	ErrSlugInvalid     = errs.New(errs.Invalid, "orgs.slug_invalid", "Use 3 to 40 lower-case letters and digits, with single dashes between them.").On("body.slug")
	ErrSlugReserved    = errs.New(errs.Invalid, "orgs.slug_reserved", "This short name is reserved. Choose another.").On("body.slug")
	ErrNameInvalid     = errs.New(errs.Invalid, "orgs.name_invalid", "Enter a name of 1 to 100 characters, on one line.").On("body.name")
	ErrDescriptionLong = errs.New(errs.Invalid, "orgs.description_invalid", "Use at most 500 characters.").On("body.description")
	ErrLocaleInvalid   = errs.New(errs.Invalid, "orgs.locale_invalid", "Enter a language such as en or de-AT.").On("body.settings.locale")
	ErrFactorRequired  = errs.New(errs.Forbidden, "orgs.second_factor_required", "This organization requires a second factor. Set one up for your account first.")
	ErrFactorNeeded    = errs.New(errs.Conflict, "orgs.second_factor_needed", "Set up a second factor for your own account first; you would lock yourself out.").On("body.settings.require_second_factor")
	ErrZoneInvalid     = errs.New(errs.Invalid, "orgs.time_zone_invalid", "Enter a time zone such as Europe/Vienna.").On("body.settings.time_zone")
)

// Org is an organization: the unit that owns data, and pays.
type Org struct {
	ID          id.Org     `json:"id"`
	Slug        string     `json:"slug" doc:"Short name, used in addresses; may change" example:"acme"`
	Name        string     `json:"name" example:"Acme Ltd"`
	Description string     `json:"description"`
	Role        authz.Role `json:"role" doc:"Of the caller" example:"owner"`
	Status      Status     `json:"status" enum:"active,suspended,deleting"`
	Settings    Settings   `json:"settings"`
	PurgeAt     *time.Time `json:"purge_at,omitempty" doc:"While it is being deleted: when that becomes final"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`

	joinedAt time.Time // of the caller, in lists
}

// Status is the state of an organization.
type Status string

// The states. Only an active organization can be changed.
const (
	Active    Status = "active"
	Suspended Status = "suspended"
	Deleting  Status = "deleting" // by its owner, who may think again until PurgeAt
	Gone      Status = "gone"     // deleted for good; rows are being removed
)

// Settings are what an organization chooses for itself.
type Settings struct {
	Locale   string `json:"locale" doc:"Language of letters to people without an account (BCP 47); empty: the sender's" example:"en"`
	TimeZone string `json:"time_zone" doc:"IANA time zone; empty: each reader's own" example:"Europe/Vienna"`

	RequireSecondFactor bool `json:"require_second_factor" doc:"Members without a second factor have no rights until they have one"`
}

// grace is how long a deleted organization can be restored.
const grace = 30 * 24 * time.Hour

// refusal is the outcome of changing an organization in this state.
func (s Status) refusal() error {
	switch s {
	case Active:
		return nil
	case Suspended:
		return ErrSuspended
	case Deleting:
		return ErrDeleting
	}
	return ErrNotFound
}

// NewOrg is what a new organization is made of.
type NewOrg struct {
	Name        string
	Slug        string
	Description string
}

// clean returns the input as it is stored, or what is wrong with it.
func (n NewOrg) clean() (_ NewOrg, err error) {
	if n.Name, err = cleanName(n.Name); err != nil {
		return n, err
	}
	if n.Slug, err = cleanSlug(n.Slug); err != nil {
		return n, err
	}
	n.Description, err = cleanDescription(n.Description)
	return n, err
}

// Update is a change of an organization; nil fields stay.
type Update struct {
	Name, Slug, Description *string
	Locale, TimeZone        *string // settings
	RequireSecondFactor     *bool   // a setting

	// Match, if set, refuses the change when the organization is not as the caller read it.
	Match func(updatedAt time.Time) error
}

// apply changes o and reports the fields that have new values.
func (u Update) apply(o *Org) (map[string]audit.Change, error) {
	changes := map[string]audit.Change{}
	for _, field := range []struct {
		name  string
		old   *string
		value *string
		clean func(string) (string, error)
	}{
		{"name", &o.Name, u.Name, cleanName},
		{"slug", &o.Slug, u.Slug, cleanSlug},
		{"description", &o.Description, u.Description, cleanDescription},
		{"settings.locale", &o.Settings.Locale, u.Locale, cleanLocale},
		{"settings.time_zone", &o.Settings.TimeZone, u.TimeZone, cleanZone},
	} {
		if field.value == nil {
			continue
		}
		v, err := field.clean(*field.value)
		if err != nil {
			return nil, err
		}
		if v != *field.old {
			changes[field.name] = audit.Change{From: *field.old, To: v}
			*field.old = v
		}
	}
	if v := u.RequireSecondFactor; v != nil && *v != o.Settings.RequireSecondFactor {
		changes[requireFactor] = audit.Change{From: !*v, To: *v}
		o.Settings.RequireSecondFactor = *v
	}
	return changes, nil
}

// requireFactor names the setting that decides over rights.
const requireFactor = "settings.require_second_factor"

var (
	slugPattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	zonePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9][A-Za-z0-9_+-]*){0,2}$`)
)

// reservedSlugs would be mistaken for parts of the product, or for who runs it.
var reservedSlugs = [...]string{"about", "abuse", "account", "accounts", "admin", "administrator", "api", "app", "apps", "assets", "auth", "billing",
	"blog", "cdn", "console", "contact", "dashboard", "demo", "dev", "docs", "download", "email", "files", "forum", "ftp", "health", "help", "home",
	"hostmaster", "imap", "internal", "invitations", "jobs", "legal", "localhost", "login", "logout", "mail", "metrics", "new", "news", "none", "null",
	"oauth", "openapi", "org", "organization", "organizations", "orgs", "ping", "pop", "postmaster", "pricing", "privacy", "public", "redoc", "register",
	"root", "saml", "scim", "security", "settings", "setup", "sign-in", "sign-up", "signin", "signup", "smtp", "ssl", "sso", "staging", "static",
	"status", "support", "system", "team", "teams", "tenon", "terms", "test", "undefined", "user", "users", "webhooks", "webmaster", "well-known", "www"}

func cleanSlug(slug string) (string, error) {
	if !isSlug(slug) {
		return "", ErrSlugInvalid
	}
	if slices.Contains(reservedSlugs[:], slug) {
		return "", ErrSlugReserved
	}
	return slug, nil
}

func isSlug(s string) bool { return len(s) >= 3 && len(s) <= 40 && slugPattern.MatchString(s) }

func cleanName(name string) (string, error) {
	name, ok := line(name, 100)
	if !ok || name == "" {
		return "", ErrNameInvalid
	}
	return name, nil
}

// line trims one line of text and reports whether it is one, of at most limit characters.
func line(text string, limit int) (string, bool) {
	text = strings.TrimSpace(norm.NFC.String(text))
	return text, utf8.RuneCountInString(text) <= limit && !strings.ContainsFunc(text, unicode.IsControl)
}

func cleanDescription(text string) (string, error) {
	text = strings.TrimSpace(norm.NFC.String(text))
	if utf8.RuneCountInString(text) > 500 {
		return "", ErrDescriptionLong
	}
	return text, nil
}

func cleanLocale(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	tag, err := language.Parse(text)
	if err != nil || len(text) > 35 {
		return "", ErrLocaleInvalid
	}
	return tag.String(), nil
}

func cleanZone(text string) (string, error) {
	if text != "" && (len(text) > 64 || !zonePattern.MatchString(text)) {
		return "", ErrZoneInvalid
	}
	return text, nil
}
