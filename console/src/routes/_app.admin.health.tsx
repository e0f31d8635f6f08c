import { useQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { Page, Skeleton } from "@/components/ui/basics";
import { EVERY, healthQuery, versionQuery } from "@/features/admin/health";
import { Checks, Latency, Verdict } from "@/features/admin/health-view";
import { t } from "@/lib/i18n";

/** How the installation is, asked anew every few seconds. It says so as well when nothing answers. */
function Health() {
  const { data: observed } = useQuery(healthQuery);
  const { data: version } = useQuery(versionQuery);
  return (
    <Page
      title={t("nav.health")}
      hint={
        <>
          {t("admin.healthHint", { n: EVERY / 1000 })}
          {version?.version && <span className="tnum"> {t("admin.health.version", { name: version.title, version: version.version })}</span>}
        </>
      }
    >
      {observed ? (
        <>
          <Verdict observed={observed} />
          <Checks observed={observed} />
          <Latency looks={observed.looks} />
        </>
      ) : (
        <>
          <Skeleton className="h-20 rounded-lg" />
          <Skeleton className="h-72 rounded-lg" />
        </>
      )}
    </Page>
  );
}

export const Route = createFileRoute("/_app/admin/health")({ component: Health });
