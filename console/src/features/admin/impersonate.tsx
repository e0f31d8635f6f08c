import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Form, TextArea } from "@/components/ui/form";
import { Dialog, DialogActions, Select } from "@/components/ui/overlay";
import { boot } from "@/lib/boot";
import { t } from "@/lib/i18n";
import type { User } from "./queries";

interface Props {
  user: User;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** Begins to act as somebody. This browser is theirs then, until it ends. */
export const Impersonate = ({ user, open, onOpenChange }: Props) => (
  <Dialog open={open} onOpenChange={onOpenChange} title={t("admin.actTitle", { name: user.name })} hint={t("admin.actHint")}>
    <ImpersonateForm user={user} close={() => onOpenChange(false)} />
  </Dialog>
);

const spans = ["5", "15", "30", "60"] as const;
type Span = (typeof spans)[number];
type Right = "look" | "write";

function ImpersonateForm({ user, close }: { user: User; close: () => void }) {
  const [minutes, setMinutes] = useState<Span>("30");
  const [right, setRight] = useState<Right>("look");
  const act = useMutation({
    mutationFn: (reason: string) =>
      data(
        api.POST("/api/v1/admin/users/{person}/impersonate", {
          params: { path: { person: user.id } },
          body: { reason, minutes: Number(minutes), write: right === "write", cookie: true },
        }),
      ),
    meta: { handled: true, quiet: true },
    onSuccess: () => location.assign(`${boot.base}/`), // nothing of the administrator's stays in memory
  });
  return (
    <Form error={act.error} onSubmit={(v) => act.mutate(v.reason ?? "")}>
      <TextArea name="reason" label={t("admin.reason")} hint={t("admin.actReasonHint")} required minLength={3} maxLength={500} autoFocus />
      <div className="grid gap-4 sm:grid-cols-2">
        <Select
          field
          label={t("admin.actRight")}
          value={right}
          onChange={setRight}
          items={[
            { value: "look", label: t("admin.actLook"), hint: t("admin.actLookHint") },
            { value: "write", label: t("admin.actWrite"), hint: t("admin.actWriteHint") },
          ]}
        />
        <Select
          field
          label={t("admin.actFor")}
          value={minutes}
          onChange={setMinutes}
          items={spans.map((value) => ({ value, label: t("admin.minutes", { n: Number(value) }) }))}
        />
      </div>
      <p className="text-xs text-muted-foreground">{t("admin.actOwn")}</p>
      <DialogActions>
        <Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary" loading={act.isPending}>
          {t("admin.act")}
        </Button>
      </DialogActions>
    </Form>
  );
}
