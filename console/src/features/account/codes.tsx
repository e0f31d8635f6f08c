import { Button } from "@/components/ui/button";
import { SecretOnce } from "@/components/ui/copy";
import { Dialog, DialogActions } from "@/components/ui/overlay";
import { boot } from "@/lib/boot";
import { t } from "@/lib/i18n";

/** Backup codes, which are shown this once. */
export function Codes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  const file = `${boot.name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}-backup-codes.txt`;
  return (
    <div className="grid gap-4">
      <SecretOnce lines={codes} file={file}>
        {t("account.backupOnce")}
      </SecretOnce>
      <DialogActions>
        <Button variant="primary" onClick={onDone}>
          {t("account.backupKept")}
        </Button>
      </DialogActions>
    </div>
  );
}

export const CodesDialog = ({ open, codes, onClose }: { open: boolean; codes: string[]; onClose: () => void }) => (
  <Dialog keep open={open} onOpenChange={(o) => !o && onClose()} title={t("account.backupTitle")} hint={t("account.backupHint")}>
    <Codes codes={codes} onDone={onClose} />
  </Dialog>
);
