import { createFileRoute } from "@tanstack/react-router";
import { Page } from "@/components/ui/basics";
import { t } from "@/lib/i18n";

function Settings() {
  return <Page title={t("nav.settings")}>…</Page>;
}

export const Route = createFileRoute("/_app/o/$org/settings")({ component: Settings });
