// Package identities owns signing in with other providers: Google, GitHub, Microsoft,
// Keycloak and whatever speaks OpenID Connect.
//
// Owns:        identities, identity_subjects, identity_flows
// Permissions: none; everybody has rights over their own identities only
// Publishes:   Linked, Unlinked, SignInRefused, RolesClaimed
// Jobs:        identities.sweep
// Calls:       audit, accounts, sessions
//
// An identity is an issuer and a subject. Nothing else that a provider says decides who
// somebody is: an address only finds or makes an account when the provider has proof of it.
package identities
