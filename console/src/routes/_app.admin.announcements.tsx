import { useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { Ellipsis, Megaphone, Pencil, Plus, Trash2 } from "lucide-react";
import { Badge, Empty, Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "@/components/ui/overlay";
import { type Column, DataTable } from "@/components/ui/table";
import { apart, wide } from "@/features/admin/parts";
import { Announce, DeleteAnnouncement } from "@/features/notifications/announce";
import { Mark } from "@/features/notifications/level";
import { type Announcement, allAnnouncementsQuery } from "@/features/notifications/queries";
import { useSubject } from "@/features/org/use";
import { moment } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";

type What = "edit" | "delete";

/** Whether it is shown now. */
function State({ of: a }: { of: Announcement }) {
  const now = Date.now();
  if (a.ends_at && Date.parse(a.ends_at) <= now) return <Badge>{t("announcements.over")}</Badge>;
  if (Date.parse(a.starts_at) > now) return <Badge tone="brand">{t("announcements.waiting")}</Badge>;
  return (
    <Badge tone="success" dot>
      {t("announcements.shown")}
    </Badge>
  );
}

const shownFor = (a: Announcement): string =>
  a.ends_at ? t("announcements.fromTo", { from: moment(a.starts_at), to: moment(a.ends_at) }) : t("announcements.from", { from: moment(a.starts_at) });

/** What administrators tell everybody. */
function AnnouncementsPage() {
  const query = useInfiniteQuery(allAnnouncementsQuery);
  const dialog = useSubject<{ what: What; of?: Announcement }>();
  const about = (what: What) => ({
    announcement: dialog.subject?.of,
    open: dialog.open && dialog.subject?.what === what,
    setOpen: dialog.setOpen,
  });
  const make = (variant: "primary" | "secondary") => (
    <Button variant={variant} onClick={() => dialog.show({ what: "edit" })}>
      <Plus />
      {t("announcements.new")}
    </Button>
  );
  const columns: Column<Announcement>[] = [
    {
      key: "what",
      head: t("announcements.title"),
      className: wide,
      cell: (a) => (
        <div className="flex items-center gap-3">
          <Mark level={a.level} />
          <div className="min-w-0">
            <button
              type="button"
              onClick={() => dialog.show({ what: "edit", of: a })}
              className="block max-w-full truncate rounded font-medium hover:underline"
            >
              {a.title}
            </button>
            <div className="truncate text-xs text-muted-foreground">{a.message || "—"}</div>
          </div>
        </div>
      ),
    },
    { key: "when", head: t("announcements.window"), from: "lg", narrow: true, className: cn(apart, "text-muted-foreground"), cell: shownFor },
    { key: "state", head: t("announcements.state"), narrow: true, className: apart, cell: (a) => <State of={a} /> },
    {
      key: "actions",
      head: t("org.actions"),
      silent: true,
      narrow: true,
      cell: (a) => (
        <Menu>
          <MenuTrigger render={<Button variant="ghost" size="icon-sm" aria-label={t("action.more", { name: a.title })} />}>
            <Ellipsis />
          </MenuTrigger>
          <MenuContent>
            <MenuItem onClick={() => dialog.show({ what: "edit", of: a })}>
              <Pencil />
              {t("action.edit")}
            </MenuItem>
            <MenuSeparator />
            <MenuItem danger onClick={() => dialog.show({ what: "delete", of: a })}>
              <Trash2 />
              {t("announcements.delete")}
            </MenuItem>
          </MenuContent>
        </Menu>
      ),
    },
  ];
  return (
    <Page title={t("nav.announcements")} hint={t("announcements.hint")} actions={make("primary")}>
      <DataTable
        label={t("nav.announcements")}
        columns={columns}
        query={query}
        rowKey={(a) => a.id}
        onRow={(of) => dialog.show({ what: "edit", of })}
        empty={
          <Empty icon={<Megaphone />} title={t("announcements.none")} action={make("secondary")}>
            {t("announcements.noneHint")}
          </Empty>
        }
      />
      <Announce {...about("edit")} />
      <DeleteAnnouncement {...about("delete")} />
    </Page>
  );
}

export const Route = createFileRoute("/_app/admin/announcements")({ component: AnnouncementsPage });
