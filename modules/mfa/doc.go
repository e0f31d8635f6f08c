// Package mfa owns the second factors that an account has beside its password: codes of
// authenticator apps (TOTP, RFC 6238) and backup codes. It finishes sign-ins that one
// proof began, and takes the proofs that operations ask for again.
//
// Owns:        mfa_accounts, mfa_devices, mfa_backup_codes
// Permissions: none; everybody has rights over their own factors only
// Publishes:   TOTPEnabled, TOTPDisabled, BackupCodesRenewed, BackupCodeUsed, CodeRejected, Reset
// Jobs:        mfa.sweep
// Calls:       audit, accounts, sessions, passkeys
//
// Whatever opens with a second factor goes through prove: guesses of one account are
// counted together, and a factor is used up in the transaction of what it opens.
package mfa
