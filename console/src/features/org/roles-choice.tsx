import { Select } from "@/components/ui/overlay";
import { t, tOr } from "@/lib/i18n";
import type { Role, useRights } from "./use";

type Rights = ReturnType<typeof useRights>;

/** What a role is for, in a line. */
export const roleHint = (r: Role): string => tOr(r.built_in ? `org.roleHint.${r.key}` : "", t("org.permissionCount", { n: r.permissions.length }));

/** One of the roles that the reader may give. */
export const RoleSelect = ({ rights, value, onChange, hint }: { rights: Rights; value: string; onChange: (role: string) => void; hint?: string }) => (
  <Select
    field
    label={t("org.role")}
    hint={hint}
    value={value}
    onChange={onChange}
    items={rights.roles.filter((r) => rights.covers(r.key)).map((r) => ({ value: r.key, label: rights.nameOf(r.key), hint: roleHint(r) }))}
  />
);
