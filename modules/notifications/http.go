package notifications

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) routes(r *web.Router) {
	r.PathID("notification", web.TypedID(func(ctx context.Context, n ID) (bool, error) {
		me := authz.From(ctx).Account
		return notificationExists(ctx, s.DB.Account(me), me, n)
	}))
	r.PathID("announcement", web.TypedID(func(ctx context.Context, a AnnouncementID) (bool, error) {
		_, err := s.Announcement(ctx, a)
		if errs.KindOf(err) == errs.NotFound {
			return false, nil
		}
		return err == nil, err
	}))
	r.PathID("notice", web.PathID{Parse: func(text string) error {
		if _, ok := s.kind(text); !ok {
			return ErrUnknownKind
		}
		return nil
	}})
	r.PathID("grant", web.PathID{Parse: func(text string) error {
		_, err := base64.RawURLEncoding.Strict().DecodeString(text)
		return err
	}})
	s.inboxRoutes(r)
	s.preferenceRoutes(r)
	s.announcementRoutes(r)
}

func (s *Service) inboxRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "notifications.list", Method: http.MethodGet, Path: "/notifications",
		Summary: "List your notifications", Description: "Newest first.",
		Access: authz.SignedIn(),
	}, s.handleList)

	web.Handle(r, web.Op{
		ID: "notifications.summary", Method: http.MethodGet, Path: "/notifications/summary",
		Summary: "Count what you have not read", Access: authz.SignedIn(),
	}, s.handleSummary)

	web.Handle(r, web.Op{
		ID: "notifications.read", Method: http.MethodPost, Path: "/notifications/{notification}/read",
		Summary: "Mark a notification as read", Description: "Doing it again changes nothing.", Access: authz.SignedIn(),
	}, s.handleRead)

	web.Handle(r, web.Op{
		ID: "notifications.unread", Method: http.MethodPost, Path: "/notifications/{notification}/unread",
		Summary: "Mark a notification as unread", Access: authz.SignedIn(),
	}, s.handleUnread)

	web.Handle(r, web.Op{
		ID: "notifications.read_all", Method: http.MethodPost, Path: "/notifications/read-all",
		Summary: "Mark all notifications as read", Description: "With `until`, the `created_at` of the newest that you have seen, what arrives meanwhile stays unread.",
		Access: authz.SignedIn(),
	}, s.handleReadAll)

	web.Handle(r, web.Op{
		ID: "notifications.delete", Method: http.MethodDelete, Path: "/notifications/{notification}", Status: http.StatusNoContent,
		Summary: "Delete a notification", Description: "It cannot be undone.", Access: authz.SignedIn(),
	}, s.handleDelete)
}

func (s *Service) preferenceRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "notifications.preferences", Method: http.MethodGet, Path: "/notifications/preferences",
		Summary: "Show what reaches you, and how", Description: "Every kind of message that the product sends.",
		Access: authz.SignedIn(),
	}, s.handlePreferences)

	web.Handle(r, web.Op{
		ID: "notifications.prefer", Method: http.MethodPut, Path: "/notifications/preferences/{notice}",
		Summary: "Choose how a kind of message reaches you", Description: "In the inbox or not; by letter at once, gathered once a day, or never.",
		Access: authz.SignedIn(), Errors: []*errs.Error{ErrUnknownKind, ErrRequired},
	}, s.handlePrefer)

	web.HandleRaw(r, web.Op{
		ID: "notifications.unsubscribe", Method: http.MethodPost, Path: "/unsubscribe/{grant}", Status: http.StatusNoContent,
		Summary:     "Turn a kind of letter off",
		Description: "By the link that such letters carry, for mail programs (RFC 8058). Whoever has the letter can do this, and nothing else. Doing it again changes nothing.",
		Access:      authz.Public(), BodyLimit: 1 << 10, Errors: []*errs.Error{ErrGrantInvalid},
	}, s.handleUnsubscribe)

	web.Handle(r, web.Op{
		ID: "notifications.unsubscribe_page", Method: http.MethodGet, Path: "/unsubscribe/{grant}", Status: http.StatusSeeOther,
		Summary:     "Go where letters can be turned off",
		Description: "For mail programs that open the link instead. It changes nothing.",
		Access:      authz.Public(),
	}, s.handleUnsubscribePage)
}

