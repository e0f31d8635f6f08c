package audit

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// PermRead lets a member read the event log of the organization.
const PermRead authz.Permission = "audit.read"

type eventKind struct{}

// Prefix begins the id of every event.
func (eventKind) Prefix() string { return "evt" }

// ID identifies an event. It is no position: a later id may have been committed earlier.
type ID = id.ID[eventKind]

// Entry is something that happened, about to be recorded.
type Entry struct {
	// Event is the fact: its Kind is the event's type, its Scope the log it belongs
	// to, its JSON the data, which holds ids and numbers but nothing about a person.
	Event jobs.Args
	// Target is what it happened to.
	Target Target
	// Changes are the fields that have new values. They may describe a person.
	Changes map[string]Change
}

// Target is what an event happened to.
type Target struct {
	Kind string `json:"kind" example:"account"`
	ID   string `json:"id" example:"acc_01jd8x0q3cfetb3p3ccw2s5r2a"`
	Name string `json:"name" doc:"As it was called then" example:"Ada Lovelace"`
}

// Change is one field before and after.
type Change struct {
	From any `json:"from"`
	To   any `json:"to"`
}

// Event is something that happened, as the log tells it.
type Event struct {
	ID         ID                `json:"id"`
	Position   *int64            `json:"position" doc:"Order of commit; null for the moment between commit and count"`
	Type       string            `json:"type" example:"orgs.member_joined"`
	Actor      Actor             `json:"actor"`
	Target     Target            `json:"target"`
	OrgID      *id.Org           `json:"org_id"`
	Data       json.RawMessage   `json:"data"`
	Changes    map[string]Change `json:"changes" doc:"Fields before and after"`
	IPAddress  string            `json:"ip_address"`
	UserAgent  string            `json:"user_agent"`
	RequestID  string            `json:"request_id"`
	OccurredAt time.Time         `json:"occurred_at"`
}

// hideOrigin removes from where another person acted: an administrator, for instance,
// whose name is the owner's business, but whose address is not.
func (e *Event) hideOrigin(owner id.Account) {
	if e.Actor.Kind == authz.ActorAccount && e.Actor.ID != owner.String() {
		e.IPAddress, e.UserAgent = "", ""
	}
}

// Actor is who made something happen.
type Actor struct {
	Kind       authz.ActorKind `json:"kind" doc:"account, api_key, job, system or nobody"`
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	OnBehalfOf *string         `json:"on_behalf_of" doc:"For whom an API key or an impersonator acted"`
}

// Filter narrows a list of events. Zero fields do not narrow.
type Filter struct {
	Type   string
	Actor  string
	Target string
	From   time.Time // at this instant or later
	To     time.Time // before this instant
}

// position is where a page of events ends.
type position struct {
	At time.Time `json:"at"`
	ID ID        `json:"id"`
}

func positionOf(e Event) position { return position{e.OccurredAt, e.ID} }

// end is the position that every event of the filter's time is before.
func (f Filter) end() position {
	if f.To.IsZero() {
		return position{db.EndOfTime(), firstID()}
	}
	return position{f.To, firstID()}
}

// details is the part of an event that describes people.
type details struct {
	ActorName  string            `json:"actor_name"`
	TargetName string            `json:"target_name"`
	IPAddress  string            `json:"ip_address"`
	UserAgent  string            `json:"user_agent"`
	Changes    map[string]Change `json:"changes"`
}

// commit binds an event to its details without revealing them: once they and the
// salt are erased, the commitment says nothing.
func (d details) commit() (salt, commitment []byte, err error) {
	body, err := json.Marshal(d)
	if err != nil {
		return nil, nil, fmt.Errorf("encode event details: %w", err)
	}
	salt = make([]byte, 16)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the program instead
	sum := sha256.Sum256(append(salt[:len(salt):len(salt)], body...))
	return salt, sum[:], nil
}

// firstID comes before every id. It is not zero, which the database stores as none.
func firstID() (first ID) {
	first[len(first)-1] = 1
	return first
}
