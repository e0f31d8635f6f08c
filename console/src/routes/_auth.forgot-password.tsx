import { useMutation } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { api, data } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Form, TextField } from "@/components/ui/form";
import { Heading, Said, ToSignIn } from "@/features/auth/parts";
import { t } from "@/lib/i18n";

function ForgotPassword() {
  const ask = useMutation({
    mutationFn: (email: string) => data(api.POST("/api/v1/auth/request-password-reset", { body: { email } })),
    meta: { handled: true, quiet: true },
  });
  if (ask.isSuccess)
    return (
      <>
        <Said mark="mail" title={t("auth.checkMail")}>
          {t("auth.checkMailBody", { email: ask.variables })} {t("auth.atOnce")}
        </Said>
        <ToSignIn />
      </>
    );
  return (
    <>
      <Heading title={t("auth.forgotTitle")}>{t("auth.forgotHint")}</Heading>
      <Form error={ask.error} onSubmit={(v) => ask.mutate(v.email ?? "")}>
        <TextField
          large
          name="email"
          type="email"
          label={t("auth.email")}
          placeholder={t("auth.emailPlaceholder")}
          autoComplete="username"
          autoFocus
          required
        />
        <Button type="submit" variant="primary" size="lg" loading={ask.isPending}>
          {t("auth.sendLink")}
        </Button>
      </Form>
      <ToSignIn />
    </>
  );
}

export const Route = createFileRoute("/_auth/forgot-password")({ component: ForgotPassword });
