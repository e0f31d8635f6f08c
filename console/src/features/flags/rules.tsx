import { ArrowDown, ArrowUp, Plus, Trash2, X } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/form";
import { Select } from "@/components/ui/overlay";
import { t } from "@/lib/i18n";
import { type Draft, readValues, showValues } from "./draft";
import { Group } from "./parts";
import type { Condition, Rule } from "./queries";
import { ServeEditor } from "./serve";

const operators = [
  "one_of",
  "not_one_of",
  "starts_with",
  "ends_with",
  "contains",
  "greater",
  "at_least",
  "less",
  "at_most",
  "before",
  "after",
  "present",
  "absent",
] as const;

export const attributes = ["email_domain", "user_id", "org_id", "plan", "role", "administrator"];

interface Props {
  draft: Draft;
  disabled?: boolean;
  onChange: (rules: Rule[]) => void;
}

const moved = <T,>(list: T[], from: number, to: number): T[] => {
  const all = [...list];
  all.splice(to, 0, ...all.splice(from, 1));
  return all;
};

/** The rules in their order: the first whose conditions all hold decides. */
export function RulesEditor({ draft, disabled, onChange }: Props) {
  const { rules } = draft;
  const put = (i: number, rule: Rule) => onChange(rules.map((r, n) => (n === i ? rule : r)));
  const add = () =>
    onChange([...rules, { conditions: [{ attribute: "email_domain", operator: "one_of", values: [] }], serve: { variant: draft.variants[0]?.name ?? "" } }]);
  return (
    <div className="grid gap-3">
      {rules.length === 0 && <p className="text-muted-foreground">{t("flags.noRules")}</p>}
      <ol className="grid gap-3">
        {rules.map((r, i) => (
          <li key={r.id ?? `new-${i}`} className="rounded-lg border p-3 sm:p-4">
            <Group label={t("flags.ruleN", { n: i + 1 })} className="grid gap-3">
              <div className="flex items-center gap-1">
                <span className="flex-1 text-sm font-semibold">
                  {t("flags.ruleN", { n: i + 1 })}
                  {r.id && <span className="ml-2 font-mono text-xs font-normal text-muted-foreground">{r.id}</span>}
                </span>
                {!disabled && (
                  <>
                    <Button
                      variant="ghost"
                      size="icon-sm"
                      aria-label={t("flags.ruleUp", { n: i + 1 })}
                      disabled={i === 0}
                      onClick={() => onChange(moved(rules, i, i - 1))}
                    >
                      <ArrowUp />
                    </Button>
                    <Button
                      variant="ghost"
                      size="icon-sm"
                      aria-label={t("flags.ruleDown", { n: i + 1 })}
                      disabled={i === rules.length - 1}
                      onClick={() => onChange(moved(rules, i, i + 1))}
                    >
                      <ArrowDown />
                    </Button>
                    <Button
                      variant="ghost"
                      size="icon-sm"
                      aria-label={t("flags.ruleRemove", { n: i + 1 })}
                      onClick={() => onChange(rules.filter((_, n) => n !== i))}
                    >
                      <Trash2 />
                    </Button>
                  </>
                )}
              </div>
              {!(disabled && !r.description) && (
                <Input
                  aria-label={t("flags.ruleFor", { n: i + 1 })}
                  placeholder={t("flags.ruleForHint")}
                  value={r.description ?? ""}
                  disabled={disabled}
                  maxLength={500}
                  onChange={(e) => put(i, { ...r, description: e.target.value })}
                />
              )}
              <Conditions rule={r} n={i + 1} disabled={disabled} onChange={(conditions) => put(i, { ...r, conditions })} />
              <div className="border-t pt-3">
                <ServeEditor
                  label={t("flags.ruleServes", { n: i + 1 })}
                  draft={draft}
                  serve={r.serve}
                  disabled={disabled}
                  onChange={(serve) => put(i, { ...r, serve })}
                />
              </div>
            </Group>
          </li>
        ))}
      </ol>
      {!disabled && (
        <div>
          <Button size="sm" onClick={add}>
            <Plus />
            {t("flags.addRule")}
          </Button>
        </div>
      )}
    </div>
  );
}

function Conditions({ rule, n, disabled, onChange }: { rule: Rule; n: number; disabled?: boolean; onChange: (c: Condition[]) => void }) {
  const put = (i: number, c: Condition) => onChange(rule.conditions.map((o, k) => (k === i ? c : o)));
  return (
    <div className="grid gap-2">
      {rule.conditions.map((c, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: conditions have no names
        <div key={i} className="flex flex-wrap items-center gap-2">
          <span className="w-8 text-xs text-muted-foreground">{t(i === 0 ? "flags.if" : "flags.and")}</span>
          <Input
            aria-label={t("flags.attribute", { n, i: i + 1 })}
            list="flag-attributes"
            value={c.attribute}
            disabled={disabled}
            spellCheck={false}
            onChange={(e) => put(i, { ...c, attribute: e.target.value.trim() })}
            className="w-36 font-mono text-xs max-sm:flex-1 max-sm:basis-52"
          />
          <Select
            label={t("flags.operator", { n, i: i + 1 })}
            value={c.operator}
            disabled={disabled}
            onChange={(operator) =>
              put(i, operator === "present" || operator === "absent" ? { attribute: c.attribute, operator } : { ...c, operator, values: c.values ?? [] })
            }
            items={operators.map((value) => ({ value, label: t(`flags.op.${value}`) }))}
          />
          {c.operator !== "present" && c.operator !== "absent" && (
            <Values label={t("flags.values", { n, i: i + 1 })} condition={c} disabled={disabled} onChange={(values) => put(i, { ...c, values })} />
          )}
          {!disabled && rule.conditions.length > 1 && (
            <Button
              variant="ghost"
              size="icon-sm"
              aria-label={t("flags.removeCondition", { n, i: i + 1 })}
              onClick={() => onChange(rule.conditions.filter((_, k) => k !== i))}
            >
              <X />
            </Button>
          )}
        </div>
      ))}
      {!disabled && (
        <div className="sm:pl-10">
          <Button variant="ghost" size="sm" onClick={() => onChange([...rule.conditions, { attribute: "plan", operator: "one_of", values: [] }])}>
            <Plus />
            {t("flags.addCondition")}
          </Button>
        </div>
      )}
    </div>
  );
}

/** What is typed stays as it is typed; what it means is read from it. */
function Values({ label, condition: c, disabled, onChange }: { label: string; condition: Condition; disabled?: boolean; onChange: (v: unknown[]) => void }) {
  const [text, setText] = useState(showValues(c));
  const same = JSON.stringify(readValues(text, c.attribute)) === JSON.stringify(c.values ?? []);
  return (
    <Input
      aria-label={label}
      value={same ? text : showValues(c)}
      disabled={disabled}
      spellCheck={false}
      placeholder={t("flags.valuesHint")}
      onChange={(e) => {
        setText(e.target.value);
        onChange(readValues(e.target.value, c.attribute));
      }}
      className="min-w-28 flex-1 sm:min-w-40"
    />
  );
}

export const Attributes = () => (
  <datalist id="flag-attributes">
    {attributes.map((a) => (
      <option key={a} value={a} />
    ))}
  </datalist>
);
