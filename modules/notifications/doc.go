// Package notifications tells people what concerns them: in an inbox, by letter at once or
// gathered once a day, and by announcements of administrators to everybody.
//
// Owns:        notifications, notification_preferences, announcements, announcement_dismissals
// Permissions: none; an inbox is a person's own
// Publishes:   Announced, AnnouncementChanged, AnnouncementDeleted
// Jobs:        notifications.deliver, notifications.digest, notifications.digest_of, notifications.sweep
// Calls:       audit, accounts, passkeys, mfa, orgs, files
//
// A message is sent within the transaction of what it tells about, and delivered by a job
// for each person it goes to: there it meets what that person prefers.
package notifications
