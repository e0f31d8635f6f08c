import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { CheckCheck, Ellipsis, Inbox as InboxIcon, Mail, MailOpen, Settings2, Trash2 } from "lucide-react";
import { orgsQuery } from "@/api/queries";
import { Empty, Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "@/components/ui/overlay";
import { Segments } from "@/components/ui/segments";
import { type Column, DataTable } from "@/components/ui/table";
import { ActionLink, useFollow } from "@/features/notifications/action";
import { Mark } from "@/features/notifications/level";
import { inboxQuery, type Notification, unreadQuery } from "@/features/notifications/queries";
import { useDelete, useMark, useMarkAll } from "@/features/notifications/verbs";
import { When, wide } from "@/features/org/parts";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";

/** What the reader was told, and may not have seen yet. */
function Inbox() {
  const { unread } = Route.useSearch();
  const navigate = Route.useNavigate();
  const query = useInfiniteQuery(inboxQuery(unread === true));
  const waiting = useQuery(unreadQuery).data ?? 0;
  const orgs = useQuery(orgsQuery).data ?? [];
  const mark = useMark();
  const markAll = useMarkAll();
  const remove = useDelete();
  const follow = useFollow();
  const read = (n: Notification) => !n.read_at && mark.mutate({ of: n, read: true });
  const open = (n: Notification) => {
    read(n);
    if (n.action) follow(n.action);
  };
  const newest = query.data?.pages[0]?.items[0]?.created_at;
  const columns: Column<Notification>[] = [
    {
      key: "what",
      head: t("inbox.what"),
      className: cn(wide, "py-3"),
      cell: (n) => (
        <div className="flex items-start gap-3">
          <Mark level={n.level} />
          <div className="min-w-0 flex-1">
            <div className="flex items-center gap-2">
              <span className={cn("min-w-0 break-words", n.read_at ? "text-muted-foreground" : "font-semibold")}>{n.title}</span>
              {!n.read_at && (
                <span className="size-1.5 shrink-0 rounded-full bg-primary">
                  <span className="sr-only">{t("inbox.unread")}</span>
                </span>
              )}
            </div>
            {n.message && <p className="break-words text-muted-foreground">{n.message}</p>}
            <div className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1.5 text-xs text-muted-foreground">
              <span className="sm:hidden">
                <When at={n.created_at} />
              </span>
              <span>{orgs.find((o) => o.id === n.org_id)?.name}</span>
              {n.action && <ActionLink action={n.action} onFollow={() => read(n)} />}
            </div>
          </div>
        </div>
      ),
    },
    {
      key: "when",
      head: t("inbox.when"),
      from: "sm",
      narrow: true,
      className: "pl-6 align-top text-muted-foreground",
      cell: (n) => (
        <div className="mt-1.5">
          <When at={n.created_at} />
        </div>
      ),
    },
    {
      key: "actions",
      head: t("org.actions"),
      silent: true,
      narrow: true,
      className: "align-top",
      cell: (n) => (
        <Menu>
          <MenuTrigger render={<Button variant="ghost" size="icon-sm" aria-label={t("action.more", { name: n.title })} />}>
            <Ellipsis />
          </MenuTrigger>
          <MenuContent>
            <MenuItem onClick={() => mark.mutate({ of: n, read: !n.read_at })}>
              {n.read_at ? <Mail /> : <MailOpen />}
              {t(n.read_at ? "inbox.markUnread" : "inbox.markRead")}
            </MenuItem>
            <MenuSeparator />
            <MenuItem danger onClick={() => remove.mutate(n)}>
              <Trash2 />
              {t("inbox.delete")}
            </MenuItem>
          </MenuContent>
        </Menu>
      ),
    },
  ];
  return (
    <Page
      narrow
      title={t("nav.inbox")}
      hint={t("inbox.hint")}
      actions={
        <>
          <Button render={<Link to="/account/notifications" />}>
            <Settings2 />
            {t("inbox.settings")}
          </Button>
          <Button disabled={waiting === 0} loading={markAll.isPending} onClick={() => markAll.mutate(newest)}>
            <CheckCheck />
            {t("inbox.markAll")}
          </Button>
        </>
      }
    >
      <DataTable
        label={t("nav.inbox")}
        columns={columns}
        query={query}
        rowKey={(n) => n.id}
        onRow={open}
        toolbar={
          <Segments
            label={t("inbox.show")}
            value={unread ? "unread" : "all"}
            onChange={(v) => void navigate({ search: { unread: v === "unread" || undefined }, replace: true })}
            items={[
              { value: "all", label: t("inbox.all") },
              { value: "unread", label: waiting > 0 ? t("inbox.unreadCount", { n: waiting }) : t("inbox.unread") },
            ]}
          />
        }
        empty={
          <Empty icon={<InboxIcon />} title={t(unread ? "inbox.noneUnread" : "inbox.none")}>
            {t(unread ? "inbox.noneUnreadHint" : "inbox.noneHint")}
          </Empty>
        }
      />
    </Page>
  );
}

export const Route = createFileRoute("/_app/inbox")({
  component: Inbox,
  validateSearch: (s: Record<string, unknown>): { unread?: true } => ({ unread: s.unread === true || undefined }),
});
