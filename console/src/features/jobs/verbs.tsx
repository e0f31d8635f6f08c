import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { RotateCw, Trash2, X } from "lucide-react";
import { useState } from "react";
import { api, data } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/overlay";
import { toast } from "@/components/ui/toast";
import { t } from "@/lib/i18n";
import type { Job } from "./queries";

const at = (job: Job) => ({ params: { path: { job: job.id } } });
const over = (job: Job) => ["completed", "dead", "cancelled"].includes(job.state);

/** What can be done with a job as it is at this moment. */
export function JobActions({ job }: { job: Job }) {
  const navigate = useNavigate();
  const [asking, ask] = useState<"cancel" | "delete">();
  const retry = useMutation({
    mutationFn: () => data(api.POST("/api/v1/admin/jobs/{job}/retry", at(job))),
    onSuccess: () => toast.done(t("jobs.retried"), job.kind),
  });
  const cancel = useMutation({
    mutationFn: () => data(api.POST("/api/v1/admin/jobs/{job}/cancel", at(job))),
    onSuccess: (j) => toast.done(t(j.state === "running" ? "jobs.cancelAsked" : "jobs.cancelled"), job.kind),
    onSettled: () => ask(undefined),
  });
  const remove = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/admin/jobs/{job}", at(job))),
    meta: { quiet: true }, // the page of the job would ask for what is gone
    onSuccess: async () => {
      toast.done(t("jobs.deleted"), job.kind);
      await navigate({ to: "/admin/jobs", search: { state: job.state } });
    },
    onSettled: () => ask(undefined),
  });
  return (
    <>
      {job.state !== "running" && (
        <Button loading={retry.isPending} onClick={() => retry.mutate()}>
          {!retry.isPending && <RotateCw />}
          {t(job.state === "completed" ? "jobs.runAgain" : "jobs.retry")}
        </Button>
      )}
      {!over(job) && (
        <Button variant="danger-soft" disabled={job.cancel_requested} onClick={() => ask("cancel")}>
          <X />
          {t("jobs.cancel")}
        </Button>
      )}
      {job.state !== "running" && (
        <Button variant="danger-soft" onClick={() => ask("delete")}>
          <Trash2 />
          {t("action.delete")}
        </Button>
      )}
      <Confirm
        open={asking === "cancel"}
        onOpenChange={(o) => !o && ask(undefined)}
        title={t("jobs.cancelTitle")}
        action={t("jobs.cancel")}
        danger
        pending={cancel.isPending}
        onConfirm={() => cancel.mutate()}
      >
        <p>{t(job.state === "running" ? "jobs.cancelRunningBody" : "jobs.cancelBody", { kind: job.kind })}</p>
      </Confirm>
      <Confirm
        open={asking === "delete"}
        onOpenChange={(o) => !o && ask(undefined)}
        title={t("jobs.deleteTitle")}
        action={t("action.delete")}
        danger
        pending={remove.isPending}
        onConfirm={() => remove.mutate()}
      >
        <p>{t("jobs.deleteBody", { kind: job.kind })}</p>
      </Confirm>
    </>
  );
}

/** Lets all dead jobs run again, or those of the kind that is looked at. */
export function RetryDead({ dead, kind }: { dead: number; kind?: string }) {
  const [asking, ask] = useState(false);
  const retry = useMutation({
    mutationFn: () => data(api.POST("/api/v1/admin/dead-jobs/retry", { body: { kind } })),
    onSuccess: ({ count }) => toast.done(t("jobs.retriedDead", { n: count })),
    onSettled: () => ask(false),
  });
  return (
    <>
      <Button size="sm" disabled={dead === 0} onClick={() => ask(true)}>
        <RotateCw />
        {kind ? t("jobs.retryDeadOf", { kind }) : t("jobs.retryDead")}
      </Button>
      <Confirm
        open={asking}
        onOpenChange={ask}
        title={kind ? t("jobs.retryDeadOfTitle", { kind }) : t("jobs.retryDeadTitle", { n: dead })}
        action={t("jobs.retry")}
        pending={retry.isPending}
        onConfirm={() => retry.mutate()}
      >
        <p>{t("jobs.retryDeadBody")}</p>
      </Confirm>
    </>
  );
}
