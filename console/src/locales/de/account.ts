import type { account as en } from "@/locales/en/account";

export const account: Record<keyof typeof en, string> = {
  "account.activityHint": "Anmeldungen, Geräte und jede Änderung deines Kontos. Wenn etwas davon nicht von dir ist, ändere dein Passwort.",
};
