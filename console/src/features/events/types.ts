import type { ReactNode } from "react";
import type { Schemas } from "@/api/client";

export type AuditEvent = Schemas["AuditEvent"];

/** Says in which log an event is, where a list is of several. */
export interface EventLog {
  head: string;
  cell: (event: AuditEvent) => ReactNode;
}

/** The types that an account's own log can hold. */
export const accountEvents = [
  ..."registered email_verified updated email_changed password_changed password_reset_requested made_administrator administrator_revoked"
    .split(" ")
    .map((e) => `accounts.${e}`),
  ..."suspended reinstated deleted restored purged sign_in_disowned".split(" ").map((e) => `accounts.${e}`),
  ..."linked unlinked sign_in_refused roles_claimed".split(" ").map((e) => `identities.${e}`),
  ..."totp_enabled totp_disabled backup_codes_renewed backup_code_used code_rejected reset".split(" ").map((e) => `mfa.${e}`),
  ..."added renamed removed clone_suspected".split(" ").map((e) => `passkeys.${e}`),
  ..."signed_in sign_in_failed signed_out revoked refresh_reused confirmed impersonation_started impersonation_ended".split(" ").map((e) => `sessions.${e}`),
];

/** The types that an organization's log can hold. */
export const orgEvents = [
  ..."created renamed rotated revoked".split(" ").map((e) => `apikeys.${e}`),
  ..."uploaded deleted lost".split(" ").map((e) => `files.${e}`),
  ..."created updated deleted restored purged ownership_transferred member_joined member_left member_removed member_role_changed"
    .split(" ")
    .map((e) => `orgs.${e}`),
  ..."role_created role_updated role_deleted team_created team_updated team_deleted team_member_added team_member_removed".split(" ").map((e) => `orgs.${e}`),
  ..."invitation_created invitation_resent invitation_revoked invitation_accepted".split(" ").map((e) => `orgs.${e}`),
];

/** The types that are in nobody's log: they are about the installation, or people who have no account yet. */
export const platformEvents = [
  "accounts.sign_up_approved",
  "accounts.sign_up_declined",
  ..."created updated archived restored deleted".split(" ").map((e) => `flags.${e}`),
  ..."announced announcement_changed announcement_deleted".split(" ").map((e) => `notifications.${e}`),
  ..."job_retried job_cancelled job_deleted dead_jobs_retried queue_paused queue_resumed schedule_run".split(" ").map((e) => `ops.${e}`),
];
