// Package orgs owns organizations: who belongs to them, as what, in which teams, and who is invited.
//
// Owns:        orgs, org_slugs, org_members, org_roles, teams, team_members, org_invitations
// Permissions: orgs.read, orgs.update, orgs.delete, orgs.transfer, orgs.list_members, orgs.invite, orgs.manage_members, orgs.manage_roles, orgs.list_teams, orgs.manage_teams
// Publishes:   Created, Updated, Deleted, Restored, Purged, OwnershipTransferred, Member…, Role…, Team…, Invitation…
// Jobs:        orgs.sweep
// Calls:       audit, accounts, sessions, identities
//
// Whoever changes who belongs to an organization, or what they may do there, holds the
// organization's row first: such changes happen one after another.
package orgs
