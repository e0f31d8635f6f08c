import { useQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { useCan } from "@/api/queries";
import { Card, Page, Skeleton } from "@/components/ui/basics";
import { Failed } from "@/components/ui/table";
import { Danger, General, orgQuery, Preferences, SecondFactor } from "@/features/org/settings";
import { useOrg } from "@/features/org/use";
import { t } from "@/lib/i18n";

function Settings() {
  const org = useOrg();
  const change = useCan(org)("orgs.update");
  const { data: now, error, refetch } = useQuery(orgQuery(org.id));
  return (
    <Page narrow title={t("nav.settings")} hint={t("org.settingsHint", { org: org.name })}>
      {now ? (
        <>
          <General now={now} />
          {change && <Preferences now={now} />}
          {change && <SecondFactor now={now} />}
          <Danger org={now.org} />
        </>
      ) : (
        <Card className="grid gap-4 p-5">
          {error ? (
            <Failed error={error} again={refetch} />
          ) : (
            ["w-40", "w-80", "w-64", "w-80"].map((w, i) => <Skeleton key={w + String(i)} className={`h-3.5 max-w-full ${w}`} />)
          )}
        </Card>
      )}
    </Page>
  );
}

export const Route = createFileRoute("/_app/o/$org/settings")({ component: Settings });
