import { useMutation } from "@tanstack/react-query";
import { Ellipsis, Pencil, Trash2 } from "lucide-react";
import { Fragment, useState } from "react";
import { api, data } from "@/api/client";
import { Badge, Card } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Form, TextField } from "@/components/ui/form";
import { Confirm, Dialog, DialogActions, Menu, MenuContent, MenuItem, MenuTrigger, Select } from "@/components/ui/overlay";
import { toast } from "@/components/ui/toast";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import { Held, PermissionList, PermissionPicker, permissionText, usePermissionGroups } from "./permissions";
import { roleHint } from "./roles-choice";
import { slugOf } from "./slug";
import { type Org, type Role, useRights } from "./use";

interface Actions {
  edit: (role: Role) => void;
  remove: (role: Role) => void;
}

/** Who may do what: permissions by roles. */
export function Matrix({ org, actions }: { org: Org; actions?: Actions }) {
  const rights = useRights(org);
  const groups = usePermissionGroups();
  return (
    <Card className="max-md:hidden">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached by keyboard */}
      <div className="scroll-x" tabIndex={0} role="region" aria-label={t("org.matrix")}>
        <table className="w-full border-separate border-spacing-0">
          <thead>
            <tr>
              <th scope="col" className="sticky left-0 z-10 min-w-64 bg-muted px-5 text-left text-xs font-medium text-muted-foreground">
                {t("org.permissionHead")}
              </th>
              {rights.roles.map((r) => (
                <th key={r.key} scope="col" className="h-12 min-w-24 bg-muted px-2 text-center font-medium">
                  <span className="flex items-center justify-center gap-1">
                    <span className="max-w-36 truncate" title={rights.nameOf(r.key)}>
                      {rights.nameOf(r.key)}
                    </span>
                    {r.key === org.role && <Badge className="px-1.5">{t("org.you")}</Badge>}
                    {!r.built_in && actions && rights.covers(r.key) && <RoleMenu role={r} actions={actions} />}
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {groups.map((g) => (
              <Fragment key={g.module}>
                <tr>
                  <th
                    scope="colgroup"
                    colSpan={rights.roles.length + 1}
                    className="border-t bg-card px-5 pt-4 pb-1.5 text-left text-xs font-medium text-muted-foreground"
                  >
                    <span className="sticky left-5">{g.label}</span>
                  </th>
                </tr>
                {g.permissions.map((p) => (
                  <tr key={p.name} className="group">
                    <th scope="row" className="sticky left-0 bg-card py-2 pr-4 pl-5 text-left font-normal group-hover:bg-accent">
                      {permissionText(p)}
                      <code className="block font-mono text-micro text-muted-foreground">{p.name}</code>
                    </th>
                    {rights.roles.map((r) => (
                      <td key={r.key} className="px-2 text-center group-hover:bg-accent">
                        <Held held={r.permissions.includes(p.name)} className="mx-auto" />
                      </td>
                    ))}
                  </tr>
                ))}
              </Fragment>
            ))}
          </tbody>
        </table>
        <div className="h-2" />
      </div>
    </Card>
  );
}

/** On a phone, one role at a time. */
export function OneRole({ org, actions }: { org: Org; actions?: Actions }) {
  const rights = useRights(org);
  const [key, setKey] = useState(org.role);
  const role = rights.role(key) ?? rights.roles[0];
  if (!role) return null;
  return (
    <Card className="md:hidden">
      <div className="flex items-center gap-2 border-b p-3">
        <Select
          label={t("org.role")}
          value={role.key}
          onChange={setKey}
          items={rights.roles.map((r) => ({ value: r.key, label: rights.nameOf(r.key), hint: roleHint(r) }))}
          className="min-w-0 flex-1"
        />
        {!role.built_in && actions && rights.covers(role.key) && <RoleMenu role={role} actions={actions} />}
      </div>
      <div className="grid gap-4 p-4">
        <p className="flex flex-wrap items-center gap-2 text-muted-foreground">
          {roleHint(role)}
          {role.key === org.role && <Badge>{t("org.yourRole")}</Badge>}
        </p>
        <PermissionList permissions={role.permissions} lacks />
      </div>
    </Card>
  );
}

const RoleMenu = ({ role, actions }: { role: Role; actions: Actions }) => (
  <Menu>
    <MenuTrigger render={<Button variant="ghost" size="icon-sm" aria-label={t("action.more", { name: role.name })} />}>
      <Ellipsis />
    </MenuTrigger>
    <MenuContent>
      <MenuItem onClick={() => actions.edit(role)}>
        <Pencil />
        {t("action.edit")}
      </MenuItem>
      <MenuItem danger onClick={() => actions.remove(role)}>
        <Trash2 />
        {t("action.delete")}
      </MenuItem>
    </MenuContent>
  </Menu>
);

interface RoleDialogProps {
  org: Org;
  role: Role | undefined;
  open: boolean;
  setOpen: (open: boolean) => void;
}

/** Makes a role of the organization's own, or changes one. */
export const RoleDialog = ({ org, role, open, setOpen }: RoleDialogProps) => (
  <Dialog
    wide
    open={open}
    onOpenChange={setOpen}
    title={role ? t("org.editRoleTitle", { name: role.name }) : t("org.newRole")}
    hint={t(role ? "org.editRoleHint" : "org.newRoleHint")}
  >
    <RoleForm org={org} role={role} close={() => setOpen(false)} />
  </Dialog>
);

/** A key made of a name: they begin with a letter. */
const keyOf = (name: string) => slugOf(name).replace(/^[^a-z]+/, "");

function RoleForm({ org, role, close }: { org: Org; role?: Role; close: () => void }) {
  const rights = useRights(org);
  const [name, setName] = useState(role?.name ?? "");
  const [key, setKey] = useState(role?.key);
  const [permissions, setPermissions] = useState(role?.permissions ?? ["orgs.read"].filter(rights.holds));
  const save = useMutation({
    mutationFn: (v: { name: string; key: string }) =>
      role
        ? data(api.PATCH("/api/v1/orgs/{org}/roles/{role}", { params: { path: { org: org.id, role: role.key } }, body: { name: v.name, permissions } }))
        : data(api.POST("/api/v1/orgs/{org}/roles", { params: { path: { org: org.id } }, body: { key: v.key, name: v.name, permissions } })),
    meta: { handled: true },
    onSuccess: (saved) => {
      toast.done(t(role ? "org.roleSaved" : "org.roleMade", { name: saved.name }));
      close();
    },
  });
  return (
    <Form error={save.error} onSubmit={(v) => save.mutate({ name: v.name ?? "", key: v.key ?? "" })}>
      <div className={cn("grid gap-4", !role && "sm:grid-cols-2")}>
        <TextField
          name="name"
          label={t("org.name")}
          placeholder={t("org.roleNamePlaceholder")}
          required
          autoFocus
          value={name}
          onChange={(e) => setName(e.target.value)}
          autoComplete="off"
        />
        {!role && (
          <TextField
            name="key"
            label={t("org.roleKey")}
            hint={t("org.roleKeyHint")}
            required
            value={key ?? keyOf(name)}
            onChange={(e) => setKey(e.target.value)}
            autoCapitalize="none"
            spellCheck={false}
            className="font-mono"
          />
        )}
      </div>
      <PermissionPicker value={permissions} onChange={setPermissions} holds={rights.holds} />
      <DialogActions>
        <Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary" loading={save.isPending}>
          {t(role ? "action.save" : "org.makeRole")}
        </Button>
      </DialogActions>
    </Form>
  );
}

export function DeleteRole({ org, role, open, setOpen }: RoleDialogProps) {
  const { key = "", name = "" } = role ?? {};
  const remove = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/orgs/{org}/roles/{role}", { params: { path: { org: org.id, role: key } } })),
    onSuccess: () => toast.done(t("org.roleDeleted", { name })),
    onSettled: () => setOpen(false),
  });
  return (
    <Confirm
      open={open}
      onOpenChange={setOpen}
      title={t("org.deleteRoleTitle", { name })}
      action={t("action.delete")}
      pending={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>{t("org.deleteRoleBody")}</p>
    </Confirm>
  );
}
