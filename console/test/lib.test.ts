import { expect, test } from "vitest";
import { inside } from "@/features/auth/parts";
import { slugOf } from "@/features/org/slug";
import { ago, initials } from "@/lib/format";
import { preferred, setLocale, t, tOr } from "@/lib/i18n";
import { de } from "@/locales/de";
import { app as deApp } from "@/locales/de/app";
import { en } from "@/locales/en";
import { app as enApp } from "@/locales/en/app";

test("an address from outside leads nowhere else", () => {
  for (const bad of ["//evil.example", "/\\evil.example", "https://evil.example/", "javascript:alert(1)", "", undefined]) expect(inside(bad)).toBe("/");
  for (const good of ["/", "/o/acme?x=1#y", "/account/security"]) expect(inside(good)).toBe(good);
});

test("short names are made of names", () => {
  expect(slugOf("Müller & Co.")).toBe("muller-co");
  expect(slugOf("  Straße -- 7 ")).toBe("strasse-7");
  expect(slugOf("日本")).toBe("");
});

test("initials are letters, whatever the script", () => {
  expect(initials("Ada Lovelace King")).toBe("AL");
  expect(initials(" 𝒜da ")).toBe("𝒜");
});

test("time is told in the language of the reader", async () => {
  const now = Date.parse("2026-11-26T12:00:00Z");
  expect(ago("2026-11-26T11:59:50Z", now)).toBe("just now");
  expect(ago("2026-11-26T11:30:00Z", now)).toBe("30 minutes ago");
  await setLocale("de");
  expect(ago("2026-11-25T12:00:00Z", now)).toBe("gestern");
  expect(t("action.cancel")).toBe("Abbrechen");
  await setLocale("en");
});

test("a text that is missing is said otherwise", () => {
  expect(tOr("problem.nothing_of_the_kind", "As the server says it")).toBe("As the server says it");
});

test("both languages say the same things, with the same variables", () => {
  const variables = (m: unknown) => [...new Set(JSON.stringify(m).match(/\{\w+\}/g) ?? [])].sort();
  const inGerman: Record<string, unknown> = { ...de, ...deApp };
  for (const [key, text] of Object.entries({ ...en, ...enApp }))
    expect({ key, variables: variables(inGerman[key]) }).toEqual({ key, variables: variables(text) });
});

test("the language is the reader's choice, then the browser's", () => {
  expect(preferred("de")).toBe("de");
  expect(preferred("fr")).toBe("en");
});
