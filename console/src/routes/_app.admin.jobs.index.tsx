import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { Zap } from "lucide-react";
import { useState } from "react";
import { Empty, Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/overlay";
import { type Column, DataTable } from "@/components/ui/table";
import { apart, SearchField, When, wide } from "@/features/admin/parts";
import { oneOf, text, useSettled } from "@/features/admin/search";
import { Work } from "@/features/jobs/charts";
import { Name, StateBadge } from "@/features/jobs/parts";
import { counted, EVERY, isID, type Job, type JobFilter, jobsQuery, queuesQuery, states, windows } from "@/features/jobs/queries";
import { Queues } from "@/features/jobs/queues";
import { Schedules } from "@/features/jobs/schedules";
import { RetryDead } from "@/features/jobs/verbs";
import { count } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";

/** What waits, what runs and what failed, while one watches. */
function Jobs() {
  const filter = Route.useSearch();
  const navigate = Route.useNavigate();
  const set = (f: JobFilter) => void navigate({ search: (s) => ({ ...s, ...f }), replace: true, resetScroll: false });
  const [live, setLive] = useState(true);
  const refetchInterval = live && EVERY;
  const window = filter.window ?? "1h";
  return (
    <Page
      title={t("nav.jobs")}
      hint={t("jobs.hint")}
      actions={
        <>
          <Button aria-pressed={live} onClick={() => setLive(!live)}>
            <i aria-hidden className={cn("size-2 rounded-full", live ? "bg-success" : "bg-faint")} />
            {t(live ? "jobs.live" : "jobs.still")}
          </Button>
          <Select
            label={t("jobs.window")}
            value={window}
            onChange={(w) => set({ window: w === "1h" ? undefined : w })}
            items={windows.map((w) => ({ value: w, label: t(`jobs.window.${w}`) }))}
            className="min-w-36"
          />
        </>
      }
    >
      <Work window={window} queue={filter.queue} refetchInterval={refetchInterval} />
      <div className="grid items-start gap-4 lg:grid-cols-[1fr_20rem]">
        <List filter={filter} set={set} refetchInterval={refetchInterval} />
        <div className="grid gap-4 max-lg:order-first">
          <Queues chosen={filter.queue} choose={(queue) => set({ queue })} refetchInterval={refetchInterval} />
        </div>
      </div>
      <Schedules refetchInterval={live && 5 * EVERY} />
    </Page>
  );
}

interface ListProps {
  filter: JobFilter;
  set: (f: JobFilter) => void;
  refetchInterval: number | false;
}

function List({ filter, set, refetchInterval }: ListProps) {
  const navigate = Route.useNavigate();
  const q = useSettled(filter.q);
  const jobs = useInfiniteQuery({ ...jobsQuery({ ...filter, q }), placeholderData: keepPreviousData, refetchInterval });
  const dead = counted(useQuery({ ...queuesQuery, refetchInterval }).data, "dead") ?? 0;
  return (
    <DataTable
      label={t("nav.jobs")}
      columns={columns()}
      query={jobs}
      rowKey={(j) => j.id}
      onRow={(j) => void navigate({ to: "/admin/jobs/$job", params: { job: j.id } })}
      clear={filter.q || filter.state || filter.queue ? () => set({ q: undefined, state: undefined, queue: undefined }) : undefined}
      empty={
        <Empty icon={<Zap />} title={t("jobs.none")}>
          {t("jobs.noneHint")}
        </Empty>
      }
      toolbar={
        <>
          <SearchField label={t("jobs.search")} value={filter.q ?? ""} onChange={(v) => set({ q: v || undefined })} />
          <div className="ml-auto">
            <RetryDead dead={dead} kind={q && !isID(q) ? q : undefined} />
          </div>
          <States filter={filter} set={set} refetchInterval={refetchInterval} />
        </>
      }
    />
  );
}

/** The states as a row of choices, with how many jobs are in each. */
function States({ filter, set, refetchInterval }: ListProps) {
  const queues = useQuery({ ...queuesQuery, refetchInterval }).data;
  return (
    <div role="group" aria-label={t("jobs.stateLabel")} className="-mx-1 flex w-full flex-wrap gap-1">
      {[undefined, ...states].map((state) => {
        const n = state && counted(queues, state, filter.queue);
        return (
          <button
            key={state ?? "all"}
            type="button"
            aria-pressed={filter.state === state}
            onClick={() => set({ state })}
            className="flex h-7 items-center gap-1.5 rounded-md px-2 text-xs text-muted-foreground hover:bg-accent aria-pressed:bg-accent aria-pressed:font-medium aria-pressed:text-foreground"
          >
            {state ? t(`jobs.state.${state}`) : t("jobs.all")}
            {n !== undefined && n > 0 && <span className={cn("tnum", state === "dead" && "text-destructive")}>{count(n)}</span>}
          </button>
        );
      })}
    </div>
  );
}

function columns(): Column<Job>[] {
  return [
    { key: "job", head: t("jobs.job"), className: wide, cell: (j) => <JobLine job={j} /> },
    { key: "attempt", head: t("jobs.attempts"), narrow: true, from: "md", className: cn(apart, "tnum text-muted-foreground"), cell: attempts },
    { key: "state", head: t("jobs.stateLabel"), narrow: true, className: apart, cell: (j) => <StateBadge state={j.state} /> },
    { key: "when", head: t("jobs.when"), narrow: true, from: "sm", className: cn(apart, "text-muted-foreground"), cell: (j) => <When at={changedAt(j)} /> },
  ];
}

const attempts = (j: Job) => t("jobs.attemptOf", { n: j.attempt, most: j.max_attempts });

/** When something last happened to it, or when it is due. */
const changedAt = (j: Job): string => j.finished_at ?? (j.state === "running" ? j.started_at : undefined) ?? j.scheduled_at;

const JobLine = ({ job }: { job: Job }) => (
  <div className="min-w-0">
    <div className="flex min-w-0 items-baseline gap-2">
      <Link to="/admin/jobs/$job" params={{ job: job.id }} className="flex min-w-0 rounded-sm hover:underline">
        <Name>{job.kind}</Name>
      </Link>
      <span className="truncate text-xs text-muted-foreground">{job.queue}</span>
    </div>
    <div className={cn("truncate text-xs", job.error ? "text-destructive" : "font-mono text-muted-foreground")}>{job.error || job.id}</div>
  </div>
);

export const Route = createFileRoute("/_app/admin/jobs/")({
  validateSearch: (s: Record<string, unknown>): JobFilter => ({
    state: oneOf(states, s.state),
    queue: text(s.queue),
    q: text(s.q),
    window: oneOf(windows, s.window),
  }),
  component: Jobs,
});
