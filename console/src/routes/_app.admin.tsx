import { createFileRoute, notFound, Outlet } from "@tanstack/react-router";
import { meQuery } from "@/api/queries";
import { NotFound } from "@/components/layout/fallback";

/** Everything below is for administrators of the installation; to others it does not exist. */
export const Route = createFileRoute("/_app/admin")({
  beforeLoad: async ({ context }) => {
    const me = await context.queryClient.ensureQueryData(meQuery);
    if (!me.is_admin || me.impersonator) throw notFound();
  },
  component: Outlet,
  notFoundComponent: NotFound, // within the frame: who acts as somebody else keeps the banner, and its end
});
