import { useMutation } from "@tanstack/react-query";
import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { api, data, fieldErrors, TenonError } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Form } from "@/components/ui/form";
import { Heading, NewPassword, Said, TextLink, ToSignIn } from "@/features/auth/parts";
import { withToken } from "@/features/auth/token";
import { t } from "@/lib/i18n";

function ResetPassword() {
  const { token } = Route.useSearch();
  const navigate = useNavigate();
  const reset = useMutation({
    mutationFn: (password: string) => data(api.POST("/api/v1/auth/reset-password", { body: { token: token ?? "", new_password: password } })),
    meta: { handled: true, quiet: true },
    onSuccess: () => navigate({ to: "/sign-in", search: { done: "password" } }),
  });
  const spent = reset.error instanceof TenonError && reset.error.status < 429 && !fieldErrors(reset.error).new_password;
  if (!token || spent)
    return (
      <Said mark="broken" title={t("auth.linkBad")} action={<TextLink to="/forgot-password">{t("auth.sendLink")}</TextLink>}>
        {t(token ? "auth.linkBadHint" : "auth.linkMissing")}
      </Said>
    );
  return (
    <>
      <Heading title={t("auth.resetTitle")}>{t("auth.resetHint")}</Heading>
      <Form error={reset.error} onSubmit={(v) => reset.mutate(v.new_password ?? "")}>
        <NewPassword name="new_password" label={t("auth.newPassword")} about={{}} />
        <Button type="submit" variant="primary" size="lg" loading={reset.isPending}>
          {t("auth.resetSubmit")}
        </Button>
      </Form>
      <ToSignIn />
    </>
  );
}

export const Route = createFileRoute("/_auth/reset-password")({ validateSearch: withToken, component: ResetPassword });
