import { Search } from "lucide-react";
import type { ReactNode } from "react";
import { Avatar, Badge, type Tone } from "@/components/ui/basics";
import { Checkbox } from "@/components/ui/choice";
import { Input } from "@/components/ui/form";
import { ago, exact } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";

/** Somebody in a row: their picture, name and address. */
export const Person = ({ id, name, detail, badge }: { id: string; name: string; detail?: ReactNode; badge?: ReactNode }) => (
  <div className="flex min-w-0 items-center gap-3">
    <Avatar name={name} id={id} />
    <div className="min-w-0">
      <div className="flex items-center gap-2">
        <span className="truncate font-medium">{name}</span>
        {badge}
      </div>
      {detail && <div className="truncate text-xs text-muted-foreground">{detail}</div>}
    </div>
  </div>
);

const tones: Record<string, Tone> = { owner: "violet", admin: "brand" };

export const RoleBadge = ({ role, name }: { role: string; name: string }) => <Badge tone={tones[role]}>{name}</Badge>;

/** When something was, and on hover when exactly. */
export const When = ({ at }: { at: string }) => (
  <time dateTime={at} title={exact(at)} className="whitespace-nowrap">
    {ago(at)}
  </time>
);

/** A first column takes the room that is left, and shortens what does not fit. */
export const wide = "w-full max-w-0";

export function SearchField({ value, onChange, label, className }: { value: string; onChange: (value: string) => void; label: string; className?: string }) {
  return (
    <div className={cn("search-field", className)}>
      <Search aria-hidden className="pointer-events-none absolute top-2 left-2.5 size-4 text-muted-foreground" />
      <Input type="search" aria-label={label} placeholder={label} value={value} onChange={(e) => onChange(e.target.value)} className="pl-8" />
    </div>
  );
}

/** Something to choose with a tick: what it is called, and what it means. */
export function CheckRow({
  label,
  checked,
  onChange,
  mark,
  hint,
  disabled,
}: {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  mark?: ReactNode;
  hint?: ReactNode;
  disabled?: boolean;
}) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the checkbox is inside
    <label className={cn("flex min-h-8 items-center gap-2.5 rounded-md px-2 py-1.5", disabled ? "cursor-not-allowed" : "cursor-pointer hover:bg-accent/60")}>
      <Checkbox label={label} checked={checked} onCheckedChange={onChange} disabled={disabled} />
      {mark}
      <span className="min-w-0 flex-1">
        <span className={cn("block break-words", disabled && "text-muted-foreground")}>{label}</span>
        {hint && <span className="block text-xs break-words text-muted-foreground">{hint}</span>}
      </span>
    </label>
  );
}

/** A frame for choices that scrolls by itself. */
export const Choices = ({ label, children, className }: { label: string; children: ReactNode; className?: string }) => (
  <fieldset className="grid min-w-0 gap-1.5">
    <legend className="mb-1.5 font-medium">{label}</legend>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached by keyboard */}
    <div tabIndex={0} role="group" aria-label={label} className={cn("choices", className)}>
      {children}
    </div>
  </fieldset>
);

/** Words that a person typed, found in any of some texts. */
export function matches(query: string, ...texts: string[]): boolean {
  const all = texts.join(" ").toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}

export const You = () => <Badge>{t("org.you")}</Badge>;
