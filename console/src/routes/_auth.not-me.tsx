import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { api, data } from "@/api/client";
import { Said, ToSignIn } from "@/features/auth/parts";
import { Press } from "@/features/auth/press";
import { withToken } from "@/features/auth/token";
import { t } from "@/lib/i18n";

function NotMe() {
  const { token } = Route.useSearch();
  const [done, setDone] = useState(false);
  if (done)
    return (
      <>
        <Said mark="done" title={t("auth.notMeDone")}>
          {t("auth.notMeDoneHint")}
        </Said>
        <ToSignIn />
      </>
    );
  return (
    <Press
      danger
      token={token}
      title={t("auth.notMeTitle")}
      hint={t("auth.notMeHint")}
      action={t("auth.notMe")}
      run={(token) => data(api.POST("/api/v1/auth/not-me", { body: { token } }))}
      done={() => setDone(true)}
    />
  );
}

export const Route = createFileRoute("/_auth/not-me")({ validateSearch: withToken, component: NotMe });