func (s *Service) announcementRoutes(r *web.Router) {
	texts := []*errs.Error{ErrTitle, ErrMessage, ErrActionLabel, ErrActionURL, ErrWindow}

	web.Handle(r, web.Op{
		ID: "notifications.announcements", Method: http.MethodGet, Path: "/announcements",
		Summary: "List what everybody is told now", Description: "Without what you have put away.",
		Access: authz.SignedIn(),
	}, s.handleAnnouncements)

	web.Handle(r, web.Op{
		ID: "notifications.dismiss", Method: http.MethodPost, Path: "/announcements/{announcement}/dismiss", Status: http.StatusNoContent,
		Summary: "Put an announcement away", Description: "You do not see it again. Doing it again changes nothing.",
		Access: authz.SignedIn(), Errors: []*errs.Error{ErrNotDismissible},
	}, s.handleDismiss)

	web.Handle(r, web.Op{
		ID: "notifications.list_announcements", Method: http.MethodGet, Path: "/admin/announcements",
		Summary: "List all announcements", Description: "Newest first.", Access: authz.Administrator(),
	}, s.handleListAnnouncements)

	web.Handle(r, web.Op{
		ID: "notifications.announce", Method: http.MethodPost, Path: "/admin/announcements", Status: http.StatusCreated,
		Summary: "Announce something to everybody", Description: "Everybody who is signed in sees it above every page, from its beginning to its end.",
		Access: authz.Administrator(), Errors: texts,
	}, s.handleAnnounce)

	web.Handle(r, web.Op{
		ID: "notifications.get_announcement", Method: http.MethodGet, Path: "/admin/announcements/{announcement}",
		Summary: "Show an announcement", Access: authz.Administrator(),
	}, s.handleGetAnnouncement)

	web.Handle(r, web.Op{
		ID: "notifications.change_announcement", Method: http.MethodPut, Path: "/admin/announcements/{announcement}",
		Summary: "Replace what an announcement says", Description: "Whoever has put it away does not see it again.",
		Access: authz.Administrator(), Errors: texts,
	}, s.handleChangeAnnouncement)

	web.Handle(r, web.Op{
		ID: "notifications.delete_announcement", Method: http.MethodDelete, Path: "/admin/announcements/{announcement}", Status: http.StatusNoContent,
		Summary: "Delete an announcement", Description: "Nobody sees it any more. It cannot be undone.", Access: authz.Administrator(),
	}, s.handleDeleteAnnouncement)
}

type listInput struct {
	web.Page
	Unread bool   `query:"unread" doc:"Only what is unread"`
	Kind   string `query:"kind" maxLength:"100" doc:"Only messages of this kind"`
}

// NotificationInput names a notification in the path.
type NotificationInput struct {
	Notification ID `path:"notification" doc:"Id of a notification"`
}

type readAllInput struct {
	Body struct {
		Until *time.Time `json:"until,omitempty" doc:"Only what came until this instant; everything, when absent"`
	}
}

type preferInput struct {
	Notice string `path:"notice" doc:"Kind of a message" example:"orgs.role_changed"`
	Body   struct {
		InApp bool  `json:"in_app" doc:"In the inbox"`
		Email Email `json:"email" enum:"off,now,daily"`
	}
}

type grantInput struct {
	Grant string `path:"grant" doc:"Part of the address that a letter carries"`
}

// AnnouncementInput names an announcement in the path.
type AnnouncementInput struct {
	Announcement AnnouncementID `path:"announcement" doc:"Id of an announcement"`
}

type announceInput struct{ Body Draft }

type changeInput struct {
	AnnouncementInput
	web.IfMatch
	Body Draft
}

type (
	notificationOutput struct{ Body Notification }
	summaryOutput      struct {
		Body struct {
			Unread int `json:"unread"`
		}
	}
	readAllOutput struct {
		Body struct {
			Read int64 `json:"read" doc:"How many were unread"`
		}
	}
	preferenceOutput   struct{ Body Preference }
	announcementOutput struct {
		ETag string `header:"ETag"`
		Body Announcement
	}
	pageOutput struct {
		Location string `header:"Location"`
	}
)

