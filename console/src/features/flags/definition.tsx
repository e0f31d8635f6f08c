import { useInfiniteQuery } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Checkbox, Switch } from "@/components/ui/choice";
import { Input } from "@/components/ui/form";
import { Select } from "@/components/ui/overlay";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import { type Draft, readValue, rename, showValue } from "./draft";
import { type Flag, flagsQuery, type Variant } from "./queries";
import { fromLocal, toLocal } from "./serve";

interface Props {
  flag: Flag;
  draft: Draft;
  disabled?: boolean;
  onChange: (d: Draft) => void;
}

/** The values that a flag can have. */
export function VariantsEditor({ flag, draft, disabled, onChange }: Props) {
  const fixed = disabled || flag.type === "boolean";
  const put = (i: number, v: Variant) => onChange({ ...draft, variants: draft.variants.map((o, n) => (n === i ? v : o)) });
  const names = draft.variants.map((v) => ({ value: v.name, label: v.name }));
  return (
    <div className="grid gap-3">
      {draft.variants.map((v, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the name is what is typed
        <div key={i} className="grid grid-cols-[minmax(5rem,10rem)_1fr_auto] items-start gap-2">
          <Input
            aria-label={t("flags.variantName", { n: i + 1 })}
            value={v.name}
            disabled={fixed}
            spellCheck={false}
            onChange={(e) => onChange(rename(draft, v.name, e.target.value.replace(/[^A-Za-z0-9._-]/g, "-")))}
            className="font-mono text-xs"
          />
          <Value
            label={t("flags.variantValue", { name: v.name })}
            type={flag.type}
            value={v.value}
            disabled={fixed}
            onChange={(value) => put(i, { ...v, value })}
          />
          {!fixed && (
            <Button
              variant="ghost"
              size="icon-sm"
              aria-label={t("flags.removeVariant", { name: v.name })}
              disabled={draft.variants.length === 1}
              onClick={() => onChange({ ...draft, variants: draft.variants.filter((_, n) => n !== i) })}
            >
              <Trash2 />
            </Button>
          )}
        </div>
      ))}
      <div className="flex flex-wrap items-center gap-3">
        {!fixed && (
          <Button
            size="sm"
            onClick={() => onChange({ ...draft, variants: [...draft.variants, { name: `variant-${draft.variants.length + 1}`, value: initial(flag.type) }] })}
          >
            <Plus />
            {t("flags.addVariant")}
          </Button>
        )}
        <span className="text-muted-foreground">{t("flags.whileOff")}</span>
        <Select
          label={t("flags.offVariant")}
          value={draft.off_variant}
          disabled={disabled}
          onChange={(off_variant) => onChange({ ...draft, off_variant })}
          items={names}
        />
      </div>
    </div>
  );
}

const initial = (type: Flag["type"]): unknown => ({ boolean: false, string: "", number: 0, json: {} })[type];

function Value({
  label,
  type,
  value,
  disabled,
  onChange,
}: {
  label: string;
  type: Flag["type"];
  value: unknown;
  disabled?: boolean;
  onChange: (v: unknown) => void;
}) {
  const [text, setText] = useState(showValue(value));
  const wrong = readValue(text, type) === undefined;
  const change = (typed: string) => {
    setText(typed);
    const read = readValue(typed, type);
    if (read !== undefined) onChange(read);
  };
  return (
    <div className="grid gap-1">
      {type === "json" ? (
        <textarea
          aria-label={label}
          aria-invalid={wrong}
          rows={3}
          value={text}
          disabled={disabled}
          spellCheck={false}
          onChange={(e) => change(e.target.value)}
          className={cn("field", "h-auto py-1.5 font-mono text-xs leading-5")}
        />
      ) : (
        <Input
          aria-label={label}
          aria-invalid={wrong}
          value={text}
          disabled={disabled}
          spellCheck={false}
          onChange={(e) => change(e.target.value)}
          className="font-mono text-xs"
        />
      )}
      {wrong && <p className="text-xs font-medium text-destructive">{t(`flags.wrongValue.${type}`)}</p>}
    </div>
  );
}

