import { cn } from "@/lib/utils";

interface Props<V extends string> {
  label: string;
  value: V;
  onChange: (value: V) => void;
  items: { value: V; label: string }[];
}

/** One of a few views of the same thing, side by side. */
export const Segments = <V extends string>({ label, value, onChange, items }: Props<V>) => (
  <div role="radiogroup" aria-label={label} className="flex rounded-md bg-muted p-0.5">
    {items.map((i) => (
      <label
        key={i.value}
        className={cn(
          "flex h-7 cursor-pointer items-center rounded-[5px] px-3 font-medium has-focus-visible:outline-2 has-focus-visible:outline-ring",
          i.value === value ? "bg-background text-foreground shadow-card" : "text-muted-foreground",
        )}
      >
        <input type="radio" name={label} checked={i.value === value} onChange={() => onChange(i.value)} className="sr-only" />
        {i.label}
      </label>
    ))}
  </div>
);
