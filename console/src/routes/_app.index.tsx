import { createFileRoute, redirect } from "@tanstack/react-router";
import { meQuery, orgsQuery } from "@/api/queries";
import { choose } from "@/components/layout/org";

/** Leads to the organization that the reader was in last; who has none makes one. */
export const Route = createFileRoute("/_app/")({
  beforeLoad: async ({ context }) => {
    const [me, orgs] = await Promise.all([context.queryClient.ensureQueryData(meQuery), context.queryClient.ensureQueryData(orgsQuery)]);
    const org = choose(orgs, me);
    throw org ? redirect({ to: "/o/$org", params: { org: org.slug } }) : redirect({ to: "/welcome" });
  },
});
