// Package mail owns how a message is written and how it leaves: addresses, templates
// in any language, the SMTP sender, and the box that keeps mail in development.
//
// A message has exactly one recipient. Package mail sends once and says whether trying
// again makes sense; the job that calls it does the trying.
package mail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"
)

// Message is one rendered mail to one person.
type Message struct {
	ID        string // stable over retries: the Message-ID header follows from it
	To        Address
	Subject   string
	Text      string
	HTML      string
	CreatedAt time.Time // the Date header
	// Unsubscribe is an https address that turns such letters off when it is sent a POST
	// (RFC 8058); none where they cannot be turned off.
	Unsubscribe string
}

// Sender delivers messages. SMTP and Box are the implementations.
type Sender interface {
	// Send delivers m once. Whether an error is worth a retry, IsPermanent says.
	Send(ctx context.Context, m Message) error
}

// IsPermanent reports whether err will be the same next time, however often the
// message is sent: the server refused it for good, or it cannot be written at all.
func IsPermanent(err error) bool {
	_, ok := errors.AsType[*permanentError](err)
	return ok
}

// permanentError marks an error that no retry will mend.
type permanentError struct{ cause error }

func (e *permanentError) Error() string { return e.cause.Error() }
func (e *permanentError) Unwrap() error { return e.cause }

func permanent(err error) error { return &permanentError{err} }

func (m Message) check() error {
	switch {
	case m.ID == "":
		return permanent(errors.New("the message has no ID"))
	case m.To.IsZero():
		return permanent(errors.New("the message has no recipient"))
	case m.Subject == "" || m.Text == "":
		return permanent(errors.New("the message has no subject or no text"))
	case m.CreatedAt.IsZero():
		return permanent(errors.New("the message has no date"))
	}
	return nil
}

// headerID is the part of the Message-ID before the at sign. An ID with other than
// plain characters is hashed: the same ID gives the same header, whatever it holds.
func (m Message) headerID() string {
	plain := len(m.ID) <= 100
	for i := range len(m.ID) {
		plain = plain && (isAlphanumeric(m.ID[i]) || m.ID[i] == '_' || m.ID[i] == '-')
	}
	if plain {
		return m.ID
	}
	sum := sha256.Sum256([]byte(m.ID))
	return hex.EncodeToString(sum[:16])
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
