import { roleName } from "@/components/layout/shell";
import { t, tOr } from "@/lib/i18n";
import type { AuditEvent } from "./types";

/** What happened, in the language of the reader. A product's own types get their words from the server's wording. */
export const describe = (event: Pick<AuditEvent, "type">): string => describeType(event.type);

export const describeType = (type: string): string => tOr(`event.${type}`, type);

/** What else is worth a line: what it happened to, how, why. */
export function detail(event: AuditEvent): string {
  const d = (event.data ?? {}) as Record<string, unknown>;
  const changes = event.changes ?? {};
  const changed = Object.keys(changes).filter((field) => !said.has(field));
  const parts = [
    ownAccount(event) ? "" : event.target.name,
    text(d.provider),
    text(d.method).split("+").filter(Boolean).map(methodName).join(" + "),
    d.from !== undefined && d.to !== undefined ? `${roleName(text(d.from))} → ${roleName(text(d.to))}` : roleName(text(d.role), text(d.role)),
    text(d.reason) && tOr(`event.reason.${d.reason}`, tOr(`problem.${d.reason}`, text(d.reason))),
    text(changes.reason?.to),
    changed.map(fieldName).join(", "),
  ];
  return parts.filter(Boolean).join(" · ");
}

/** Fields of which the line above says more than their name. */
const said = new Set(["reason", "role", "scopes", "expires_at", "previous_expires_at"]);

export const fieldName = (field: string): string => tOr(`event.field.${field}`, field);

const methodName = (method: string): string => tOr(`event.method.${method}`, method);

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Whether an event is about the very account whose log it is in: no need to name it. */
const ownAccount = (e: AuditEvent): boolean => e.target.kind === "account" && !e.org_id;

/** Who did it, as the reader calls them. */
export function actorName({ actor }: Pick<AuditEvent, "actor">, me?: string): string {
  switch (actor.kind) {
    case "account":
      return actor.id === me ? t("event.actor.you") : actor.name || t("event.actor.gone");
    case "api_key":
      return actor.name || t("event.actor.key");
    case "job":
      return t("event.actor.job");
    case "nobody":
      return t("event.actor.nobody");
  }
  return t("event.actor.system");
}
