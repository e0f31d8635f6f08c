import { useQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { Page } from "@/components/ui/basics";
import { Alert } from "@/components/ui/form";
import { IdentitiesCard, providersQuery } from "@/features/account/identities";
import { Theirs } from "@/features/account/theirs";
import { t, tOr } from "@/lib/i18n";

interface Search {
  /** The provider that the reader comes back from. */
  linked?: string;
  /** The code of what went wrong there. */
  error?: string;
}

function Identities() {
  const { linked, error } = Route.useSearch();
  const name = useQuery(providersQuery).data?.find((p) => p.id === linked)?.name;
  return (
    <Page narrow title={t("nav.identities")} hint={t("account.identitiesHint")}>
      <Theirs />
      {error && <Alert>{tOr(`account.refused.${error.split(".").pop()}`, t("account.refused"))}</Alert>}
      {!error && name && <Alert tone="success">{t("account.identityLinked", { name })}</Alert>}
      <IdentitiesCard />
    </Page>
  );
}

const text = (v: unknown) => (typeof v === "string" ? v : undefined);

export const Route = createFileRoute("/_app/account/identities")({
  validateSearch: (s: Record<string, unknown>): Search => ({ linked: text(s.linked), error: text(s.error) }),
  component: Identities,
});
