import { useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { api } from "@/api/client";
import { listQuery, useMe } from "@/api/queries";
import { Page } from "@/components/ui/basics";
import { accountEvents, type EventFilter, EventTable, readFilter, useFilterQuery } from "@/features/events";
import { t } from "@/lib/i18n";

/** What happened in the reader's own account. */
function Activity() {
  const me = useMe();
  const filter = Route.useSearch();
  const navigate = Route.useNavigate();
  const query = useFilterQuery(filter);
  const events = useInfiniteQuery(
    listQuery(["my-events", query], (cursor, signal) => api.GET("/api/v1/users/me/events", { signal, params: { query: { ...query, cursor } } })),
  );
  return (
    <Page title={t("nav.activity")} hint={t("account.activityHint")}>
      <EventTable
        label={t("nav.activity")}
        query={events}
        filter={filter}
        onFilter={(search: EventFilter) => navigate({ search, replace: true })}
        types={accountEvents}
        me={me.id}
      />
    </Page>
  );
}

export const Route = createFileRoute("/_app/account/activity")({ validateSearch: readFilter, component: Activity });
