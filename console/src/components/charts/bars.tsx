import { count } from "@/lib/format";
import { cn } from "@/lib/utils";

export interface Bar {
  /** When it was, as the pointer reads it. */
  label: string;
  /** From below. */
  parts: { value: number; className: string; text: string }[];
}

interface Props {
  /** What is shown, in a sentence, for those who do not see it. */
  summary: string;
  bars: Bar[];
  /** Below the first bar and below the last. */
  from: string;
  to: string;
  /** The scale at the left. */
  scale?: (top: number) => string;
}

/** Figures over time as stacked bars, each with its words where the pointer rests. */
export function Bars({ summary, bars, from, to, scale = count }: Props) {
  const top = nice(Math.max(...bars.map((b) => b.parts.reduce((sum, p) => sum + p.value, 0))));
  return (
    <figure aria-label={summary} role="img" className="grid grid-cols-[auto_1fr] gap-x-2 gap-y-1 text-micro text-muted-foreground">
      <div aria-hidden className="tnum flex flex-col justify-between text-right">
        <span className="-mt-1.5">{scale(top)}</span>
        <span className="-mb-1.5">0</span>
      </div>
      <div aria-hidden className="flex h-32 items-end gap-px border-y border-dashed border-b-border-strong sm:gap-0.5">
        {bars.map((b) => (
          <div
            key={b.label}
            title={[b.label, ...b.parts.map((p) => p.text)].join("\n")}
            className="flex h-full min-w-0 flex-1 flex-col-reverse hover:bg-accent"
          >
            {b.parts.map((p) => (
              <i
                key={p.className}
                className={cn("block rounded-[1px]", p.className)}
                style={{ height: p.value > 0 ? `max(1px, ${(p.value / top) * 100}%)` : 0 }}
              />
            ))}
          </div>
        ))}
      </div>
      <div aria-hidden className="tnum col-start-2 flex justify-between">
        <span>{from}</span>
        <span>{to}</span>
      </div>
    </figure>
  );
}

/** The next round number. */
export function nice(max: number): number {
  if (!(max > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(max));
  return ([1, 2, 5, 10].find((k) => k * unit >= max) ?? 10) * unit;
}

/** Several neighbours as one, so that each bar can be seen. */
export function chunks<T>(all: T[], most: number): T[][] {
  const size = Math.max(1, Math.ceil(all.length / most));
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}
