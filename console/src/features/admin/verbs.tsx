import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Form, TextArea } from "@/components/ui/form";
import { Confirm, Dialog, DialogActions } from "@/components/ui/overlay";
import { toast } from "@/components/ui/toast";
import { t } from "@/lib/i18n";
import type { User } from "./queries";

interface Props {
  user: User;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

const at = (user: User) => ({ params: { path: { person: user.id } } });

/** What is asked before it is done, without more to say: the words are admin.<verb>Title, …Body, …Done, and the verb. */
const verbs = {
  signOut: { danger: true, run: (u: User) => data(api.POST("/api/v1/admin/users/{person}/sign-out", at(u))) },
  mailReset: { danger: false, run: (u: User) => data(api.POST("/api/v1/admin/users/{person}/send-password-reset", at(u))) },
  grant: { danger: false, run: (u: User) => data(api.POST("/api/v1/admin/users/{person}/grant-administrator", at(u))) },
  revoke: { danger: true, run: (u: User) => data(api.POST("/api/v1/admin/users/{person}/revoke-administrator", at(u))) },
  reinstate: { danger: false, run: (u: User) => data(api.POST("/api/v1/admin/users/{person}/reinstate", at(u))) },
  restore: { danger: false, run: (u: User) => data(api.POST("/api/v1/admin/users/{person}/restore", at(u))) },
} as const satisfies Record<string, { danger: boolean; run: (u: User) => Promise<unknown> }>;

export type Verb = keyof typeof verbs;

export function VerbDialog({ user, verb, open, onOpenChange }: Props & { verb: Verb }) {
  const does = useMutation<unknown>({
    mutationFn: () => verbs[verb].run(user),
    onSuccess: () => toast.done(t(`admin.${verb}Done`, { name: user.name, email: user.email })),
    onSettled: () => onOpenChange(false),
  });
  return (
    <Confirm
      open={open}
      onOpenChange={onOpenChange}
      title={t(`admin.${verb}Title`, { name: user.name })}
      action={t(`admin.${verb}`)}
      danger={verbs[verb].danger}
      pending={does.isPending}
      onConfirm={() => does.mutate()}
    >
      <p>{t(`admin.${verb}Body`, { name: user.name, email: user.email })}</p>
    </Confirm>
  );
}

/** Takes all second factors from an account, for a reason that its owner is told. */
export const ResetFactors = ({ user, open, onOpenChange }: Props) => (
  <Dialog open={open} onOpenChange={onOpenChange} title={t("admin.resetFactorsTitle", { name: user.name })} hint={t("admin.resetFactorsHint")}>
    <ResetForm user={user} close={() => onOpenChange(false)} />
  </Dialog>
);

function ResetForm({ user, close }: { user: User; close: () => void }) {
  const reset = useMutation({
    mutationFn: (reason: string) => data(api.POST("/api/v1/admin/users/{person}/reset-second-factors", { ...at(user), body: { reason } })),
    meta: { handled: true },
    onSuccess: () => {
      toast.done(t("admin.resetFactorsDone", { name: user.name }));
      close();
    },
  });
  return (
    <Form error={reset.error} onSubmit={(v) => reset.mutate(v.reason ?? "")}>
      <TextArea name="reason" label={t("admin.reason")} hint={t("admin.resetReasonHint")} required minLength={3} maxLength={500} autoFocus />
      <DialogActions>
        <Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="submit" variant="danger" loading={reset.isPending}>
          {t("admin.resetFactors")}
        </Button>
      </DialogActions>
    </Form>
  );
}

/** A dialog of several: which one, and whether it is open. It keeps its words while it closes. */
export function useDialog<What extends string>(first: What) {
  const [what, setWhat] = useState<What>(first);
  const [open, setOpen] = useState(false);
  return {
    show: (next: What) => {
      setWhat(next);
      setOpen(true);
    },
    /** For the dialog of one of them. */
    of: (one: What) => ({ open: open && what === one, onOpenChange: setOpen }),
    what,
    open,
  };
}