func shown(a Announcement) *announcementOutput { return &announcementOutput{web.ETag(a.UpdatedAt), a} }

func whole[T any](items []T) *web.ListOutput[T] {
	return &web.ListOutput[T]{Body: web.List[T]{Items: items}}
}

func (s *Service) handleList(ctx context.Context, in *listInput) (*web.ListOutput[Notification], error) {
	return web.Paged(ctx, in.Page, func(after *place, n int) ([]Notification, error) {
		return s.List(ctx, Filter{in.Unread, in.Kind}, after, n)
	}, placeOf)
}

func (s *Service) handleSummary(ctx context.Context, _ *web.Empty) (*summaryOutput, error) {
	out := &summaryOutput{}
	var err error
	out.Body.Unread, err = s.Unread(ctx)
	return out, err
}

func (s *Service) handleRead(ctx context.Context, in *NotificationInput) (*notificationOutput, error) {
	n, err := s.Mark(ctx, in.Notification, true)
	return &notificationOutput{n}, err
}

func (s *Service) handleUnread(ctx context.Context, in *NotificationInput) (*notificationOutput, error) {
	n, err := s.Mark(ctx, in.Notification, false)
	return &notificationOutput{n}, err
}

func (s *Service) handleReadAll(ctx context.Context, in *readAllInput) (*readAllOutput, error) {
	until := db.EndOfTime()
	if in.Body.Until != nil {
		until = *in.Body.Until
	}
	out := &readAllOutput{}
	var err error
	out.Body.Read, err = s.MarkAll(ctx, until)
	return out, err
}

func (s *Service) handleDelete(ctx context.Context, in *NotificationInput) (*web.Empty, error) {
	return nil, s.Delete(ctx, in.Notification)
}

func (s *Service) handlePreferences(ctx context.Context, _ *web.Empty) (*web.ListOutput[Preference], error) {
	all, err := s.Preferences(ctx)
	return whole(all), err
}

func (s *Service) handlePrefer(ctx context.Context, in *preferInput) (*preferenceOutput, error) {
	p, err := s.Prefer(ctx, in.Notice, in.Body.InApp, in.Body.Email)
	return &preferenceOutput{p}, err
}

func (s *Service) handleUnsubscribe(ctx context.Context, in *grantInput, _ *web.Upload) (*web.Empty, error) {
	return nil, s.Unsubscribe(ctx, in.Grant)
}

func (s *Service) handleUnsubscribePage(context.Context, *grantInput) (*pageOutput, error) {
	return &pageOutput{strings.TrimSuffix(s.PublicURL(), "/") + "/account/notifications"}, nil
}

func (s *Service) handleAnnouncements(ctx context.Context, _ *web.Empty) (*web.ListOutput[Announcement], error) {
	all, err := s.Announcements(ctx)
	return whole(all), err
}

func (s *Service) handleDismiss(ctx context.Context, in *AnnouncementInput) (*web.Empty, error) {
	return nil, s.Dismiss(ctx, in.Announcement)
}

func (s *Service) handleListAnnouncements(ctx context.Context, in *struct{ web.Page }) (*web.ListOutput[Announcement], error) {
	return web.Paged(ctx, in.Page, func(after *announcementPlace, n int) ([]Announcement, error) {
		return s.AllAnnouncements(ctx, after, n)
	}, announcementPlaceOf)
}

func (s *Service) handleAnnounce(ctx context.Context, in *announceInput) (*announcementOutput, error) {
	a, err := s.Announce(ctx, in.Body)
	return shown(a), err
}

func (s *Service) handleGetAnnouncement(ctx context.Context, in *AnnouncementInput) (*announcementOutput, error) {
	a, err := s.Announcement(ctx, in.Announcement)
	return shown(a), err
}

func (s *Service) handleChangeAnnouncement(ctx context.Context, in *changeInput) (*announcementOutput, error) {
	a, err := s.ChangeAnnouncement(ctx, in.Announcement, in.Body, in.Check)
	return shown(a), err
}

func (s *Service) handleDeleteAnnouncement(ctx context.Context, in *AnnouncementInput) (*web.Empty, error) {
	return nil, s.DeleteAnnouncement(ctx, in.Announcement)
}
