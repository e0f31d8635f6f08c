import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { api, data } from "@/api/client";
import { Press } from "@/features/auth/press";
import { withToken } from "@/features/auth/token";
import { t } from "@/lib/i18n";

function VerifyEmail() {
  const navigate = useNavigate();
  return (
    <Press
      token={Route.useSearch().token}
      title={t("auth.verifyTitle")}
      hint={t("auth.verifyHint")}
      action={t("auth.verifySubmit")}
      run={(token) => data(api.POST("/api/v1/auth/verify-email", { body: { token } }))}
      done={() => navigate({ to: "/sign-in", search: { done: "verified" } })}
    />
  );
}

export const Route = createFileRoute("/_auth/verify-email")({ validateSearch: withToken, component: VerifyEmail });
