import { Input } from "@/components/ui/form";
import { Select } from "@/components/ui/overlay";
import { t } from "@/lib/i18n";
import { type Draft, kindOf, kinds, serveAs, weigh } from "./draft";
import { Group, Labelled } from "./parts";
import type { Serve } from "./queries";
import { unit } from "./words";

interface Props {
  label: string;
  draft: Draft;
  serve: Serve;
  disabled?: boolean;
  onChange: (s: Serve) => void;
}

/** Who gets what: one variant for all, a part each, or a part that grows with the clock. */
export function ServeEditor({ label, draft, serve, disabled, onChange }: Props) {
  const variants = draft.variants.map((v) => ({ value: v.name, label: v.name }));
  const kind = kindOf(serve);
  return (
    <Group label={label} className="grid gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <Select
          label={t("flags.serveHow", { what: label })}
          value={kind}
          disabled={disabled}
          onChange={(k) => onChange(serveAs(k, serve, draft.variants))}
          items={kinds.map((k) => ({ value: k, label: t(`flags.kind.${k}`) }))}
        />
        {kind === "variant" && (
          <Select label={t("flags.variant")} value={serve.variant ?? ""} disabled={disabled} onChange={(variant) => onChange({ variant })} items={variants} />
        )}
        {serve.split && <By by={serve.split.by} disabled={disabled} onChange={(by) => serve.split && onChange({ split: { ...serve.split, by } })} />}
        {serve.rollout && <By by={serve.rollout.by} disabled={disabled} onChange={(by) => serve.rollout && onChange({ rollout: { ...serve.rollout, by } })} />}
      </div>
      {serve.split && <Weights split={serve.split} disabled={disabled} onChange={(split) => onChange({ split })} />}
      {serve.rollout && <RolloutEditor rollout={serve.rollout} variants={variants} disabled={disabled} onChange={(rollout) => onChange({ rollout })} />}
    </Group>
  );
}

function By({ by, disabled, onChange }: { by: string; disabled?: boolean; onChange: (by: string) => void }) {
  const known = ["user", "org", ...(by === "user" || by === "org" ? [] : [by])];
  return (
    <Select
      label={t("flags.by")}
      value={by}
      disabled={disabled}
      onChange={onChange}
      items={known.map((value) => ({ value, label: t("flags.byUnit", { unit: unit(value) }) }))}
    />
  );
}

function Weights({
  split,
  disabled,
  onChange,
}: {
  split: NonNullable<Serve["split"]>;
  disabled?: boolean;
  onChange: (s: NonNullable<Serve["split"]>) => void;
}) {
  return (
    <div className="grid gap-2">
      {split.weights.map((w) => (
        <div key={w.variant} className="grid grid-cols-[minmax(4rem,8rem)_1fr_5.5rem] items-center gap-3">
          <span className="truncate font-mono text-xs">{w.variant}</span>
          <input
            type="range"
            min={0}
            max={100}
            step={1}
            value={w.percent}
            disabled={disabled}
            aria-label={t("flags.part", { variant: w.variant })}
            onChange={(e) => onChange(weigh(split, w.variant, e.target.valueAsNumber))}
            className="w-full accent-primary"
          />
          <span className="relative">
            <Input
              type="number"
              min={0}
              max={100}
              step={0.001}
              value={w.percent}
              disabled={disabled}
              aria-label={t("flags.percent", { variant: w.variant })}
              onChange={(e) => Number.isNaN(e.target.valueAsNumber) || onChange(weigh(split, w.variant, Math.min(100, Math.max(0, e.target.valueAsNumber))))}
              className="tnum pr-6 text-right"
            />
            <span aria-hidden className="absolute inset-y-0 right-2 grid place-items-center text-xs text-muted-foreground">
              %
            </span>
          </span>
        </div>
      ))}
    </div>
  );
}

/** An instant in a field that knows no time zone, and back. */
export const toLocal = (iso: string): string => {
  const d = new Date(iso);
  return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
export const fromLocal = (text: string): string => new Date(text).toISOString();

function RolloutEditor({
  rollout: r,
  variants,
  disabled,
  onChange,
}: {
  rollout: NonNullable<Serve["rollout"]>;
  variants: { value: string; label: string }[];
  disabled?: boolean;
  onChange: (r: NonNullable<Serve["rollout"]>) => void;
}) {
  const percent = (field: "from_percent" | "to_percent", label: string) => (
    <Labelled
      label={label}
      type="number"
      min={0}
      max={100}
      step={0.001}
      value={r[field]}
      disabled={disabled}
      onChange={(e) => Number.isNaN(e.target.valueAsNumber) || onChange({ ...r, [field]: e.target.valueAsNumber })}
    />
  );
  const instant = (field: "starts_at" | "ends_at", label: string) => (
    <Labelled
      label={label}
      type="datetime-local"
      value={toLocal(r[field])}
      disabled={disabled}
      onChange={(e) => e.target.value && onChange({ ...r, [field]: fromLocal(e.target.value) })}
    />
  );
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <Select field label={t("flags.spreads")} value={r.variant} disabled={disabled} onChange={(variant) => onChange({ ...r, variant })} items={variants} />
      <Select
        field
        label={t("flags.others")}
        value={r.otherwise}
        disabled={disabled}
        onChange={(otherwise) => onChange({ ...r, otherwise })}
        items={variants}
      />
      {percent("from_percent", t("flags.fromPercent"))}
      {percent("to_percent", t("flags.toPercent"))}
      {instant("starts_at", t("flags.starts"))}
      {instant("ends_at", t("flags.ends"))}
    </div>
  );
}
