import { useQueryClient } from "@tanstack/react-query";
import { CircleCheck, CircleX, FileUp, X } from "lucide-react";
import { type DragEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { explain } from "@/api/client";
import { upload } from "@/api/upload";
import { Card } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { bytes } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import type { StoredFile } from "./queries";

interface Upload {
  id: number;
  file: File;
  part: number;
  state: "waiting" | "sending" | "done" | "failed";
  error?: string;
  stop?: AbortController;
}

const AT_ONCE = 2;
let lastId = 0;

/** Files on their way in: two at a time, the others wait. */
export function useUploads(org: string) {
  const queries = useQueryClient();
  const [uploads, setUploads] = useState<Upload[]>([]);
  const change = (id: number, to: Partial<Upload>) => setUploads((all) => all.map((u) => (u.id === id ? { ...u, ...to } : u)));

  useEffect(() => {
    if (uploads.filter((u) => u.state === "sending").length >= AT_ONCE) return;
    const next = uploads.find((u) => u.state === "waiting");
    if (!next) return;
    const stop = new AbortController();
    change(next.id, { state: "sending", stop });
    upload<StoredFile>("/api/v1/files/upload", next.file, { headers: { "X-Org-Id": org }, progress: (part) => change(next.id, { part }), signal: stop.signal })
      .then(() => change(next.id, { state: "done", part: 1 }))
      .catch((e: unknown) => {
        if (e instanceof DOMException) setUploads((all) => all.filter((u) => u.id !== next.id));
        else change(next.id, { state: "failed", error: explain(e) });
      })
      .finally(() => void queries.invalidateQueries({ queryKey: ["files", org] }));
  });

  const busy = uploads.some((u) => u.state === "sending" || u.state === "waiting");
  useEffect(() => {
    if (!busy) return;
    const warn = (e: BeforeUnloadEvent) => e.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [busy]);

  return {
    uploads,
    add: (files: Iterable<File>) => setUploads((all) => [...all, ...[...files].map((file) => ({ id: ++lastId, file, part: 0, state: "waiting" as const }))]),
    drop: (u: Upload) => (u.stop && u.state === "sending" ? u.stop.abort() : setUploads((all) => all.filter((o) => o.id !== u.id))),
    clear: () => setUploads((all) => all.filter((u) => u.state === "sending" || u.state === "waiting")),
  };
}

/** What is on its way, and how far. */
export function Uploads({ uploads, drop, clear }: Pick<ReturnType<typeof useUploads>, "uploads" | "drop" | "clear">) {
  if (uploads.length === 0) return null;
  const left = uploads.filter((u) => u.state === "sending" || u.state === "waiting").length;
  return (
    <Card aria-label={t("files.uploads")}>
      <div className="flex items-center gap-2 px-4 py-2.5 sm:px-5" role="status">
        <span className="flex-1 text-sm font-semibold">{left > 0 ? t("files.uploading", { n: left }) : t("files.uploaded")}</span>
        {left < uploads.length && (
          <Button variant="ghost" size="sm" onClick={clear}>
            {t("files.clearUploads")}
          </Button>
        )}
      </div>
      <ul>
        {uploads.map((u) => (
          <li key={u.id} className="flex min-h-12 items-center gap-3 border-t px-4 py-2 sm:px-5">
            <Sign state={u.state} />
            <div className="min-w-0 flex-1">
              <div className="flex gap-2">
                <span className="min-w-0 flex-1 truncate">{u.file.name}</span>
                <span className="tnum text-xs text-muted-foreground">{bytes(u.file.size)}</span>
              </div>
              {u.state === "failed" && <p className="text-xs text-destructive">{u.error}</p>}
              {(u.state === "sending" || u.state === "waiting") && (
                <progress
                  aria-label={u.file.name}
                  value={u.part}
                  max={1}
                  className="mt-1 block h-1 w-full appearance-none overflow-hidden rounded-full bg-muted [&::-moz-progress-bar]:bg-primary [&::-webkit-progress-bar]:bg-muted [&::-webkit-progress-value]:rounded-full [&::-webkit-progress-value]:bg-primary"
                />
              )}
            </div>
            {u.state !== "done" && (
              <Button variant="ghost" size="icon-sm" aria-label={t("files.stopUpload", { name: u.file.name })} onClick={() => drop(u)}>
                <X />
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Sign({ state }: { state: Upload["state"] }) {
  const size = "size-4 shrink-0";
  if (state === "done") return <CircleCheck aria-label={t("files.arrived")} className={cn(size, "text-success")} />;
  if (state === "failed") return <CircleX aria-label={t("files.refused")} className={cn(size, "text-destructive")} />;
  return <FileUp aria-hidden className={cn(size, "text-muted-foreground")} />;
}

/** A button that chooses files. */
export function ChooseFiles({ onFiles, accept, one, children, variant }: ChooseProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        multiple={!one}
        accept={accept}
        onChange={(e) => {
          onFiles([...(e.target.files ?? [])]);
          e.target.value = "";
        }}
      />
      <Button variant={variant} onClick={() => input.current?.click()}>
        {children}
      </Button>
    </>
  );
}

interface ChooseProps {
  onFiles: (files: File[]) => void;
  accept?: string;
  one?: boolean;
  variant?: "primary" | "secondary";
  children: ReactNode;
}

/** Where files can be dropped: all of what is in it. */
export function DropZone({ onFiles, disabled, children }: { onFiles: (files: File[]) => void; disabled?: boolean; children: ReactNode }) {
  const [over, setOver] = useState(false);
  if (disabled) return children;
  const within = (e: DragEvent) => {
    if (!e.dataTransfer.types.includes("Files")) return;
    e.preventDefault();
    setOver(true);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the button above does the same for those who do not drag
    <div
      onDragEnter={within}
      onDragOver={within}
      onDragLeave={(e) => e.currentTarget.contains(e.relatedTarget as Node | null) || setOver(false)}
      onDrop={(e) => {
        e.preventDefault();
        setOver(false);
        onFiles([...e.dataTransfer.files]);
      }}
      className={cn("grid gap-4 rounded-lg", over && "outline-2 outline-offset-4 outline-primary outline-dashed")}
    >
      {children}
    </div>
  );
}