/** Other flags that must serve something before this one's rules are looked at. */
export function PrerequisitesEditor({ flag, draft, disabled, onChange }: Props) {
  const others = (useInfiniteQuery(flagsQuery({})).data?.pages.flatMap((p) => p.items) ?? []).filter((f) => f.key !== flag.key);
  const all = draft.prerequisites;
  const free = others.filter((f) => !all.some((p) => p.flag === f.key));
  const put = (prerequisites: Draft["prerequisites"]) => onChange({ ...draft, prerequisites });
  return (
    <div className="grid gap-3">
      {all.length === 0 && <p className="text-muted-foreground">{t("flags.noPrerequisites")}</p>}
      {all.map((p) => (
        <div key={p.flag} className="flex flex-wrap items-center gap-x-4 gap-y-2">
          <span className="font-mono text-xs">{p.flag}</span>
          <span className="text-muted-foreground">{t("flags.mustServe")}</span>
          {(others.find((f) => f.key === p.flag)?.variants.map((v) => v.name) ?? p.variants).map((name) => (
            <span key={name} className="inline-flex items-center gap-1.5 font-mono text-xs">
              <Checkbox
                label={t("flags.prerequisiteVariant", { flag: p.flag, variant: name })}
                checked={p.variants.includes(name)}
                disabled={disabled || (p.variants.length === 1 && p.variants[0] === name)}
                onCheckedChange={(on) =>
                  put(all.map((o) => (o === p ? { ...p, variants: on ? [...p.variants, name] : p.variants.filter((v) => v !== name) } : o)))
                }
              />
              {name}
            </span>
          ))}
          {!disabled && (
            <Button variant="ghost" size="icon-sm" aria-label={t("flags.removePrerequisite", { flag: p.flag })} onClick={() => put(all.filter((o) => o !== p))}>
              <Trash2 />
            </Button>
          )}
        </div>
      ))}
      {!disabled && free.length > 0 && (
        <div>
          <Select
            label={t("flags.addPrerequisite")}
            value=""
            onChange={(key) => put([...all, { flag: key, variants: [others.find((f) => f.key === key)?.variants[0]?.name ?? ""] }])}
            items={[{ value: "", label: t("flags.addPrerequisite") }, ...free.map((f) => ({ value: f.key, label: f.key }))]}
          />
        </div>
      )}
    </div>
  );
}

/** When a flag goes on and off by itself. */
export function ScheduleEditor({ draft, disabled, onChange }: Omit<Props, "flag">) {
  const all = draft.schedule;
  const put = (schedule: Draft["schedule"]) => onChange({ ...draft, schedule });
  return (
    <div className="grid gap-3">
      {all.length === 0 && <p className="text-muted-foreground">{t("flags.noSchedule")}</p>}
      {all.map((s, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the instant is what is typed
        <div key={i} className="flex flex-wrap items-center gap-3">
          <Input
            type="datetime-local"
            aria-label={t("flags.switchAt", { n: i + 1 })}
            value={toLocal(s.at)}
            disabled={disabled}
            onChange={(e) => e.target.value && put(all.map((o, n) => (n === i ? { ...s, at: fromLocal(e.target.value) } : o)))}
            className="w-52"
          />
          <Switch
            label={t("flags.switchTo", { n: i + 1 })}
            checked={s.enabled}
            disabled={disabled}
            onCheckedChange={(enabled) => put(all.map((o, n) => (n === i ? { ...s, enabled } : o)))}
          />
          <span className="text-muted-foreground">{t(s.enabled ? "flags.goesOn" : "flags.goesOff")}</span>
          {!disabled && (
            <Button variant="ghost" size="icon-sm" aria-label={t("flags.removeSwitch", { n: i + 1 })} onClick={() => put(all.filter((_, n) => n !== i))}>
              <Trash2 />
            </Button>
          )}
        </div>
      ))}
      {!disabled && (
        <div>
          <Button
            size="sm"
            onClick={() => put([...all, { at: new Date(Math.ceil(Date.now() / 3_600_000 + 1) * 3_600_000).toISOString(), enabled: all.length % 2 === 0 }])}
          >
            <Plus />
            {t("flags.addSwitch")}
          </Button>
        </div>
      )}
    </div>
  );
}
