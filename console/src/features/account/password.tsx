import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "@/api/client";
import { useMe } from "@/api/queries";
import { Card, CardBody, CardFooter, CardHeader } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Form, PasswordField } from "@/components/ui/form";
import { toast } from "@/components/ui/toast";
import { NewPassword } from "@/features/auth/parts";
import { t } from "@/lib/i18n";
import { useIsOwner } from "./theirs";

export function PasswordCard() {
  const me = useMe();
  const [round, setRound] = useState(0); // empties the form
  const change = useMutation({
    mutationFn: (body: { current_password: string; new_password: string }) => data(api.PUT("/api/v1/users/me/password", { body })),
    meta: { handled: true },
    onSuccess: () => {
      setRound(round + 1);
      toast.done(t("account.passwordChanged"), t("account.othersSignedOut"));
    },
  });
  if (!useIsOwner()) return null;
  return (
    <Card>
      <CardHeader title={t("field.password")} hint={t("account.passwordHint")} />
      <CardBody>
        <Form
          key={round}
          error={change.error}
          onSubmit={(v) => change.mutate({ current_password: v.current_password ?? "", new_password: v.new_password ?? "" })}
          className="max-w-md"
        >
          <input type="email" name="email" autoComplete="username" value={me.email} readOnly hidden />
          <PasswordField name="current_password" label={t("account.passwordCurrent")} autoComplete="current-password" required />
          <NewPassword name="new_password" label={t("auth.newPassword")} about={{ email: me.email, name: me.name }} large={false} />
          <div>
            <Button type="submit" variant="primary" loading={change.isPending}>
              {t("account.passwordChange")}
            </Button>
          </div>
        </Form>
      </CardBody>
      <ByMail email={me.email} />
    </Card>
  );
}

/** Whoever has no password yet, or forgot it, proves by mail that the account is theirs, as anybody would. */
function ByMail({ email }: { email: string }) {
  const ask = useMutation({
    mutationFn: () => data(api.POST("/api/v1/auth/request-password-reset", { body: { email } })),
    meta: { quiet: true },
    onSuccess: () => toast.done(t("account.passwordMailed", { email }), t("auth.atOnce")),
  });
  return (
    <CardFooter className="justify-between">
      <p className="text-xs text-muted-foreground">{t("account.passwordNone")}</p>
      <Button size="sm" loading={ask.isPending} onClick={() => ask.mutate()}>
        {t("account.passwordMail")}
      </Button>
    </CardFooter>
  );
}
