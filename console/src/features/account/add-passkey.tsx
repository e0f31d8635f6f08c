import { useMutation } from "@tanstack/react-query";
import { api, data, TenonError } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Alert, Form, TextField } from "@/components/ui/form";
import { Dialog, DialogActions } from "@/components/ui/overlay";
import { toast } from "@/components/ui/toast";
import { agentName } from "@/features/events/agent";
import { t } from "@/lib/i18n";
import { createPasskey, dismissed } from "@/lib/webauthn";

/** Adds a passkey: its name, then the browser's own dialog. */
export function AddPasskey({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Dialog keep open={open} onOpenChange={onOpenChange} title={t("account.passkeyTitle")} hint={t("account.passkeyNameHint")}>
      <Make close={() => onOpenChange(false)} />
    </Dialog>
  );
}

function Make({ close }: { close: () => void }) {
  const make = useMutation({
    mutationFn: async (name: string) => {
      const begun = await data(api.POST("/api/v1/passkeys/registration", { body: { name } }));
      const credential = await createPasskey(begun.options);
      return data(api.POST("/api/v1/passkeys", { body: { credential, registration_token: begun.registration_token } }));
    },
    meta: { handled: true },
    onSuccess: (made) => {
      close();
      toast.done(t("account.passkeyAdded", { name: made.name }), t("account.othersSignedOut"));
    },
  });
  const byBrowser = make.error && !(make.error instanceof TenonError) ? make.error : undefined;
  return (
    <Form error={byBrowser ? undefined : make.error} onSubmit={(v) => make.mutate(v.name ?? "")}>
      {byBrowser && <Alert tone={dismissed(byBrowser) ? "warning" : "danger"}>{whatBrowserSaid(byBrowser)}</Alert>}
      <TextField name="name" label={t("account.deviceName")} defaultValue={agentName(navigator.userAgent)} autoComplete="off" autoFocus required />
      <DialogActions>
        <Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary" loading={make.isPending}>
          {t("action.continue")}
        </Button>
      </DialogActions>
    </Form>
  );
}

function whatBrowserSaid(e: Error): string {
  if (dismissed(e)) return t("account.passkeyDismissed");
  return t(e.name === "InvalidStateError" ? "account.passkeyHere" : "account.passkeyFailed"); // it holds one already
}
