package secret

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/tenonhq/tenon/platform/db"
)

// Column is a column of sealed values. A module that declares it has them sealed anew
// after the key was rotated.
type Column struct {
	Table   string
	Name    string   // of the column; NULL is left alone
	Purpose string   // as given to Seal
	Key     []string // the columns with ids that name a row, in the order in which RowOf takes them
}

// uuid is an id of any kind.
type uuid [16]byte

func (u uuid) UUID() [16]byte      { return u }
func (u *uuid) SetUUID(v [16]byte) { *u = v }

// RowOf names a row for Seal and Open, by the ids that are its key.
func RowOf(table string, key ...interface{ UUID() [16]byte }) string {
	for _, k := range key {
		u := k.UUID()
		table += "/" + hex.EncodeToString(u[:])
	}
	return table
}

// resealBatch keeps the transactions short.
const resealBatch = 200

// sealedRow is a row with a value that an older key sealed.
type sealedRow struct {
	key   []uuid
	value []byte
}

// ResealAtOnce is how many values one call of Reseal seals at most, or a batch more.
const ResealAtOnce = 10_000

// Reseal seals with the current key what older keys sealed in a column, batch by batch.
// It may run twice, also at once: what has changed meanwhile is left alone. Whoever gets
// ResealAtOnce done should call again. unreadable counts values that no key of the ring
// opens in their row.
func (k *Keyring) Reseal(ctx context.Context, c db.Conn, col Column) (done, unreadable int, err error) {
	if k.countOf(Encryption) < 2 {
		return 0, 0, nil
	}
	current, err := k.current(Encryption)
	if err != nil {
		return 0, 0, err
	}
	mark := binary.BigEndian.AppendUint32(nil, current.ID)
	for after := []uuid(nil); ; {
		var resealed, lost int
		var last []uuid
		err := c.Tx(ctx, func(tx *db.Tx) error {
			rows, err := col.older(ctx, tx, mark, after)
			if err != nil {
				return err
			}
			n, bad, err := k.resealRows(ctx, tx, col, rows)
			if err != nil || len(rows) == 0 {
				return err
			}
			resealed, lost, last = n, bad, rows[len(rows)-1].key
			return nil
		})
		if err != nil {
			return done, unreadable, fmt.Errorf("seal %s.%s anew: %w", col.Table, col.Name, err)
		}
		done, unreadable = done+resealed, unreadable+lost
		if last == nil || done >= ResealAtOnce {
			return done, unreadable, nil
		}
		after = last
	}
}

func (k *Keyring) countOf(use Use) (n int) {
	for _, key := range k.Keys() {
		if key.Use == use {
			n++
		}
	}
	return n
}

func (k *Keyring) resealRows(ctx context.Context, tx *db.Tx, col Column, rows []sealedRow) (done, unreadable int, err error) {
	for _, r := range rows {
		ids := make([]interface{ UUID() [16]byte }, len(r.key))
		for i, u := range r.key {
			ids[i] = u
		}
		row := RowOf(col.Table, ids...)
		plain, _, err := k.Open(col.Purpose, row, r.value)
		if err != nil {
			unreadable++
			continue
		}
		sealed, err := k.Seal(col.Purpose, row, plain)
		if err != nil {
			return 0, 0, err
		}
		if err := col.replace(ctx, tx, r, sealed); err != nil {
			return 0, 0, err
		}
		done++
	}
	return done, unreadable, nil
}

// older lists the next rows whose value does not begin with mark, the current key's.
func (col Column) older(ctx context.Context, c db.Conn, mark []byte, after []uuid) ([]sealedRow, error) {
	key := strings.Join(col.Key, ", ")
	args := []any{mark}
	behind := ""
	if after != nil {
		var places []string
		for _, u := range after {
			args = append(args, u)
			places = append(places, fmt.Sprintf("$%d", len(args)))
		}
		behind = fmt.Sprintf(` AND (%s) > (%s)`, key, strings.Join(places, ", "))
	}
	return db.All(ctx, c, func(r db.Row) (row sealedRow, err error) {
		row.key = make([]uuid, len(col.Key))
		dest := make([]any, 0, len(col.Key)+1)
		for i := range row.key {
			dest = append(dest, &row.key[i])
		}
		return row, r.Scan(append(dest, &row.value)...)
	}, fmt.Sprintf(`SELECT %s, %s FROM %s WHERE substr(%s, 1, 4) <> $1%s ORDER BY %s LIMIT %d`, key, col.Name, col.Table, col.Name, behind, key, resealBatch), args...)
}

// replace writes the new value unless the row has another by now.
func (col Column) replace(ctx context.Context, c db.Conn, r sealedRow, sealed []byte) error {
	args := []any{sealed, r.value}
	where := ""
	for i, u := range r.key {
		args = append(args, u)
		where += fmt.Sprintf(` AND %s = $%d`, col.Key[i], len(args))
	}
	_, err := c.Exec(ctx, fmt.Sprintf(`UPDATE %[1]s SET %[2]s = $1 WHERE %[2]s = $2%[3]s`, col.Table, col.Name, where), args...)
	return err
}
