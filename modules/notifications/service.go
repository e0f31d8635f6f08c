package notifications

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/modules/files"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/realtime"
	"github.com/tenonhq/tenon/platform/secret"
)

// Deps is what the module needs. Every field is required.
type Deps struct {
	DB        *db.DB
	Audit     *audit.Service
	Accounts  *accounts.Service
	Orgs      *orgs.Service
	Files     *files.Service
	Jobs      *jobs.Queue
	Post      *mail.Post
	Live      *realtime.Hub
	Keys      *secret.Keyring
	Config    Config
	PublicURL func() string
	Now       clock.Now
	Log       *slog.Logger
}

// Service is what other modules may call.
type Service struct {
	Deps
	kinds *kinds
	tx    *db.Tx // that it is bound to
}

// kinds are the kinds of messages that modules declare, in the order of the modules.
type kinds struct{ all []module.Notice }

// New returns the service of notifications.
func New(d Deps) *Service { return &Service{Deps: d, kinds: &kinds{}} }

// In returns the service bound to a transaction.
func (s *Service) In(tx *db.Tx) *Service {
	bound := *s
	bound.DB, bound.tx = s.DB.In(tx), tx
	return &bound
}

// Add declares kinds of messages. A wrong one is a programming error.
func (s *Service) Add(notices ...module.Notice) {
	for _, n := range notices {
		if n.Email == "" {
			n.Email = string(Off)
		}
		_, dup := s.kind(n.Kind)
		switch {
		case dup || n.Title == "" || !strings.Contains(n.Kind, "."):
			panic(fmt.Sprintf("notifications: %q is declared twice, has no title, or is not called module.kind", n.Kind))
		case !slices.Contains([]Email{Off, Now, Daily}, Email(n.Email)):
			panic(fmt.Sprintf("notifications: the e-mail of %s is off, now or daily, not %q", n.Kind, n.Email))
		}
		s.kinds.all = append(s.kinds.all, n)
	}
}

func (s *Service) kind(name string) (module.Notice, bool) {
	i := slices.IndexFunc(s.kinds.all, func(n module.Notice) bool { return n.Kind == name })
	if i < 0 {
		return module.Notice{}, false
	}
	return s.kinds.all[i], true
}

// sending is why a message is enqueued beside all tenants: it goes to people, whose it is then.
const sending = "a message is addressed, not owned"

// Send sends a message to people once the transaction is committed (In), or at once
// outside of one. What reaches them, and how, is theirs to say.
func (s *Service) Send(ctx context.Context, m Message) error {
	if _, ok := s.kind(m.Kind); !ok {
		return fmt.Errorf("notifications: send %s: %w", m.Kind, ErrUnknownKind)
	}
	if len(m.To) > maxPeople {
		return ErrTooMany
	}
	if m.Action != nil {
		own := *m.Action
		m.Action = &own
	}
	if err := cleanTexts(&m.Title, &m.Message, m.Action); err != nil {
		return fmt.Errorf("notifications: send %s: %w", m.Kind, err)
	}
	message, now := m.id(jobs.InfoFrom(ctx).ID), s.Now()
	all := make([]jobs.Args, len(m.To))
	for i, account := range m.To {
		all[i] = Deliver{account, message, m.Org, m.Kind, levelOf(m.Level), m.Title, m.Message, m.Action, now}
	}
	if s.tx != nil {
		return s.Jobs.EnqueueAll(ctx, s.tx, all)
	}
	return s.DB.Platform(sending).Tx(ctx, func(tx *db.Tx) error { return s.Jobs.EnqueueAll(ctx, tx, all) })
}

// id is the same for what is to be sent once.
func (m Message) id(job int64) ID {
	switch {
	case m.Key != "":
		return hashed(m.Kind, m.Key)
	case job != 0:
		return hashed(m.Kind, fmt.Sprint(job), m.Org.String(), m.Title, m.Message)
	}
	return id.New[notificationKind]()
}

