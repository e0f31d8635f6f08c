import { ChevronDown } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useState } from "react";
import { cn } from "@/lib/utils";
import { buttonClass } from "./button";
import { useLate } from "./late";

export interface SelectProps<V extends string> {
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

const load = () => import("./select.base");

export const triggerClass = (field?: boolean, className?: string) =>
  cn(buttonClass(), "justify-between gap-2 font-normal", field && "w-full px-2.5", className);

/** One of several. The list is loaded when somebody is about to open it. */
export function Select<V extends string>(p: SelectProps<V>) {
  const [wanted, setWanted] = useState(false);
  const base = useLate(load, wanted);
  const control = base ? <base.Control {...p} /> : <Waiting {...p} open={() => setWanted(true)} />;
  if (!p.field) return control;
  return (
    <div className="grid gap-1.5">
      <span className="font-medium">{p.label}</span>
      {control}
      {p.hint && <span className="text-xs text-muted-foreground">{p.hint}</span>}
    </div>
  );
}

function Waiting<V extends string>({ label, field, value, items, disabled, className, open }: SelectProps<V> & { open: () => void }) {
  const onKeyDown = (e: KeyboardEvent) => {
    if (!["ArrowDown", "ArrowUp", "Enter", " "].includes(e.key)) return;
    e.preventDefault();
    open();
  };
  return (
    <button
      type="button"
      role="combobox"
      aria-haspopup="listbox"
      aria-expanded={false}
      aria-label={label}
      disabled={disabled}
      onClick={open}
      onKeyDown={onKeyDown}
      onPointerEnter={() => void load()}
      onFocus={() => void load()}
      className={triggerClass(field, className)}
    >
      <span className="truncate">{items.find((i) => i.value === value)?.label}</span>
      <ChevronDown className="text-muted-foreground" />
    </button>
  );
}
