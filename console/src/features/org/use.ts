import { type InfiniteData, queryOptions, type UseInfiniteQueryResult, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { all, api, type Schemas } from "@/api/client";
import { listQuery, orgsQuery, rolesQuery } from "@/api/queries";
import { roleName } from "@/components/layout/shell";

export type Org = Schemas["Org"];
export type Member = Schemas["OrgsMember"];
export type Role = Schemas["OrgsRole"];

/** Where one protects one's account. */
export const SECURITY: string = "/account/security";

const route = getRouteApi("/_app/o/$org");

/** The organization that the page is about, as it is now: what the route found may have changed since. */
export function useOrg(): Org {
  const { org } = route.useRouteContext();
  return useQuery(orgsQuery).data?.find((o) => o.id === org.id) ?? org;
}

export const membersQuery = (org: string) =>
  listQuery(["members", org], (cursor, signal) => api.GET("/api/v1/orgs/{org}/members", { signal, params: { path: { org }, query: { cursor, limit: 100 } } }));

export const teamsQuery = (org: string) =>
  listQuery(["teams", org], (cursor, signal) => api.GET("/api/v1/orgs/{org}/teams", { signal, params: { path: { org }, query: { cursor, limit: 100 } } }));

export const invitationsQuery = (org: string) =>
  listQuery(["invitations", org], (cursor, signal) =>
    api.GET("/api/v1/orgs/{org}/invitations", { signal, params: { path: { org }, query: { cursor, limit: 100 } } }),
  );

export const keysQuery = (org: string) =>
  listQuery(["api-keys", org], (cursor, signal) =>
    api.GET("/api/v1/orgs/{org}/api-keys", { signal, params: { path: { org }, query: { cursor, limit: 100 } } }),
  );

/** What can be allowed, in the order of the product. */
export const permissionsQuery = queryOptions({
  queryKey: ["permissions"],
  queryFn: async ({ signal }) => {
    const found: Schemas["OrgsPermission"][] = [];
    for await (const p of all((cursor) => api.GET("/api/v1/permissions", { signal, params: { query: { cursor, limit: 100 } } }))) found.push(p);
    return found;
  },
  staleTime: 60_000,
});

type Pages<T> = UseInfiniteQueryResult<InfiniteData<{ items: T[]; next_cursor: string | null }>>;

/** Loads the rest of a list, while that is wanted: the API does not search in it. */
export function useRest<T>(query: Pages<T>, wanted = true): Pages<T> {
  const { hasNextPage, isFetching, isError, fetchNextPage } = query;
  useEffect(() => {
    if (wanted && hasNextPage && !isFetching && !isError) void fetchNextPage();
  }, [wanted, hasNextPage, isFetching, isError, fetchNextPage]);
  return query;
}

export const items = <T>(query: { data?: { pages: { items: T[] }[] } }): T[] => query.data?.pages.flatMap((p) => p.items) ?? [];

/** The same list with only some of its rows. */
export const only = <T>(query: Pages<T>, keep: (row: T) => boolean) => ({
  ...query,
  data: query.data && { pages: [{ items: items(query).filter(keep) }] },
});

/** Everybody in the organization by account id. */
export function useEverybody(org: string): Map<string, Member> {
  return new Map(items(useRest(useInfiniteQuery(membersQuery(org)))).map((m) => [m.account_id, m]));
}

/** What the reader may do here, and so what they may give to others or take away from them. */
export function useRights(org: Org) {
  const roles = useQuery(rolesQuery(org.id)).data ?? [];
  const mine = new Set(roles.find((r) => r.key === org.role)?.permissions);
  const holds = (permission: string) => org.role === "owner" || mine.has(permission);
  const role = (key: string) => roles.find((r) => r.key === key);
  return {
    roles,
    role,
    holds,
    /** Whether a role does not go beyond the reader's own. */
    covers: (key: string) => (role(key)?.permissions ?? []).every(holds),
    nameOf: (key: string) => roleName(key, role(key)?.name),
  };
}

/** What a dialog is about, also while it closes. */
export function useSubject<T>() {
  const [subject, set] = useState<T>();
  const [open, setOpen] = useState(false);
  const show = (about: T) => {
    set(about);
    setOpen(true);
  };
  return { subject, open, show, setOpen, close: () => setOpen(false) };
}

/** A state that begins anew each time a dialog opens, and stays while it closes. */
export function useEachOpening<T>(open: boolean) {
  const [was, setWas] = useState(open);
  const state = useState<T>();
  if (open !== was) {
    setWas(open);
    if (open) state[1](undefined);
  }
  return state;
}
