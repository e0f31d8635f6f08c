package notifications

import (
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
)

type notificationKind struct{}

// Prefix begins the id of every notification.
func (notificationKind) Prefix() string { return "ntf" }

// ID identifies a notification. People who were sent the same message have one of the same id.
type ID = id.ID[notificationKind]

// Level says how serious a message is.
type Level string

// The levels.
const (
	Info    Level = "info"
	Success Level = "success"
	Warning Level = "warning"
	Error   Level = "error"
)

// Action is what a message asks one to do.
type Action struct {
	Label string `json:"label" maxLength:"50" example:"Show the task"`
	URL   string `json:"url" maxLength:"2000" doc:"A page of the console, such as /account/security, or an https address" example:"/o/acme/members"`
}

// Message is what is sent to people.
type Message struct {
	To      []id.Account
	Org     id.Org // what it is about; the zero id: no organization
	Kind    string // declared in module.Spec
	Level   Level  // Info, unless set
	Title   string
	Message string
	Action  *Action
	// Key makes one message of many with the same key and kind. Within a job, which may run
	// twice, each message is sent once without it.
	Key string
}

// Notification is a message in somebody's inbox.
type Notification struct {
	ID        ID         `json:"id"`
	OrgID     *id.Org    `json:"org_id" doc:"The organization that it is about, if there is one"`
	Kind      string     `json:"kind" example:"orgs.role_changed"`
	Level     Level      `json:"level" enum:"info,success,warning,error"`
	Title     string     `json:"title" example:"Your role in Acme is Admin now"`
	Message   string     `json:"message"`
	Action    *Action    `json:"action,omitempty" doc:"Absent where there is nothing to do"`
	ReadAt    *time.Time `json:"read_at" doc:"null while it is unread"`
	CreatedAt time.Time  `json:"created_at"`
}

// place is where a page of an inbox ends.
type place struct {
	At time.Time `json:"at"`
	ID ID        `json:"id"`
}

func placeOf(n Notification) place { return place{n.CreatedAt, n.ID} }

// Email says when a kind of message comes by letter.
type Email string

// When messages come by letter.
const (
	Off   Email = "off"
	Now   Email = "now"
	Daily Email = "daily"
)

// Preference is how a kind of message reaches somebody.
type Preference struct {
	Kind        string `json:"kind" example:"orgs.role_changed"`
	Title       string `json:"title"`
	Description string `json:"description"`
	InApp       bool   `json:"in_app" doc:"In the inbox"`
	Email       Email  `json:"email" enum:"off,now,daily"`
	Required    bool   `json:"required" doc:"It is always in the inbox"`
}

// The outcomes.
var (
	ErrNotFound     = errs.New(errs.NotFound, "notifications.not_found", "There is no such notification.")
	ErrUnknownKind  = errs.New(errs.NotFound, "notifications.kind_unknown", "There is no such kind of notification.")
	ErrRequired     = errs.New(errs.Invalid, "notifications.required", "These messages are always in the inbox.").On("body.in_app")
	ErrTitle        = errs.New(errs.Invalid, "notifications.title_invalid", "Give a title of 1 to 100 characters, in one line.").On("body.title")
	ErrMessage      = errs.New(errs.Invalid, "notifications.message_invalid", "Give a message of at most 1000 characters.").On("body.message")
	ErrActionLabel  = errs.New(errs.Invalid, "notifications.action_label_invalid", "Give the button a label of 1 to 50 characters, in one line.").On("body.action.label")
	ErrActionURL    = errs.New(errs.Invalid, "notifications.action_url_invalid", "Give a page of the console, such as /account/security, or an https address.").On("body.action.url")
	ErrTooMany      = errs.New(errs.Invalid, "notifications.too_many", "A message goes to at most 1000 people.")
	ErrGrantInvalid = errs.New(errs.NotFound, "notifications.grant_invalid", "This link is not one of ours.")
)

const (
	maxTitle   = 100
	maxMessage = 1000
	maxLabel   = 50
	maxURL     = 2000
	maxPeople  = 1000
)

// cleanTexts trims what people read, and refuses what does not fit.
func cleanTexts(title, message *string, action *Action) error {
	*title, *message = strings.TrimSpace(*title), strings.TrimSpace(*message)
	switch {
	case !oneLine(*title, maxTitle):
		return ErrTitle
	case utf8.RuneCountInString(*message) > maxMessage || strings.ContainsFunc(*message, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }):
		return ErrMessage
	case action == nil:
		return nil
	case !oneLine(strings.TrimSpace(action.Label), maxLabel):
		return ErrActionLabel
	case !safeURL(action.URL):
		return ErrActionURL
	}
	action.Label = strings.TrimSpace(action.Label)
	return nil
}

func oneLine(text string, most int) bool {
	n := utf8.RuneCountInString(text)
	return n > 0 && n <= most && !strings.ContainsFunc(text, unicode.IsControl)
}

// safeURL reports whether a browser that follows the address stays in the console, or goes
// somewhere by https: nothing that is run, and no other site in the dress of a path.
func safeURL(text string) bool {
	if len(text) > maxURL || strings.ContainsFunc(text, func(r rune) bool { return r == '\\' || unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return false
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.User != nil:
		return false
	case u.Scheme == "https":
		return u.Host != "" && u.Opaque == ""
	}
	return u.Scheme == "" && u.Host == "" && strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//")
}
