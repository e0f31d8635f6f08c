import { createFileRoute, Outlet, redirect } from "@tanstack/react-router";
import { signedOut } from "@/api/client";
import { meQuery, orgsQuery } from "@/api/queries";
import { Shell } from "@/components/layout/shell";
import { preferred, setLocale } from "@/lib/i18n";

export const Route = createFileRoute("/_app")({
  beforeLoad: async ({ context, location }) => {
    try {
      const [me] = await Promise.all([context.queryClient.ensureQueryData(meQuery), context.queryClient.ensureQueryData(orgsQuery)]);
      await setLocale(preferred(me.locale), true);
    } catch (e) {
      if (signedOut(e)) throw redirect({ to: "/sign-in", search: location.pathname === "/" ? {} : { next: location.href } });
      throw e;
    }
  },
  component: () => (
    <Shell>
      <Outlet />
    </Shell>
  ),
});
