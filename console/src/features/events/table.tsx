import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { History, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Badge, Empty } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/form";
import { Select } from "@/components/ui/overlay";
import { type Column, DataTable } from "@/components/ui/table";
import { ago, exact } from "@/lib/format";
import { getLocale, t } from "@/lib/i18n";
import { agentName } from "./agent";
import { actorName, describe, describeType, detail } from "./describe";
import { EventDetail } from "./detail";
import { type EventFilter, isFiltered, type Period } from "./filter";
import { ActorMark, EventMark } from "./mark";
import type { AuditEvent, EventLog } from "./types";

interface Props {
  /** What the table shows, for those who do not see it. */
  label: string;
  /** `useInfiniteQuery(listQuery([…, query], …))` with the query of `useFilterQuery(filter)`. */
  query: UseInfiniteQueryResult<{ pages: { items: AuditEvent[] }[] }>;
  /** What stands in the address of the page; see `readFilter`. Without it, there is no toolbar. */
  filter?: EventFilter;
  onFilter?: (filter: EventFilter) => void;
  /** The types to choose from: `accountEvents`, `orgEvents`. */
  types?: string[];
  /** The reader's account: what they did themselves is said to be theirs. */
  me?: string;
  /** Leaves out who did it. */
  anonymous?: boolean;
  /** Where the list is of several logs: which one an event is in. */
  log?: EventLog;
  /** Offers, in the details of an event, to narrow the list to its actor or its target. */
  pivot?: boolean;
  /** At the end of the toolbar, such as an export. */
  actions?: ReactNode;
  empty?: ReactNode;
}

/** An event log: what happened, who did it, from where and when; a row opens its details. */
export function EventTable({ label, query, filter = {}, onFilter, types = [], me, anonymous, log, pivot, actions, empty }: Props) {
  const [open, setOpen] = useState<AuditEvent>();
  const rows = query.data?.pages.flatMap((p) => p.items) ?? [];
  const narrow = (f: Pick<EventFilter, "actor" | "target">) => {
    setOpen(undefined);
    onFilter?.({ ...filter, ...f });
  };
  return (
    <>
      <DataTable
        label={label}
        query={query}
        columns={columnsFor({ me, anonymous, log, open: setOpen })}
        rowKey={(e) => e.id}
        onRow={setOpen}
        toolbar={onFilter && <Toolbar filter={filter} onFilter={onFilter} types={types} rows={rows} me={me} actions={actions} />}
        clear={onFilter && isFiltered(filter) ? () => onFilter({}) : undefined}
        empty={empty ?? <Empty icon={<History />} title={t("event.none")} />}
      />
      <EventDetail event={open} onClose={() => setOpen(undefined)} me={me} log={log} onFilter={pivot && onFilter ? narrow : undefined} />
    </>
  );
}

function columnsFor({ me, anonymous, log, open }: Pick<Props, "me" | "anonymous" | "log"> & { open: (e: AuditEvent) => void }): Column<AuditEvent>[] {
  const who: Column<AuditEvent> = { key: "who", head: t("event.who"), from: "md", cell: (e) => <Who event={e} me={me} /> };
  return [
    {
      key: "what",
      head: t("event.what"),
      className: log && "lg:w-1/3",
      cell: (e) => (
        <div className="flex items-center gap-3">
          <EventMark type={e.type} />
          <div className="min-w-0">
            <button type="button" onClick={() => open(e)} className="rounded-sm text-left font-medium hover:underline">
              {describe(e)}
            </button>
            {detail(e) && <div className="text-xs break-words text-muted-foreground">{detail(e)}</div>}
            <div className="text-xs text-muted-foreground md:hidden">
              {!anonymous && `${actorName(e, me)} · `}
              {ago(e.occurred_at)}
            </div>
            {log && !alone(e) && (
              <div className="text-xs text-muted-foreground lg:hidden">
                {log.head} {log.cell(e)}
              </div>
            )}
          </div>
        </div>
      ),
    },
    ...(anonymous ? [] : [who]),
    ...(log ? [{ key: "log", head: log.head, from: "lg" as const, cell: log.cell }] : []),
    { key: "where", head: t("event.where"), from: log ? "xl" : "lg", cell: (e) => <Where event={e} /> },
    {
      key: "when",
      head: t("event.when"),
      from: "md",
      narrow: true,
      cell: (e) => (
        <time dateTime={e.occurred_at} title={exact(e.occurred_at)} className="tnum text-muted-foreground">
          {ago(e.occurred_at)}
        </time>
      ),
    },
  ];
}

