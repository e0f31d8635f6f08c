import { useQuery } from "@tanstack/react-query";
import { createFileRoute, notFound, Outlet } from "@tanstack/react-router";
import { api, data, TenonError } from "@/api/client";
import { meQuery, orgsQuery, queryClient, rolesQuery } from "@/api/queries";
import { NotFound } from "@/components/layout/fallback";
import { FactorNeeded, Stopped } from "@/features/org/states";
import { useOrg } from "@/features/org/use";

/** Everything below is about one organization, by its short name. */
export const Route = createFileRoute("/_app/o/$org")({
  beforeLoad: async ({ context, params }) => {
    const org = (await context.queryClient.ensureQueryData(orgsQuery)).find((o) => o.slug === params.org);
    if (!org) throw notFound();
    await context.queryClient.ensureQueryData(rolesQuery(org.id)).catch(() => {}); // an organization may ask for a second factor first
    remember(org.id);
    return { org };
  },
  component: Organization,
  notFoundComponent: NotFound, // within the frame
});

function Organization() {
  const org = useOrg();
  const refusal = useQuery(rolesQuery(org.id)).error;
  if (org.status !== "active") return <Stopped org={org} />;
  if (refusal instanceof TenonError && refusal.code === "orgs.second_factor_required") return <FactorNeeded org={org} />;
  return <Outlet />;
}

/** The organization that somebody was in last is where they begin the next time. */
function remember(org: string) {
  const me = queryClient.getQueryData(meQuery.queryKey);
  if (!me || me.default_org_id === org || me.impersonator) return;
  queryClient.setQueryData(meQuery.queryKey, { ...me, default_org_id: org });
  data(api.PATCH("/api/v1/users/me", { body: { default_org_id: org } })).catch(() => {});
}
