import { queryOptions } from "@tanstack/react-query";
import { api, data, type Schemas } from "@/api/client";
import { listQuery } from "@/api/queries";

export type Job = Schemas["Job"];
export type JobDetail = Schemas["JobDetail"];
export type Queue = Schemas["JobsQueueState"];
export type Schedule = Schemas["JobsSchedule"];
export type Metrics = Schemas["JobsMetrics"];

export const states = ["running", "available", "scheduled", "retrying", "dead", "completed", "cancelled"] as const;
export type State = (typeof states)[number];

export const windows = ["1h", "6h", "24h"] as const;
export type TimeWindow = (typeof windows)[number];

/** What the page shows; it stands in its address. */
export interface JobFilter {
  state?: State;
  queue?: string;
  /** A kind, or the id of a job. */
  q?: string;
  window?: TimeWindow;
}

/** How often the page asks anew while it is live. */
export const EVERY = 3_000;

const PAGE = 30;
const jobs = ["admin", "jobs"] as const;

export const isID = (text: string): boolean => /^job_\d+$/.test(text);

export const jobsQuery = ({ state, queue, q }: JobFilter) =>
  listQuery([...jobs, "list", state, queue, q], (cursor, signal) =>
    api.GET("/api/v1/admin/jobs", { signal, params: { query: { state, queue, ...(q && (isID(q) ? { id: q } : { kind: q })), cursor, limit: PAGE } } }),
  );

export const jobQuery = (job: string, args: boolean) =>
  queryOptions({
    queryKey: [...jobs, job, args],
    queryFn: ({ signal }) => data(api.GET("/api/v1/admin/jobs/{job}", { signal, params: { path: { job }, query: { args } } })),
  });

export const metricsQuery = (window: TimeWindow, queue?: string) =>
  queryOptions({
    queryKey: [...jobs, "metrics", window, queue],
    queryFn: ({ signal }) => data(api.GET("/api/v1/admin/jobs/metrics", { signal, params: { query: { window, queue } } })),
  });

export const queuesQuery = queryOptions({
  queryKey: [...jobs, "queues"],
  queryFn: async ({ signal }) => (await data(api.GET("/api/v1/admin/queues", { signal }))).items,
});

export const schedulesQuery = queryOptions({
  queryKey: [...jobs, "schedules"],
  queryFn: async ({ signal }) => (await data(api.GET("/api/v1/admin/schedules", { signal }))).items,
});

/** Where a queue counts the jobs of a state; those that are over are not counted. */
const columns: Partial<Record<State, "running" | "waiting" | "scheduled" | "retrying" | "dead">> = {
  running: "running",
  available: "waiting",
  scheduled: "scheduled",
  retrying: "retrying",
  dead: "dead",
};

/** How many jobs of all queues, or of one, are in a state. */
export function counted(queues: Queue[] | undefined, state: State, queue?: string): number | undefined {
  const column = columns[state];
  if (!queues || !column) return undefined;
  return queues.filter((q) => !queue || q.name === queue).reduce((sum, q) => sum + q[column], 0);
}
