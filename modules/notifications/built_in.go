package notifications

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/files"
	"github.com/tenonhq/tenon/modules/mfa"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/modules/passkeys"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// The kinds of messages that come from what the modules below tell.
const (
	invitationAccepted = "orgs.invitation_accepted"
	roleChanged        = "orgs.role_changed"
	memberRemoved      = "orgs.member_removed"
	ownershipReceived  = "orgs.ownership_received"
	fileLost           = "files.lost"
	accountSecurity    = "accounts.security"
)

func builtIn() []module.Notice {
	return []module.Notice{
		{Kind: invitationAccepted, Title: "Invitations accepted", Doc: "Somebody whom you invited has joined."},
		{Kind: roleChanged, Title: "Your role", Doc: "You may do more, or less, in an organization.", Email: string(Daily)},
		{Kind: memberRemoved, Title: "Removal from an organization", Doc: "You were removed from an organization.", Email: string(Now)},
		{Kind: ownershipReceived, Title: "Ownership", Doc: "An organization was handed over to you.", Email: string(Now)},
		{Kind: fileLost, Title: "Lost files", Doc: "The content of a file that you uploaded is lost.", Email: string(Now)},
		{Kind: accountSecurity, Title: "Security of your account", Doc: "Your password, your address or a second factor was changed. A letter of its own comes with it, always.", Required: true},
	}
}

func (s *Service) subscriptions() []jobs.Subscription {
	return []jobs.Subscription{
		jobs.Subscribe("notifications", s.onOrgPurged),
		jobs.Subscribe("notifications", s.onInvitationAccepted),
		jobs.Subscribe("notifications", s.onRoleChanged),
		jobs.Subscribe("notifications", s.onMemberRemoved),
		jobs.Subscribe("notifications", s.onOwnershipTransferred),
		jobs.Subscribe("notifications", s.onFileLost),
		jobs.Subscribe("notifications", func(ctx context.Context, _ db.Conn, e accounts.PasswordChanged) error {
			return s.security(ctx, e.AccountID, "password", Warning)
		}),
		jobs.Subscribe("notifications", func(ctx context.Context, _ db.Conn, e accounts.EmailChanged) error {
			return s.security(ctx, e.AccountID, "email", Warning)
		}),
		jobs.Subscribe("notifications", func(ctx context.Context, _ db.Conn, e mfa.TOTPEnabled) error {
			return s.security(ctx, e.AccountID, "totp_on", Success)
		}),
		jobs.Subscribe("notifications", func(ctx context.Context, _ db.Conn, e mfa.TOTPDisabled) error {
			return s.security(ctx, e.AccountID, "totp_off", Warning)
		}),
		jobs.Subscribe("notifications", func(ctx context.Context, _ db.Conn, e passkeys.Added) error {
			return s.security(ctx, e.AccountID, "passkey_on", Success)
		}),
		jobs.Subscribe("notifications", func(ctx context.Context, _ db.Conn, e passkeys.Removed) error {
			return s.security(ctx, e.AccountID, "passkey_off", Warning)
		}),
	}
}

// words are what the built-in messages say, by language. {org} and the like are filled in.
func words() map[string]map[string]string {
	return map[string]map[string]string{
		"en": {
			"joined":        "{name} has joined {org}",
			"role":          "Your role in {org} is {role} now",
			"role.owner":    "Owner",
			"role.admin":    "Admin",
			"role.member":   "Member",
			"role.viewer":   "Viewer",
			"removed":       "You were removed from {org}",
			"owner":         "{org} is yours now",
			"owner.hint":    "You own it, with everything that owners may do.",
			"lost":          "The content of {file} is lost",
			"lost.hint":     "It is still listed in {org}. Upload it again, and tell whoever runs the server.",
			"password":      "Your password was changed",
			"email":         "Your e-mail address was changed",
			"totp_on":       "An authenticator app protects your account",
			"totp_off":      "An authenticator app was removed from your account",
			"passkey_on":    "A passkey was added to your account",
			"passkey_off":   "A passkey was removed from your account",
			"security.hint": "If that was not you, set a new password and sign out all devices.",
			"show.members":  "Show members",
			"show.org":      "Open {org}",
			"show.files":    "Show files",
			"show.security": "Check security",
		},
		"de": {
			"joined":        "{name} macht jetzt bei {org} mit",
			"role":          "Deine Rolle in {org} ist jetzt {role}",
			"role.owner":    "Inhaber",
			"role.admin":    "Admin",
			"role.member":   "Mitglied",
			"role.viewer":   "Leser",
			"removed":       "Du wurdest aus {org} entfernt",
			"owner":         "{org} gehört jetzt dir",
			"owner.hint":    "Du darfst alles, was Inhaber dürfen.",
			"lost":          "Der Inhalt von {file} ist verloren",
			"lost.hint":     "Die Datei steht noch in der Liste von {org}. Lade sie erneut hoch, und sag es denen, die den Server betreiben.",
			"password":      "Dein Passwort wurde geändert",
			"email":         "Deine E-Mail-Adresse wurde geändert",
			"totp_on":       "Eine Authenticator-App schützt dein Konto",
			"totp_off":      "Eine Authenticator-App wurde von deinem Konto entfernt",
			"passkey_on":    "Deinem Konto wurde ein Passkey hinzugefügt",
			"passkey_off":   "Von deinem Konto wurde ein Passkey entfernt",
			"security.hint": "Wenn du das nicht warst, setze ein neues Passwort und melde alle Geräte ab.",
			"show.members":  "Mitglieder anzeigen",
			"show.org":      "{org} öffnen",
			"show.files":    "Dateien anzeigen",
			"show.security": "Sicherheit prüfen",
		},
	}
}

