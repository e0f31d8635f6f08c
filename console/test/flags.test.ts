import { beforeAll, expect, test } from "vitest";
import { changesOf, draftOf, readValue, readValues, rename, serveAs, showValues, weigh } from "@/features/flags/draft";
import type { Flag } from "@/features/flags/queries";
import { says } from "@/features/flags/words";
import { setLocale } from "@/lib/i18n";

beforeAll(() => setLocale("en", true));

const flag = (over: Partial<Flag> = {}): Flag =>
  ({
    id: "flag_1",
    key: "new-dashboard",
    type: "boolean",
    enabled: true,
    description: "",
    owner: "",
    tags: [],
    client: false,
    archived_at: null,
    variants: [
      { name: "on", value: true },
      { name: "off", value: false },
    ],
    off_variant: "off",
    default: { variant: "on" },
    rules: [],
    prerequisites: [],
    schedule: [],
    ...over,
  }) as Flag;

test("a flag says what it does", () => {
  expect(says(flag())).toBe("on for everybody");
  expect(says(flag({ enabled: false }))).toBe("off for everybody");
  expect(says(flag({ archived_at: "2026-01-01T00:00:00Z" }))).toBe("Nobody gets it");
  const split = {
    split: {
      by: "org",
      weights: [
        { variant: "on", percent: 12.5 },
        { variant: "off", percent: 87.5 },
      ],
    },
  };
  expect(says(flag({ default: split }))).toBe("on for 12.5% by organization, off for 87.5% by organization");
  expect(says(flag({ rules: [{ id: "r", conditions: [], serve: { variant: "on" } }], default: { variant: "off" } }))).toBe("1 rule; else off for everybody");
});

test("a draft sends what it changes, and nothing else", () => {
  const f = flag();
  const d = draftOf(f);
  expect(changesOf(f, d)).toEqual({});
  d.default = serveAs("split", d.default, d.variants);
  d.owner = "Growth team";
  expect(Object.keys(changesOf(f, d))).toEqual(["owner", "default"]);
  expect(f.owner).toBe("");
});

test("parts of a split always make a whole", () => {
  let split = serveAs("split", { variant: "a" }, [
    { name: "a", value: "a" },
    { name: "b", value: "b" },
    { name: "c", value: "c" },
  ]).split;
  for (const [variant, percent] of [
    ["b", 33.333],
    ["c", 50],
    ["a", 0],
    ["b", 100],
    ["a", 12.5],
  ] as const) {
    split = split && weigh(split, variant, percent);
    expect(split?.weights.find((w) => w.variant === variant)?.percent).toBe(percent);
    expect(split?.weights.reduce((sum, w) => sum + w.percent, 0)).toBeCloseTo(100, 9);
    expect(split?.weights.every((w) => w.percent >= 0 && w.percent <= 100)).toBe(true);
  }
});

test("a variant is renamed wherever it is named", () => {
  const d = rename(draftOf(flag({ default: serveAs("rollout", { variant: "on" }, flag().variants) })), "on", "shown");
  expect(d.variants[0]?.name).toBe("shown");
  expect(d.default.rollout?.variant).toBe("shown");
  expect(d.off_variant).toBe("off");
});

test("what is typed as values is read as it is meant", () => {
  expect(readValues("acme.com, example.org,", "email_domain")).toEqual(["acme.com", "example.org"]);
  expect(readValues('5, true, x, "5"', "seats")).toEqual([5, true, "x", "5"]);
  expect(readValues("5", "plan")).toEqual(["5"]);
  for (const values of [
    ["a", "b"],
    [5, "5", true, "true"],
  ])
    expect(readValues(showValues({ attribute: "seats", operator: "one_of", values }), "seats")).toEqual(values);
  expect(readValue("{}", "json")).toEqual({});
  expect(readValue("[]", "json")).toBeUndefined();
  expect(readValue("x", "number")).toBeUndefined();
  expect(readValue("12", "number")).toBe(12);
});