/** Whether somebody did it to their own account: whose log it is in is said already. */
const alone = (e: AuditEvent) => !e.org_id && e.actor.id === e.target.id;

const Who = ({ event, me }: { event: AuditEvent; me?: string }) => (
  <div className="flex items-center gap-2">
    <ActorMark actor={event.actor} />
    <span className="min-w-0">
      <span className="block break-words">{actorName(event, me)}</span>
      {event.actor.kind === "account" && event.actor.on_behalf_of && <Badge tone="violet">{t("event.actor.impersonating")}</Badge>}
    </span>
  </div>
);

const Where = ({ event }: { event: AuditEvent }) => (
  <>
    <div>{event.user_agent ? agentName(event.user_agent) : "—"}</div>
    {event.ip_address && <div className="tnum text-xs break-all text-muted-foreground">{event.ip_address}</div>}
  </>
);

interface ToolbarProps {
  filter: EventFilter;
  onFilter: (filter: EventFilter) => void;
  types: string[];
  /** Those on the page, which know what an id is called. */
  rows: AuditEvent[];
  me?: string;
  actions?: ReactNode;
}

const ALL = "all";

function Toolbar({ filter, onFilter, types, rows, me, actions }: ToolbarProps) {
  const set = (f: EventFilter) => onFilter({ ...filter, ...f });
  // One that the address names is to be seen even if it is none of ours.
  const known = filter.type && !types.includes(filter.type) ? [...types, filter.type] : types;
  const byName = known.map((value) => ({ value, label: describeType(value) })).sort((a, b) => a.label.localeCompare(b.label, getLocale()));
  const by = rows.find((e) => e.actor.id === filter.actor);
  const about = rows.find((e) => e.target.id === filter.target);
  return (
    <>
      <Select
        label={t("event.filterType")}
        value={filter.type ?? ALL}
        onChange={(v) => set({ type: v === ALL ? undefined : v })}
        items={[{ value: ALL, label: t("event.allTypes") }, ...byName]}
        className="max-w-full min-w-44 max-sm:flex-1"
      />
      <PeriodFilter filter={filter} set={set} />
      {filter.actor && <Chip onRemove={() => set({ actor: undefined })}>{t("event.filterBy", { name: by ? actorName(by, me) : filter.actor })}</Chip>}
      {filter.target && <Chip onRemove={() => set({ target: undefined })}>{t("event.filterAbout", { name: about?.target.name || filter.target })}</Chip>}
      {isFiltered(filter) && (
        <Button variant="ghost" onClick={() => onFilter({})}>
          {t("list.clear")}
        </Button>
      )}
      {actions && <div className="ml-auto flex flex-wrap items-center gap-2">{actions}</div>}
    </>
  );
}

function PeriodFilter({ filter, set }: { filter: EventFilter; set: (f: EventFilter) => void }) {
  const items = [ALL, "day", "week", "month", "dates"].map((value) => ({ value, label: t(`event.period.${value}` as "event.period.all") }));
  return (
    <>
      <Select
        label={t("event.filterPeriod")}
        value={filter.period ?? ALL}
        onChange={(v) => set({ period: v === ALL ? undefined : (v as Period), from: undefined, to: undefined })}
        items={items}
        className="min-w-36 max-sm:flex-1"
      />
      {filter.period === "dates" && (
        <div className="flex items-center gap-1.5 max-sm:w-full">
          {(["from", "to"] as const).map((end) => (
            <Input
              key={end}
              type="date"
              aria-label={t(`event.${end}`)}
              value={filter[end] ?? ""}
              min={end === "to" ? filter.from : undefined}
              max={end === "from" ? filter.to : undefined}
              onChange={(e) => set({ [end]: e.target.value || undefined })}
              className="min-w-0 sm:w-36"
            />
          ))}
        </div>
      )}
    </>
  );
}

/** A filter that was chosen elsewhere, to be taken away. */
const Chip = ({ onRemove, children }: { onRemove: () => void; children: ReactNode }) => (
  <Button onClick={onRemove} className="max-w-full bg-brand-soft text-brand-text">
    <span className="truncate">{children}</span>
    <span className="sr-only">, {t("event.takeAway")}</span>
    <X />
  </Button>
);
