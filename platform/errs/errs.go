// Package errs is the one error type that may cross a module boundary and reach
// a caller. Any other error is an internal fault: it is logged, never shown.
//
// A module declares its outcomes as package variables, worded for a person;
// callers compare them with errors.Is. Package web maps each Kind to one status.
package errs

import (
	"errors"
	"time"
)

// Kind says what the caller should do about an error, not where it came from.
type Kind string

// The kinds. Package web maps each one to exactly one HTTP status.
const (
	Internal        Kind = "internal"        // our fault: 500
	Malformed       Kind = "malformed"       // cannot be parsed at all: 400
	Invalid         Kind = "invalid"         // parsed, but a value is wrong: 422
	Unauthenticated Kind = "unauthenticated" // who are you: 401
	Forbidden       Kind = "forbidden"       // not you: 403
	NotFound        Kind = "not_found"       // 404
	NotAllowed      Kind = "not_allowed"     // no such method here: 405
	Conflict        Kind = "conflict"        // the state forbids it: 409
	Stale           Kind = "stale"           // changed since the caller read it: 412
	TooLarge        Kind = "too_large"       // 413
	Unsupported     Kind = "unsupported"     // not a media type we read: 415
	OutOfRange      Kind = "out_of_range"    // no such part of it: 416
	TooMany         Kind = "too_many"        // slow down: 429
	Unavailable     Kind = "unavailable"     // try again later: 503
)

// Error is an error that a caller may see.
type Error struct {
	Kind    Kind
	Code    string // stable and machine readable, e.g. "orgs.slug_taken"
	Message string // a sentence that is safe to show to a person
	Field   string // the offending input field, e.g. "body.slug", if there is one

	// RetryAfter is how long the caller should wait; zero when that is unknown.
	RetryAfter time.Duration
	// Extra members are published in the problem document beside the standard
	// ones (RFC 9457 §3.2), such as the methods that satisfy a step-up.
	Extra map[string]any

	cause error // for the log only
}

// New declares an error. Call it at package level, one per outcome.
func New(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

// On returns a copy of e that names the input field at fault.
func (e *Error) On(field string) *Error { c := *e; c.Field = field; return &c }

// Because returns a copy of e that carries cause into the log.
func (e *Error) Because(cause error) *Error { c := *e; c.cause = cause; return &c }

// After returns a copy of e that asks the caller to wait for d.
func (e *Error) After(d time.Duration) *Error { c := *e; c.RetryAfter = d; return &c }

// With returns a copy of e that publishes one more member, key, in the problem document.
func (e *Error) With(key string, value any) *Error {
	c := *e
	c.Extra = map[string]any{key: value}
	for k, v := range e.Extra {
		c.Extra[k] = v
	}
	return &c
}

func (e *Error) Error() string {
	if e.cause != nil {
		return e.Code + ": " + e.cause.Error()
	}
	return e.Code
}

func (e *Error) Unwrap() error { return e.cause }

// Is matches by code, so the copies made by On, Because, After and With still match.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// KindOf reports the kind of err; an error of any other type is Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
