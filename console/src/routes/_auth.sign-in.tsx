import { useMutation, useQuery } from "@tanstack/react-query";
import { createFileRoute, redirect } from "@tanstack/react-router";
import { Fingerprint, Mail } from "lucide-react";
import { useEffect, useState } from "react";
import { api, data } from "@/api/client";
import { meQuery } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { Alert, Form, PasswordField, TextField } from "@/components/ui/form";
import { ByMail } from "@/features/auth/by-mail";
import { Heading, inside, TextLink, useEnter } from "@/features/auth/parts";
import { ProviderMark } from "@/features/auth/providers";
import { boot } from "@/lib/boot";
import { type Key, t, tOr } from "@/lib/i18n";
import { canPasskey, dismissed, getPasskey } from "@/lib/webauthn";

interface Search {
  next?: string;
  /** The code of what went wrong at a provider. */
  error?: string;
  /** What was done just now: "verified", "password", "impersonation", "everywhere". */
  done?: string;
  /** Somebody who is signed in wants to prove it anew. */
  again?: boolean;
}

const said: Record<string, Key> = { password: "auth.passwordSet", impersonation: "auth.actEnded", everywhere: "auth.doneEverywhere" };

function SignIn() {
  const { next, error, done } = Route.useSearch();
  const enter = useEnter(next);
  const [byMail, setByMail] = useState(false);
  const [email, setEmail] = useState("");
  const login = useMutation({
    mutationFn: (v: { email: string; password: string }) => data(api.POST("/api/v1/auth/login", { body: { ...v, cookie: true } })),
    meta: { handled: true, quiet: true },
    onSuccess: enter,
  });
  const passkey = usePasskeySignIn(enter);
  if (byMail) return <ByMail email={email} next={next} back={() => setByMail(false)} />;
  return (
    <>
      <Heading title={t("auth.signInTitle")}>{t("auth.signInHint", { app: boot.name })}</Heading>
      <div className="grid gap-4">
        {done && <Alert tone="success">{t(said[done] ?? "auth.verified")}</Alert>}
        {error && <Alert>{tOr(`problem.${error}`, t("auth.signInFailed"))}</Alert>}
        {passkey.failed && <Alert>{t("auth.passkeyFailed")}</Alert>}
        <Providers next={next} />
        <Form error={login.error} onSubmit={(v) => login.mutate({ email: v.email ?? "", password: v.password ?? "" })}>
          <TextField
            large
            name="email"
            type="email"
            label={t("auth.email")}
            placeholder={t("auth.emailPlaceholder")}
            autoComplete="username webauthn"
            autoFocus
            required
            value={email}
            onChange={(e) => setEmail(e.target.value)}
          />
          <PasswordField
            large
            name="password"
            label={t("field.password")}
            autoComplete="current-password"
            required
            aside={<TextLink to="/forgot-password">{t("auth.forgot")}</TextLink>}
          />
          <Button type="submit" variant="primary" size="lg" loading={login.isPending}>
            {t("auth.signIn")}
          </Button>
        </Form>
        <div className="grid gap-2">
          {canPasskey() && (
            <Button size="lg" loading={passkey.pending} onClick={passkey.start}>
              <Fingerprint />
              {t("auth.passkey")}
            </Button>
          )}
          <Button size="lg" variant="ghost" onClick={() => setByMail(true)}>
            <Mail />
            {t("auth.mailLink")}
          </Button>
        </div>
      </div>
      {boot.signUp !== "invitation" && (
        <p className="mt-7 text-center text-muted-foreground">
          {t("auth.newTo", { app: boot.name })}{" "}
          <TextLink to="/sign-up" search={next ? { next } : {}}>
            {t("auth.createOne")}
          </TextLink>
        </p>
      )}
    </>
  );
}

/** Offers passkeys in the autofill of the e-mail field at once, and on a button. */
function usePasskeySignIn(enter: ReturnType<typeof useEnter>) {
  const [pending, setPending] = useState(false);
  const [failed, setFailed] = useState(false);
  const [ambient, setAmbient] = useState<AbortController>();
  const run = async (signal: AbortSignal, conditional: boolean) => {
    const begun = await data(api.POST("/api/v1/auth/passkey/options", { signal }));
    const credential = await getPasskey(begun.options, { conditional, signal });
    await enter(await data(api.POST("/api/v1/auth/passkey", { body: { challenge_token: begun.challenge_token, credential, cookie: true } })));
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the page opens
  useEffect(() => {
    const abort = new AbortController();
    setAmbient(abort);
    void (async () => {
      if (!canPasskey() || !(await PublicKeyCredential.isConditionalMediationAvailable?.()) || abort.signal.aborted) return;
      try {
        await run(abort.signal, true);
      } catch (e) {
        if (!abort.signal.aborted && !dismissed(e)) setFailed(true);
      }
    })();
    return () => abort.abort();
  }, []);
  const start = async () => {
    ambient?.abort();
    setPending(true);
    setFailed(false);
    try {
      await run(new AbortController().signal, false);
    } catch (e) {
      setFailed(!dismissed(e));
    }
    setPending(false);
  };
  return { start, pending, failed };
}

function Providers({ next }: { next?: string }) {
  const { data: offered } = useQuery({
    queryKey: ["providers"],
    queryFn: async () => (await data(api.GET("/api/v1/auth/providers"))).items,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const go = useMutation({
    mutationFn: (provider: string) =>
      data(api.GET("/api/v1/auth/oauth/{provider}/authorize", { params: { path: { provider }, query: { redirect_to: inside(next) } } })),
    meta: { quiet: true },
    onSuccess: (begun) => location.assign(begun.authorization_url),
  });
  if (!offered?.length) return null;
  return (
    <>
      <div className="grid grid-cols-[repeat(auto-fit,minmax(112px,1fr))] gap-2">
        {offered.map((p) => (
          <Button key={p.id} size="lg" loading={go.isPending && go.variables === p.id} onClick={() => go.mutate(p.id)}>
            <ProviderMark kind={p.kind} id={p.id} />
            <span>
              <span className="sr-only">{t("auth.continueWith", { name: "" })}</span>
              {p.name}
            </span>
          </Button>
        ))}
      </div>
      <div className="my-1 flex items-center gap-3 text-xs text-muted-foreground before:h-px before:flex-1 before:bg-border after:h-px after:flex-1 after:bg-border">
        {t("auth.or")}
      </div>
    </>
  );
}

export const Route = createFileRoute("/_auth/sign-in")({
  validateSearch: (s: Record<string, unknown>): Search => ({
    next: typeof s.next === "string" ? s.next : undefined,
    error: typeof s.error === "string" ? s.error : undefined,
    done: typeof s.done === "string" ? s.done : undefined,
    again: s.again === true ? true : undefined,
  }),
  beforeLoad: async ({ context, search }) => {
    if (search.again || search.error) return;
    const me = await context.queryClient.fetchQuery({ ...meQuery, retry: false }).catch(() => undefined);
    if (me) throw redirect({ href: inside(search.next) });
  },
  component: SignIn,
});
