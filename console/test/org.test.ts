import { expect, test } from "vitest";
import { addressesOf } from "@/features/org/addresses";
import { curlOf, expiryOf, type Key, lifeOf, overlaps } from "@/features/org/keys";
import { matches } from "@/features/org/parts";

test("addresses are found in what people paste", () => {
  expect(addressesOf("ada@example.com, Grace Hopper <grace@example.com>;\n  joan@example.com alan@example.com\n\n")).toEqual([
    "ada@example.com",
    "grace@example.com",
    "joan@example.com",
    "alan@example.com",
  ]);
  expect(addressesOf("Ada@example.com\nada@example.com")).toEqual(["Ada@example.com"]);
  expect(addressesOf("not an address, Ada Lovelace ada@example.com")).toEqual(["not an address", "ada@example.com"]);
  expect(addressesOf(" \n,; ")).toEqual([]);
});

const now = Date.parse("2026-11-26T12:00:00Z");
const key = (k: Partial<Key>): Key => ({ expires_at: null, previous_expires_at: null, ...k }) as Key;

test("a key's life is told by its end", () => {
  expect(lifeOf(key({}), now)).toBe("fine");
  expect(lifeOf(key({ expires_at: "2026-11-26T12:00:00Z" }), now)).toBe("expired");
  expect(lifeOf(key({ expires_at: "2026-12-01T12:00:00Z" }), now)).toBe("ending");
  expect(lifeOf(key({ expires_at: "2027-12-01T12:00:00Z" }), now)).toBe("fine");
  expect(overlaps(key({ previous_expires_at: "2026-11-26T12:00:01Z" }), now)).toBe(true);
  expect(overlaps(key({ previous_expires_at: "2026-11-26T11:59:59Z" }), now)).toBe(false);
});

test("a term becomes an end", () => {
  expect(expiryOf("30", "", now)).toBe("2026-12-26T12:00:00.000Z");
  expect(expiryOf("never", "2026-12-31", now)).toBeUndefined();
  expect(new Date(expiryOf("date", "2026-12-31", now) ?? "").getDate()).toBe(31);
});

test("the command to try a key reads what its scopes allow", () => {
  expect(curlOf("https://x.example", "org_1", ["orgs.list_teams"], "tn_key_1")).toBe(
    'curl -H "Authorization: Bearer tn_key_1" "https://x.example/api/v1/orgs/org_1/teams"',
  );
  expect(curlOf("https://x.example", "org_1", ["orgs.update"], "tn_key_1")).toBeUndefined();
});

test("a search finds every word, anywhere", () => {
  expect(matches("love ada", "Ada Lovelace", "ada@example.com")).toBe(true);
  expect(matches("", "Ada")).toBe(true);
  expect(matches("grace", "Ada Lovelace", "ada@example.com")).toBe(false);
});
