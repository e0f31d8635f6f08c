import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { CircleCheck, CircleX, LoaderCircle, Lock } from "lucide-react";
import { useState } from "react";
import { Crash } from "@/components/layout/fallback";
import { Badge, Card, CardBody, CardHeader, Facts, Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Code } from "@/components/ui/copy";
import { Alert } from "@/components/ui/form";
import { Back, Loading } from "@/features/admin/parts";
import { StateBadge } from "@/features/jobs/parts";
import { EVERY, type JobDetail, jobQuery } from "@/features/jobs/queries";
import { JobActions } from "@/features/jobs/verbs";
import { duration, exact } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";

/** Everything that is known of a job. Its arguments are shown to whoever asks for them. */
function JobPage() {
  const { job } = Route.useParams();
  const [args, showArgs] = useState(false);
  const { data, error, refetch } = useQuery({ ...jobQuery(job, args), refetchInterval: EVERY, placeholderData: keepPreviousData });
  if (error && !data) return <Crash error={error} reset={refetch} />;
  if (!data) return <Loading title={t("jobs.job")} />;
  return (
    <Page
      title={
        <span className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <span className="min-w-0 font-mono text-lg break-all">{data.kind}</span>
          <StateBadge state={data.state} />
          {data.urgent && <Badge tone="violet">{t("jobs.urgent")}</Badge>}
        </span>
      }
      hint={
        <Back to="/admin/jobs" label={t("nav.jobs")}>
          <Code>{data.id}</Code>
        </Back>
      }
      actions={<JobActions job={data} />}
    >
      {data.cancel_requested && <Alert tone="warning">{t("jobs.cancelRequested")}</Alert>}
      {data.state === "dead" && data.error && <Alert>{data.error}</Alert>}
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <div className="grid gap-4">
          <Card>
            <CardHeader title={t("jobs.facts")} />
            <CardBody>
              <Facts items={facts(data)} className="lg:grid-cols-2" />
            </CardBody>
          </Card>
          <Args job={data} shown={args} show={() => showArgs(true)} />
        </div>
        <Attempts job={data} />
      </div>
    </Page>
  );
}

const at = (iso: string | null) => (iso ? <time dateTime={iso}>{exact(iso)}</time> : "—");

const facts = (j: JobDetail): [string, React.ReactNode][] => [
  [
    t("jobs.queue"),
    <code key="queue" className="font-mono text-xs">
      {j.queue}
    </code>,
  ],
  [t("jobs.attempts"), t("jobs.attemptOf", { n: j.attempt, most: j.max_attempts })],
  [t("jobs.enqueued"), at(j.created_at)],
  [t("jobs.due"), at(j.scheduled_at)],
  [t("jobs.started"), at(j.started_at)],
  [t("jobs.finished"), at(j.finished_at)],
];

function Args({ job, shown, show }: { job: JobDetail; shown: boolean; show: () => void }) {
  return (
    <Card>
      <CardHeader title={t("jobs.args")} hint={t("jobs.argsHint")} actions={!job.sealed && !shown && <Button onClick={show}>{t("jobs.showArgs")}</Button>} />
      {job.sealed && (
        <CardBody className="flex items-center gap-2 text-muted-foreground">
          <Lock aria-hidden className="size-4 shrink-0" />
          {t("jobs.sealed")}
        </CardBody>
      )}
      {shown && job.args !== null && job.args !== undefined && (
        <CardBody>
          <pre className="overflow-x-auto font-mono text-xs leading-5 whitespace-pre-wrap break-words">{JSON.stringify(job.args, null, 2)}</pre>
        </CardBody>
      )}
    </Card>
  );
}

const outcomes = {
  running: { icon: LoaderCircle, className: "text-brand-text" },
  completed: { icon: CircleCheck, className: "text-success" },
  failed: { icon: CircleX, className: "text-destructive" },
  cancelled: { icon: CircleX, className: "text-muted-foreground" },
};

/** Each run: where, how it ended, and with which error. The newest is on top. */
function Attempts({ job }: { job: JobDetail }) {
  return (
    <Card>
      <CardHeader title={t("jobs.attempts")} hint={t("jobs.attemptsHint")} />
      {job.attempts.length === 0 && <CardBody className="text-muted-foreground">{t("jobs.notBegun")}</CardBody>}
      <ol>
        {job.attempts.toReversed().map((a) => {
          const { icon: Icon, className } = outcomes[a.outcome];
          return (
            <li key={a.number} className="flex gap-3 border-t px-4 py-3 sm:px-5">
              <Icon aria-hidden className={cn("mt-0.5 size-4 shrink-0", className)} />
              <div className="min-w-0 flex-1">
                <div className="flex flex-wrap items-baseline gap-x-2">
                  <span className="font-medium">{t("jobs.attemptN", { n: a.number })}</span>
                  <span className="text-muted-foreground">{t(`jobs.outcome.${a.outcome}`)}</span>
                  <span className="tnum ml-auto text-xs text-muted-foreground">{took(a.started_at, a.ended_at)}</span>
                </div>
                <div className="text-xs break-words text-muted-foreground">
                  {a.ended_at && exact(a.ended_at)} {a.node && t("jobs.onNode", { node: a.node })}
                </div>
                {a.error && <p className="mt-1.5 text-xs break-words text-destructive">{a.error}</p>}
                {a.trace && (
                  <details className="mt-1.5 text-xs">
                    <summary className="cursor-pointer text-muted-foreground">{t("jobs.trace")}</summary>
                    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it */}
                    <pre tabIndex={0} className="mt-1.5 max-h-80 overflow-auto rounded-md bg-muted p-3 font-mono text-micro leading-4">
                      {a.trace}
                    </pre>
                  </details>
                )}
              </div>
            </li>
          );
        })}
      </ol>
    </Card>
  );
}

const took = (from: string | null, to: string | null): string => (from && to ? duration(Date.parse(to) - Date.parse(from)) : "");

export const Route = createFileRoute("/_app/admin/jobs/$job")({ component: JobPage });
