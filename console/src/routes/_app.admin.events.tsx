import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { ScanSearch, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { api } from "@/api/client";
import { listQuery, useMe } from "@/api/queries";
import { Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { NoMatch } from "@/components/ui/table";
import { AccountName, ByID, LogOf, OrgName } from "@/features/admin/events";
import { text } from "@/features/admin/search";
import { accountEvents, type EventFilter, EventTable, orgEvents, platformEvents, readFilter, useFilterQuery } from "@/features/events";
import { t } from "@/lib/i18n";

interface Search extends EventFilter {
  /** Only this organization's log. */
  org?: string;
  /** Only this account's own log. */
  account?: string;
}

const types = [...accountEvents, ...orgEvents, ...platformEvents];

/** What happened, in all organizations and accounts. */
function Events() {
  const me = useMe();
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  const [byID, setByID] = useState(false);
  const filter = useFilterQuery(search);
  const query = { ...filter, org: search.org, account: search.account };
  const events = useInfiniteQuery({
    ...listQuery(["admin", "events", query], (cursor, signal) => api.GET("/api/v1/admin/events", { signal, params: { query: { ...query, cursor } } })),
    placeholderData: keepPreviousData,
  });
  const show = (next: Search) => void navigate({ search: next, replace: true });
  const oneLog = search.org ?? search.account;
  return (
    <Page title={t("nav.events")} hint={t("admin.eventsHint")}>
      <EventTable
        label={t("nav.events")}
        query={events}
        filter={search}
        onFilter={show}
        types={types}
        me={me.id}
        log={{ head: t("admin.log"), cell: (e) => <LogOf event={e} /> }}
        pivot
        empty={oneLog && <NoMatch clear={() => show({})} />}
        actions={
          <>
            {search.org && (
              <Narrowed onRemove={() => show({ ...search, org: undefined })}>
                <OrgName id={search.org} />
              </Narrowed>
            )}
            {search.account && (
              <Narrowed onRemove={() => show({ ...search, account: undefined })}>
                <AccountName id={search.account} />
              </Narrowed>
            )}
            <Button onClick={() => setByID(true)}>
              <ScanSearch />
              {t("admin.byId")}
            </Button>
          </>
        }
      />
      <ByID open={byID} onOpenChange={setByID} onFind={(found) => show({ ...search, ...found })} />
    </Page>
  );
}

/** The one log that the list is narrowed to, to be taken away. */
const Narrowed = ({ onRemove, children }: { onRemove: () => void; children: ReactNode }) => (
  <Button onClick={onRemove} className="max-w-full bg-brand-soft text-brand-text">
    <span className="truncate">
      {t("admin.logOf")} {children}
    </span>
    <span className="sr-only">, {t("event.takeAway")}</span>
    <X />
  </Button>
);

export const Route = createFileRoute("/_app/admin/events")({
  validateSearch: (s: Record<string, unknown>): Search => ({ ...readFilter(s), org: text(s.org), account: text(s.account) }),
  component: Events,
});
