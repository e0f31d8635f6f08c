import { useMutation, useQuery } from "@tanstack/react-query";
import { Download, Link2 } from "lucide-react";
import { api, data } from "@/api/client";
import { Facts, Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Code } from "@/components/ui/copy";
import { Confirm, Dialog, DialogActions } from "@/components/ui/overlay";
import { Failed } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import { bytes, exact } from "@/lib/format";
import { t } from "@/lib/i18n";
import { linkQuery, of, type StoredFile } from "./queries";

interface Props {
  org: string;
  file: StoredFile | undefined;
  open: boolean;
  setOpen: (open: boolean) => void;
}

/** Opens the address of a file, which saves it. */
export function useDownload(org: string) {
  return useMutation({
    mutationFn: (file: StoredFile) => data(api.GET("/api/v1/files/{file}/download", { params: { ...of(org), path: { file: file.id } } })),
    onSuccess: ({ download_url }) => location.assign(download_url),
  });
}

/** What is known of a file, and what it looks like. */
export function FileDetail({ org, file, open, setOpen, by }: Props & { by: string }) {
  const download = useDownload(org);
  return (
    <Dialog wide open={open} onOpenChange={setOpen} title={file?.name ?? ""}>
      {file && (
        <div className="grid gap-5">
          {file.variants.length > 0 && <Picture org={org} file={file} />}
          <Facts
            className="lg:grid-cols-2"
            items={[
              [t("files.type"), file.content_type],
              [t("files.size"), bytes(file.size)],
              [t("files.by"), by],
              [t("files.when"), exact(file.created_at)],
            ]}
          />
          <div>
            <div className="text-xs text-muted-foreground">{t("files.sum")}</div>
            <Code className="mt-1 break-all">{file.sha256}</Code>
          </div>
          {file.status === "missing" && <p className="text-destructive">{t("files.missingHint")}</p>}
          <DialogActions>
            <Button variant="primary" loading={download.isPending} disabled={file.status === "missing"} onClick={() => download.mutate(file)}>
              <Download />
              {t("files.download")}
            </Button>
          </DialogActions>
        </div>
      )}
    </Dialog>
  );
}

function Picture({ org, file }: { org: string; file: StoredFile }) {
  const link = useQuery(linkQuery(org, file.id, "preview", true));
  const size = file.variants.find((v) => v.name === "preview");
  if (link.error) return <Failed error={link.error} again={link.refetch} />;
  return (
    <div className="grid place-items-center overflow-hidden rounded-lg border bg-muted">
      {link.data ? (
        <img src={link.data} alt={file.name} width={size?.width} height={size?.height} className="h-auto max-h-80 w-auto max-w-full object-contain" />
      ) : (
        <Skeleton className="h-60 w-full" />
      )}
    </div>
  );
}

/** A small picture of a picture. */
export function Thumbnail({ org, file }: { org: string; file: StoredFile }) {
  const link = useQuery(linkQuery(org, file.id, "thumbnail", true));
  if (!link.data) return <Skeleton className="size-9 rounded-md" />;
  return <img src={link.data} alt="" className="size-9 shrink-0 rounded-md border bg-muted object-cover" />;
}

/** An address to hand on. It works for whoever has it, for some minutes. */
export function ShareFile({ org, file, open, setOpen }: Props) {
  return (
    <Dialog open={open} onOpenChange={setOpen} title={t("files.shareTitle", { name: file?.name ?? "" })} hint={t("files.shareHint")}>
      {file && <ShareLink org={org} file={file} />}
    </Dialog>
  );
}

function ShareLink({ org, file }: { org: string; file: StoredFile }) {
  const link = useQuery({ ...linkQuery(org, file.id), staleTime: 0, refetchOnWindowFocus: false });
  if (link.error) return <Failed error={link.error} again={link.refetch} />;
  if (!link.data) return <Skeleton className="h-8 w-full" />;
  return (
    <div className="flex items-center gap-2">
      <Link2 aria-hidden className="size-4 shrink-0 text-muted-foreground" />
      <Code className="min-w-0 flex-1">{link.data}</Code>
    </div>
  );
}

export function DeleteFile({ org, file, open, setOpen }: Props) {
  const { id = "", name = "" } = file ?? {};
  const remove = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/files/{file}", { params: { ...of(org), path: { file: id } } })),
    onSuccess: () => toast.done(t("files.deleted", { name })),
    onSettled: () => setOpen(false),
  });
  return (
    <Confirm
      open={open}
      onOpenChange={setOpen}
      title={t("files.deleteTitle", { name })}
      action={t("files.delete")}
      pending={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>{t("files.deleteBody")}</p>
    </Confirm>
  );
}
