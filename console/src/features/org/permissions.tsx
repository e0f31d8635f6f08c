import { useQuery } from "@tanstack/react-query";
import { Check, Minus } from "lucide-react";
import type { Schemas } from "@/api/client";
import { Checkbox } from "@/components/ui/choice";
import { t, tOr } from "@/lib/i18n";
import { CheckRow } from "./parts";
import { permissionsQuery } from "./use";

type Permission = Schemas["OrgsPermission"];

export const permissionText = (p: Permission): string => tOr(`org.permission.${p.name}`, p.description);

const moduleText = (module: string) => tOr(`org.module.${module}`, module.charAt(0).toUpperCase() + module.slice(1).replaceAll("_", " "));

export interface PermissionGroup {
  module: string;
  label: string;
  permissions: Permission[];
}

/** All permissions by the module that knows them, in the order of the product. */
export function usePermissionGroups(): PermissionGroup[] {
  const permissions = useQuery(permissionsQuery).data ?? [];
  const groups = new Map<string, Permission[]>();
  for (const p of permissions) {
    const module = p.name.split(".")[0] ?? "";
    groups.set(module, [...(groups.get(module) ?? []), p]);
  }
  return [...groups].map(([module, permissions]) => ({ module, label: moduleText(module), permissions }));
}

/** Ticks for permissions. Those that the reader does not hold cannot be given. */
export function PermissionPicker({ value, onChange, holds }: { value: string[]; onChange: (value: string[]) => void; holds: (permission: string) => boolean }) {
  const groups = usePermissionGroups();
  const set = (names: string[], on: boolean) => onChange(on ? [...new Set([...value, ...names])] : value.filter((v) => !names.includes(v)));
  return (
    <div className="grid gap-3">
      {groups.map((g) => {
        const mine = g.permissions.map((p) => p.name).filter(holds);
        const chosen = mine.filter((p) => value.includes(p)).length;
        return (
          <fieldset key={g.module} className="min-w-0 rounded-md border shadow-btn">
            <legend className="sr-only">{g.label}</legend>
            {/* biome-ignore lint/a11y/noLabelWithoutControl: the checkbox is inside */}
            <label className="flex items-center gap-2.5 rounded-t-md border-b bg-muted/50 px-3 py-2 font-medium">
              <Checkbox
                label={t("org.allOf", { name: g.label })}
                checked={mine.length > 0 && chosen === mine.length}
                indeterminate={chosen > 0 && chosen < mine.length}
                disabled={mine.length === 0}
                onCheckedChange={(on) => set(mine, on)}
              />
              {g.label}
            </label>
            <div className="grid p-1 sm:grid-cols-2">
              {g.permissions.map((p) => (
                <CheckRow
                  key={p.name}
                  label={permissionText(p)}
                  hint={holds(p.name) ? <code className="font-mono text-micro">{p.name}</code> : t("org.notHeld")}
                  checked={value.includes(p.name)}
                  disabled={!holds(p.name)}
                  onChange={(on) => set([p.name], on)}
                />
              ))}
            </div>
          </fieldset>
        );
      })}
    </div>
  );
}

/** What a set of permissions allows, and with `lacks` also what it does not. */
export function PermissionList({ permissions, lacks }: { permissions: string[]; lacks?: boolean }) {
  const groups = usePermissionGroups()
    .map((g) => ({ ...g, permissions: g.permissions.filter((p) => lacks || permissions.includes(p.name)) }))
    .filter((g) => g.permissions.length > 0);
  if (groups.length === 0) return <p className="text-muted-foreground">{t("org.mayNothing")}</p>;
  return (
    <div className="grid gap-3">
      {groups.map((g) => (
        <div key={g.module}>
          <p aria-hidden className="mb-1 text-xs font-medium text-muted-foreground">
            {g.label}
          </p>
          <ul aria-label={g.label} className="grid gap-1">
            {g.permissions.map((p) => (
              <li key={p.name} className="flex items-start gap-2">
                <Held held={permissions.includes(p.name)} className="mt-0.5" />
                <span className="min-w-0">{permissionText(p)}</span>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </div>
  );
}

/** A tick, or a dash. */
export const Held = ({ held, className = "" }: { held: boolean; className?: string }) => (
  <>
    {held ? (
      <Check aria-hidden className={`size-4 shrink-0 text-success ${className}`} strokeWidth={2.5} />
    ) : (
      <Minus aria-hidden className={`size-4 shrink-0 text-faint ${className}`} />
    )}
    <span className="sr-only">{t(held ? "org.allowed" : "org.notAllowed")}</span>
  </>
);
