// Package apikeys owns the keys by which programs use an organization, each for the member who made it.
//
// Owns:        api_keys
// Permissions: apikeys.list, apikeys.manage
// Publishes:   Created, Renamed, Rotated, Revoked
// Jobs:        apikeys.sweep
// Calls:       audit, accounts, orgs
//
// A key may do at each moment what its owner may in that one organization, and of that
// only its scopes. It stops at once when its owner leaves or is suspended, and goes on
// when they change their password or address: then a letter lists the keys that do.
package apikeys
