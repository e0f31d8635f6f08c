import { AlertDialog as BaseAlert } from "@base-ui/react/alert-dialog";
import { Dialog as BaseDialog } from "@base-ui/react/dialog";
import { Menu as BaseMenu } from "@base-ui/react/menu";
import { Select as BaseSelect } from "@base-ui/react/select";
import { Tooltip as BaseTooltip } from "@base-ui/react/tooltip";
import { Check, ChevronDown, X } from "lucide-react";
import { type ReactElement, type ReactNode, useInsertionEffect, useRef, useState } from "react";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import { Button, buttonVariants } from "./button";
import { surface } from "./surface";

const backdrop = "fixed inset-0 z-40 bg-[oklch(0.15_0.01_265/0.42)] transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0";
const popup =
  "relative w-full rounded-xl p-5 transition-[transform,opacity] duration-200 ease-out-quint data-ending-style:translate-y-2 data-ending-style:opacity-0 data-starting-style:translate-y-3 data-starting-style:opacity-0 max-sm:rounded-b-none sm:max-w-[440px] sm:p-6";
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

interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  hint?: ReactNode;
  wide?: boolean;
  /** Not closed by a click beside it: something in it is shown only once. */
  keep?: boolean;
  children: ReactNode;
}

export function Dialog({ open, onOpenChange, title, hint, wide, keep, children }: DialogProps) {
  const finalFocus = useReturn(open);
  return (
    <BaseDialog.Root open={open} onOpenChange={onOpenChange} disablePointerDismissal={keep}>
      <BaseDialog.Portal>
        <BaseDialog.Backdrop className={backdrop} />
        <BaseDialog.Viewport className={viewport}>
          <BaseDialog.Popup finalFocus={finalFocus} className={cn(surface, popup, wide && "sm:max-w-[640px]")}>
            <BaseDialog.Title className="pr-8 text-base font-semibold tracking-[-0.01em]">{title}</BaseDialog.Title>
            {hint && <BaseDialog.Description className="mt-1 text-muted-foreground">{hint}</BaseDialog.Description>}
            <BaseDialog.Close
              aria-label={t("action.close")}
              className={cn(buttonVariants({ variant: "ghost", size: "icon-sm" }), "absolute top-3.5 right-3.5")}
            >
              <X />
            </BaseDialog.Close>
            <div className="mt-5">{children}</div>
          </BaseDialog.Popup>
        </BaseDialog.Viewport>
      </BaseDialog.Portal>
    </BaseDialog.Root>
  );
}

export const DialogActions = ({ children }: { children: ReactNode }) => <div className="mt-2 flex flex-wrap justify-end gap-2">{children}</div>;

export const DialogClose = BaseDialog.Close;

interface ConfirmProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  /** What will be so afterwards, and whether it can be taken back. */
  children: ReactNode;
  /** What the button does, as a verb. */
  action: string;
  danger?: boolean;
  /** To be typed before the button works: for what cannot be undone at all. */
  phrase?: string;
  pending?: boolean;
  onConfirm: () => void;
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
      <BaseAlert.Portal>
        <BaseAlert.Backdrop className={backdrop} />
        <BaseAlert.Viewport className={viewport}>
          <BaseAlert.Popup finalFocus={finalFocus} className={cn(surface, popup)}>
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

export const Menu = BaseMenu.Root;
export const MenuTrigger = BaseMenu.Trigger;

export const MenuContent = ({
  children,
  className,
  side = "bottom",
  align = "end",
}: {
  children: ReactNode;
  className?: string;
  side?: "top" | "bottom";
  align?: "start" | "end";
}) => (
  <BaseMenu.Portal>
    <BaseMenu.Positioner side={side} align={align} sideOffset={6} className="z-50 outline-none">
      <BaseMenu.Popup className={cn(surface, "pop-motion max-h-(--available-height) min-w-48 overflow-y-auto p-1", className)}>{children}</BaseMenu.Popup>
    </BaseMenu.Positioner>
  </BaseMenu.Portal>
);

const item =
  "flex min-h-8 w-full items-center gap-2 rounded-sm px-2 text-left outline-none select-none data-disabled:opacity-50 data-highlighted:bg-accent [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-muted-foreground";

