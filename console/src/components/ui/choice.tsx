import { Check, Minus } from "lucide-react";
import { useEffect, useRef } from "react";
import { cn } from "@/lib/utils";

interface Props {
  label: string;
  checked?: boolean;
  defaultChecked?: boolean;
  onCheckedChange?: (checked: boolean) => void;
  disabled?: boolean;
  /** Of a form's field. */
  name?: string;
  value?: string;
  className?: string;
}

/** Something that is on or off, at once. */
export const Switch = ({ label, onCheckedChange, className, ...p }: Props) => (
  <span className={cn("relative inline-flex h-[18px] w-8 shrink-0 align-middle", className)}>
    <input
      type="checkbox"
      // biome-ignore lint/a11y/useAriaPropsForRole: a checkbox says by itself whether it is on
      role="switch"
      aria-label={label}
      onChange={(e) => onCheckedChange?.(e.target.checked)}
      className="peer size-full cursor-pointer appearance-none rounded-full bg-border-strong transition-colors checked:bg-primary disabled:cursor-default disabled:opacity-50"
      {...p}
    />
    <i
      aria-hidden
      className="pointer-events-none absolute top-[2px] left-[2px] size-3.5 rounded-full bg-white shadow-[0_1px_2px_oklch(0_0_0/0.3)] transition-transform duration-150 ease-out-quint peer-checked:translate-x-3.5"
    />
  </span>
);

/** One of several that can be taken together. Some of what is below it may be: indeterminate. */
export function Checkbox({ label, onCheckedChange, indeterminate = false, className, ...p }: Props & { indeterminate?: boolean }) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current) box.current.indeterminate = indeterminate;
  }, [indeterminate]);
  const sign = "pointer-events-none absolute inset-0.5 size-3 text-white opacity-0";
  return (
    <span className={cn("relative inline-grid size-4 shrink-0", className)}>
      <input
        ref={box}
        type="checkbox"
        aria-label={label}
        onChange={(e) => onCheckedChange?.(e.target.checked)}
        className="peer size-4 cursor-pointer appearance-none rounded-[5px] border border-faint bg-background shadow-btn checked:border-primary checked:bg-primary indeterminate:border-primary indeterminate:bg-primary disabled:cursor-default disabled:opacity-50"
        {...p}
      />
      <Check aria-hidden className={cn(sign, "peer-checked:opacity-100 peer-indeterminate:opacity-0")} strokeWidth={3} />
      <Minus aria-hidden className={cn(sign, "peer-indeterminate:opacity-100")} strokeWidth={3} />
    </span>
  );
}
