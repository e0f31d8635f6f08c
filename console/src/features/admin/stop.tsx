import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, data, type Schemas, TenonError } from "@/api/client";
import { roleName } from "@/components/layout/shell";
import { OrgMark } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/choice";
import { Alert, Form, TextArea, TextField } from "@/components/ui/form";
import { Dialog, DialogActions } from "@/components/ui/overlay";
import { toast } from "@/components/ui/toast";
import { day } from "@/lib/format";
import { t } from "@/lib/i18n";
import type { User } from "./queries";

export type Stopping = "suspend" | "delete";

interface Props {
  user: User;
  how: Stopping;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** Suspends or deletes an account, for a reason that its owner can read. */
export const StopDialog = ({ user, how, open, onOpenChange }: Props) => (
  <Dialog open={open} onOpenChange={onOpenChange} title={t(`admin.${how}Title`, { name: user.name })} hint={t(`admin.${how}Hint`)}>
    <StopForm user={user} how={how} close={() => onOpenChange(false)} />
  </Dialog>
);

function StopForm({ user, how, close }: { user: User; how: Stopping; close: () => void }) {
  const [typed, setTyped] = useState("");
  const [orphan, setOrphan] = useState(false);
  const stop = useMutation({
    mutationFn: (reason: string) => send(user.id, how, { reason, orphan_organizations: orphan }),
    meta: { handled: true },
    onSuccess: (purgeAt) => {
      toast.done(t(`admin.${how}Done`, { name: user.name }), purgeAt ? t("admin.deleteDoneHint", { when: day(purgeAt) }) : undefined);
      close();
    },
  });
  const orphans = orphansOf(stop.error);
  return (
    <Form error={orphans ? undefined : stop.error} onSubmit={(v) => stop.mutate(v.reason ?? "")}>
      <TextArea name="reason" label={t("admin.reason")} hint={t("admin.reasonHint")} required minLength={3} maxLength={500} autoFocus />
      {how === "delete" && (
        <TextField
          name="email"
          label={t("confirm.type", { phrase: user.email })}
          value={typed}
          onChange={(e) => setTyped(e.target.value)}
          autoComplete="off"
          spellCheck={false}
        />
      )}
      {orphans && <Orphans of={user} orgs={orphans} orphan={orphan} onOrphan={setOrphan} />}
      <DialogActions>
        <Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="submit" variant="danger" loading={stop.isPending} disabled={(how === "delete" && typed !== user.email) || (orphans && !orphan)}>
          {t(how === "delete" ? "admin.delete" : "admin.suspend")}
        </Button>
      </DialogActions>
    </Form>
  );
}

/** Stops the account; of one that is deleted, until when that can be taken back. */
async function send(person: string, how: Stopping, body: Schemas["AdminStopInputBody"]): Promise<string | undefined> {
  const params = { path: { person } };
  if (how === "delete") return (await data(api.DELETE("/api/v1/admin/users/{person}", { params, body }))).purge_at;
  await data(api.POST("/api/v1/admin/users/{person}/suspend", { params, body }));
}

/** The organizations that would be left without an owner, where that is why it was refused. */
function orphansOf(error: unknown): Schemas["OrgsBelonging"][] | undefined {
  if (!(error instanceof TenonError) || error.code !== "orgs.last_owner") return undefined;
  return (error.problem.organizations as Schemas["OrgsBelonging"][] | undefined) ?? [];
}

interface OrphansProps {
  of: User;
  orgs: Schemas["OrgsBelonging"][];
  orphan: boolean;
  onOrphan: (orphan: boolean) => void;
}

function Orphans({ of: user, orgs, orphan, onOrphan }: OrphansProps) {
  return (
    <div className="grid gap-3">
      <Alert tone="warning">{t("admin.lastOwner", { n: orgs.length, name: user.name })}</Alert>
      <ul className="grid max-h-40 gap-2 overflow-y-auto">
        {orgs.map((o) => (
          <li key={o.id} className="flex min-w-0 items-center gap-2.5">
            <OrgMark name={o.name} id={o.id} className="size-6 text-micro" />
            <span className="min-w-0 truncate font-medium">{o.name}</span>
            <span className="shrink-0 text-xs text-muted-foreground">{roleName(o.role)}</span>
          </li>
        ))}
      </ul>
      {/* biome-ignore lint/a11y/noLabelWithoutControl: the checkbox is inside */}
      <label className="flex cursor-pointer items-start gap-2.5">
        <span className="pt-0.5">
          <Checkbox label={t("admin.orphan", { n: orgs.length })} checked={orphan} onCheckedChange={onOrphan} />
        </span>
        <span>{t("admin.orphan", { n: orgs.length })}</span>
      </label>
    </div>
  );
}
