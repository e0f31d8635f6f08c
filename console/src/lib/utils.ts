import { type ClassValue, clsx } from "clsx";
import { extendTailwindMerge } from "tailwind-merge";

// Our own names must be known here, or "text-ui" would be taken for a colour and erase
// "text-primary-foreground".
const merge = extendTailwindMerge({ extend: { theme: { text: ["micro", "ui", "title", "stat", "hero"], shadow: ["card", "pop", "btn"] } } });

export const cn = (...values: ClassValue[]): string => merge(clsx(values));
