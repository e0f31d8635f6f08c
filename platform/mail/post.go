package mail

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/secret"
)

// Post writes letters later: a letter is a job, enqueued in the transaction of the
// change it tells about. Until it is sent, it lies in the database encrypted, since
// links in mail are as good as passwords.
type Post struct {
	jobs      *jobs.Queue
	keys      *secret.Keyring
	templates *Templates
	sender    Sender
	now       clock.Now
}

// Letter is one mail to write: the template Name, filled in with Data.
type Letter struct {
	To     string         `json:"to"`
	Name   string         `json:"name"`
	Locale string         `json:"locale"`
	Data   map[string]any `json:"data"`
	// Unsubscribe turns such letters off, see Message.
	Unsubscribe string `json:"unsubscribe,omitempty"`
}

// NewPost returns the post. Templates may be set later, before the first letter is sent.
func NewPost(q *jobs.Queue, keys *secret.Keyring, sender Sender, now clock.Now) *Post {
	return &Post{jobs: q, keys: keys, sender: sender, now: now}
}

// Use sets the templates that letters are written with.
func (p *Post) Use(t *Templates) { p.templates = t }

// Enqueue writes a letter once tx is committed.
func (p *Post) Enqueue(ctx context.Context, tx *db.Tx, l Letter) error {
	body, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("enqueue letter %s: %w", l.Name, err)
	}
	job := Send{ID: id.New[boxKind](), At: p.now()}
	if job.Sealed, err = p.keys.Seal("mail", job.ID.String(), body); err != nil {
		return fmt.Errorf("enqueue letter %s: %w", l.Name, err)
	}
	return p.jobs.Enqueue(ctx, tx, job, jobs.Urgent())
}

// Send is the job that sends one letter.
type Send struct {
	ID     BoxID     `json:"id"`
	At     time.Time `json:"at"`
	Sealed []byte    `json:"sealed"`
}

// Kind names the job.
func (Send) Kind() string { return "mail.send" }

// Scope says whose rows the job works on.
func (Send) Scope() jobs.Scope { return jobs.OnPlatform("a letter is addressed, not owned") }

// attempts spreads tries over about 24 hours.
const attempts = 14

// Handler sends letters, with retries over a day. Mail has workers of its own: a
// slow relay holds up nothing else. They are few, since relays count connections.
func (p *Post) Handler() jobs.Handler {
	return jobs.On(p.send, jobs.Attempts(attempts), jobs.InQueue("mail"), jobs.Workers(20), jobs.Sealed())
}

func (p *Post) send(ctx context.Context, _ db.Conn, job Send) error {
	body, _, err := p.keys.Open("mail", job.ID.String(), job.Sealed)
	if err != nil {
		return jobs.Cancel(err)
	}
	var l Letter
	if err := json.Unmarshal(body, &l); err != nil {
		return jobs.Cancel(err)
	}
	to, err := ParseAddress(l.To)
	if err != nil {
		return jobs.Cancel(err)
	}
	subject, text, html, err := p.templates.Render(l.Name, l.Locale, l.Data)
	if err != nil {
		return jobs.Cancel(err)
	}
	err = p.sender.Send(ctx, Message{ID: job.ID.String(), To: to, Subject: subject, Text: text, HTML: html, CreatedAt: job.At, Unsubscribe: l.Unsubscribe})
	if IsPermanent(err) {
		return jobs.Cancel(err)
	}
	return err
}
