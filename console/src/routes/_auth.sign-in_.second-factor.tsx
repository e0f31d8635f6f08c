import { useMutation } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { Fingerprint } from "lucide-react";
import { useState } from "react";
import { api, data, TenonError } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Alert, Form, TextField } from "@/components/ui/form";
import { Heading, Said, TextLink, ToSignIn, useEnter } from "@/features/auth/parts";
import { t } from "@/lib/i18n";
import { canPasskey, dismissed, getPasskey } from "@/lib/webauthn";

type Method = "totp" | "backup_code" | "passkey";

function SecondFactor() {
  const [half] = useState(() => new URLSearchParams(location.hash.slice(1)));
  const challenge = half.get("challenge") ?? "";
  const methods = (half.get("methods") ?? "").split(",").filter((m) => m !== "passkey" || canPasskey()) as Method[];
  const [method, setMethod] = useState<Method>(methods.includes("totp") ? "totp" : (methods[0] ?? "totp"));
  const [failed, setFailed] = useState(false);
  const enter = useEnter(half.get("redirect_to") || undefined);
  const finish = useMutation({
    mutationFn: (proof: { method: Method; code?: string; credential?: unknown }) =>
      data(api.POST("/api/v1/auth/second-factor", { body: { ...proof, challenge_token: challenge, cookie: true } })),
    meta: { handled: true, quiet: true },
    onSuccess: enter,
  });
  const passkey = async () => {
    setFailed(false);
    try {
      const begun = await data(api.POST("/api/v1/auth/second-factor/passkey-options", { body: { challenge_token: challenge } }));
      finish.mutate({ method: "passkey", credential: await getPasskey(begun.options) });
    } catch (e) {
      setFailed(!dismissed(e));
    }
  };
  const over = finish.error instanceof TenonError && finish.error.code === "auth.challenge_expired";
  if (!challenge || over)
    return (
      <Said mark="broken" title={t("auth.tooLate")} action={<TextLink to="/sign-in">{t("auth.backToSignIn")}</TextLink>}>
        {t("auth.secondFactorHint")}
      </Said>
    );
  const labels: Record<Method, string> = { totp: t("auth.useApp"), backup_code: t("auth.useBackupCode"), passkey: t("auth.usePasskey") };
  return (
    <>
      <Heading title={t("auth.secondFactorTitle")}>{t("auth.secondFactorHint")}</Heading>
      {failed && <Alert>{t("auth.passkeyFailed")}</Alert>}
      <Form error={finish.error} onSubmit={(v) => (method === "passkey" ? passkey() : finish.mutate({ method, code: v.code ?? "" }))}>
        {method === "passkey" ? (
          <Button type="submit" size="lg" variant="primary" loading={finish.isPending}>
            <Fingerprint />
            {t("auth.passkey")}
          </Button>
        ) : (
          <>
            <TextField
              key={method}
              large
              name="code"
              label={labels[method]}
              hint={method === "totp" ? t("auth.codeFromApp") : undefined}
              inputMode={method === "totp" ? "numeric" : "text"}
              autoComplete="one-time-code"
              autoCapitalize="none"
              autoFocus
              required
              className="tnum font-mono tracking-[0.2em]"
            />
            <Button type="submit" variant="primary" size="lg" loading={finish.isPending}>
              {t("action.continue")}
            </Button>
          </>
        )}
      </Form>
      {methods.length > 1 && (
        <div className="mt-6 flex flex-wrap items-center justify-center gap-x-4 gap-y-1">
          {methods
            .filter((m) => m !== method)
            .map((m) => (
              <Button
                key={m}
                variant="link"
                onClick={() => {
                  finish.reset();
                  setMethod(m);
                }}
              >
                {labels[m]}
              </Button>
            ))}
        </div>
      )}
      <ToSignIn />
    </>
  );
}

export const Route = createFileRoute("/_auth/sign-in_/second-factor")({ component: SecondFactor });
