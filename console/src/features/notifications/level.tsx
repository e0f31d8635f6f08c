import { CircleCheck, CircleX, Info, TriangleAlert } from "lucide-react";
import type { Tone } from "@/components/ui/basics";
import { cn } from "@/lib/utils";
import type { Level } from "./queries";

export const tones: Record<Level, Tone> = { info: "brand", success: "success", warning: "warning", error: "danger" };

const signs = { info: Info, success: CircleCheck, warning: TriangleAlert, error: CircleX };
const colours = {
  info: "bg-brand-soft text-brand-text",
  success: "bg-success-soft text-success",
  warning: "bg-warning-soft text-warning",
  error: "bg-destructive-soft text-destructive",
};

export function Sign({ level, className }: { level: Level; className?: string }) {
  const Icon = signs[level];
  return <Icon aria-hidden className={cn("size-4 shrink-0", className)} />;
}

/** How serious a message is, before the eye has read it. */
export const Mark = ({ level }: { level: Level }) => (
  <span aria-hidden className={cn("grid size-8 shrink-0 place-items-center rounded-full", colours[level])}>
    <Sign level={level} />
  </span>
);

export const soft = (level: Level): string => colours[level];
