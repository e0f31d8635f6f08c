import type { ReactNode } from "react";
import { useLate } from "./late";

export interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  hint?: ReactNode;
  wide?: boolean;
  /** Not closed by a click beside it: something in it is shown only once. */
  keep?: boolean;
  children: ReactNode;
}

export interface ConfirmProps {
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

const load = () => import("./dialog.base");

export function Dialog(p: DialogProps) {
  const base = useLate(load, p.open);
  return base && <base.Dialog {...p} />;
}

/** Asks before something that cannot be undone. */
export function Confirm(p: ConfirmProps) {
  const base = useLate(load, p.open);
  return base && <base.Confirm {...p} />;
}

export const DialogActions = ({ children }: { children: ReactNode }) => <div className="mt-2 flex flex-wrap justify-end gap-2">{children}</div>;
