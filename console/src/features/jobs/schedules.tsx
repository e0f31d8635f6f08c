import { useMutation, useQuery } from "@tanstack/react-query";
import { Play } from "lucide-react";
import { api, data } from "@/api/client";
import { Card, CardHeader, Row, Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Failed } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import { When } from "@/features/admin/parts";
import { duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import { Name } from "./parts";
import { type Schedule, schedulesQuery } from "./queries";

/** What is enqueued again and again: how often, when last and when next. */
export function Schedules({ refetchInterval }: { refetchInterval: number | false }) {
  const { data: schedules, error, refetch } = useQuery({ ...schedulesQuery, refetchInterval });
  return (
    <Card>
      <CardHeader title={t("jobs.schedules")} hint={t("jobs.schedulesHint")} />
      {error && !schedules && <Failed error={error} again={refetch} />}
      <ul>
        {schedules?.map((s) => (
          <Row
            key={s.name}
            title={<Name>{s.name}</Name>}
            detail={
              <>
                {rhythm(s)}
                {" · "}
                {t("jobs.lastRun")} <When at={s.last_run_at} />
                {" · "}
                {t("jobs.nextRun")} <When at={s.next_run_at} />
              </>
            }
            actions={<RunNow schedule={s} />}
          />
        ))}
        {!schedules && !error && (
          <li className="border-t p-4 sm:px-5">
            <Skeleton className="h-8" />
          </li>
        )}
      </ul>
    </Card>
  );
}

const rhythm = (s: Schedule): string =>
  s.cron ? t("jobs.cron", { cron: s.cron, zone: s.time_zone || "UTC" }) : t("jobs.every", { time: duration(s.every_seconds * 1000) });

function RunNow({ schedule }: { schedule: Schedule }) {
  const run = useMutation({
    mutationFn: () => data(api.POST("/api/v1/admin/schedules/{schedule}/run", { params: { path: { schedule: schedule.name } } })),
    onSuccess: (job) => toast.done(t("jobs.ran", { name: schedule.name }), job.id),
  });
  return (
    <Button size="sm" loading={run.isPending} aria-label={t("jobs.runNowOf", { name: schedule.name })} onClick={() => run.mutate()}>
      {!run.isPending && <Play />}
      {t("jobs.runNow")}
    </Button>
  );
}
