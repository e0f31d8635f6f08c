import { useMutation } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { api, data, TenonError } from "@/api/client";
import { NewAccount, type NewAccountValues } from "@/features/auth/new-account";
import { Heading, Said, ToSignIn, useEnter } from "@/features/auth/parts";
import { withToken } from "@/features/auth/token";
import { boot } from "@/lib/boot";
import { t } from "@/lib/i18n";

/** The first run: whoever holds the link of the log makes the first administrator. */
function Setup() {
  const { token } = Route.useSearch();
  const enter = useEnter();
  const setUp = useMutation({
    mutationFn: async (v: NewAccountValues) => {
      await data(api.POST("/api/v1/setup", { body: { ...v, token: token ?? "" } }));
      return data(api.POST("/api/v1/auth/login", { body: { email: v.email, password: v.password, cookie: true } }));
    },
    meta: { handled: true, quiet: true },
    onSuccess: enter,
  });
  if (!token || (setUp.error instanceof TenonError && setUp.error.status === 404))
    return (
      <>
        <Said mark="broken" title={t("auth.linkBad")}>
          {t(token ? "auth.linkBadHint" : "auth.linkMissing")}
        </Said>
        <ToSignIn />
      </>
    );
  return (
    <>
      <Heading title={t("auth.setupTitle", { app: boot.name })}>{t("auth.setupHint")}</Heading>
      <NewAccount error={setUp.error} pending={setUp.isPending} action={t("auth.setupSubmit")} onSubmit={(v) => setUp.mutate(v)} />
    </>
  );
}

export const Route = createFileRoute("/_auth/setup")({ validateSearch: withToken, component: Setup });
