import { Select as BaseSelect } from "@base-ui/react/select";
import { Check, ChevronDown } from "lucide-react";
import { cn } from "@/lib/utils";
import { type SelectProps, triggerClass } from "./select";

export function Control<V extends string>({ label, field, value, onChange, items, disabled, className }: SelectProps<V>) {
  return (
    <BaseSelect.Root defaultOpen items={items} value={value} disabled={disabled} onValueChange={(v) => v !== null && onChange(v as V)}>
      <BaseSelect.Trigger aria-label={label} className={triggerClass(field, className)}>
        <BaseSelect.Value className="truncate" />
        <BaseSelect.Icon>
          <ChevronDown className="text-muted-foreground" />
        </BaseSelect.Icon>
      </BaseSelect.Trigger>
      <BaseSelect.Portal>
        <BaseSelect.Positioner alignItemWithTrigger={false} sideOffset={6} className="z-50 outline-none">
          <BaseSelect.Popup className={cn("surface", "pop-motion max-h-(--available-height) min-w-(--anchor-width) overflow-y-auto p-1")}>
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
}
