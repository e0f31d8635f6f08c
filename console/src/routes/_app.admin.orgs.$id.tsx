import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { ScrollText } from "lucide-react";
import type { ReactNode } from "react";
import { api } from "@/api/client";
import { listQuery, useMe } from "@/api/queries";
import { Crash } from "@/components/layout/fallback";
import { Card, CardBody, CardHeader, Facts, OrgMark, Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Code } from "@/components/ui/copy";
import { Alert } from "@/components/ui/form";
import { Back, Loading, StatusBadge, When } from "@/features/admin/parts";
import { adminOrgQuery, type Org } from "@/features/admin/queries";
import { EventTable } from "@/features/events";
import { count, moment } from "@/lib/format";
import { t } from "@/lib/i18n";

function OrgPage() {
  const { id } = Route.useParams();
  const { data: org, error, refetch } = useQuery(adminOrgQuery(id));
  if (error && !org) return <Crash error={error} reset={refetch} />;
  return org ? <Loaded org={org} /> : <Loading title={t("admin.org")} />;
}

function Loaded({ org }: { org: Org }) {
  return (
    <Page
      title={
        <span className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <OrgMark name={org.name} id={org.id} className="size-9 text-sm" />
          <span className="min-w-0 break-words">{org.name}</span>
          <StatusBadge of={org} />
        </span>
      }
      hint={
        <Back to="/admin/orgs" label={t("nav.orgs")}>
          <span className="font-mono text-xs">{org.slug}</span>
        </Back>
      }
      actions={
        <Button render={<Link to="/admin/events" search={{ org: org.id }} />}>
          <ScrollText />
          {t("nav.events")}
        </Button>
      }
    >
      {org.owners === 0 && <Alert tone="warning">{t("admin.noOwnerHint")}</Alert>}
      {org.purge_at && <Alert tone="warning">{t("admin.orgDeleting", { when: moment(org.purge_at) })}</Alert>}
      <Card>
        <CardHeader title={t("admin.facts")} />
        <CardBody>
          <Facts items={facts(org)} />
        </CardBody>
      </Card>
      <Events org={org} />
    </Page>
  );
}

const facts = (org: Org): [ReactNode, ReactNode][] => [
  [t("admin.name"), org.name],
  [t("admin.slug"), <Code key="slug">{org.slug}</Code>],
  [t("admin.id"), <Code key="id">{org.id}</Code>],
  [t("admin.members"), count(org.members)],
  [t("admin.ownersWho"), count(org.owners)],
  [t("admin.description"), org.description || "—"],
  [t("admin.created"), <When key="created" at={org.created_at} />],
  [t("admin.changed"), <When key="changed" at={org.updated_at} />],
];

function Events({ org }: { org: Org }) {
  const me = useMe();
  const events = useInfiniteQuery(
    listQuery(["admin", "events", "latest", org.id], (cursor, signal) =>
      api.GET("/api/v1/admin/events", { signal, params: { query: { org: org.id, cursor, limit: 10 } } }),
    ),
  );
  return (
    <section aria-labelledby="latest" className="mt-2 grid gap-3">
      <h2 id="latest" className="text-sm font-semibold tracking-[-0.01em]">
        {t("admin.latestEvents")}
      </h2>
      <EventTable label={t("admin.latestEvents")} query={events} me={me.id} />
    </section>
  );
}

export const Route = createFileRoute("/_app/admin/orgs/$id")({ component: OrgPage });
