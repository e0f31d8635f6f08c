import { createFileRoute } from "@tanstack/react-router";
import { Page } from "@/components/ui/basics";
import { AppsCard } from "@/features/account/apps";
import { DevicesCard } from "@/features/account/devices";
import { PasskeysCard } from "@/features/account/passkeys";
import { Theirs } from "@/features/account/theirs";
import { t } from "@/lib/i18n";

const Security = () => (
  <Page narrow title={t("nav.security")} hint={t("account.securityHint")}>
    <Theirs />
    <AppsCard />
    <PasskeysCard />
    <DevicesCard />
  </Page>
);

export const Route = createFileRoute("/_app/account/security")({ component: Security });
