import { queryOptions } from "@tanstack/react-query";
import { api, data, type Schemas } from "@/api/client";
import { listQuery } from "@/api/queries";

export type Flag = Schemas["Flag"];
export type Serve = Schemas["FlagsServe"];
export type Rule = Schemas["FlagsRule"];
export type Condition = Schemas["FlagsCondition"];
export type Variant = Schemas["FlagsVariant"];
export type Change = Schemas["FlagsChange"];

export const flagStates = ["on", "off", "archived"] as const;

/** What the page shows; it stands in its address. */
export interface FlagFilter {
  state?: (typeof flagStates)[number];
  stale?: true;
  q?: string;
}

export const flagsQuery = (filter: FlagFilter) =>
  listQuery(["flags", filter], (cursor, signal) => api.GET("/api/v1/admin/flags", { signal, params: { query: { ...filter, cursor, limit: 50 } } }));

/** A flag, and the state it was read in: a change of another state is refused. */
export interface Read {
  flag: Flag;
  etag: string;
}

export const flagQuery = (key: string) =>
  queryOptions({
    queryKey: ["flags", "one", key],
    queryFn: async ({ signal }): Promise<Read> => {
      const answer = await api.GET("/api/v1/admin/flags/{flag}", { signal, params: { path: { flag: key } } });
      return { flag: answer.data as Flag, etag: answer.response.headers.get("ETag") ?? "" };
    },
    refetchInterval: 10_000,
  });

export const changesQuery = (key: string) =>
  listQuery(["flags", "one", key, "changes"], (cursor, signal) =>
    api.GET("/api/v1/admin/flags/{flag}/changes", { signal, params: { path: { flag: key }, query: { cursor, limit: 20 } } }),
  );

export const usageQuery = (key: string) =>
  queryOptions({
    queryKey: ["flags", "one", key, "usage"],
    queryFn: async ({ signal }) => (await data(api.GET("/api/v1/admin/flags/{flag}/usage", { signal, params: { path: { flag: key } } }))).items,
  });
