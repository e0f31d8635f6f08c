package mail

import (
	"context"
	"embed"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

// Box keeps mail instead of sending it, so that a developer can read it in the browser.
// The messages are in the database: every process and every restart sees them.
type Box struct{ db *db.DB }

// BoxMessage is a message in the box.
type BoxMessage struct {
	ID        BoxID     `json:"id"`
	To        string    `json:"to"`
	Subject   string    `json:"subject"`
	Text      string    `json:"text"`
	HTML      string    `json:"html"`
	Links     []string  `json:"links"` // in the order of the text
	CreatedAt time.Time `json:"created_at"`
	// Unsubscribe is the address of the header List-Unsubscribe; empty where there is none.
	Unsubscribe string `json:"unsubscribe"`
}

// BoxID identifies a message in the box.
type BoxID = id.ID[boxKind]

type boxKind struct{}

func (boxKind) Prefix() string { return "mail" }

// boxSize is how many messages the box keeps.
const boxSize = 200

//go:embed migrations
var migrations embed.FS

// Schema is the table of the box.
func Schema() db.Schema {
	return db.Schema{Name: "mail", FS: migrations, Tables: []db.Table{{
		Name: "mail_dev", Scope: db.ByPlatform, Life: db.Delete(), Others: []string{"id", "message_id"},
		Refs: []db.Ref{
			{Column: "recipient", To: db.Personal, Life: db.Delete()},
			{Column: "subject", To: db.Personal, Life: db.Delete()},
			{Column: "text", To: db.Personal, Life: db.Delete()},
			{Column: "html", To: db.Personal, Life: db.Delete()},
		},
	}}}
}

// NewBox returns the box in d.
func NewBox(d *db.DB) *Box { return &Box{db: d} }

// Send puts m into the box, once however often it is sent, and throws the oldest away.
func (b *Box) Send(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return fmt.Errorf("keep mail: %w", err)
	}
	err := b.conn().Tx(ctx, func(tx *db.Tx) error {
		if err := insertMessage(ctx, tx, m); err != nil {
			return err
		}
		return deleteOldMessages(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("keep mail: %w", err)
	}
	return nil
}

// List returns the newest 200 messages, newest first.
func (b *Box) List(ctx context.Context) ([]BoxMessage, error) {
	messages, err := selectMessages(ctx, b.conn())
	if err != nil {
		return nil, fmt.Errorf("list kept mail: %w", err)
	}
	return messages, nil
}

func (b *Box) conn() db.Conn { return b.db.Platform("development mail box") }

func insertMessage(ctx context.Context, c db.Conn, m Message) error {
	_, err := c.Exec(ctx, `
		INSERT INTO mail_dev (id, message_id, recipient, subject, text, html, created_at, unsubscribe)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (message_id) DO NOTHING`,
		id.New[boxKind](), m.ID, m.To.String(), plain(m.Subject), m.Text, m.HTML, m.CreatedAt, m.Unsubscribe)
	return err
}

func deleteOldMessages(ctx context.Context, c db.Conn) error {
	_, err := c.Exec(ctx, `
		DELETE FROM mail_dev
		WHERE id IN (SELECT id FROM mail_dev ORDER BY id DESC LIMIT 1000 OFFSET $1)`, boxSize)
	return err
}

func selectMessages(ctx context.Context, c db.Conn) ([]BoxMessage, error) {
	return db.All(ctx, c, scanMessage, `
		SELECT id, recipient, subject, text, html, created_at, unsubscribe
		FROM mail_dev ORDER BY id DESC LIMIT $1`, boxSize)
}

func scanMessage(r db.Row) (m BoxMessage, err error) {
	err = r.Scan(&m.ID, &m.To, &m.Subject, &m.Text, &m.HTML, &m.CreatedAt, &m.Unsubscribe)
	m.Links = linksIn(m.Text)
	return m, err
}

var linkForm = regexp.MustCompile(`https?://[^\s<>"]+`)

func linksIn(text string) []string {
	links := []string{}
	for _, link := range linkForm.FindAllString(text, -1) {
		links = append(links, strings.TrimRight(link, ".,;:!?)'"))
	}
	return links
}
