import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, data, type Schemas } from "@/api/client";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy";
import { Form, TextField } from "@/components/ui/form";
import { Dialog, DialogActions } from "@/components/ui/overlay";
import { toast } from "@/components/ui/toast";
import { t } from "@/lib/i18n";
import { Codes } from "./codes";

type NewDevice = Schemas["MfaNewDevice"];
type Step = { is: "name" } | { is: "scan"; device: NewDevice; name: string } | { is: "codes"; codes: string[]; name: string };

/** Adds an authenticator app: its name, its secret, and a code that proves that it has it. Open once it is there. */
export function AddApp() {
  const [open, setOpen] = useState(true);
  const [step, setStep] = useState<Step>({ is: "name" });
  const close = () => setOpen(false);
  const finish = (name: string) => {
    close();
    toast.done(t("account.appAdded", { name }), t("account.othersSignedOut"));
  };
  // With a further app the codes stay as they are. A toast now would lie over those that are to be kept.
  const added = (codes: string[], name: string) => (codes.length > 0 ? setStep({ is: "codes", codes, name }) : finish(name));
  const show = (o: boolean) => {
    if (!o && step.is === "codes") finish(step.name);
    else setOpen(o);
  };
  const titles = { name: t("account.appTitle"), scan: t("account.appScan"), codes: t("account.backupTitle") };
  const hints = { name: t("account.appNameHint"), scan: t("account.appScanHint"), codes: t("account.backupHint") };
  return (
    <Dialog keep open={open} onOpenChange={show} title={titles[step.is]} hint={hints[step.is]}>
      {step.is === "name" && <NameIt cancel={close} done={(device, name) => setStep({ is: "scan", device, name })} />}
      {step.is === "scan" && <Scan device={step.device} cancel={close} done={(codes) => added(codes, step.name)} />}
      {step.is === "codes" && <Codes codes={step.codes} onDone={() => finish(step.name)} />}
    </Dialog>
  );
}

function NameIt({ cancel, done }: { cancel: () => void; done: (device: NewDevice, name: string) => void }) {
  const setUp = useMutation({
    mutationFn: (device_name: string) => data(api.POST("/api/v1/totp/setup", { body: { device_name } })),
    meta: { handled: true, quiet: true },
    onSuccess: done,
  });
  return (
    <Form error={setUp.error} onSubmit={(v) => setUp.mutate(v.device_name ?? "")}>
      <TextField name="device_name" label={t("account.deviceName")} placeholder={t("account.appNameExample")} autoComplete="off" autoFocus required />
      <DialogActions>
        <Button onClick={cancel}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary" loading={setUp.isPending}>
          {t("action.continue")}
        </Button>
      </DialogActions>
    </Form>
  );
}

function Scan({ device, cancel, done }: { device: NewDevice; cancel: () => void; done: (codes: string[]) => void }) {
  const enable = useMutation({
    mutationFn: (code: string) => data(api.POST("/api/v1/totp/enable", { body: { code, device_id: device.device_id } })),
    meta: { handled: true },
    onSuccess: (enabled) => done(enabled.backup_codes),
  });
  return (
    <Form error={enable.error} onSubmit={(v) => enable.mutate(v.code ?? "")}>
      <div className="grid items-center justify-items-center gap-4 sm:grid-cols-[auto_minmax(0,1fr)] sm:justify-items-start sm:gap-5">
        <img src={device.qr_code} alt={t("account.appQr")} width={168} height={168} className="rounded-lg border bg-white" />
        <div className="grid w-full gap-1.5">
          <span className="text-xs text-muted-foreground">{t("account.appSecret")}</span>
          <span className="flex items-center gap-1">
            <code data-testid="totp-secret" className="font-mono text-xs leading-5">
              {device.secret.match(/.{1,4}/g)?.join(" ")}
            </code>
            <CopyButton text={device.secret} label={t("account.appSecretCopy")} />
          </span>
        </div>
      </div>
      <TextField
        name="code"
        label={t("account.appCode")}
        inputMode="numeric"
        autoComplete="one-time-code"
        pattern="\s*(\d\s*){6}"
        autoFocus
        required
        className="tnum font-mono tracking-[0.2em]"
      />
      <DialogActions>
        <Button onClick={cancel}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary" loading={enable.isPending}>
          {t("account.appEnable")}
        </Button>
      </DialogActions>
    </Form>
  );
}
