package notifications

import (
	"context"
	"reflect"
	"time"

	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
)

type announcementKind struct{}

// Prefix begins the id of every announcement.
func (announcementKind) Prefix() string { return "ann" }

// AnnouncementID identifies an announcement.
type AnnouncementID = id.ID[announcementKind]

// Announcement is what administrators tell everybody.
type Announcement struct {
	ID          AnnouncementID `json:"id"`
	Level       Level          `json:"level" enum:"info,success,warning,error"`
	Title       string         `json:"title" example:"Maintenance on Sunday"`
	Message     string         `json:"message"`
	Action      *Action        `json:"action,omitempty" doc:"Absent where there is nothing to do"`
	Dismissible bool           `json:"dismissible" doc:"People can put it away"`
	StartsAt    time.Time      `json:"starts_at"`
	EndsAt      *time.Time     `json:"ends_at" doc:"null: it is shown until it is deleted"`
	CreatedAt   time.Time      `json:"created_at"`
	UpdatedAt   time.Time      `json:"updated_at"`

	by id.Account
}

// Draft is what an announcement says.
type Draft struct {
	Level       Level      `json:"level,omitempty" enum:"info,success,warning,error" default:"info"`
	Title       string     `json:"title" example:"Maintenance on Sunday"`
	Message     string     `json:"message,omitempty"`
	Action      *Action    `json:"action,omitempty"`
	Dismissible *bool      `json:"dismissible,omitempty" doc:"People can put it away; true unless said otherwise"`
	StartsAt    *time.Time `json:"starts_at,omitempty" doc:"Unless said otherwise: at once, or as before"`
	EndsAt      *time.Time `json:"ends_at,omitempty"`
}

var (
	// ErrAnnouncementNotFound says that there is no such announcement.
	ErrAnnouncementNotFound = errs.New(errs.NotFound, "notifications.announcement_not_found", "There is no such announcement.")
	// ErrWindow refuses an end that is not after the beginning.
	ErrWindow = errs.New(errs.Invalid, "notifications.window_invalid", "It must end after it begins.").On("body.ends_at")
	// ErrNotDismissible says that an announcement stays until it ends.
	ErrNotDismissible = errs.New(errs.Conflict, "notifications.not_dismissible", "This announcement stays until it ends.")
)

// announcing is why announcements are read and written beside all tenants.
const announcing = "announcements are for everybody"

// Announcements lists what everybody is told now, without what the caller has put away.
func (s *Service) Announcements(ctx context.Context) ([]Announcement, error) {
	return activeAnnouncements(ctx, s.DB.Platform(announcing), authz.From(ctx).Account, s.Now())
}

// AllAnnouncements lists them for those who write them, newest first.
func (s *Service) AllAnnouncements(ctx context.Context, after *announcementPlace, n int) ([]Announcement, error) {
	return listAnnouncements(ctx, s.DB.Platform(announcing), after, n)
}

// announcementPlace is where a page of announcements ends.
type announcementPlace struct {
	At time.Time      `json:"at"`
	ID AnnouncementID `json:"id"`
}

func announcementPlaceOf(a Announcement) announcementPlace {
	return announcementPlace{a.CreatedAt, a.ID}
}

// Announcement returns one of them.
func (s *Service) Announcement(ctx context.Context, announcement AnnouncementID) (Announcement, error) {
	return announcementByID(ctx, s.DB.Platform(announcing), announcement)
}

// Announce tells everybody something, from its beginning to its end.
func (s *Service) Announce(ctx context.Context, d Draft) (Announcement, error) {
	now := s.Now()
	a := Announcement{ID: id.New[announcementKind](), StartsAt: now, CreatedAt: now, by: authz.From(ctx).Account}
	a, err := a.with(d, now)
	if err != nil {
		return a, err
	}
	return a, s.DB.Platform(announcing).Tx(ctx, func(tx *db.Tx) error {
		if err := insertAnnouncement(ctx, tx, a); err != nil {
			return err
		}
		return s.Audit.In(tx).Record(ctx, audit.Entry{Event: Announced{a.about()}, Target: a.target()})
	})
}