func hashed(parts ...string) (n ID) {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	copy(n[:], sum[:])
	n[6], n[8] = n[6]&0x0f|0x80, n[8]&0x3f|0x80 // a UUID of our own making (RFC 9562 §5.8)
	return n
}

func levelOf(l Level) Level {
	if l == "" {
		return Info
	}
	return l
}

// Filter narrows an inbox.
type Filter struct {
	Unread bool
	Kind   string
}

// List lists the caller's inbox, newest first.
func (s *Service) List(ctx context.Context, f Filter, after *place, n int) ([]Notification, error) {
	me := authz.From(ctx).Account
	return listNotifications(ctx, s.DB.Account(me), me, f, after, n)
}

// Unread counts what the caller has not read.
func (s *Service) Unread(ctx context.Context) (int, error) {
	me := authz.From(ctx).Account
	return countUnread(ctx, s.DB.Account(me), me)
}

// Mark marks a notification of the caller's as read, or as unread again.
func (s *Service) Mark(ctx context.Context, n ID, read bool) (out Notification, err error) {
	at := s.Now()
	if !read {
		at = time.Time{}
	}
	err = s.change(ctx, func(tx *db.Tx, me id.Account) error {
		out, err = markNotification(ctx, tx, me, n, at)
		return err
	})
	return out, err
}

// MarkAll marks what came until an instant as read, and returns how much that was. What
// arrives meanwhile stays unread.
func (s *Service) MarkAll(ctx context.Context, until time.Time) (n int64, err error) {
	err = s.change(ctx, func(tx *db.Tx, me id.Account) error {
		n, err = markAll(ctx, tx, me, until, s.Now())
		return err
	})
	return n, err
}

// Delete removes a notification from the caller's inbox.
func (s *Service) Delete(ctx context.Context, n ID) error {
	return s.change(ctx, func(tx *db.Tx, me id.Account) error { return deleteNotification(ctx, tx, me, n) })
}

// change changes the caller's inbox, wherever it is on a screen.
func (s *Service) change(ctx context.Context, fn func(tx *db.Tx, me id.Account) error) error {
	me := authz.From(ctx).Account
	return s.DB.Account(me).Tx(ctx, func(tx *db.Tx) error {
		if err := fn(tx, me); err != nil {
			return err
		}
		s.Live.In(tx).Changed(realtime.User(me), "notifications")
		return nil
	})
}

// Preferences lists every kind of message, and how it reaches the caller.
func (s *Service) Preferences(ctx context.Context) ([]Preference, error) {
	me := authz.From(ctx).Account
	chosen, err := choices(ctx, s.DB.Account(me), me)
	if err != nil {
		return nil, err
	}
	all := make([]Preference, len(s.kinds.all))
	for i, n := range s.kinds.all {
		all[i] = preferenceOf(n, chosen)
	}
	return all, nil
}

// choice is what somebody prefers to the declared way.
type choice struct {
	inApp bool
	email Email
}

func preferenceOf(n module.Notice, chosen map[string]choice) Preference {
	p := Preference{Kind: n.Kind, Title: n.Title, Description: n.Doc, InApp: true, Email: Email(n.Email), Required: n.Required}
	if c, ok := chosen[n.Kind]; ok {
		p.InApp, p.Email = c.inApp || n.Required, c.email
	}
	return p
}

// Prefer says how a kind of message is to reach the caller.
func (s *Service) Prefer(ctx context.Context, kind string, inApp bool, email Email) (Preference, error) {
	n, ok := s.kind(kind)
	switch {
	case !ok:
		return Preference{}, ErrUnknownKind
	case n.Required && !inApp:
		return Preference{}, ErrRequired
	}
	me, c := authz.From(ctx).Account, choice{inApp, email}
	if err := choose(ctx, s.DB.Account(me), me, kind, c, s.Now()); err != nil {
		return Preference{}, err
	}
	return preferenceOf(n, map[string]choice{kind: c}), nil
}
