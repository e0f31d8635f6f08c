import type { Schemas } from "@/api/client";

export type Key = Schemas["ApikeysKey"];

const DAY = 86_400_000;

/** Whether a key has ended, or how near its end is. */
export function lifeOf(key: Key, now = Date.now()): "expired" | "ending" | "fine" {
  if (!key.expires_at) return "fine";
  const left = Date.parse(key.expires_at) - now;
  return left <= 0 ? "expired" : left < 14 * DAY ? "ending" : "fine";
}

/** Whether the value before the last rotation still works. */
export const overlaps = (key: Key, now = Date.now()): boolean => key.previous_expires_at !== null && Date.parse(key.previous_expires_at) > now;

/** How long a new key is to live: some days, for ever, or until a date. */
export type Term = "30" | "90" | "365" | "never" | "date";

export function expiryOf(term: Term, date: string, now = Date.now()): string | undefined {
  if (term === "never") return undefined;
  // Until the end of that day, where the reader is.
  if (term === "date") return date ? new Date(`${date}T23:59:59`).toISOString() : undefined;
  return new Date(now + Number(term) * DAY).toISOString();
}

// What can be read with each scope: the first line to try a new key with.
const readable: Record<string, string> = {
  "orgs.read": "",
  "orgs.list_members": "/members",
  "orgs.list_teams": "/teams",
  "orgs.invite": "/invitations",
  "apikeys.list": "/api-keys",
  "audit.read": "/events",
};

/** A command that works with a new key, if its scopes let it read something. */
export function curlOf(origin: string, org: string, scopes: string[], key: string): string | undefined {
  const scope = Object.keys(readable).find((s) => scopes.includes(s));
  return scope && `curl -H "Authorization: Bearer ${key}" "${origin}/api/v1/orgs/${org}${readable[scope]}"`;
}