// ChangeAnnouncement replaces what an announcement says, where match lets it. Whoever has
// put it away does not see it again.
func (s *Service) ChangeAnnouncement(ctx context.Context, announcement AnnouncementID, d Draft, match func(time.Time) error) (out Announcement, err error) {
	err = s.DB.Platform(announcing).Tx(ctx, func(tx *db.Tx) error {
		old, err := holdAnnouncement(ctx, tx, announcement)
		if err != nil {
			return err
		}
		if err := match(old.UpdatedAt); err != nil {
			return err
		}
		changed, err := old.with(d, s.Now())
		if err != nil {
			return err
		}
		if err := updateAnnouncement(ctx, tx, changed); err != nil {
			return err
		}
		out = changed
		return s.Audit.In(tx).Record(ctx, audit.Entry{Event: AnnouncementChanged{changed.about()}, Target: changed.target(), Changes: changes(old, changed)})
	})
	return out, err
}

// DeleteAnnouncement takes an announcement away from everybody.
func (s *Service) DeleteAnnouncement(ctx context.Context, announcement AnnouncementID) error {
	return s.DB.Platform(announcing).Tx(ctx, func(tx *db.Tx) error {
		a, err := holdAnnouncement(ctx, tx, announcement)
		if err != nil {
			return err
		}
		if err := deleteAnnouncement(ctx, tx, announcement); err != nil {
			return err
		}
		return s.Audit.In(tx).Record(ctx, audit.Entry{Event: AnnouncementDeleted{a.about()}, Target: a.target()})
	})
}

// Dismiss puts an announcement away for the caller. Doing it again changes nothing.
func (s *Service) Dismiss(ctx context.Context, announcement AnnouncementID) error {
	a, err := s.Announcement(ctx, announcement)
	switch {
	case err != nil:
		return err
	case a.StartsAt.After(s.Now()): // nobody knows of it yet
		return ErrAnnouncementNotFound
	case !a.Dismissible:
		return ErrNotDismissible
	}
	me := authz.From(ctx).Account
	return insertDismissal(ctx, s.DB.Account(me), me, announcement, s.Now())
}

// with is the announcement as a draft wants it.
func (a Announcement) with(d Draft, now time.Time) (Announcement, error) {
	if err := cleanTexts(&d.Title, &d.Message, d.Action); err != nil {
		return a, err
	}
	a.Level, a.Title, a.Message, a.Action, a.EndsAt, a.UpdatedAt = levelOf(d.Level), d.Title, d.Message, d.Action, d.EndsAt, now
	a.Dismissible = d.Dismissible == nil || *d.Dismissible
	if d.StartsAt != nil {
		a.StartsAt = *d.StartsAt
	}
	if a.EndsAt != nil && !a.EndsAt.After(a.StartsAt) {
		return a, ErrWindow
	}
	return a, nil
}

func changes(from, to Announcement) map[string]audit.Change {
	all := map[string]audit.Change{}
	for name, c := range map[string]audit.Change{
		"level": {From: from.Level, To: to.Level}, "title": {From: from.Title, To: to.Title}, "message": {From: from.Message, To: to.Message},
		"action": {From: from.Action, To: to.Action}, "dismissible": {From: from.Dismissible, To: to.Dismissible},
		"starts_at": {From: from.StartsAt, To: to.StartsAt}, "ends_at": {From: from.EndsAt, To: to.EndsAt},
	} {
		if !reflect.DeepEqual(c.From, c.To) {
			all[name] = c
		}
	}
	return all
}

func (a Announcement) about() AboutAnnouncement { return AboutAnnouncement{a.ID} }

func (a Announcement) target() audit.Target {
	return audit.Target{Kind: "announcement", ID: a.ID.String(), Name: a.Title}
}
