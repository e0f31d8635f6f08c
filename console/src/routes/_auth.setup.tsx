import { useMutation } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { api, data, TenonError } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Form, TextField } from "@/components/ui/form";
import { Heading, NewPassword, Said, ToSignIn, useEnter } from "@/features/auth/parts";
import { withToken } from "@/features/auth/token";
import { boot } from "@/lib/boot";
import { t } from "@/lib/i18n";

/** The first run: whoever holds the link of the log makes the first administrator. */
function Setup() {
  const { token } = Route.useSearch();
  const enter = useEnter();
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const setUp = useMutation({
    mutationFn: async (v: { email: string; password: string; name: string }) => {
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
      <Form error={setUp.error} onSubmit={(v) => setUp.mutate({ email: v.email ?? "", password: v.password ?? "", name: v.name ?? "" })}>
        <TextField large name="name" label={t("auth.name")} autoComplete="name" autoFocus required value={name} onChange={(e) => setName(e.target.value)} />
        <TextField
          large
          name="email"
          type="email"
          label={t("auth.email")}
          placeholder={t("auth.emailPlaceholder")}
          autoComplete="username"
          required
          value={email}
          onChange={(e) => setEmail(e.target.value)}
        />
        <NewPassword name="password" label={t("field.password")} about={{ email, name }} />
        <Button type="submit" variant="primary" size="lg" loading={setUp.isPending}>
          {t("auth.setupSubmit")}
        </Button>
      </Form>
    </>
  );
}

export const Route = createFileRoute("/_auth/setup")({ validateSearch: withToken, component: Setup });
