import { useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { Braces, Download, Sheet } from "lucide-react";
import { api } from "@/api/client";
import { listQuery, useMe } from "@/api/queries";
import { Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuLink, MenuTrigger } from "@/components/ui/overlay";
import { type EventFilter, EventTable, orgEvents, readFilter, useFilterQuery } from "@/features/events";
import { useOrg } from "@/features/org/use";
import { boot } from "@/lib/boot";
import { t } from "@/lib/i18n";

/** What happened in the organization. */
function Events() {
  const org = useOrg();
  const filter = Route.useSearch();
  const navigate = Route.useNavigate();
  const query = useFilterQuery(filter);
  const events = useInfiniteQuery(
    listQuery(["org-events", org.id, query], (cursor, signal) =>
      api.GET("/api/v1/orgs/{org}/events", { signal, params: { path: { org: org.id }, query: { ...query, cursor } } }),
    ),
  );
  return (
    <Page title={t("nav.events")} hint={t("org.eventsHint", { org: org.name })} actions={<Export org={org.id} query={query} />}>
      <EventTable
        label={t("nav.events")}
        query={events}
        filter={filter}
        onFilter={(search: EventFilter) => navigate({ search, replace: true })}
        types={orgEvents}
        me={useMe().id}
        pivot
      />
    </Page>
  );
}

/** Downloads everything that the filters let through. */
function Export({ org, query }: { org: string; query: Record<string, string | undefined> }) {
  const href = (format: string) => {
    const search = new URLSearchParams({ format });
    for (const [name, value] of Object.entries(query)) if (value) search.set(name, value);
    return `${boot.base}/api/v1/orgs/${org}/events/export?${search}`;
  };
  return (
    <Menu>
      <MenuTrigger render={<Button />}>
        <Download />
        {t("org.export")}
      </MenuTrigger>
      <MenuContent>
        <MenuLink render={<a href={href("csv")} download />}>
          <Sheet />
          {t("org.exportCsv")}
        </MenuLink>
        <MenuLink render={<a href={href("jsonl")} download />}>
          <Braces />
          {t("org.exportJsonl")}
        </MenuLink>
      </MenuContent>
    </Menu>
  );
}

export const Route = createFileRoute("/_app/o/$org/events")({ validateSearch: readFilter, component: Events });
