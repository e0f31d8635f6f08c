import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "@/api/client";
import { useMe } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { Form } from "@/components/ui/form";
import { Confirm, Dialog, DialogActions } from "@/components/ui/overlay";
import { toast } from "@/components/ui/toast";
import { t } from "@/lib/i18n";
import { PermissionList } from "./permissions";
import { RoleSelect } from "./roles-choice";
import { type Member, type Org, useRights } from "./use";

interface DialogProps {
  org: Org;
  /** Nobody yet, before it was opened once. */
  member: Member | undefined;
  open: boolean;
  setOpen: (open: boolean) => void;
}

const nobody = { account_id: "", name: "" };

/** Gives a member another role, and shows what that role may do. */
export const ChangeRole = ({ org, member, open, setOpen }: DialogProps) => (
  <Dialog open={open} onOpenChange={setOpen} title={t("org.changeRoleTitle", { name: member?.name ?? "" })} hint={t("org.changeRoleHint")}>
    {member && <ChangeRoleForm org={org} member={member} close={() => setOpen(false)} />}
  </Dialog>
);

function ChangeRoleForm({ org, member, close }: { org: Org; member: Member; close: () => void }) {
  const me = useMe();
  const rights = useRights(org);
  const [role, setRole] = useState(member.role);
  const change = useMutation({
    mutationFn: () =>
      data(api.PATCH("/api/v1/orgs/{org}/members/{account}", { params: { path: { org: org.id, account: member.account_id } }, body: { role } })),
    meta: { handled: true },
    onSuccess: () => {
      toast.done(t("org.roleChanged", { name: member.name, role: rights.nameOf(role) }));
      close();
    },
  });
  return (
    <Form error={change.error} onSubmit={() => (role === member.role ? close() : change.mutate())}>
      <RoleSelect rights={rights} value={role} onChange={setRole} hint={member.account_id === me.id ? t("org.changeOwnRole") : undefined} />
      <section aria-label={t("org.mayDo", { role: rights.nameOf(role) })} className="rounded-md border bg-muted/40 p-3.5">
        <PermissionList permissions={rights.role(role)?.permissions ?? []} />
      </section>
      <DialogActions>
        <Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary" loading={change.isPending}>
          {t("org.changeRole")}
        </Button>
      </DialogActions>
    </Form>
  );
}

export function RemoveMember({ org, member, open, setOpen }: DialogProps) {
  const { account_id: account, name } = member ?? nobody;
  const remove = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/orgs/{org}/members/{account}", { params: { path: { org: org.id, account } } })),
    onSuccess: () => toast.done(t("org.removed", { name, org: org.name })),
    onSettled: () => setOpen(false),
  });
  return (
    <Confirm
      open={open}
      onOpenChange={setOpen}
      title={t("org.removeTitle", { name })}
      action={t("action.remove")}
      pending={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>{t("org.removeBody", { org: org.name })}</p>
    </Confirm>
  );
}

/** Hands the organization over to another member. */
export function HandOver({ org, member, open, setOpen }: DialogProps) {
  const { account_id, name } = member ?? nobody;
  const transfer = useMutation({
    mutationFn: () => data(api.POST("/api/v1/orgs/{org}/transfer", { params: { path: { org: org.id } }, body: { account_id } })),
    onSuccess: () => toast.done(t("org.handedOver", { name, org: org.name })),
    onSettled: () => setOpen(false),
  });
  return (
    <Confirm
      open={open}
      onOpenChange={setOpen}
      title={t("org.handOverTitle", { org: org.name, name })}
      action={t("org.handOver")}
      phrase={org.slug}
      pending={transfer.isPending}
      onConfirm={() => transfer.mutate()}
    >
      <p>{t("org.handOverBody", { name })}</p>
    </Confirm>
  );
}
