import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Fingerprint } from "lucide-react";
import { useState } from "react";
import { api, data } from "@/api/client";
import { meQuery } from "@/api/queries";
import { Form, PasswordField, TextField } from "@/components/ui/form";
import { boot } from "@/lib/boot";
import { t } from "@/lib/i18n";
import { canPasskey, dismissed, getPasskey } from "@/lib/webauthn";
import { Button } from "./ui/button";
import { Dialog, DialogActions } from "./ui/overlay";
import { toast } from "./ui/toast";

type Proof = { password: string } | { method: "totp" | "backup_code"; code: string } | { method: "passkey"; credential: unknown };

/** The dialog that asks who the reader is. */
export default function StepUp({ methods, finish }: { methods: string[]; finish: (ok: boolean) => void }) {
  return (
    <Dialog open onOpenChange={(o) => !o && finish(false)} title={t("stepUp.title")} hint={t("stepUp.hint")}>
      <Prove methods={methods} done={() => finish(true)} cancel={() => finish(false)} />
    </Dialog>
  );
}

function Prove({ methods, done, cancel }: { methods: string[]; done: () => void; cancel: () => void }) {
  const email = useQueryClient().getQueryData(meQuery.queryKey)?.email ?? "";
  const [backup, setBackup] = useState(false);
  const confirm = useMutation({
    mutationFn: (body: Proof) => data(api.POST("/api/v1/auth/confirm", { body })),
    meta: { handled: true, quiet: true },
    onSuccess: done,
  });
  const passkey = async () => {
    try {
      const begun = await data(api.POST("/api/v1/passkeys/assertion", {}));
      confirm.mutate({ method: "passkey", credential: await getPasskey(begun.options) });
    } catch (e) {
      if (!dismissed(e)) toast.error(t("auth.passkeyFailed"));
    }
  };
  const withCode = methods.includes("totp");
  const withPasskey = methods.includes("passkey") && canPasskey();
  if (!withCode && !withPasskey && !methods.includes("password"))
    return (
      <div className="grid gap-4">
        <p>{t("stepUp.signInAgain")}</p>
        <DialogActions>
          <Button onClick={cancel}>{t("action.cancel")}</Button>
          <Button variant="primary" render={<a href={`${boot.base}/sign-in?again=true&next=${encodeURIComponent(here())}`} />}>
            {t("stepUp.signIn")}
          </Button>
        </DialogActions>
      </div>
    );
  return (
    <Form
      error={confirm.error}
      onSubmit={(v) => confirm.mutate(withCode ? { method: backup ? "backup_code" : "totp", code: v.code ?? "" } : { password: v.password ?? "" })}
    >
      {withPasskey && (
        <Button size="lg" variant={withCode ? "secondary" : "primary"} loading={confirm.isPending} onClick={passkey}>
          <Fingerprint />
          {t("stepUp.usePasskey")}
        </Button>
      )}
      {withCode && (
        <TextField
          key={String(backup)}
          name="code"
          label={t(backup ? "stepUp.backupCode" : "stepUp.code")}
          autoFocus
          required
          autoComplete="one-time-code"
          inputMode={backup ? "text" : "numeric"}
          className="tnum font-mono tracking-[0.2em]"
          aside={
            <Button variant="link" size="sm" onClick={() => setBackup(!backup)}>
              {t(backup ? "stepUp.useApp" : "stepUp.useBackupCode")}
            </Button>
          }
        />
      )}
      {!withCode && !withPasskey && (
        <>
          <input type="email" autoComplete="username" value={email} readOnly hidden />
          <PasswordField name="password" label={t("field.password")} autoComplete="current-password" autoFocus required />
        </>
      )}
      <DialogActions>
        <Button onClick={cancel}>{t("action.cancel")}</Button>
        {(withCode || !withPasskey) && (
          <Button type="submit" variant="primary" loading={confirm.isPending}>
            {t("stepUp.confirm")}
          </Button>
        )}
      </DialogActions>
    </Form>
  );
}

/** Where the reader is, and comes back to. */
const here = () => location.pathname.slice(boot.base.length) + location.search;
