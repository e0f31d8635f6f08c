import { AlertDialog as BaseAlert } from "@base-ui/react/alert-dialog";
import { Dialog as BaseDialog } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import { useInsertionEffect, useRef, useState } from "react";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import { Button, buttonClass } from "./button";
import type { ConfirmProps, DialogProps } from "./dialog";

/** What lies between the page and what is open above it. */
export const backdrop =
  "fixed inset-0 z-40 bg-[oklch(0.15_0.01_265/0.42)] transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0";
/** A layer of its own: what is opened later, such as the question who the reader is, dims what was open already. */
const layer = "relative z-50";
const popup =
  "relative w-full rounded-xl p-5 transition-[transform,opacity] duration-200 ease-out-quint data-ending-style:translate-y-2 data-ending-style:opacity-0 data-starting-style:translate-y-3 data-starting-style:opacity-0 max-sm:rounded-b-none sm:p-6";
const viewport = "fixed inset-0 z-50 grid place-items-end overflow-y-auto sm:place-items-center sm:p-6";

/**
 * Where the focus goes when a dialog closes: back to what opened it, or where that is gone, to the page.
 * It is noted before a field of the dialog takes the focus to itself.
 */
function useReturn(open: boolean) {
  const opener = useRef<Element | null>(null);
  useInsertionEffect(() => {
    if (open) opener.current = document.activeElement;
  }, [open]);
  return () => {
    const back = opener.current;
    return back instanceof HTMLElement && back.isConnected && back !== document.body ? back : document.getElementById("main");
  };
}

export function Dialog({ open, onOpenChange, title, hint, wide, keep, children }: DialogProps) {
  const finalFocus = useReturn(open);
  return (
    <BaseDialog.Root open={open} onOpenChange={onOpenChange} disablePointerDismissal={keep}>
      <BaseDialog.Portal className={layer}>
        <BaseDialog.Backdrop className={backdrop} />
        <BaseDialog.Viewport className={viewport}>
          <BaseDialog.Popup finalFocus={finalFocus} className={cn("surface", popup, wide ? "sm:max-w-[640px]" : "sm:max-w-[440px]")}>
            <BaseDialog.Title className="pr-8 text-base font-semibold tracking-[-0.01em]">{title}</BaseDialog.Title>
            {hint && <BaseDialog.Description className="mt-1 text-muted-foreground">{hint}</BaseDialog.Description>}
            <BaseDialog.Close aria-label={t("action.close")} className={cn(buttonClass({ variant: "ghost", size: "icon-sm" }), "absolute top-3.5 right-3.5")}>
              <X />
            </BaseDialog.Close>
            <div className="mt-5">{children}</div>
          </BaseDialog.Popup>
        </BaseDialog.Viewport>
      </BaseDialog.Portal>
    </BaseDialog.Root>
  );
}

/** Asks before something that cannot be undone. */
export function Confirm({ open, onOpenChange, title, children, action, danger = true, phrase, pending, onConfirm }: ConfirmProps) {
  const [typed, setTyped] = useState("");
  const finalFocus = useReturn(open);
  return (
    <BaseAlert.Root
      open={open}
      onOpenChange={(o) => {
        setTyped("");
        onOpenChange(o);
      }}
    >
      <BaseAlert.Portal className={layer}>
        <BaseAlert.Backdrop className={backdrop} />
        <BaseAlert.Viewport className={viewport}>
          <BaseAlert.Popup finalFocus={finalFocus} className={cn("surface", popup, "sm:max-w-[440px]")}>
            <BaseAlert.Title className="text-base font-semibold tracking-[-0.01em]">{title}</BaseAlert.Title>
            <BaseAlert.Description render={<div />} className="mt-1.5 grid gap-3 text-muted-foreground">
              {children}
            </BaseAlert.Description>
            {phrase && (
              <label className="mt-4 grid gap-1.5">
                <span>{t("confirm.type", { phrase })}</span>
                <input
                  value={typed}
                  onChange={(e) => setTyped(e.target.value)}
                  autoComplete="off"
                  spellCheck={false}
                  className="h-8 w-full rounded-md border border-input bg-background px-2.5 shadow-btn"
                />
              </label>
            )}
            <div className="mt-6 flex flex-wrap justify-end gap-2">
              <BaseAlert.Close render={<Button />}>{t("action.cancel")}</BaseAlert.Close>
              <Button variant={danger ? "danger" : "primary"} loading={pending} disabled={phrase !== undefined && typed !== phrase} onClick={onConfirm}>
                {action}
              </Button>
            </div>
          </BaseAlert.Popup>
        </BaseAlert.Viewport>
      </BaseAlert.Portal>
    </BaseAlert.Root>
  );
}
