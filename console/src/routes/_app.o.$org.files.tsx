import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { Download, Ellipsis, File, FileImage, FileText, FolderOpen, Link2, ScanText, Trash2, Upload } from "lucide-react";
import { useCan, useMe } from "@/api/queries";
import { Badge, Empty, Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "@/components/ui/overlay";
import { type Column, DataTable } from "@/components/ui/table";
import { text, useSettled } from "@/features/admin/search";
import { DeleteFile, FileDetail, ShareFile, Thumbnail, useDownload } from "@/features/files/dialogs";
import { filesQuery, type StoredFile, usageQuery } from "@/features/files/queries";
import { ChooseFiles, DropZone, Uploads, useUploads } from "@/features/files/uploads";
import { SearchField, When, wide } from "@/features/org/parts";
import { useEverybody, useOrg, useSubject } from "@/features/org/use";
import { bytes } from "@/lib/format";
import { t } from "@/lib/i18n";

type What = "detail" | "share" | "delete";

function Mark({ org, file }: { org: string; file: StoredFile }) {
  if (file.variants.length > 0) return <Thumbnail org={org} file={file} />;
  const Icon = file.content_type.startsWith("image/") ? FileImage : /pdf|word/.test(file.content_type) ? FileText : File;
  return (
    <span aria-hidden className="grid size-9 shrink-0 place-items-center rounded-md border bg-muted text-muted-foreground">
      <Icon className="size-4" />
    </span>
  );
}

function State({ file }: { file: StoredFile }) {
  if (file.status === "ready") return null;
  if (file.status === "missing") return <Badge tone="danger">{t("files.missing")}</Badge>;
  return <Badge>{t(file.status === "processing" ? "files.processing" : "files.onItsWay")}</Badge>;
}

/** How much room the files take. */
function Room({ org }: { org: string }) {
  const { data: usage } = useQuery(usageQuery(org));
  if (!usage) return null;
  const all = usage.quota_bytes;
  return (
    <p className="tnum text-xs text-muted-foreground">
      {all === null ? t("files.room", { used: bytes(usage.bytes) }) : t("files.roomOf", { used: bytes(usage.bytes), all: bytes(all) })}
    </p>
  );
}

function Files() {
  const org = useOrg();
  const me = useMe();
  const can = useCan(org);
  const { q = "" } = Route.useSearch();
  const navigate = Route.useNavigate();
  const everybody = useEverybody(org.id);
  const uploads = useUploads(org.id);
  const download = useDownload(org.id);
  const dialog = useSubject<{ what: What; file: StoredFile }>();
  const mayUpload = can("files.upload") && me.impersonator?.may_write !== false;
  const about = (what: What) => ({
    org: org.id,
    file: dialog.subject?.file,
    open: dialog.open && dialog.subject?.what === what,
    setOpen: dialog.setOpen,
  });
  const byOf = (f: StoredFile | undefined) => (f?.account_id && everybody.get(f.account_id)?.name) || t("org.nobody");
  const query = useInfiniteQuery({
    ...filesQuery(org.id, useSettled(q)),
    placeholderData: keepPreviousData,
    // Smaller pictures are made in the background: soon there are some.
    refetchInterval: (s) => (s.state.data?.pages.some((p) => p.items.some((f) => f.status === "processing")) ? 1500 : false),
  });
  const there = (f: StoredFile) => f.status === "ready" || f.status === "processing";
  const columns: Column<StoredFile>[] = [
    {
      key: "name",
      head: t("files.name"),
      className: wide,
      cell: (f) => (
        <div className="flex items-center gap-3">
          <Mark org={org.id} file={f} />
          <div className="min-w-0">
            <div className="flex items-center gap-2">
              <button
                type="button"
                onClick={() => dialog.show({ what: "detail", file: f })}
                className="min-w-0 truncate rounded text-left font-medium hover:underline"
              >
                {f.name}
              </button>
              <State file={f} />
            </div>
            <div className="truncate text-xs text-muted-foreground">
              <span className="tnum sm:hidden">{bytes(f.size)} · </span>
              {f.content_type}
            </div>
          </div>
        </div>
      ),
    },
    { key: "size", head: t("files.size"), from: "sm", narrow: true, className: "tnum pl-6 text-right", cell: (f) => bytes(f.size) },
    { key: "by", head: t("files.by"), from: "lg", narrow: true, className: "pl-6", cell: byOf },
    { key: "when", head: t("files.when"), from: "md", narrow: true, className: "pl-6 text-muted-foreground", cell: (f) => <When at={f.created_at} /> },
    {
      key: "actions",
      head: t("org.actions"),
      silent: true,
      narrow: true,
      cell: (f) => (
        <Menu>
          <MenuTrigger render={<Button variant="ghost" size="icon-sm" aria-label={t("action.more", { name: f.name })} />}>
            <Ellipsis />
          </MenuTrigger>
          <MenuContent>
            <MenuItem onClick={() => dialog.show({ what: "detail", file: f })}>
              <ScanText />
              {t("org.details")}
            </MenuItem>
            {there(f) && (
              <>
                <MenuItem onClick={() => download.mutate(f)}>
                  <Download />
                  {t("files.download")}
                </MenuItem>
                <MenuItem onClick={() => dialog.show({ what: "share", file: f })}>
                  <Link2 />
                  {t("files.share")}
                </MenuItem>
              </>
            )}
            {mayUpload && (f.account_id === me.id || can("files.manage")) && (
              <>
                <MenuSeparator />
                <MenuItem danger onClick={() => dialog.show({ what: "delete", file: f })}>
                  <Trash2 />
                  {t("files.delete")}
                </MenuItem>
              </>
            )}
          </MenuContent>
        </Menu>
      ),
    },
  ];
  const choose = (variant: "primary" | "secondary") =>
    mayUpload && (
      <ChooseFiles variant={variant} onFiles={uploads.add}>
        <Upload />
        {t("files.upload")}
      </ChooseFiles>
    );
  return (
    <Page title={t("nav.files")} hint={t("files.hint")} actions={choose("primary")}>
      <DropZone onFiles={uploads.add} disabled={!mayUpload}>
        <Uploads {...uploads} />
        <DataTable
          label={t("nav.files")}
          columns={columns}
          query={query}
          rowKey={(f) => f.id}
          onRow={(f) => dialog.show({ what: "detail", file: f })}
          clear={q ? () => void navigate({ search: {}, replace: true }) : undefined}
          toolbar={
            <>
              <SearchField label={t("files.search")} value={q} onChange={(v) => void navigate({ search: { q: v || undefined }, replace: true })} />
              <div className="ml-auto">
                <Room org={org.id} />
              </div>
            </>
          }
          empty={
            <Empty icon={<FolderOpen />} title={t("files.none")} action={choose("secondary")}>
              {mayUpload ? t("files.noneHint") : t("files.noneYet")}
            </Empty>
          }
        />
      </DropZone>
      <FileDetail {...about("detail")} by={byOf(dialog.subject?.file)} />
      <ShareFile {...about("share")} />
      <DeleteFile {...about("delete")} />
    </Page>
  );
}

export const Route = createFileRoute("/_app/o/$org/files")({
  component: Files,
  validateSearch: (s: Record<string, unknown>): { q?: string } => ({ q: text(s.q) }),
});
