import { Check, Copy, Download, TriangleAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import { Button } from "./button";
import { toast } from "./toast";

export function CopyButton({ text, label = t("action.copy"), wide }: { text: string; label?: string; wide?: boolean }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    } catch {
      toast.error(t("copy.failed"), t("copy.byHand"));
    }
  };
  return (
    <Button variant={wide ? "secondary" : "ghost"} size={wide ? "md" : "icon-sm"} aria-label={wide ? undefined : label} onClick={copy}>
      {copied ? <Check className="text-success" /> : <Copy />}
      {wide && (copied ? t("action.copied") : label)}
    </Button>
  );
}

/** An id or a key: in a fixed-width face, to be copied. */
export const Code = ({ children, className }: { children: string; className?: string }) => (
  <span className="inline-flex max-w-full items-center gap-0.5">
    <code className={cn("min-w-0 font-mono text-xs break-all", className)}>{children}</code>
    <CopyButton text={children} label={t("action.copyValue", { value: children })} />
  </span>
);

/** Something that is shown once: a key, backup codes. */
export function SecretOnce({ secret, lines, file, children }: { secret?: string; lines?: string[]; file?: string; children: ReactNode }) {
  const text = secret ?? (lines ?? []).join("\n");
  return (
    <div className="grid gap-3">
      <p className="flex gap-2 rounded-md bg-warning-soft p-2.5 text-warning">
        <TriangleAlert aria-hidden className="size-4 shrink-0 translate-y-0.5" />
        <span>{children}</span>
      </p>
      {secret ? (
        <code className="rounded-md border bg-muted/50 p-3 font-mono text-xs break-all select-all" data-testid="secret">
          {secret}
        </code>
      ) : (
        <ol className="tnum grid grid-cols-2 gap-x-6 gap-y-1.5 rounded-md border bg-muted/50 p-3 font-mono text-sm" data-testid="secret">
          {lines?.map((l) => (
            <li key={l}>{l}</li>
          ))}
        </ol>
      )}
      <div className="flex flex-wrap gap-2">
        <CopyButton text={text} wide />
        {file && (
          <Button render={<a href={URL.createObjectURL(new Blob([`${text}\n`], { type: "text/plain" }))} download={file} />}>
            <Download />
            {t("action.download")}
          </Button>
        )}
      </div>
    </div>
  );
}
