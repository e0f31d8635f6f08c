package db

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tenonhq/tenon/platform/errs"
)

// ErrUnavailable is the outcome of any statement while the database cannot be
// reached or does not accept writes. It is never mistaken for "no such row".
var ErrUnavailable = errs.New(errs.Unavailable, "database.unavailable",
	"The service cannot reach its database right now. Try again in a moment.")

// classify turns the many ways a database can be away into ErrUnavailable.
func classify(err error) error {
	if err == nil || !away(err) {
		return err
	}
	if _, ok := errors.AsType[*errs.Error](err); ok {
		return err
	}
	return ErrUnavailable.After(2 * time.Second).Because(err)
}

func away(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case readOnly, // no longer the primary
			"53300",                            // too many connections
			"57P01", "57P02", "57P03", "57P05": // shutting down, crashed, starting up, idle too long
			return true
		}
		return strings.HasPrefix(e.Code, "08")
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR:
			return true
		}
		return false
	}
	if errors.Is(err, context.Canceled) {
		return false // the caller left
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok { // context.DeadlineExceeded is one
		return true
	}
	return pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "unexpected EOF") || strings.Contains(err.Error(), "conn closed") ||
		strings.Contains(err.Error(), "closed pool")
}

// IsDuplicate reports whether err breaks the uniqueness of columns of table.
func IsDuplicate(err error, table string, columns ...string) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "23505" && e.TableName == table && uniqueColumns(e, columns)
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		_, which, ok := strings.Cut(e.Error(), "UNIQUE constraint failed: ")
		which, _, _ = strings.Cut(which, " (") // the code of the error follows
		return ok && which == table+"."+strings.Join(columns, ", "+table+".")
	}
	return false
}

// uniqueColumns compares the columns of a violated constraint. PostgreSQL names them
// in the detail, "Key (org_id, slug)=(…) already exists.", but to nobody whom
// row-level security narrows; then only the constraint's default name is left, and a
// primary key's says nothing of its columns.
func uniqueColumns(e *pgconn.PgError, columns []string) bool {
	if key, _, told := strings.Cut(e.Detail, ")=("); told {
		_, key, _ = strings.Cut(key, "(")
		return key == strings.Join(columns, ", ")
	}
	return e.ConstraintName == e.TableName+"_"+strings.Join(columns, "_")+"_key" || e.ConstraintName == e.TableName+"_pkey"
}

// IsReferenced reports whether err comes of removing a row that others refer to, or
// of referring to one that is not there.
func IsReferenced(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "23503"
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
}
