package apikeys

import (
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// About is the key that an event is about, and whose it is.
type About struct {
	OrgID     id.Org     `json:"org_id"`
	KeyID     ID         `json:"key_id"`
	AccountID id.Account `json:"account_id"`
}

// Scope says that the event belongs to the organization's log.
func (a About) Scope() jobs.Scope { return jobs.InOrg(a.OrgID) }

// Created says that there is a new key.
type Created struct{ About }

// Renamed says that a key has another name.
type Renamed struct{ About }

// Rotated says that a key has a new value.
type Rotated struct{ About }

// Revoked says that a key works no more: by_member or owner_left.
type Revoked struct {
	About
	Reason string `json:"reason"`
}

// Kind names the event.
func (Created) Kind() string { return "apikeys.created" }

// Kind names the event.
func (Renamed) Kind() string { return "apikeys.renamed" }

// Kind names the event.
func (Rotated) Kind() string { return "apikeys.rotated" }

// Kind names the event.
func (Revoked) Kind() string { return "apikeys.revoked" }

func (k Key) about(org id.Org) About { return About{org, k.ID, k.AccountID} }

func (k Key) target() audit.Target {
	return audit.Target{Kind: "api_key", ID: k.ID.String(), Name: k.Name}
}
