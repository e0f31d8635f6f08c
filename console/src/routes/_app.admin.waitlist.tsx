import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { createFileRoute, notFound } from "@tanstack/react-router";
import { MailCheck, Timer, UserRoundX } from "lucide-react";
import { useState } from "react";
import { api, data } from "@/api/client";
import { Avatar, Badge, Empty, Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/overlay";
import { type Column, DataTable } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import { apart, When, wide } from "@/features/admin/parts";
import { type Waiting, waitlistQuery } from "@/features/admin/queries";
import { boot } from "@/lib/boot";
import { day } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";

/** Those who want to sign up, in the order in which they came. */
function Waitlist() {
  const query = useInfiniteQuery(waitlistQuery);
  const [declining, setDeclining] = useState<Waiting>();
  const [open, setOpen] = useState(false);
  const approve = useMutation({
    mutationFn: (e: Waiting) => data(api.POST("/api/v1/admin/waitlist/{entry}/approve", { params: { path: { entry: e.id } } })),
    onSuccess: (e) => toast.done(t("admin.approved", { name: e.name || e.email }), t("admin.approvedHint", { email: e.email })),
  });
  const decline = useMutation({
    mutationFn: (e: Waiting) => data(api.DELETE("/api/v1/admin/waitlist/{entry}", { params: { path: { entry: e.id } } })),
    onSuccess: (_, e) => toast.done(t("admin.declined", { name: e.name || e.email })),
    onSettled: () => setOpen(false),
  });
  const columns: Column<Waiting>[] = [
    {
      key: "who",
      head: t("admin.who"),
      className: wide,
      cell: (e) => (
        <div className="flex min-w-0 items-center gap-3">
          <Avatar name={e.name || e.email} id={e.id} />
          <div className="min-w-0 flex-1">
            <div className="truncate font-medium">{e.name || e.email}</div>
            {e.name && <div className="truncate text-xs text-muted-foreground">{e.email}</div>}
            <div className="mt-1 md:hidden">
              <State of={e} />
            </div>
          </div>
        </div>
      ),
    },
    { key: "state", head: t("admin.status"), narrow: true, from: "md", className: apart, cell: (e) => <State of={e} /> },
    {
      key: "since",
      head: t("admin.waitsSince"),
      narrow: true,
      from: "lg",
      className: cn(apart, "text-muted-foreground"),
      cell: (e) => <When at={e.created_at} />,
    },
    {
      key: "actions",
      head: t("admin.actions"),
      silent: true,
      narrow: true,
      className: cn(apart, "text-right"),
      cell: (e) => (
        <div className="inline-flex items-center gap-1.5 max-sm:flex-col max-sm:items-stretch">
          <Button size="sm" loading={approve.isPending && approve.variables.id === e.id} onClick={() => approve.mutate(e)}>
            <MailCheck />
            <span>
              {t(e.approved_at ? "admin.approveAgain" : "admin.approve")}
              <span className="sr-only">: {e.email}</span>
            </span>
          </Button>
          <Button
            size="sm"
            variant="danger-soft"
            onClick={() => {
              setDeclining(e);
              setOpen(true);
            }}
          >
            <UserRoundX />
            <span>
              {t("admin.decline")}
              <span className="sr-only">: {e.email}</span>
            </span>
          </Button>
        </div>
      ),
    },
  ];
  return (
    <Page title={t("nav.waitlist")} hint={t("admin.waitlistHint")}>
      <DataTable
        label={t("nav.waitlist")}
        columns={columns}
        query={query}
        rowKey={(e) => e.id}
        empty={
          <Empty icon={<Timer />} title={t("admin.nobodyWaits")}>
            {t("admin.nobodyWaitsHint")}
          </Empty>
        }
      />
      <Confirm
        open={open}
        onOpenChange={setOpen}
        title={t("admin.declineTitle", { name: declining?.name || declining?.email || "" })}
        action={t("admin.decline")}
        pending={decline.isPending}
        onConfirm={() => declining && decline.mutate(declining)}
      >
        <p>{t(declining?.approved_at ? "admin.declineApprovedBody" : "admin.declineBody", { email: declining?.email ?? "" })}</p>
      </Confirm>
    </Page>
  );
}

function State({ of: e }: { of: Waiting }) {
  if (!e.approved_at) return <Badge tone="warning">{t("admin.waiting")}</Badge>;
  if (e.expires_at && Date.parse(e.expires_at) < Date.now()) return <Badge>{t("admin.linkExpired")}</Badge>;
  return <Badge tone="success">{e.expires_at ? t("admin.linkUntil", { when: day(e.expires_at) }) : t("admin.linkSent")}</Badge>;
}

export const Route = createFileRoute("/_app/admin/waitlist")({
  beforeLoad: () => {
    if (boot.signUp !== "waitlist") throw notFound();
  },
  component: Waitlist,
});
