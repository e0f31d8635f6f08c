import { moment } from "@/lib/format";
import { region, t } from "@/lib/i18n";
import { showValues } from "./draft";
import type { Condition, Flag, Serve } from "./queries";

const percent = (n: number): string => (n / 100).toLocaleString(region(), { style: "percent", maximumFractionDigits: 3 });

/** What counts as one of a split. */
export const unit = (by: string): string => (by === "user" ? t("flags.people") : by === "org" ? t("flags.organizations") : by);

/** What is served, in a sentence without its end: "on for 25 % of people, off for 75 %". */
export function serves(s: Serve): string {
  if (s.split)
    return s.split.weights
      .filter((w) => w.percent > 0)
      .map((w) => t("flags.partGets", { variant: w.variant, part: percent(w.percent), unit: unit(s.split?.by ?? "user") }))
      .join(", ");
  if (s.rollout) {
    const { variant, by, from_percent, to_percent, starts_at, ends_at } = s.rollout;
    return t("flags.rolls", { variant, from: percent(from_percent), to: percent(to_percent), unit: unit(by), start: moment(starts_at), end: moment(ends_at) });
  }
  return t("flags.allGet", { variant: s.variant ?? "" });
}

/** What a flag does at this moment. */
export function says(f: Flag): string {
  if (f.archived_at) return t("flags.nobodyGets");
  if (!f.enabled) return t("flags.allGet", { variant: f.off_variant });
  const rules = f.rules.length > 0 ? `${t("flags.ruleCount", { n: f.rules.length })}; ` : "";
  return rules + (f.rules.length > 0 ? t("flags.else", { what: serves(f.default) }) : serves(f.default));
}

export const condition = (c: Condition): string => [c.attribute, t(`flags.op.${c.operator}`), showValues(c)].filter(Boolean).join(" ");
