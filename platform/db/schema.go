package db

import (
	"context"
	"fmt"
	"io/fs"
	"time"
)

// Schema is what one module, or one package of the platform, keeps in the database.
type Schema struct {
	Name   string // of the module; its tables begin with it, or are called that
	FS     fs.FS  // holds migrations/sqlite and migrations/postgres
	Tables []Table

	// Up migrates what brings its own migrations, beside those of FS. Version
	// changes when there is something to do.
	Up      func(ctx context.Context, d *DB) error
	Version string
	// Grants are further PostgreSQL statements about the roles tenon_app and tenon_platform.
	Grants []string
}

// Table declares whose rows a table holds and what becomes of personal data in it.
// Row-level policies, grants, export and erasure follow from the declaration.
type Table struct {
	Name  string
	Scope Scope
	// Key is the column with the id of the scope; "org_id" or "account_id" when empty.
	Key string
	// Mine is a column with an account that may read its own rows across
	// organizations, in a table of organization scope.
	Mine string
	// Tenants lists what statements of tenants may do in a table of platform scope,
	// such as "INSERT". Nothing, when empty.
	Tenants string
	// Refs are the columns that refer to an account or an organization, or hold
	// personal data, beside Key.
	Refs []Ref
	// Others are the remaining columns that look like a reference or a person and are
	// neither: ids within the module, names of things. tenontest.CheckSchema asks for them.
	Others []string
	// Life is what becomes of the rows when their scope is erased.
	Life Lifecycle
}

// Scope says who the rows of a table belong to.
type Scope string

// The scopes.
const (
	ByOrg      Scope = "org"
	ByAccount  Scope = "account"
	ByEither   Scope = "org_or_account" // columns org_id and account_id, one of them may be NULL
	ByPlatform Scope = "platform"
)

// Ref declares a column that refers to a person or an organization, or describes a person.
type Ref struct {
	Column string
	To     RefTarget
	Life   Lifecycle
}

// RefTarget is what a Ref refers to.
type RefTarget string

// The targets of references.
const (
	ToAccount  RefTarget = "account"
	ToOrg      RefTarget = "org"
	ToAnyone   RefTarget = "anyone"   // an actor or target of any kind
	Personal   RefTarget = "personal" // no reference, but a name, an address, a device
	ToOrgOrAcc RefTarget = "org_or_account"
)

// Lifecycle is what becomes of data when the person or organization is erased.
type Lifecycle struct {
	Do     Disposal
	Reason string        // why it is retained
	Term   time.Duration // how long; zero with a reason: as long as the organization lives
}

// Disposal is one of the three ends of personal data.
type Disposal string

// The disposals.
const (
	Deleted    Disposal = "deleted"
	Anonymised Disposal = "anonymised"
	Retained   Disposal = "retained"
)

// Delete says that the rows go when their person or organization does.
func Delete() Lifecycle { return Lifecycle{Do: Deleted} }

// Anonymise says that the value is overwritten and the row stays.
func Anonymise() Lifecycle { return Lifecycle{Do: Anonymised} }

// Retain says that the value stays for term, and why that is lawful.
func Retain(reason string, term time.Duration) Lifecycle {
	return Lifecycle{Do: Retained, Reason: reason, Term: term}
}

// KeyColumns are the columns that tie a row to its scope.
func (t Table) KeyColumns() []string {
	switch {
	case t.Scope == ByPlatform:
		return nil
	case t.Scope == ByEither:
		return []string{"org_id", "account_id"}
	case t.Key != "":
		return []string{t.Key}
	case t.Scope == ByOrg:
		return []string{"org_id"}
	}
	return []string{"account_id"}
}

// Check reports what a declaration lacks.
func (t Table) Check() error {
	switch {
	case t.Name == "":
		return fmt.Errorf("a table without a name")
	case t.Scope == "":
		return fmt.Errorf("table %s: declare its Scope", t.Name)
	case t.Life.Do == "":
		return fmt.Errorf("table %s: declare its Life: db.Delete(), db.Anonymise() or db.Retain(reason, term)", t.Name)
	case t.Life.Do == Retained && t.Life.Reason == "":
		return fmt.Errorf("table %s: say why it is retained", t.Name)
	}
	for _, r := range t.Refs {
		if r.Life.Do == "" || r.Life.Do == Retained && r.Life.Reason == "" {
			return fmt.Errorf("table %s: declare the Life of column %s", t.Name, r.Column)
		}
	}
	return nil
}
