// Package audit is the event log: what happened, to what, by whom, from where.
//
// Owns:        events, event_details, event_head
// Permissions: audit.read
// Publishes:   nothing; it carries what the others publish
// Jobs:        audit.make_partitions
// Calls:       nothing
//
// An event is recorded in the transaction of the change it tells about: no event,
// no change. Events hold ids; what describes a person lies in event_details, from
// where it can be erased, and the event keeps a salted commitment to it.
package audit
