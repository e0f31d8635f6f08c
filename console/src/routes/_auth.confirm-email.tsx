import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { api, data } from "@/api/client";
import { queryClient } from "@/api/queries";
import { toast } from "@/components/ui/toast";
import { Press } from "@/features/auth/press";
import { withToken } from "@/features/auth/token";
import { t } from "@/lib/i18n";

function ConfirmEmail() {
  const navigate = useNavigate();
  return (
    <Press
      token={Route.useSearch().token}
      title={t("auth.confirmEmailTitle")}
      hint={t("auth.verifyHint")}
      action={t("auth.confirmEmail")}
      run={(token) => data(api.POST("/api/v1/auth/confirm-email", { body: { token } }))}
      done={() => {
        toast.done(t("auth.confirmEmailDone"));
        queryClient.clear();
        void navigate({ to: "/" });
      }}
    />
  );
}

export const Route = createFileRoute("/_auth/confirm-email")({ validateSearch: withToken, component: ConfirmEmail });
