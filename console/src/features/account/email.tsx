import { useMutation } from "@tanstack/react-query";
import { MailOpen } from "lucide-react";
import { useState } from "react";
import { api, data } from "@/api/client";
import { useMe } from "@/api/queries";
import { Badge, Card, CardHeader } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Form, TextField } from "@/components/ui/form";
import { Dialog, DialogActions } from "@/components/ui/overlay";
import { t } from "@/lib/i18n";
import { useIsOwner } from "./theirs";

export function EmailCard() {
  const me = useMe();
  const owner = useIsOwner();
  const [changing, setChanging] = useState(0);
  return (
    <Card>
      <CardHeader
        title={
          <>
            {t("account.email")}
            <Badge tone={me.email_verified ? "success" : "warning"} dot>
              {t(me.email_verified ? "account.emailConfirmed" : "account.emailUnconfirmed")}
            </Badge>
          </>
        }
        hint={<span className="break-all">{me.email}</span>}
        actions={owner && <Button onClick={() => setChanging(changing + 1)}>{t("account.emailChange")}</Button>}
      />
      {changing > 0 && <ChangeEmail key={changing} current={me.email} />}
    </Card>
  );
}

/** Open once it is there. */
function ChangeEmail({ current }: { current: string }) {
  const [open, setOpen] = useState(true);
  const ask = useMutation({
    mutationFn: (new_email: string) => data(api.POST("/api/v1/users/me/email", { body: { new_email } })),
    meta: { handled: true, quiet: true },
  });
  const close = () => setOpen(false);
  return (
    <Dialog
      keep
      open={open}
      onOpenChange={setOpen}
      title={t(ask.data ? "auth.checkMail" : "account.emailTitle")}
      hint={ask.data ? t("account.emailSent", { email: ask.variables ?? "", current }) : t("account.emailHint")}
    >
      {ask.data ? (
        <div className="grid gap-4">
          <p className="flex items-center gap-3 rounded-md bg-brand-soft p-3 text-brand-text">
            <MailOpen aria-hidden className="size-5 shrink-0" />
            {t("auth.atOnce")}
          </p>
          <DialogActions>
            <Button onClick={() => ask.reset()}>{t("account.emailOther")}</Button>
            <Button variant="primary" onClick={close}>
              {t("action.done")}
            </Button>
          </DialogActions>
        </div>
      ) : (
        <Form error={ask.error} onSubmit={(v) => ask.mutate((v.new_email ?? "").trim())}>
          <TextField
            name="new_email"
            type="email"
            label={t("account.emailNew")}
            placeholder={t("auth.emailPlaceholder")}
            autoComplete="email"
            autoFocus
            required
          />
          <DialogActions>
            <Button onClick={close}>{t("action.cancel")}</Button>
            <Button type="submit" variant="primary" loading={ask.isPending}>
              {t("auth.sendLink")}
            </Button>
          </DialogActions>
        </Form>
      )}
    </Dialog>
  );
}
