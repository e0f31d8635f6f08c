import type { LucideIcon } from "lucide-react";
import { ago, day } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";

/** The sign at the beginning of a row. */
export const Mark = ({ icon: Icon, className }: { icon: LucideIcon; className?: string }) => (
  <span aria-hidden className={cn("mark", className)}>
    <Icon className="size-4" />
  </span>
);

/** Facts on one line; one that does not fit goes to the next as a whole. */
export const facts = (...all: string[]): string =>
  all
    .filter(Boolean)
    .map((fact) => fact.replaceAll(" ", "\u00a0"))
    .join(" · ");

/** Since when something opens the account, and when it last did. */
export const addedUsed = (key: { created_at: string; last_used_at: string | null }): string => {
  const used = key.last_used_at ? t("account.lastUsed", { used: ago(key.last_used_at) }) : t("account.unused");
  return facts(t("account.added", { added: day(key.created_at) }), used);
};
