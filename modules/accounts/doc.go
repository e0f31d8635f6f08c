// Package accounts owns people: who they are, their address and their password, and who may sign up.
//
// Owns:        accounts, account_emails, account_tokens, account_passwords, account_waitlist, setup
// Permissions: none; everybody has rights over their own account only
// Publishes:   Registered, EmailVerified, Updated, EmailChanged, PasswordChanged, PasswordResetRequested, SignInDisowned, SignUpApproved, SignUpDeclined, MadeAdministrator, AdministratorRevoked, AccountSuspended, Reinstated, Deleted, Restored, Purged
// Jobs:        accounts.answer_email, accounts.sweep
// Calls:       audit
package accounts
