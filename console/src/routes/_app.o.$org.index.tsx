import { createFileRoute } from "@tanstack/react-router";
import { Page } from "@/components/ui/basics";
import { Figures, GettingStarted, Newest } from "@/features/org/overview";
import { useOrg } from "@/features/org/use";
import { t } from "@/lib/i18n";

function Overview() {
  const org = useOrg();
  return (
    <Page title={org.name} hint={org.description || t("org.overviewHint")}>
      <Figures org={org} />
      <GettingStarted org={org} />
      <Newest org={org} />
    </Page>
  );
}

export const Route = createFileRoute("/_app/o/$org/")({ component: Overview });
