import type { Schemas } from "@/api/client";
import type { Condition, Flag, Serve, Variant } from "./queries";

/** What can be changed of a flag. */
export type Draft = Pick<Flag, "description" | "owner" | "tags" | "client" | "variants" | "off_variant" | "default" | "rules" | "prerequisites" | "schedule">;

const fields = ["description", "owner", "tags", "client", "variants", "off_variant", "default", "rules", "prerequisites", "schedule"] as const;

export const draftOf = (f: Flag): Draft => structuredClone(Object.fromEntries(fields.map((k) => [k, f[k]])) as Draft);

/** What a draft changes of a flag; empty: nothing. */
export function changesOf(f: Flag, d: Draft): Partial<Schemas["FlagsUpdateInputBody"]> {
  return Object.fromEntries(fields.filter((k) => JSON.stringify(f[k]) !== JSON.stringify(d[k])).map((k) => [k, d[k]]));
}

export const kinds = ["variant", "split", "rollout"] as const;
export type Kind = (typeof kinds)[number];
export const kindOf = (s: Serve): Kind => (s.split ? "split" : s.rollout ? "rollout" : "variant");

/** The same people get about the same, served in another way. */
export function serveAs(kind: Kind, s: Serve, variants: Variant[]): Serve {
  const first = s.variant ?? s.split?.weights[0]?.variant ?? s.rollout?.variant ?? variants[0]?.name ?? "";
  const other = variants.find((v) => v.name !== first)?.name ?? first;
  const by = s.split?.by ?? s.rollout?.by ?? "user";
  if (kind === "variant") return { variant: first };
  if (kind === "split") return { split: { by, weights: variants.map((v) => ({ variant: v.name, percent: v.name === first ? 100 : 0 })) } };
  const day = 86_400_000;
  return {
    rollout: {
      by,
      variant: first,
      otherwise: other,
      from_percent: 0,
      to_percent: 100,
      starts_at: new Date().toISOString(),
      ends_at: new Date(Date.now() + 7 * day).toISOString(),
    },
  };
}

/** A split in which one variant has another part; the first of the others takes or gives the difference. */
export function weigh(split: Schemas["FlagsSplit"], variant: string, percent: number): Schemas["FlagsSplit"] {
  let left = round(percent - (split.weights.find((w) => w.variant === variant)?.percent ?? 0));
  const weights = split.weights.map((w) => (w.variant === variant ? { ...w, percent: round(percent) } : { ...w }));
  for (const w of weights.filter((o) => o.variant !== variant)) {
    const next = Math.min(100, Math.max(0, round(w.percent - left)));
    left = round(left - (w.percent - next));
    w.percent = next;
  }
  return { ...split, weights };
}

const round = (n: number): number => Math.round(n * 1000) / 1000;

/** Renames a variant wherever a draft names it. */
export function rename(d: Draft, from: string, to: string): Draft {
  const name = (v: string) => (v === from ? to : v);
  const serve = (s: Serve): Serve => ({
    ...(s.variant === undefined ? {} : { variant: name(s.variant) }),
    ...(s.split && { split: { ...s.split, weights: s.split.weights.map((w) => ({ ...w, variant: name(w.variant) })) } }),
    ...(s.rollout && { rollout: { ...s.rollout, variant: name(s.rollout.variant), otherwise: name(s.rollout.otherwise) } }),
  });
  return {
    ...d,
    variants: d.variants.map((v) => ({ ...v, name: name(v.name) })),
    off_variant: name(d.off_variant),
    default: serve(d.default),
    rules: d.rules.map((r) => ({ ...r, serve: serve(r.serve) })),
  };
}

/** Attributes whose values are always text. */
const texts = new Set(["user_id", "email_domain", "org_id", "plan", "role"]);

/** What somebody typed as the values of a condition: separated by commas, quoted where a number or truth is meant as text. */
export function readValues(text: string, attribute: string): unknown[] {
  return text
    .split(",")
    .map((s) => s.trim())
    .filter((s) => s !== "")
    .map((s) => (texts.has(attribute) ? s.replace(/^"(.*)"$/, "$1") : readScalar(s)));
}

/** A truth or a number where it looks like one, else a text; quoted it is a text anyway. */
export function readScalar(s: string): string | number | boolean {
  const quoted = s.match(/^"(.*)"$/);
  if (quoted) return quoted[1] ?? "";
  if (s === "true" || s === "false") return s === "true";
  return /^-?\d+(\.\d+)?$/.test(s) ? Number(s) : s;
}

/** What readValues reads. */
export function showValues(c: Condition): string {
  return (c.values ?? []).map((v) => (typeof v === "string" && !texts.has(c.attribute) && readScalar(v) !== v ? `"${v}"` : String(v))).join(", ");
}

/** The value of a variant as somebody types it, and back; undefined: it is not of the type. */
export const showValue = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
export function readValue(text: string, type: Flag["type"]): unknown {
  if (type === "string") return text;
  try {
    const value: unknown = JSON.parse(text);
    const right = type === "json" ? typeof value === "object" && value !== null && !Array.isArray(value) : typeof value === type;
    return right ? value : undefined;
  } catch {
    return undefined;
  }
}
