// Package flags owns feature flags: what is turned on for whom, decided in the process.
//
// Owns:        flags, flag_head, flag_changes, flag_counts
// Permissions: flags.evaluate
// Publishes:   Created, Updated, Archived, Restored, Deleted
// Jobs:        flags.sweep
// Calls:       audit, accounts, orgs
//
// An evaluation reads memory alone: the flags as they were last loaded, the caller, and
// the clock. A change reaches every node within a second; while the database is away
// the last flags are served.
package flags
