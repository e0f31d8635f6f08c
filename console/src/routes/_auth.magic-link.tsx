import { createFileRoute } from "@tanstack/react-router";
import { api, data } from "@/api/client";
import { type Entered, useEnter } from "@/features/auth/parts";
import { Press } from "@/features/auth/press";
import { withToken } from "@/features/auth/token";
import { boot } from "@/lib/boot";
import { t } from "@/lib/i18n";

function MagicLink() {
  const enter = useEnter();
  let entered: Entered | undefined;
  return (
    <Press
      token={Route.useSearch().token}
      title={t("auth.magicTitle")}
      hint={t("auth.magicHint", { app: boot.name })}
      action={t("auth.magicContinue")}
      run={async (token) => {
        entered = await data(api.POST("/api/v1/auth/magic-link/verify", { body: { token, cookie: true } }));
      }}
      done={() => entered && enter(entered)}
    />
  );
}

export const Route = createFileRoute("/_auth/magic-link")({ validateSearch: withToken, component: MagicLink });
