import { formatter, region, t } from "./i18n";

export { count } from "./i18n";

const dates = (options: Intl.DateTimeFormatOptions): ((iso: string | number) => string) => {
  const format = formatter((l) => new Intl.DateTimeFormat(l, options));
  return (iso) => {
    const at = new Date(iso);
    return Number.isNaN(at.valueOf()) ? "—" : format().format(at); // it throws at what is no date
  };
};
const relative = formatter((l) => new Intl.RelativeTimeFormat(l, { numeric: "auto" }));

/** How long ago, or from now: "3 minutes ago", "in 2 days". */
export function ago(iso: string | null | undefined, now = Date.now()): string {
  if (!iso) return "—";
  const seconds = (Date.parse(iso) - now) / 1000;
  const abs = Math.abs(seconds);
  const say = (n: number, unit: Intl.RelativeTimeFormatUnit) => relative().format(Math.round(n), unit);
  if (abs < 45) return t("time.now");
  if (abs < 45 * 60) return say(seconds / 60, "minute");
  if (abs < 22 * 3600) return say(seconds / 3600, "hour");
  if (abs < 26 * 86400) return say(seconds / 86400, "day");
  return day(iso);
}

/** 26 Nov 2026 */
export const day = dates({ day: "numeric", month: "short", year: "numeric" });

/** 26 Nov 2026, 14:05 */
export const moment = dates({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

/** 26 Nov 2026, 14:05:09 UTC+1 */
export const exact = dates({
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZoneName: "short",
});

/** 14:05:09 */
export const second = dates({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const hours = dates({ hour: "2-digit", minute: "2-digit" });
/** 14:05 */
export const clock = (iso: string): string => (iso ? hours(iso) : "");

const units = [
  { unit: "day", ms: 86_400_000 },
  { unit: "hour", ms: 3_600_000 },
  { unit: "minute", ms: 60_000 },
  { unit: "second", ms: 1_000 },
  { unit: "millisecond", ms: 1 },
] as const;

/** How long something takes, in the largest unit that fits: "0.41 ms", "12 sec", "24 hr". */
export function duration(ms: number): string {
  const { unit, ms: size } = units.find((u) => ms >= u.ms) ?? { unit: "millisecond", ms: 1 };
  return (ms / size).toLocaleString(region(), { style: "unit", unit, unitDisplay: "short", maximumSignificantDigits: 3 });
}

const sizes = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** How large something is, in the unit that fits: "12 kB", "1.4 GB". */
export function bytes(n: number): string {
  const at = Math.min(Math.floor(Math.log10(Math.max(n, 1)) / 3), sizes.length - 1);
  return (n / 1000 ** at).toLocaleString(region(), {
    style: "unit",
    unit: sizes[at],
    unitDisplay: at === 0 ? "long" : "short",
    maximumSignificantDigits: 3,
  });
}

export const initials = (name: string): string =>
  name
    .trim()
    .split(/\s+/)
    .map((p) => [...p][0] ?? "")
    .slice(0, 2)
    .join("")
    .toUpperCase();

/** A hue that stays with an id, so that people and organizations keep their colour. */
export function hue(id: string): number {
  let h = 2166136261;
  for (let i = 0; i < id.length; i++) h = Math.imul(h ^ id.charCodeAt(i), 16777619);
  return (h >>> 0) % 360;
}
