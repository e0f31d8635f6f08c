import { useMutation, useQuery } from "@tanstack/react-query";
import { Pause, Play } from "lucide-react";
import { useState } from "react";
import { api, data } from "@/api/client";
import { Badge, Card, CardHeader, Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/overlay";
import { Failed } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import { count, duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import { Name } from "./parts";
import { type Queue, queuesQuery } from "./queries";

/** Each queue: what waits in it and for how long, and whether it goes on. */
export function Queues({ chosen, choose, refetchInterval }: { chosen?: string; choose: (queue?: string) => void; refetchInterval: number | false }) {
  const { data: queues, error, refetch } = useQuery({ ...queuesQuery, refetchInterval });
  const most = Math.max(1, ...(queues ?? []).map((q) => q.waiting));
  return (
    <Card>
      <CardHeader title={t("jobs.queues")} hint={t("jobs.queuesHint")} />
      {error && !queues && <Failed error={error} again={refetch} />}
      <ul className="border-t py-1.5">
        {queues?.map((q) => (
          <QueueRow key={q.name} queue={q} most={most} chosen={chosen === q.name} choose={() => choose(chosen === q.name ? undefined : q.name)} />
        ))}
        {!queues && !error && (
          <li className="grid gap-3 p-4 sm:px-5">
            <Skeleton className="h-8" />
            <Skeleton className="h-8" />
          </li>
        )}
      </ul>
    </Card>
  );
}

/** Longer than this is worth a look. */
const LONG = 60;

function QueueRow({ queue: q, most, chosen, choose }: { queue: Queue; most: number; chosen: boolean; choose: () => void }) {
  return (
    <li className="flex items-center gap-1 pr-2 pl-4 sm:pr-3 sm:pl-5">
      <button
        type="button"
        aria-pressed={chosen}
        onClick={choose}
        className={cn("group min-w-0 flex-1 rounded-md py-2 text-left", chosen && "text-brand-text")}
      >
        <span className="flex items-baseline gap-2">
          <Name>{q.name}</Name>
          {q.paused && <Badge tone="warning">{t("jobs.paused")}</Badge>}
          <span className={cn("tnum ml-auto text-xs whitespace-nowrap text-muted-foreground", q.oldest_wait_seconds > LONG && "text-warning")}>
            {q.waiting > 0 ? t("jobs.queueWaits", { n: q.waiting, time: duration(q.oldest_wait_seconds * 1000) }) : t("jobs.queueEmpty")}
          </span>
        </span>
        <span aria-hidden className="mt-1.5 block h-1 overflow-hidden rounded-full bg-muted group-hover:bg-accent">
          <i className={cn("block h-full rounded-full", q.paused ? "bg-warning" : "bg-chart-1")} style={{ width: `${(q.waiting / most) * 100}%` }} />
        </span>
        <span className="tnum mt-1 block text-micro text-muted-foreground">
          {t("jobs.queueNow", { running: q.running, most: q.concurrency, rate: rate(q.throughput) })}
        </span>
      </button>
      <PauseButton queue={q} />
    </li>
  );
}

const rate = (perSecond: number): string => count(Math.round(perSecond * 60));

/** Pausing is asked about, since nothing of the queue runs then; going on is not. */
function PauseButton({ queue }: { queue: Queue }) {
  const [asking, ask] = useState(false);
  const path = { params: { path: { queue: queue.name } } };
  // What was wanted goes along: by the time that it is done, the list may show it already.
  const change = useMutation<unknown, Error, { pause: boolean }>({
    mutationFn: ({ pause }) => data(pause ? api.POST("/api/v1/admin/queues/{queue}/pause", path) : api.POST("/api/v1/admin/queues/{queue}/resume", path)),
    onSuccess: (_, { pause }) => toast.done(t(pause ? "jobs.pausedNow" : "jobs.resumed", { queue: queue.name })),
    onSettled: () => ask(false),
  });
  return (
    <>
      <Button
        variant="ghost"
        size="icon-sm"
        loading={change.isPending && queue.paused}
        aria-label={t(queue.paused ? "jobs.resume" : "jobs.pause", { queue: queue.name })}
        onClick={() => (queue.paused ? change.mutate({ pause: false }) : ask(true))}
      >
        {queue.paused ? <Play /> : <Pause />}
      </Button>
      <Confirm
        open={asking}
        onOpenChange={ask}
        title={t("jobs.pauseTitle", { queue: queue.name })}
        action={t("jobs.pauseAction")}
        danger
        pending={change.isPending}
        onConfirm={() => change.mutate({ pause: true })}
      >
        <p>{t("jobs.pauseBody")}</p>
      </Confirm>
    </>
  );
}
