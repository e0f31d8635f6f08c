import { useMe } from "@/api/queries";
import { Alert } from "@/components/ui/form";
import { t } from "@/lib/i18n";

/** Whether the reader is the owner of the account, rather than an administrator who acts as them. */
export const useIsOwner = (): boolean => !useMe().impersonator;

/** Says why an administrator who acts as somebody is offered nothing here. */
export function Theirs() {
  const me = useMe();
  if (!me.impersonator) return null;
  return <Alert tone="info">{t("account.theirs", { name: me.name })}</Alert>;
}
