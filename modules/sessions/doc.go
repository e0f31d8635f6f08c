// Package sessions owns signing in and what it yields: sessions, access tokens,
// refresh tokens. It turns any credential into a caller.
//
// Owns:        sessions, session_challenges, session_devices, session_guesses, session_mail_sign_ins
// Permissions: none; everybody has rights over their own sessions only
// Publishes:   SignedIn, SignInFailed, SignedOut, Revoked, RefreshReused, Confirmed, ImpersonationStarted, ImpersonationEnded
// Jobs:        sessions.sweep, sessions.answer_mail_sign_in, sessions.end_impersonation, sessions.end_left_impersonations
// Calls:       audit, accounts
//
// Whatever ends or begins sessions together with a change of the account (sign-up,
// passwords, addresses, the first administrator) is an operation of this module.
package sessions
