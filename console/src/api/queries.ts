import { infiniteQueryOptions, MutationCache, QueryCache, QueryClient, queryOptions, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { toast } from "@/components/ui/toast";
import { t } from "@/lib/i18n";
import { api, data, declined, explain, nobody, type Schemas, signedOut, TenonError } from "./client";

const OFTEN = 15_000;

let pushed = false;
/** Says whether changes are pushed: then asking is only for what no push tells of. */
export const setPushed = (on: boolean): void => {
  pushed = on;
};

/** How often what is on the screen is asked for anew. Hidden tabs do not ask. */
export const live = (): number => (pushed ? 4 * OFTEN : OFTEN);

export const queryClient: QueryClient = new QueryClient({
  defaultOptions: {
    queries: { staleTime: 5_000, refetchOnWindowFocus: true, retry: (n, e) => n < 2 && e instanceof TenonError && (e.status === 0 || e.status >= 500) },
  },
  queryCache: new QueryCache({ onError: (e) => noticeSignOut(e) }),
  mutationCache: new MutationCache({
    // What changes something may change what any list shows; those on the screen ask anew.
    onSuccess: (_data, _vars, _context, mutation) => {
      if (!mutation.meta?.quiet) return queryClient.invalidateQueries();
    },
    onError: (e, _vars, _context, mutation) => {
      noticeSignOut(e);
      if (!mutation.meta?.handled && !declined(e) && !signedOut(e)) toast.error(t("error.failed"), explain(e));
    },
  }),
});

declare module "@tanstack/react-query" {
  interface Register {
    mutationMeta: { /** The form shows the error itself. */ handled?: boolean /** Nothing that a list shows has changed. */; quiet?: boolean };
  }
}

let leave = () => {};
/** What happens once the server says that nobody is signed in. */
export const onSignedOut = (fn: () => void): void => {
  leave = fn;
};
function noticeSignOut(e: unknown) {
  if (signedOut(e) && (e as TenonError).code.startsWith("auth.") && queryClient.getQueryData(meQuery.queryKey)) leave();
}

/** Asks what only somebody who is signed in gets. Where nobody is, the browser would log a refusal as an error. */
const mine = <T>(ask: () => Promise<T>): Promise<T> =>
  nobody() ? Promise.reject(new TenonError({ title: "Unauthorized", status: 401, code: "auth.required", request_id: "" })) : ask();

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => mine(() => data(api.GET("/api/v1/users/me", { signal }))),
  staleTime: 30_000,
});
export const useMe = (): Schemas["Account"] => useSuspenseQuery(meQuery).data;

/** The first hundred organizations of the reader; the switcher shows no more. */
export const orgsQuery = queryOptions({
  queryKey: ["orgs"],
  queryFn: ({ signal }) => mine(async () => (await data(api.GET("/api/v1/orgs", { signal, params: { query: { limit: 100 } } }))).items),
  staleTime: 30_000,
});

export const rolesQuery = (org: string) =>
  queryOptions({
    queryKey: ["roles", org],
    enabled: org !== "",
    queryFn: async ({ signal }) => (await data(api.GET("/api/v1/orgs/{org}/roles", { signal, params: { path: { org }, query: { limit: 100 } } }))).items,
    staleTime: 30_000,
  });

/** Whether the reader may do something in an organization: what they may not is not offered. */
export function useCan(org: Schemas["Org"]): (permission: string) => boolean {
  const roles = useQuery(rolesQuery(org.id)).data;
  const mine = roles?.find((r) => r.key === org.role)?.permissions;
  const works = org.status === "active"; // one that is suspended or being deleted has nothing to offer
  return (permission) => (works && mine?.includes(permission)) ?? false;
}

interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** A list that grows page by page, and refreshes by itself. */
export function listQuery<T>(key: readonly unknown[], page: (cursor: string | undefined, signal: AbortSignal) => Promise<{ data?: Page<T> }>) {
  return infiniteQueryOptions({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => data(page(pageParam || undefined, signal)),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: live,
  });
}
