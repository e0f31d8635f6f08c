import { useMutation } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { api, data } from "@/api/client";
import { Button } from "@/components/ui/button";
import { toast } from "@/components/ui/toast";
import { NewAccount, type NewAccountValues } from "@/features/auth/new-account";
import { Heading, Said, TextLink, ToSignIn, useEnter } from "@/features/auth/parts";
import { boot } from "@/lib/boot";
import { t } from "@/lib/i18n";

interface Search {
  /** From the mail that lets somebody of the wait list in. */
  token?: string;
  next?: string;
}

function SignUp() {
  const { token, next } = Route.useSearch();
  const enter = useEnter(next);
  const register = useMutation({
    mutationFn: async (v: NewAccountValues) => {
      const answer = await data(api.POST("/api/v1/auth/register", { body: { ...v, sign_up_token: token } }));
      // Where addresses need no proof, the account is open already: a browser takes a cookie.
      return "access_token" in answer ? data(api.POST("/api/v1/auth/login", { body: { email: v.email, password: v.password, cookie: true } })) : answer;
    },
    meta: { handled: true, quiet: true },
    onSuccess: async (answer) => {
      if ("account" in answer && answer.account) await enter(answer);
    },
  });
  if (register.data && register.data.status === "check_your_email") return <CheckMail email={register.variables.email} />;
  if (boot.signUp === "invitation" && !token)
    return (
      <>
        <Heading title={t("auth.signUpTitle")}>{t("auth.signUpInvitation", { app: boot.name })}</Heading>
        <ToSignIn />
      </>
    );
  return (
    <>
      <Heading title={t("auth.signUpTitle")}>{t(boot.signUp === "waitlist" && !token ? "auth.signUpWaitlist" : "auth.signUpHint")}</Heading>
      <NewAccount error={register.error} pending={register.isPending} action={t("auth.createAccount")} onSubmit={(v) => register.mutate(v)} />
      <p className="mt-7 text-center text-muted-foreground">
        {t("auth.haveAccount")} <TextLink to="/sign-in">{t("auth.signIn")}</TextLink>
      </p>
    </>
  );
}

export function CheckMail({ email }: { email: string }) {
  const again = useMutation({
    mutationFn: () => data(api.POST("/api/v1/auth/resend-verification", { body: { email } })),
    meta: { quiet: true },
    onSuccess: () => toast.done(t("auth.resent")),
  });
  return (
    <>
      <Said
        mark="mail"
        title={t("auth.checkMail")}
        action={
          <Button size="lg" loading={again.isPending} onClick={() => again.mutate()}>
            {t("auth.resend")}
          </Button>
        }
      >
        {t("auth.checkMailBody", { email })} {t("auth.atOnce")}
      </Said>
      <ToSignIn />
    </>
  );
}

export const Route = createFileRoute("/_auth/sign-up")({
  validateSearch: (s: Record<string, unknown>): Search => ({
    token: typeof s.token === "string" ? s.token : undefined,
    next: typeof s.next === "string" ? s.next : undefined,
  }),
  component: SignUp,
});
