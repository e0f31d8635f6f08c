import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { Flag as FlagIcon, Plus } from "lucide-react";
import { useState } from "react";
import { Empty, Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/overlay";
import { type Column, DataTable } from "@/components/ui/table";
import { apart, SearchField, When, wide } from "@/features/admin/parts";
import { oneOf, text, useSettled } from "@/features/admin/search";
import { CreateFlag } from "@/features/flags/create";
import { Badges } from "@/features/flags/parts";
import { type Flag, type FlagFilter, flagStates, flagsQuery } from "@/features/flags/queries";
import { Toggle } from "@/features/flags/verbs";
import { says } from "@/features/flags/words";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";

const ALL = "all";

function columns(): Column<Flag>[] {
  return [
    {
      key: "flag",
      head: t("flags.flag"),
      className: wide,
      cell: (f) => (
        <>
          <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
            <Link to="/admin/flags/$flag" params={{ flag: f.key }} className="min-w-0 truncate rounded font-mono text-xs font-medium hover:underline">
              {f.key}
            </Link>
            <Badges flag={f} />
          </div>
          <div className="truncate text-xs text-muted-foreground">{[says(f), f.description].filter(Boolean).join(" · ")}</div>
        </>
      ),
    },
    { key: "owner", head: t("flags.owner"), from: "xl", narrow: true, className: apart, cell: (f) => f.owner || "—" },
    {
      key: "changed",
      head: t("flags.lastChange"),
      from: "md",
      narrow: true,
      className: cn(apart, "text-muted-foreground"),
      cell: (f) => <When at={f.updated_at} />,
    },
    { key: "on", head: t("flags.on"), narrow: true, className: apart, cell: (f) => <Toggle flag={f} /> },
  ];
}

/** All flags of the installation: what they serve, and the switch of each. */
function Flags() {
  const filter = Route.useSearch();
  const navigate = Route.useNavigate();
  const set = (f: FlagFilter) => void navigate({ search: (s) => ({ ...s, ...f }), replace: true });
  const [creating, setCreating] = useState(false);
  const query = useInfiniteQuery({ ...flagsQuery({ ...filter, q: useSettled(filter.q) }), placeholderData: keepPreviousData });
  const create = (variant: "primary" | "secondary") => (
    <Button variant={variant} onClick={() => setCreating(true)}>
      <Plus />
      {t("flags.new")}
    </Button>
  );
  return (
    <Page title={t("nav.flags")} hint={t("flags.hint")} actions={create("primary")}>
      <DataTable
        label={t("nav.flags")}
        columns={columns()}
        query={query}
        rowKey={(f) => f.id}
        onRow={(f) => void navigate({ to: "/admin/flags/$flag", params: { flag: f.key } })}
        clear={filter.q || filter.state || filter.stale ? () => void navigate({ search: {}, replace: true }) : undefined}
        empty={
          <Empty icon={<FlagIcon />} title={t("flags.none")} action={create("secondary")}>
            {t("flags.noneHint")}
          </Empty>
        }
        toolbar={
          <>
            <SearchField label={t("flags.search")} value={filter.q ?? ""} onChange={(q) => set({ q: q || undefined })} />
            <Select
              label={t("flags.state")}
              value={filter.stale ? "stale" : (filter.state ?? ALL)}
              onChange={(v) => set({ state: oneOf(flagStates, v), stale: v === "stale" || undefined })}
              items={[
                { value: ALL, label: t("flags.anyState") },
                ...[...flagStates, "stale"].map((value) => ({ value, label: t(`flags.state.${value}` as "flags.state.on") })),
              ]}
              className="min-w-36"
            />
          </>
        }
      />
      <CreateFlag open={creating} setOpen={setCreating} />
    </Page>
  );
}

export const Route = createFileRoute("/_app/admin/flags/")({
  component: Flags,
  validateSearch: (s: Record<string, unknown>): FlagFilter => ({ state: oneOf(flagStates, s.state), stale: s.stale === true || undefined, q: text(s.q) }),
});
