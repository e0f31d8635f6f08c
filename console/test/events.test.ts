import { readdirSync, readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { agentName } from "@/features/events/agent";
import { detail, describe as words } from "@/features/events/describe";
import { filterQuery, readFilter } from "@/features/events/filter";
import { type AuditEvent, accountEvents, orgEvents, platformEvents } from "@/features/events/types";
import { setLocale } from "@/lib/i18n";
import { app as de } from "@/locales/de/app";
import { app as en } from "@/locales/en/app";

beforeAll(() => setLocale("en", true));

const modules = new URL("../../modules/", `file://${__filename}`).pathname;
const kinds = readdirSync(modules)
  .flatMap((m) => {
    try {
      return [...readFileSync(`${modules}${m}/events.go`, "utf8").matchAll(/Kind\(\) string \{ return "([\w.]+)" \}/g)];
    } catch {
      return [];
    }
  })
  .map((m) => m[1] ?? "");

test("every type of event that the server knows has its words, and can be filtered by", () => {
  expect(kinds.length).toBeGreaterThan(60);
  for (const kind of kinds) {
    expect(Object.keys(en)).toContain(`event.${kind}`);
    expect(Object.keys(de)).toContain(`event.${kind}`);
  }
  expect([...accountEvents, ...orgEvents, ...platformEvents].sort()).toEqual([...kinds].sort());
});

const event = (over: Partial<AuditEvent>) =>
  ({ type: "x.y", data: {}, changes: {}, org_id: "", target: { kind: "account", id: "a", name: "Ada" }, ...over }) as AuditEvent;

test("an event says what matters of it", () => {
  expect(words(event({ type: "sessions.signed_in" }))).toBe("Signed in");
  expect(words(event({ type: "crm.won" }))).toBe("crm.won");
  expect(detail(event({ data: { method: "password+totp" } }))).toBe("Password + Authenticator app");
  expect(detail(event({ org_id: "o", data: { from: "member", to: "admin" }, changes: { role: { from: "member", to: "admin" } } }))).toBe(
    "Ada · Member → Admin",
  );
  expect(detail(event({ changes: { name: { from: "A", to: "B" }, locale: { from: "en", to: "de" } } }))).toBe("Name, Language");
});

test("a user agent is said as people say it", () => {
  expect(agentName("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36")).toBe(
    "Chrome on macOS",
  );
  expect(agentName("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1")).toBe(
    "Safari on iOS",
  );
  expect(agentName("curl/8.5.0")).toBe("curl");
});

test("a filter holds only what it understands, and days are whole", () => {
  expect(readFilter({ type: 3, period: "toString", from: "2026-11-02" })).toEqual({});
  expect(readFilter({ period: "dates", from: "2026-11-02", to: "nonsense" })).toEqual({ period: "dates", from: "2026-11-02" });
  const q = filterQuery({ period: "dates", from: "2026-11-02", to: "2026-11-02" });
  expect(Date.parse(q.to ?? "") - Date.parse(q.from ?? "")).toBe(86_400_000);
  expect(filterQuery({ period: "week" }, Date.parse("2026-11-26T12:00:00Z")).from).toBe("2026-11-19T12:00:00.000Z");
});
