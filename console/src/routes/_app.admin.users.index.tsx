import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { UserRound } from "lucide-react";
import { Empty, Page } from "@/components/ui/basics";
import { Select } from "@/components/ui/overlay";
import { type Column, DataTable } from "@/components/ui/table";
import { apart, Factors, Person, SearchField, StatusBadge, When, wide } from "@/features/admin/parts";
import { type User, type UserFilter, userStatuses, usersQuery } from "@/features/admin/queries";
import { oneOf, text, useSettled } from "@/features/admin/search";
import { ago, count } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";

const ALL = "all";

function columns(): Column<User>[] {
  return [
    { key: "account", head: t("admin.account"), className: wide, cell: (u) => <Person user={u} more={<OnPhone user={u} />} /> },
    { key: "status", head: t("admin.status"), narrow: true, className: apart, cell: (u) => <StatusBadge of={u} /> },
    { key: "factors", head: t("admin.secondFactor"), narrow: true, from: "xl", className: apart, cell: (u) => <Factors kinds={u.second_factors} /> },
    {
      key: "devices",
      head: t("admin.devices"),
      narrow: true,
      from: "lg",
      className: cn(apart, "tnum"),
      cell: (u) => <span className={u.sessions > 0 ? undefined : "text-muted-foreground"}>{count(u.sessions)}</span>,
    },
    { key: "active", head: t("admin.lastActive"), narrow: true, from: "md", className: apart, cell: (u) => <When at={u.last_active_at} /> },
    {
      key: "created",
      head: t("admin.created"),
      narrow: true,
      from: "xl",
      className: cn(apart, "text-muted-foreground"),
      cell: (u) => <When at={u.created_at} />,
    },
  ];
}

/** What the columns say that a phone has no room for. */
const OnPhone = ({ user }: { user: User }) => (
  <div className="truncate text-xs text-muted-foreground md:hidden">
    {user.is_admin && `${t("admin.administrator")} · `}
    {user.last_active_at ? t("admin.activeAgo", { when: ago(user.last_active_at) }) : t("admin.deviceCount", { n: 0 })}
  </div>
);

function Users() {
  const filter = Route.useSearch();
  const navigate = Route.useNavigate();
  const set = (f: UserFilter) => void navigate({ search: (s) => ({ ...s, ...f }), replace: true });
  const query = useInfiniteQuery({ ...usersQuery({ ...filter, q: useSettled(filter.q) }), placeholderData: keepPreviousData });
  return (
    <Page title={t("nav.users")} hint={t("admin.usersHint")}>
      <DataTable
        label={t("nav.users")}
        columns={columns()}
        query={query}
        rowKey={(u) => u.id}
        onRow={(u) => void navigate({ to: "/admin/users/$person", params: { person: u.id } })}
        clear={filter.q || filter.status || filter.admin ? () => void navigate({ search: {}, replace: true }) : undefined}
        empty={<Empty icon={<UserRound />} title={t("admin.noUsers")} />}
        toolbar={
          <>
            <SearchField label={t("admin.searchUsers")} value={filter.q ?? ""} onChange={(q) => set({ q: q || undefined })} />
            <Select
              label={t("admin.status")}
              value={filter.status ?? ALL}
              onChange={(v) => set({ status: oneOf(userStatuses, v) })}
              items={[
                { value: ALL, label: t("admin.anyStatus") },
                ...userStatuses.map((s) => ({ value: s, label: s === "unverified" ? t("admin.unverified") : t(`status.${s}`) })),
              ]}
              className="min-w-36"
            />
            <Select
              label={t("admin.role")}
              value={filter.admin ? "admin" : ALL}
              onChange={(v) => set({ admin: v === "admin" || undefined })}
              items={[
                { value: ALL, label: t("admin.everybody") },
                { value: "admin", label: t("admin.administrators") },
              ]}
              className="min-w-32"
            />
          </>
        }
      />
    </Page>
  );
}

export const Route = createFileRoute("/_app/admin/users/")({
  validateSearch: (s: Record<string, unknown>): UserFilter => ({
    q: text(s.q),
    status: oneOf(userStatuses, s.status),
    admin: s.admin === true || undefined,
  }),
  component: Users,
});
