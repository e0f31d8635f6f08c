package db

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// JSON makes a statement argument of v as JSON.
func JSON(v any) any { return jsonArg{v} }

type jsonArg struct{ v any }

type (
	uuidSource interface{ UUID() [16]byte }
	uuidTarget interface{ SetUUID([16]byte) }
)

// bind rewrites arguments in place into what the drivers store: ids as uuid or 16
// bytes, instants as timestamptz or microseconds; zero ids and instants are NULL, and so
// is the instant that a nil pointer lacks.
func bind(d Dialect, args []any) error {
	for i, a := range args {
		switch v := a.(type) {
		case uuidSource:
			u := v.UUID()
			switch {
			case u == ([16]byte{}):
				args[i] = nil
			case d == SQLite:
				args[i] = u[:]
			default:
				args[i] = u
			}
		case time.Time:
			args[i] = instant(d, v)
		case *time.Time:
			args[i] = nil
			if v != nil {
				args[i] = instant(d, *v)
			}
		case time.Duration:
			args[i] = v.Microseconds()
		case json.RawMessage:
			args[i] = string(v)
		case jsonArg:
			b, err := json.Marshal(v.v)
			if err != nil {
				return fmt.Errorf("encode a JSON argument: %w", err)
			}
			args[i] = string(b)
		}
	}
	return nil
}

func instant(d Dialect, t time.Time) any {
	switch {
	case t.IsZero():
		return nil
	case d == SQLite:
		return t.UnixMicro()
	}
	return t.UTC().Truncate(time.Microsecond)
}

// EndOfTime comes after every row; both databases store it.
func EndOfTime() time.Time { return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }

// targets rewrites scan destinations in place, the reverse of bind.
func targets(dest []any) {
	for i, d := range dest {
		switch v := d.(type) {
		case uuidTarget:
			dest[i] = uuidDest{v}
		case *time.Time:
			dest[i] = timeDest{v}
		case **time.Time:
			dest[i] = maybeTimeDest{v}
		case *json.RawMessage:
			dest[i] = (*[]byte)(v)
		}
	}
}

type uuidDest struct{ to uuidTarget }

// ScanUUID is how pgx delivers a uuid.
func (u uuidDest) ScanUUID(v pgtype.UUID) error { u.to.SetUUID(v.Bytes); return nil }

// Scan is how database/sql delivers the bytes of SQLite.
func (u uuidDest) Scan(src any) error {
	var id [16]byte
	if b, ok := src.([]byte); ok && len(b) == len(id) {
		copy(id[:], b)
	} else if src != nil {
		return fmt.Errorf("column holds %T, not an id", src)
	}
	u.to.SetUUID(id)
	return nil
}

type timeDest struct{ to *time.Time }

// ScanTimestamptz is how pgx delivers an instant.
func (t timeDest) ScanTimestamptz(v pgtype.Timestamptz) error {
	*t.to = time.Time{}
	if v.Valid {
		*t.to = v.Time.UTC()
	}
	return nil
}

// Scan is how database/sql delivers the microseconds of SQLite.
func (t timeDest) Scan(src any) error {
	*t.to = time.Time{}
	switch v := src.(type) {
	case nil:
	case int64:
		*t.to = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("column holds %T, not an instant", src)
	}
	return nil
}

// maybeTimeDest leaves nil where the column is NULL.
type maybeTimeDest struct{ to **time.Time }

// ScanTimestamptz is how pgx delivers an instant.
func (t maybeTimeDest) ScanTimestamptz(v pgtype.Timestamptz) error {
	var at time.Time
	err := timeDest{&at}.ScanTimestamptz(v)
	t.set(at)
	return err
}

// Scan is how database/sql delivers the microseconds of SQLite.
func (t maybeTimeDest) Scan(src any) error {
	var at time.Time
	err := timeDest{&at}.Scan(src)
	t.set(at)
	return err
}

func (t maybeTimeDest) set(at time.Time) {
	*t.to = nil
	if !at.IsZero() {
		*t.to = &at
	}
}
