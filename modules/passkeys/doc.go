// Package passkeys owns passkeys (WebAuthn Level 3): to sign in without a password, as
// a second factor, and to prove again who one is.
//
// Owns:        passkeys, passkey_handles, passkey_challenges, passkey_sign_ins
// Permissions: none; everybody has rights over their own passkeys only
// Publishes:   Added, Renamed, Removed, CloneSuspected
// Jobs:        passkeys.sweep
// Calls:       audit, accounts, sessions
//
// To sign in by a passkey alone, the authenticator must have verified its user (a PIN, a
// finger, a face): what one holds and what one knows or is are two factors, and nothing
// more is asked. As a second factor, beside a password, holding it is enough.
//
// Passkeys belong to a domain. Theirs is the host of TENON_PUBLIC_URL; TENON_ALLOWED_ORIGINS
// are accepted too, as far as the browser lets them use that domain. Browsers know no
// passkeys of IP addresses: a server on http://127.0.0.1:8000 makes those of "localhost",
// for a page that was opened as http://localhost:8000.
package passkeys
