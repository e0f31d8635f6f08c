import { Select as BaseSelect } from "@base-ui/react/select";
import { Check, ChevronDown } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "@/lib/utils";
import { buttonVariants } from "./button";
import { surface } from "./surface";

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
