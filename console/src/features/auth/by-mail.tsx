import { useMutation } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Form, TextField } from "@/components/ui/form";
import { t } from "@/lib/i18n";
import { Heading, Said, useEnter } from "./parts";

/** Signing in by a link or a code that is mailed. */
export function ByMail({ email, next, back }: { email: string; next?: string; back: () => void }) {
  const enter = useEnter(next);
  const ask = useMutation({
    mutationFn: (email: string) => data(api.POST("/api/v1/auth/magic-link", { body: { email, cookie: true } })),
    meta: { handled: true, quiet: true },
  });
  const verify = useMutation({
    mutationFn: (code: string) =>
      data(api.POST("/api/v1/auth/magic-link/verify", { body: { email: ask.variables, code: code.replace(/\s/g, ""), cookie: true } })),
    meta: { handled: true, quiet: true },
    onSuccess: enter,
  });
  if (!ask.data)
    return (
      <>
        <Heading title={t("auth.mailLink")}>{t("auth.atOnce")}</Heading>
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
            defaultValue={email}
          />
          <Button type="submit" variant="primary" size="lg" loading={ask.isPending}>
            {t("auth.sendLink")}
          </Button>
          <Button size="lg" variant="ghost" onClick={back}>
            {t("auth.withPassword")}
          </Button>
        </Form>
      </>
    );
  return (
    <>
      <Said mark="mail" title={t("auth.checkMail")}>
        {t("auth.mailLinkBody", { email: ask.variables })} {t("auth.atOnce")}
      </Said>
      <Form error={verify.error} onSubmit={(v) => verify.mutate(v.code ?? "")}>
        <TextField
          large
          name="code"
          label={t("auth.mailLinkCode")}
          inputMode="numeric"
          autoComplete="one-time-code"
          autoFocus
          required
          className="tnum font-mono tracking-[0.2em]"
        />
        <Button type="submit" variant="primary" size="lg" loading={verify.isPending}>
          {t("auth.signIn")}
        </Button>
        <Button size="lg" variant="ghost" onClick={back}>
          {t("auth.useAnother")}
        </Button>
      </Form>
    </>
  );
}
