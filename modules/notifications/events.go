package notifications

import "github.com/tenonhq/tenon/platform/jobs"

// AboutAnnouncement is the announcement that an event is about.
type AboutAnnouncement struct {
	AnnouncementID AnnouncementID `json:"announcement_id"`
}

// Scope says that the event belongs to the installation.
func (AboutAnnouncement) Scope() jobs.Scope { return jobs.OnPlatform(announcing) }

// Announced says that everybody is told something.
type Announced struct{ AboutAnnouncement }

// AnnouncementChanged says that everybody is told something else.
type AnnouncementChanged struct{ AboutAnnouncement }

// AnnouncementDeleted says that nobody is told any more.
type AnnouncementDeleted struct{ AboutAnnouncement }

// Kind names the event.
func (Announced) Kind() string { return "notifications.announced" }

// Kind names the event.
func (AnnouncementChanged) Kind() string { return "notifications.announcement_changed" }

// Kind names the event.
func (AnnouncementDeleted) Kind() string { return "notifications.announcement_deleted" }
