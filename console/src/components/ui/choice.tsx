import { Checkbox as BaseCheckbox } from "@base-ui/react/checkbox";
import { Switch as BaseSwitch } from "@base-ui/react/switch";
import { Check, Minus } from "lucide-react";
import { cn } from "@/lib/utils";

export const Switch = ({ label, className, ...p }: Omit<BaseSwitch.Root.Props, "className"> & { label: string; className?: string }) => (
  <BaseSwitch.Root
    aria-label={label}
    className={cn(
      "relative inline-flex h-[18px] w-8 shrink-0 rounded-full bg-border-strong p-[2px] transition-colors data-checked:bg-primary data-disabled:opacity-50",
      className,
    )}
    {...p}
  >
    <BaseSwitch.Thumb className="size-3.5 rounded-full bg-white shadow-[0_1px_2px_oklch(0_0_0/0.3)] transition-transform duration-150 ease-out-quint data-checked:translate-x-3.5" />
  </BaseSwitch.Root>
);

export const Checkbox = ({ label, ...p }: Omit<BaseCheckbox.Root.Props, "className"> & { label: string }) => (
  <BaseCheckbox.Root
    aria-label={label}
    className="grid size-4 shrink-0 place-items-center rounded-[5px] border border-input bg-background shadow-btn data-checked:border-primary data-checked:bg-primary data-disabled:opacity-50 data-indeterminate:border-primary data-indeterminate:bg-primary"
    {...p}
  >
    <BaseCheckbox.Indicator className="text-white">
      {p.indeterminate ? <Minus className="size-3" strokeWidth={3} /> : <Check className="size-3" strokeWidth={3} />}
    </BaseCheckbox.Indicator>
  </BaseCheckbox.Root>
);
