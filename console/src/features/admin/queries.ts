import { queryOptions } from "@tanstack/react-query";
import { api, data, type Schemas } from "@/api/client";
import { listQuery, live } from "@/api/queries";

export type User = Schemas["AdminUser"];
export type UserDetail = Schemas["AdminUserDetail"];
export type Org = Schemas["OrgsAdministered"];
export type Waiting = Schemas["AccountsEntry"];

export const userStatuses = ["active", "suspended", "deleting", "unverified"] as const;
export const orgStatuses = ["active", "suspended", "deleting"] as const;

export interface UserFilter {
  q?: string;
  status?: (typeof userStatuses)[number];
  admin?: true;
}

export interface OrgFilter {
  q?: string;
  status?: (typeof orgStatuses)[number];
}

const PAGE = 50;

export const usersQuery = (f: UserFilter) =>
  listQuery(["admin", "users", f], (cursor, signal) => api.GET("/api/v1/admin/users", { signal, params: { query: { ...f, cursor, limit: PAGE } } }));

export const userQuery = (person: string) =>
  queryOptions({
    queryKey: ["admin", "user", person],
    queryFn: ({ signal }) => data(api.GET("/api/v1/admin/users/{person}", { signal, params: { path: { person } } })),
    refetchInterval: live,
  });

export const adminOrgsQuery = (f: OrgFilter) =>
  listQuery(["admin", "orgs", f], (cursor, signal) => api.GET("/api/v1/admin/orgs", { signal, params: { query: { ...f, cursor, limit: PAGE } } }));

export const adminOrgQuery = (organization: string) =>
  queryOptions({
    queryKey: ["admin", "org", organization],
    queryFn: ({ signal }) => data(api.GET("/api/v1/admin/orgs/{organization}", { signal, params: { path: { organization } } })),
  });

export const waitlistQuery = listQuery(["admin", "waitlist"], (cursor, signal) =>
  api.GET("/api/v1/admin/waitlist", { signal, params: { query: { cursor, limit: PAGE } } }),
);

/** The first hundred of a list, for a glance. The API counts nothing, so more than that is "100+". */
export interface Glance<T> {
  items: T[];
  more: boolean;
}

const glance = <T>(key: string, ask: (signal: AbortSignal) => Promise<{ data?: { items: T[]; next_cursor: string | null } }>) =>
  queryOptions({
    queryKey: ["admin", "glance", key],
    queryFn: async ({ signal }): Promise<Glance<T>> => {
      const page = await data(ask(signal));
      return { items: page.items, more: page.next_cursor !== null };
    },
    refetchInterval: () => 4 * live(),
  });

const limit = 100;

export const glances = {
  users: glance("users", (signal) => api.GET("/api/v1/admin/users", { signal, params: { query: { limit } } })),
  suspended: glance("suspended", (signal) => api.GET("/api/v1/admin/users", { signal, params: { query: { limit, status: "suspended" } } })),
  deleting: glance("deleting", (signal) => api.GET("/api/v1/admin/users", { signal, params: { query: { limit, status: "deleting" } } })),
  admins: glance("admins", (signal) => api.GET("/api/v1/admin/users", { signal, params: { query: { limit, admin: true } } })),
  orgs: glance("orgs", (signal) => api.GET("/api/v1/admin/orgs", { signal, params: { query: { limit } } })),
  waitlist: glance("waitlist", (signal) => api.GET("/api/v1/admin/waitlist", { signal, params: { query: { limit } } })),
};
