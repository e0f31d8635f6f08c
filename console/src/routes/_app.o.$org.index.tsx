import { createFileRoute } from "@tanstack/react-router";
import { Page } from "@/components/ui/basics";
import { Figures, GettingStarted, Latest, Newest } from "@/features/org/overview";
import { useOrg } from "@/features/org/use";
import { t } from "@/lib/i18n";

function Overview() {
  const org = useOrg();
  return (
    <Page title={org.name} hint={org.description || t("org.overviewHint")}>
      <Figures org={org} />
      <div className="grid gap-4 empty:hidden lg:auto-cols-fr lg:grid-flow-col lg:items-start">
        <GettingStarted org={org} />
        <Newest org={org} />
      </div>
      <Latest org={org} />
    </Page>
  );
}

export const Route = createFileRoute("/_app/o/$org/")({ component: Overview });
