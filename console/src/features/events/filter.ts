import { useMemo } from "react";

export type Period = "day" | "week" | "month" | "dates";

/** What a list of events is narrowed to, as it stands in the address of the page. */
export interface EventFilter {
  type?: string;
  /** By id. */
  actor?: string;
  target?: string;
  period?: Period;
  /** The first and the last day (2026-11-26) of the period "dates", where the reader is. */
  from?: string;
  to?: string;
}

const days: Record<string, number> = { day: 1, week: 7, month: 30 };
const isDay = (text: unknown): text is string => typeof text === "string" && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
const isPeriod = (text: unknown): text is Period => text === "dates" || (typeof text === "string" && Object.hasOwn(days, text));

/** For `validateSearch` of a page with events. */
export function readFilter(s: Record<string, unknown>): EventFilter {
  const text = (v: unknown) => (typeof v === "string" && v !== "" ? v : undefined);
  const dates = s.period === "dates";
  return {
    type: text(s.type),
    actor: text(s.actor),
    target: text(s.target),
    period: isPeriod(s.period) ? s.period : undefined,
    from: dates && isDay(s.from) ? s.from : undefined,
    to: dates && isDay(s.to) ? s.to : undefined,
  };
}

export const isFiltered = (f: EventFilter): boolean => Boolean(f.type || f.actor || f.target || f.period);

/** A filter as the API takes it. */
export function filterQuery(f: EventFilter, now = Date.now()) {
  const midnight = (day: string, later = 0) => {
    const at = new Date(`${day}T00:00`);
    at.setDate(at.getDate() + later);
    return at.toISOString();
  };
  const span = days[f.period ?? ""];
  return {
    type: f.type,
    actor: f.actor,
    target: f.target,
    from: span ? new Date(now - span * 86_400_000).toISOString() : f.from && midnight(f.from),
    to: f.to && midnight(f.to, 1),
  };
}

/** Like {@link filterQuery}, and the same until the filter changes: the next page is only good for the same filter. */
export function useFilterQuery({ type, actor, target, period, from, to }: EventFilter) {
  return useMemo(() => filterQuery({ type, actor, target, period, from, to }), [type, actor, target, period, from, to]);
}
