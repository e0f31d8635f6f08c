import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type Bar, Bars, chunks } from "@/components/charts/bars";
import { Card, CardHeader, Skeleton } from "@/components/ui/basics";
import { Failed } from "@/components/ui/table";
import { clock, count, duration } from "@/lib/format";
import { region, t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import { counted, type Metrics, metricsQuery, queuesQuery, type TimeWindow } from "./queries";

const BARS = 60;

/** What was done within the window, in figures and minute by minute. */
export function Work({ window, queue, refetchInterval }: { window: TimeWindow; queue?: string; refetchInterval: number | false }) {
  const metrics = useQuery({ ...metricsQuery(window, queue), refetchInterval });
  const dead = counted(useQuery({ ...queuesQuery, refetchInterval }).data, "dead", queue);
  if (metrics.error && !metrics.data)
    return (
      <Card>
        <Failed error={metrics.error} again={metrics.refetch} />
      </Card>
    );
  const m = metrics.data;
  return (
    <>
      <Card>
        <dl className="-mt-px -ml-px grid grid-cols-2 lg:grid-cols-4">
          <Figure
            label={t("jobs.completed")}
            value={m && count(m.completed)}
            note={m && t("jobs.perMinute", { n: Math.round((m.completed / m.minutes.length) * 10) / 10 })}
          />
          <Figure label={t("jobs.failed")} value={m && count(m.failed)} note={m && t("jobs.share", { share: share(m) })} bad={!!m && m.failed > 0} />
          <Figure
            label={t("jobs.waitP95")}
            value={m && (m.completed > 0 ? duration(m.wait_p95_ms) : "—")}
            note={m && t("jobs.runP95", { time: duration(m.run_p95_ms) })}
          />
          <Figure
            label={t("jobs.state.dead")}
            value={dead !== undefined ? count(dead) : undefined}
            note={dead !== undefined && t(dead > 0 ? "jobs.needsYou" : "jobs.nothingDead")}
            bad={!!dead}
          />
        </dl>
      </Card>
      <div className="grid gap-4 lg:grid-cols-2">
        <Chart title={t("jobs.throughput")} hint={t("jobs.throughputHint")} legend={<Legend />}>
          {m && <Throughput of={m} />}
        </Chart>
        <Chart title={t("jobs.waiting")} hint={t("jobs.waitingHint")}>
          {m && <Waits of={m} />}
        </Chart>
      </div>
    </>
  );
}

const share = (m: Metrics): string => (m.failed / Math.max(1, m.failed + m.completed)).toLocaleString(region(), { style: "percent", maximumFractionDigits: 1 });

const Figure = ({ label, value, note, bad }: { label: string; value?: ReactNode; note?: ReactNode; bad?: boolean }) => (
  <div className="border-t border-l px-4 py-3.5 sm:px-5">
    <dt className="text-xs text-muted-foreground">{label}</dt>
    <dd>
      <span className="tnum block text-[1.75rem] leading-9 font-semibold tracking-[-0.03em]">{value ?? <Skeleton className="my-2 h-5 w-16" />}</span>
      <span className={cn("tnum block min-h-4 text-xs", bad ? "text-destructive" : "text-muted-foreground")}>{note}</span>
    </dd>
  </div>
);

const Chart = ({ title, hint, legend, children }: { title: string; hint: string; legend?: ReactNode; children: ReactNode }) => (
  <Card>
    <CardHeader title={title} hint={hint} actions={legend} />
    <div className="px-4 pt-2 pb-4 sm:px-5">{children || <Skeleton className="h-36 rounded-md" />}</div>
  </Card>
);

const Legend = () => (
  <ul className="flex gap-4 text-xs text-muted-foreground">
    <li className="flex items-center gap-1.5">
      <i aria-hidden className="size-2 rounded-[3px] bg-chart-1" />
      {t("jobs.completed")}
    </li>
    <li className="flex items-center gap-1.5">
      <i aria-hidden className="size-2 rounded-[3px] bg-chart-4" />
      {t("jobs.failed")}
    </li>
  </ul>
);

/** Jobs in each minute, or in each of as many stretches as can be seen. */
function Throughput({ of }: { of: Metrics }) {
  const sum = (minutes: Metrics["minutes"], of: "completed" | "failed") => minutes.reduce((n, m) => n + m[of], 0);
  const bars = chunks(of.minutes, BARS).map((minutes): Bar => {
    const done = sum(minutes, "completed");
    const failed = sum(minutes, "failed");
    return {
      label: clock(minutes[0]?.at ?? ""),
      parts: [
        { value: done, className: "bg-chart-1", text: `${t("jobs.completed")}: ${count(done)}` },
        { value: failed, className: "bg-chart-4", text: `${t("jobs.failed")}: ${count(failed)}` },
      ],
    };
  });
  return <Bars {...ends(of)} bars={bars} summary={t("jobs.throughputSummary", { completed: of.completed, failed: of.failed })} />;
}

/** How long nineteen of twenty jobs waited at most; of several minutes the longest. */
function Waits({ of }: { of: Metrics }) {
  const bars = chunks(of.minutes, BARS).map((minutes): Bar => {
    const p50 = Math.max(...minutes.map((m) => m.wait_p50_ms));
    const p95 = Math.max(...minutes.map((m) => m.wait_p95_ms));
    return {
      label: clock(minutes[0]?.at ?? ""),
      parts: [
        { value: p50, className: "bg-chart-2", text: `p50: ${duration(p50)}` },
        { value: p95 - p50, className: "bg-chart-2/45", text: `p95: ${duration(p95)}` },
      ],
    };
  });
  return (
    <Bars {...ends(of)} bars={bars} scale={duration} summary={t("jobs.waitingSummary", { p50: duration(of.wait_p50_ms), p95: duration(of.wait_p95_ms) })} />
  );
}

const ends = (of: Metrics) => ({ from: clock(of.minutes[0]?.at ?? ""), to: clock(of.minutes.at(-1)?.at ?? "") });