// said is a text in the language of its reader, or in English.
func said(locale, key string, values ...string) string {
	language, _, _ := strings.Cut(locale, "-")
	text, ok := words()[language][key]
	if !ok {
		text = words()["en"][key]
	}
	return strings.NewReplacer(values...).Replace(text)
}

// told is what a built-in message says, beside its kind and whom it is about.
type told struct {
	org    id.Org
	level  Level
	title  string     // of words; what is called title.hint is the message
	role   authz.Role // {role}, by the name it has for its reader
	show   string     // of words: the label of the button
	page   string     // where that leads
	values []string   // {name}, value, …
}

// tell sends a built-in message in the language of the one who reads it.
func (s *Service) tell(ctx context.Context, to id.Account, kind string, t told) error {
	who, err := s.Accounts.Get(ctx, to)
	if errors.Is(err, accounts.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if t.role != "" {
		name, err := s.roleName(ctx, who.Locale, t.org, t.role)
		if err != nil {
			return err
		}
		t.values = append(t.values, "{role}", name)
	}
	m := Message{To: []id.Account{to}, Org: t.org, Kind: kind, Level: t.level,
		Title:   shorten(said(who.Locale, t.title, t.values...), maxTitle),
		Message: said(who.Locale, t.title+".hint", t.values...)}
	if kind == accountSecurity {
		m.Message = said(who.Locale, "security.hint")
	}
	if t.page != "" {
		m.Action = &Action{shorten(said(who.Locale, t.show, t.values...), maxLabel), t.page}
	}
	return s.Send(ctx, m)
}

// roleName is what a role is called: the organization's own by the name that it was given.
func (s *Service) roleName(ctx context.Context, locale string, org id.Org, role authz.Role) (string, error) {
	if slices.Contains(authz.BuiltIn(), role) {
		return said(locale, "role."+string(role)), nil
	}
	own, err := s.Orgs.OwnRole(ctx, org, role)
	if errors.Is(err, orgs.ErrRoleNotFound) { // it has gone since
		return string(role), nil
	}
	return own.Name, err
}

// shorten leaves out the end of what is too long: names may be.
func shorten(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

func (s *Service) security(ctx context.Context, account id.Account, what string, level Level) error {
	return s.tell(ctx, account, accountSecurity, told{level: level, title: what, show: "show.security", page: "/account/security"})
}

// about is an organization as messages call it. It is gone where there is nothing to tell any more.
func (s *Service) about(ctx context.Context, org id.Org) (orgs.Administered, bool, error) {
	o, err := s.Orgs.Administered(ctx, org)
	if errors.Is(err, orgs.ErrNotFound) {
		return o, false, nil
	}
	return o, err == nil, err
}

func (s *Service) onInvitationAccepted(ctx context.Context, _ db.Conn, e orgs.InvitationAccepted) error {
	o, there, err := s.about(ctx, e.OrgID)
	if err != nil || !there || e.InviterID.IsZero() {
		return err
	}
	guest, err := s.Accounts.Get(ctx, e.AccountID)
	if errors.Is(err, accounts.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.tell(ctx, e.InviterID, invitationAccepted, told{org: o.ID, level: Success, title: "joined", show: "show.members", page: "/o/" + o.Slug + "/members",
		values: []string{"{org}", o.Name, "{name}", guest.Name}})
}

func (s *Service) onRoleChanged(ctx context.Context, _ db.Conn, e orgs.MemberRoleChanged) error {
	o, there, err := s.about(ctx, e.OrgID)
	if err != nil || !there {
		return err
	}
	return s.tell(ctx, e.AccountID, roleChanged, told{org: o.ID, title: "role", role: e.To, show: "show.org", page: "/o/" + o.Slug,
		values: []string{"{org}", o.Name}})
}

func (s *Service) onMemberRemoved(ctx context.Context, _ db.Conn, e orgs.MemberRemoved) error {
	o, there, err := s.about(ctx, e.OrgID)
	if err != nil || !there {
		return err
	}
	return s.tell(ctx, e.AccountID, memberRemoved, told{level: Warning, title: "removed", values: []string{"{org}", o.Name}})
}

func (s *Service) onOwnershipTransferred(ctx context.Context, _ db.Conn, e orgs.OwnershipTransferred) error {
	o, there, err := s.about(ctx, e.OrgID)
	if err != nil || !there {
		return err
	}
	return s.tell(ctx, e.ToID, ownershipReceived, told{org: o.ID, level: Success, title: "owner", show: "show.org", page: "/o/" + o.Slug, values: []string{"{org}", o.Name}})
}

func (s *Service) onFileLost(ctx context.Context, _ db.Conn, e files.Lost) error {
	o, there, err := s.about(ctx, e.OrgID)
	if err != nil || !there {
		return err
	}
	f, err := s.Files.Get(ctx, e.OrgID, e.FileID)
	if errors.Is(err, files.ErrNotFound) || err == nil && f.AccountID == nil {
		return nil
	}
	if err != nil {
		return err
	}
	return s.tell(ctx, *f.AccountID, fileLost, told{org: o.ID, level: Error, title: "lost", show: "show.files", page: "/o/" + o.Slug + "/files",
		values: []string{"{org}", o.Name, "{file}", f.Name}})
}
