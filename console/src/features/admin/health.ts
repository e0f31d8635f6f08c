import { queryOptions } from "@tanstack/react-query";
import type { Schemas } from "@/api/client";
import { queryClient } from "@/api/queries";
import { boot } from "@/lib/boot";

/** How something is; "unknown" while the server does not answer, which alone could say. */
export type State = "ok" | "degraded" | "unavailable" | "unknown";

export const parts = ["server", "traffic", "database", "cache"] as const;
export type Part = (typeof parts)[number];

/** What one look at the server found. */
export interface Look {
  /** When, in milliseconds. */
  at: number;
  state: Record<Part, State>;
  /** How long the server's database took to answer, in milliseconds. How long it took to refuse says nothing. */
  latency?: number;
  /** How long the server took to answer this browser. */
  trip?: number;
}

/** What this page has seen since it was opened. */
export interface Observed {
  /** The last ones, newest last. */
  looks: Look[];
  last: Look;
  /** Since when each part is as it is now, as far as was seen. */
  since: Record<Part, number>;
  /** When the first look was: what began then may have been so for long. */
  began: number;
}

export const EVERY = 5_000;
const KEPT = 60;

/** Adds a look to those before it. */
export function observe(before: Observed | undefined, look: Look): Observed {
  const since = {} as Record<Part, number>;
  for (const p of parts) since[p] = before?.last.state[p] === look.state[p] ? before.since[p] : look.at;
  return { looks: [...(before?.looks ?? []), look].slice(-KEPT), last: look, since, began: before?.began ?? look.at };
}

/** The worst that matters: without its cache the service does with less, without the rest it does not work. */
export function overall({ state }: Look): State {
  if (state.server !== "ok" || state.traffic !== "ok" || state.database !== "ok") return "unavailable";
  return state.cache === "ok" ? "ok" : "degraded";
}

/** An answer, also one with 503, whose body says more; nothing where nobody answers. */
async function ask<T>(path: string, signal: AbortSignal): Promise<T | undefined> {
  try {
    const answer = await fetch(boot.base + path, { signal, headers: { Accept: "application/json" } });
    return answer.ok || answer.status === 503 ? ((await answer.json()) as T) : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

export async function look(signal: AbortSignal): Promise<Look> {
  const at = Date.now();
  const begun = performance.now();
  const live = await ask<{ status: string }>("/health", signal);
  const trip = performance.now() - begun;
  if (live?.status !== "ok") return { at, state: { server: "unavailable", traffic: "unknown", database: "unknown", cache: "unknown" } };
  const [ready, health, database] = await Promise.all([
    ask<Schemas["OpsHealth"]>("/health/ready", signal),
    ask<Schemas["OpsHealth"]>("/api/v1/health/", signal),
    ask<Schemas["OpsDatabase"]>("/api/v1/health/db", signal),
  ]);
  const traffic = ready === undefined ? "unknown" : ready.status === "unavailable" ? "unavailable" : "ok";
  const state = { server: "ok" as const, traffic, database: database?.status ?? "unknown", cache: health?.checks.cache ?? "unknown" } as const;
  return { at, state, latency: state.database === "ok" ? database?.latency_ms : undefined, trip };
}

const key = ["admin", "health"];

/** Asks by itself for as long as somebody looks; what was seen stays until the page is left for good. */
export const healthQuery = queryOptions({
  queryKey: key,
  queryFn: async ({ signal }) => observe(queryClient.getQueryData<Observed>(key), await look(signal)),
  refetchInterval: EVERY,
  staleTime: EVERY - 1_000,
  gcTime: Number.POSITIVE_INFINITY,
});

/** What the product is called and which version answers. */
export const versionQuery = queryOptions({
  queryKey: ["admin", "version"],
  queryFn: async ({ signal }) => {
    const document = await ask<{ info?: { title?: string; version?: string } }>("/openapi.json", signal);
    return { title: document?.info?.title ?? boot.name, version: document?.info?.version ?? "" };
  },
  staleTime: Number.POSITIVE_INFINITY,
});

/** The one in the middle: an odd slow answer does not move it. */
export function median(numbers: number[]): number | undefined {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