export const MenuItem = ({ className, danger, ...p }: Omit<BaseMenu.Item.Props, "className"> & { danger?: boolean; className?: string }) => (
  <BaseMenu.Item className={cn(item, danger && "text-destructive data-highlighted:bg-destructive-soft [&_svg]:text-destructive", className)} {...p} />
);

/** A menu entry that is a link. */
export const MenuLink = ({
  className,
  render,
  children,
  closeOnClick = true,
}: {
  className?: string;
  render: ReactElement;
  children: ReactNode;
  closeOnClick?: boolean;
}) => (
  <BaseMenu.Item className={cn(item, className)} render={render} closeOnClick={closeOnClick}>
    {children}
  </BaseMenu.Item>
);

export const MenuSeparator = () => <BaseMenu.Separator className="-mx-1 my-1 h-px bg-border" />;

export const MenuLabel = ({ children }: { children: ReactNode }) => (
  <div className="px-2 pt-1.5 pb-1 text-micro font-medium text-muted-foreground">{children}</div>
);

interface SelectProps<V extends string> {
  label: string;
  /** Shows the label above, as a field of a form has it. */
  field?: boolean;
  hint?: ReactNode;
  value: V;
  onChange: (value: V) => void;
  items: { value: V; label: string; hint?: string }[];
  disabled?: boolean;
  className?: string;
}

export function Select<V extends string>({ label, field, hint, value, onChange, items, disabled, className }: SelectProps<V>) {
  const control = (
    <BaseSelect.Root items={items} value={value} disabled={disabled} onValueChange={(v) => v !== null && onChange(v as V)}>
      <BaseSelect.Trigger
        aria-label={label}
        className={cn(buttonVariants({ variant: "secondary" }), "justify-between gap-2 font-normal", field && "w-full px-2.5", className)}
      >
        <BaseSelect.Value className="truncate" />
        <BaseSelect.Icon>
          <ChevronDown className="text-muted-foreground" />
        </BaseSelect.Icon>
      </BaseSelect.Trigger>
      <BaseSelect.Portal>
        <BaseSelect.Positioner alignItemWithTrigger={false} sideOffset={6} className="z-50 outline-none">
          <BaseSelect.Popup className={cn(surface, "pop-motion max-h-(--available-height) min-w-(--anchor-width) overflow-y-auto p-1")}>
            {items.map((i) => (
              <BaseSelect.Item
                key={i.value}
                value={i.value}
                className="flex min-h-8 items-center gap-6 rounded-sm px-2 py-1 outline-none select-none data-highlighted:bg-accent"
              >
                <span className="flex-1">
                  <BaseSelect.ItemText>{i.label}</BaseSelect.ItemText>
                  {i.hint && <span className="block max-w-72 text-xs text-muted-foreground">{i.hint}</span>}
                </span>
                <BaseSelect.ItemIndicator>
                  <Check className="size-4 text-brand-text" />
                </BaseSelect.ItemIndicator>
              </BaseSelect.Item>
            ))}
          </BaseSelect.Popup>
        </BaseSelect.Positioner>
      </BaseSelect.Portal>
    </BaseSelect.Root>
  );
  if (!field) return control;
  return (
    <div className="grid gap-1.5">
      <span className="font-medium">{label}</span>
      {control}
      {hint && <span className="text-xs text-muted-foreground">{hint}</span>}
    </div>
  );
}

/** Says more about something on hover and on focus. What matters is not said here alone. */
export const Tooltip = ({ text, children }: { text: ReactNode; children: ReactElement }) => (
  <BaseTooltip.Root>
    <BaseTooltip.Trigger render={children} />
    <BaseTooltip.Portal>
      <BaseTooltip.Positioner sideOffset={6} className="z-[60]">
        <BaseTooltip.Popup className="pop-motion max-w-64 rounded-md bg-foreground px-2 py-1 text-xs text-background shadow-pop">{text}</BaseTooltip.Popup>
      </BaseTooltip.Positioner>
    </BaseTooltip.Portal>
  </BaseTooltip.Root>
);
