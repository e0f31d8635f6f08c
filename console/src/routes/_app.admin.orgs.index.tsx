import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { Building2 } from "lucide-react";
import { Empty, Page } from "@/components/ui/basics";
import { Select } from "@/components/ui/overlay";
import { type Column, DataTable } from "@/components/ui/table";
import { apart, NoOwner, OrgLine, SearchField, StatusBadge, When, wide } from "@/features/admin/parts";
import { adminOrgsQuery, type Org, type OrgFilter, orgStatuses } from "@/features/admin/queries";
import { oneOf, text, useSettled } from "@/features/admin/search";
import { count } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";

const ALL = "all";

function columns(): Column<Org>[] {
  return [
    { key: "org", head: t("admin.org"), className: wide, cell: (o) => <OrgLine org={o} more={<OnPhone org={o} />} /> },
    { key: "status", head: t("admin.status"), narrow: true, className: apart, cell: (o) => <StatusBadge of={o} /> },
    { key: "members", head: t("admin.members"), narrow: true, from: "md", className: cn(apart, "tnum"), cell: (o) => count(o.members) },
    {
      key: "owners",
      head: t("admin.owners"),
      narrow: true,
      from: "md",
      className: cn(apart, "tnum"),
      cell: (o) => (o.owners > 0 ? count(o.owners) : <NoOwner />),
    },
    {
      key: "created",
      head: t("admin.created"),
      narrow: true,
      from: "lg",
      className: cn(apart, "text-muted-foreground"),
      cell: (o) => <When at={o.created_at} />,
    },
  ];
}

/** What the columns say that a phone has no room for. */
const OnPhone = ({ org }: { org: Org }) => (
  <div className="mt-0.5 flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-muted-foreground md:hidden">
    {t("admin.memberCount", { n: org.members })}
    {org.owners === 0 && <NoOwner />}
  </div>
);

function Orgs() {
  const filter = Route.useSearch();
  const navigate = Route.useNavigate();
  const set = (f: OrgFilter) => void navigate({ search: (s) => ({ ...s, ...f }), replace: true });
  const query = useInfiniteQuery({ ...adminOrgsQuery({ ...filter, q: useSettled(filter.q) }), placeholderData: keepPreviousData });
  return (
    <Page title={t("nav.orgs")} hint={t("admin.orgsHint")}>
      <DataTable
        label={t("nav.orgs")}
        columns={columns()}
        query={query}
        rowKey={(o) => o.id}
        onRow={(o) => void navigate({ to: "/admin/orgs/$id", params: { id: o.id } })}
        clear={filter.q || filter.status ? () => void navigate({ search: {}, replace: true }) : undefined}
        empty={
          <Empty icon={<Building2 />} title={t("admin.noOrgs")}>
            {t("admin.noOrgsHint")}
          </Empty>
        }
        toolbar={
          <>
            <SearchField label={t("admin.searchOrgs")} value={filter.q ?? ""} onChange={(q) => set({ q: q || undefined })} />
            <Select
              label={t("admin.status")}
              value={filter.status ?? ALL}
              onChange={(v) => set({ status: oneOf(orgStatuses, v) })}
              items={[{ value: ALL, label: t("admin.anyStatus") }, ...orgStatuses.map((s) => ({ value: s, label: t(`status.${s}`) }))]}
              className="min-w-36"
            />
          </>
        }
      />
    </Page>
  );
}

export const Route = createFileRoute("/_app/admin/orgs/")({
  validateSearch: (s: Record<string, unknown>): OrgFilter => ({ q: text(s.q), status: oneOf(orgStatuses, s.status) }),
  component: Orgs,
});
