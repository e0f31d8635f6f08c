package notifications

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/realtime"
)

// Deliver brings a message to one person. Its arguments stay sealed: they are somebody's mail.
type Deliver struct {
	AccountID id.Account `json:"account_id"`
	ID        ID         `json:"id"`
	OrgID     id.Org     `json:"org_id"`
	Of        string     `json:"kind"`
	Level     Level      `json:"level"`
	Title     string     `json:"title"`
	Message   string     `json:"message"`
	Action    *Action    `json:"action"`
	At        time.Time  `json:"at"`
}

// Kind names the job.
func (Deliver) Kind() string { return "notifications.deliver" }

// Scope says whose rows the job works on.
func (d Deliver) Scope() jobs.Scope { return jobs.OfAccount(d.AccountID) }

// Digest finds those who are to get a daily letter.
type Digest struct{}

// Kind names the job.
func (Digest) Kind() string { return "notifications.digest" }

// Scope says whose rows the job works on.
func (Digest) Scope() jobs.Scope { return jobs.OnPlatform("daily letters go to everybody") }

// DigestOf writes somebody's daily letter.
type DigestOf struct {
	AccountID id.Account `json:"account_id"`
}

// Kind names the job.
func (DigestOf) Kind() string { return "notifications.digest_of" }

// Scope says whose rows the job works on.
func (d DigestOf) Scope() jobs.Scope { return jobs.OfAccount(d.AccountID) }

// Sweep removes what is old.
type Sweep struct{}

// Kind names the job.
func (Sweep) Kind() string { return "notifications.sweep" }

// Scope says whose rows the job works on.
func (Sweep) Scope() jobs.Scope { return jobs.OnPlatform("inboxes of everybody") }

// notification is the message as it stands in the inbox.
func (d Deliver) notification() Notification {
	n := Notification{ID: d.ID, Kind: d.Of, Level: d.Level, Title: d.Title, Message: d.Message, Action: d.Action, CreatedAt: d.At}
	if !d.OrgID.IsZero() {
		n.OrgID = &d.OrgID
	}
	return n
}

// deliver does what the person prefers: once, however often the job runs, since a message
// that is kept already is left alone, with its letter.
func (s *Service) deliver(ctx context.Context, c db.Conn, job Deliver) error {
	n, ok := s.kind(job.Of)
	if !ok {
		return jobs.Cancel(fmt.Errorf("%w: %s", ErrUnknownKind, job.Of)) // its module is gone
	}
	who, err := s.Accounts.Get(ctx, job.AccountID)
	if errors.Is(err, accounts.ErrNotFound) || err == nil && who.Status != accounts.Active {
		return nil
	}
	if err != nil {
		return err
	}
	chosen, err := choices(ctx, c, job.AccountID)
	if err != nil {
		return err
	}
	p := preferenceOf(n, chosen)
	if !who.EmailVerified {
		p.Email = Off
	}
	if !p.InApp && p.Email == Off {
		return nil
	}
	return c.Tx(ctx, func(tx *db.Tx) error {
		fresh, err := insertNotification(ctx, tx, job, p.InApp, p.Email == Daily)
		if err != nil || !fresh {
			return err
		}
		if p.InApp {
			s.Live.In(tx).Publish(ctx, realtime.User(job.AccountID), "notifications.created", job.notification())
		}
		if p.Email != Now {
			return nil
		}
		action := s.absolute(job.Action)
		return s.post(ctx, tx, who, job.Of, mail.Letter{Name: "notification", Data: map[string]any{
			"Title": job.Title, "Message": job.Message, "Label": action.Label, "URL": action.URL, "Reason": n.Title,
		}})
	})
}

// post writes a letter that can be turned off where it is read.
func (s *Service) post(ctx context.Context, tx *db.Tx, to accounts.Account, kind string, l mail.Letter) (err error) {
	l.To, l.Locale = to.Email, to.Locale
	l.Data["Preferences"] = s.PublicURL() + "/account/notifications"
	if l.Unsubscribe, err = s.unsubscribeURL(to.ID, kind); err != nil {
		return err
	}
	return s.Post.Enqueue(ctx, tx, l)
}

// absolute is an action as a letter can have it; empty, where there is none.
func (s *Service) absolute(a *Action) Action {
	action := a.parts()
	if strings.HasPrefix(action.URL, "/") {
		action.URL = s.PublicURL() + action.URL
	}
	return action
}

const accountsPerBatch = 500

// digest makes a job for each person whose letter is due. One that is made twice finds
// nothing left to say.
func (s *Service) digest(ctx context.Context, c db.Conn, _ Digest) error {
	var last id.Account
	for {
		batch, err := withDigest(ctx, c, last, accountsPerBatch)
		if err != nil || len(batch) == 0 {
			return err
		}
		all := make([]jobs.Args, len(batch))
		for i, account := range batch {
			all[i] = DigestOf{account}
		}
		if err := c.Tx(ctx, func(tx *db.Tx) error { return s.Jobs.EnqueueAll(ctx, tx, all) }); err != nil {
			return err
		}
		last = batch[len(batch)-1]
	}
}

// inLetter is how many messages a daily letter shows; it counts the others.
const inLetter = 10

// digestOf takes the messages and writes the letter in one transaction: each is told once.
func (s *Service) digestOf(ctx context.Context, c db.Conn, job DigestOf) error {
	who, err := s.Accounts.Get(ctx, job.AccountID)
	if err != nil && !errors.Is(err, accounts.ErrNotFound) {
		return err
	}
	return c.Tx(ctx, func(tx *db.Tx) error {
		all, err := takeDigest(ctx, tx, job.AccountID)
		if err != nil || who.Status != accounts.Active || !who.EmailVerified {
			return err
		}
		unread := slices.DeleteFunc(all, func(n Notification) bool { return n.ReadAt != nil })
		if len(unread) == 0 {
			return nil
		}
		return s.post(ctx, tx, who, everyKind, mail.Letter{Name: "notifications_digest", Data: s.gathered(who, unread)})
	})
}

func (s *Service) gathered(who accounts.Account, unread []Notification) map[string]any {
	data := map[string]any{"Name": who.Name, "Several": "", "More": "", "Inbox": s.PublicURL() + "/inbox"}
	if len(unread) > 1 {
		data["Several"] = strconv.Itoa(len(unread))
	}
	if more := len(unread) - inLetter; more > 0 {
		data["More"] = strconv.Itoa(more)
	}
	for i := range inLetter {
		title := ""
		if i < len(unread) {
			title = unread[i].Title
		}
		data[fmt.Sprintf("Title%d", i+1)] = title
	}
	return data
}

const (
	keepRead     = 90 * 24 * time.Hour
	keepAny      = 180 * 24 * time.Hour
	mostKept     = 1000
	rowsPerBatch = 1000
)

func (s *Service) sweep(ctx context.Context, c db.Conn, _ Sweep) error {
	now := s.Now()
	for {
		n, err := deleteOld(ctx, c, now.Add(-keepRead), now.Add(-keepAny), rowsPerBatch)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	full, err := fuller(ctx, c, mostKept)
	if err != nil {
		return err
	}
	for _, account := range full {
		if err := deleteBeyond(ctx, c, account, mostKept); err != nil {
			return err
		}
	}
	return nil
}

// onOrgPurged removes what was about an organization.
func (s *Service) onOrgPurged(ctx context.Context, _ db.Conn, e orgs.Purged) error {
	c := s.DB.Platform("inboxes of everybody")
	for {
		n, err := deleteOfOrg(ctx, c, e.OrgID, rowsPerBatch)
		if err != nil || n == 0 {
			return err
		}
	}
}
