import { createFileRoute } from "@tanstack/react-router";
import { NotFound } from "@/components/layout/fallback";
import { useCurrentOrg } from "@/components/layout/org";
import { pages } from "@/extensions/load";

function Extension() {
  const page = pages.get(`/${Route.useParams()._splat ?? ""}`);
  const org = useCurrentOrg();
  return page ? <page.component org={org && { id: org.id, slug: org.slug, name: org.name, role: org.role }} /> : <NotFound />;
}

export const Route = createFileRoute("/_app/x/$")({ component: Extension });
