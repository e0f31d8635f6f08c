import { type ComponentProps, type ReactNode, useId } from "react";
import { Badge } from "@/components/ui/basics";
import { Input } from "@/components/ui/form";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import type { Flag } from "./queries";

/** On, off or archived, and whether it is still of use. */
export function Badges({ flag }: { flag: Flag }) {
  return (
    <>
      {flag.archived_at && <Badge>{t("flags.archived")}</Badge>}
      {flag.schedule.length > 0 && <Badge tone="brand">{t("flags.scheduled")}</Badge>}
      {flag.stale && !flag.archived_at && (
        <Badge tone="warning" title={t(`flags.staleHint.${flag.stale}`)}>
          {t("flags.stale")}
        </Badge>
      )}
    </>
  );
}

/** A group of fields with a heading of their own, for those who do not see how they lie. */
export const Group = ({ label, className, children }: { label: string; className?: string; children: ReactNode }) => (
  <fieldset aria-label={label} className={className}>
    {children}
  </fieldset>
);

/** A field with its name above. */
export function Labelled({ label, className, ...p }: ComponentProps<"input"> & { label: string }) {
  const id = useId();
  return (
    <div className={cn("grid content-start gap-1.5", className)}>
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      <Input id={id} {...p} />
    </div>
  );
}
