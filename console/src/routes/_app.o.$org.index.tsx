import { createFileRoute } from "@tanstack/react-router";
import { Page } from "@/components/ui/basics";

function Overview() {
  const { org } = Route.useRouteContext();
  return <Page title={org.name}>…</Page>;
}

export const Route = createFileRoute("/_app/o/$org/")({ component: Overview });
