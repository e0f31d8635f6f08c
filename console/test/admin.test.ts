import { expect, test } from "vitest";
import { type Look, median, observe, overall } from "@/features/admin/health";
import { pieces } from "@/features/admin/mail";
import { oneOf, text } from "@/features/admin/search";

const well: Look["state"] = { server: "ok", traffic: "ok", database: "ok", cache: "ok" };

test("a page remembers since when something is as it is", () => {
  const first = observe(undefined, { at: 1000, state: well });
  expect(first.since).toEqual({ server: 1000, traffic: 1000, database: 1000, cache: 1000 });
  const down = observe(observe(first, { at: 2000, state: well }), { at: 3000, state: { ...well, database: "unavailable" } });
  expect(down.since).toEqual({ server: 1000, traffic: 1000, database: 3000, cache: 1000 });
  expect(down.began).toBe(1000);
  let many = down;
  for (let i = 0; i < 200; i++) many = observe(many, { at: 4000 + i, state: { ...well, database: "unavailable" } });
  expect(many.looks).toHaveLength(60);
  expect(many.since.database).toBe(3000);
});

test("what does not answer is not well", () => {
  expect(overall({ at: 0, state: well })).toBe("ok");
  expect(overall({ at: 0, state: { ...well, cache: "degraded" } })).toBe("degraded");
  for (const state of [
    { ...well, database: "unavailable" },
    { ...well, database: "unknown" },
    { ...well, traffic: "unavailable" },
    { ...well, server: "unavailable" },
  ])
    expect(overall({ at: 0, state: state as Look["state"] })).toBe("unavailable");
});

test("the median is in the middle", () => {
  expect(median([9, 1, 2])).toBe(2);
  expect(median([])).toBeUndefined();
});

test("the links of a letter are links, and nothing else is", () => {
  expect(pieces("Go to https://a.example/x?y=1, or to javascript:alert(1).", ["https://a.example/x?y=1"])).toEqual([
    { text: "Go to ", link: false },
    { text: "https://a.example/x?y=1", link: true },
    { text: ", or to javascript:alert(1).", link: false },
  ]);
  expect(pieces("none", [])).toEqual([{ text: "none", link: false }]);
});

test("an address holds what somebody searched for, a number too", () => {
  expect(text(42)).toBe("42");
  expect(text("")).toBeUndefined();
  expect(text(["x"])).toBeUndefined();
  expect(oneOf(["active", "deleting"], "deleting")).toBe("deleting");
  expect(oneOf(["active"], "toString")).toBeUndefined();
});
