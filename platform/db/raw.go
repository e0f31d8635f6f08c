package db

import (
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// RawTx is the driver's transaction; exactly one of the results is not nil. Only
// package jobs may use it, because its queue takes nothing else.
func RawTx(tx *Tx) (pgx.Tx, *sql.Tx) {
	switch t := tx.t.(type) {
	case *pgTx:
		return t.tx, nil
	case *sqliteTx:
		return nil, t.tx
	}
	return nil, nil
}

// RawPool is the driver's pool; on SQLite the one writer. Only package jobs may use it.
func RawPool(d *DB) (*pgxpool.Pool, *sql.DB) {
	switch e := d.engine.(type) {
	case *postgres:
		return e.pool, nil
	case *sqliteDB:
		return nil, e.writer
	}
	return nil, nil
}
