// Package id makes identifiers: UUIDv7 (RFC 9562) in the database, and at the API
// edge a type prefix with 26 lower-case Crockford base32 digits, "org_01j…".
//
// Every entity has a Go type of its own, so that mixing two does not compile:
//
//	type taskKind struct{}
//	func (taskKind) Prefix() string { return "task" }
//	type ID = id.ID[taskKind]
package id

import (
	"errors"
	"strings"

	"github.com/google/uuid"
)

// Kind names an entity by the prefix of its identifiers.
type Kind interface{ Prefix() string }

// ID identifies one entity of kind K. The zero ID means none; package db stores it as NULL.
type ID[K Kind] [16]byte

// The two scopes that every row and every request may belong to.
type (
	// OrgKind is the kind of organization ids.
	OrgKind struct{}
	// AccountKind is the kind of account ids.
	AccountKind struct{}

	// Org identifies an organization.
	Org = ID[OrgKind]
	// Account identifies a person's account.
	Account = ID[AccountKind]
)

// Prefix begins the id of every organization.
func (OrgKind) Prefix() string { return "org" }

// Prefix begins the id of every account.
func (AccountKind) Prefix() string { return "acc" }

// ErrMalformed reports text that is not an identifier of the wanted kind.
var ErrMalformed = errors.New("malformed identifier")

// New returns a fresh identifier. Later ones sort after earlier ones, roughly:
// time order is no commit order.
func New[K Kind]() ID[K] { return ID[K](uuid.Must(uuid.NewV7())) }

// Parse reads what String wrote: canonical form only, so that one entity has one spelling.
func Parse[K Kind](s string) (ID[K], error) {
	var k K
	digits, ok := strings.CutPrefix(s, k.Prefix()+"_")
	if !ok {
		return ID[K]{}, ErrMalformed
	}
	u, ok := decode(digits)
	if !ok || u == ([16]byte{}) {
		return ID[K]{}, ErrMalformed
	}
	return u, nil
}

// String is the identifier as the API shows it; the zero ID is "".
func (i ID[K]) String() string {
	if i.IsZero() {
		return ""
	}
	var k K
	return k.Prefix() + "_" + encode(i)
}

// AppendText appends the API form to b, without making a string of it.
func (i ID[K]) AppendText(b []byte) ([]byte, error) {
	if i.IsZero() {
		return b, nil
	}
	var k K
	digits := encoded(i)
	return append(append(append(b, k.Prefix()...), '_'), digits[:]...), nil
}

// IsZero reports whether i identifies nothing.
func (i ID[K]) IsZero() bool { return i == ID[K]{} }

// MarshalText writes the API form.
func (i ID[K]) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads the API form; empty text is the zero ID.
func (i *ID[K]) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*i = ID[K]{}
		return nil
	}
	v, err := Parse[K](string(b))
	*i = v
	return err
}

// UUID is the identifier as the database stores it.
func (i ID[K]) UUID() [16]byte { return i }

// SetUUID is how package db reads an identifier back.
func (i *ID[K]) SetUUID(u [16]byte) { *i = u }

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

func encode(u [16]byte) string { out := encoded(u); return string(out[:]) }

// encoded writes 128 bits as 26 base32 digits, most significant first; the first holds 3 bits.
func encoded(u [16]byte) (out [26]byte) {
	var acc uint32
	bits, o := uint(0), 25
	for n := 15; n >= 0; n-- {
		acc |= uint32(u[n]) << bits
		for bits += 8; bits >= 5; bits -= 5 {
			out[o] = alphabet[acc&31]
			acc >>= 5
			o--
		}
	}
	out[0] = alphabet[acc&31]
	return out
}

func decode(s string) (u [16]byte, ok bool) {
	if len(s) != 26 || s[0] > '7' {
		return u, false
	}
	var acc uint32
	bits, n := uint(0), 15
	for o := 25; o >= 0; o-- {
		v := strings.IndexByte(alphabet, s[o])
		if v < 0 {
			return u, false
		}
		acc |= uint32(v) << bits
		for bits += 5; bits >= 8 && n >= 0; bits -= 8 {
			u[n] = byte(acc)
			acc >>= 8
			n--
		}
	}
	return u, true
}
