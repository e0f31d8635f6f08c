import { useMutation, useQuery } from "@tanstack/react-query";
import { createFileRoute, useLocation, useNavigate } from "@tanstack/react-router";
import { api, data, type Schemas } from "@/api/client";
import { meQuery, queryClient } from "@/api/queries";
import { roleName, useSignOut } from "@/components/layout/shell";
import { Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Alert, Form, TextField } from "@/components/ui/form";
import { toast } from "@/components/ui/toast";
import { Heading, NewPassword, Said, TextLink, ToSignIn, useEnter } from "@/features/auth/parts";
import { withToken } from "@/features/auth/token";
import { moment } from "@/lib/format";
import { t } from "@/lib/i18n";

function AcceptInvitation() {
  const { token = "" } = Route.useSearch();
  const me = useQuery({ ...meQuery, retry: false });
  const preview = useQuery({
    queryKey: ["invitation", token],
    queryFn: () => data(api.POST("/api/v1/invitations/preview", { body: { token } })),
    retry: false,
    enabled: token !== "",
  });
  if (!token || preview.error)
    return (
      <>
        <Said mark="broken" title={t("auth.linkBad")}>
          {t(token ? "auth.linkBadHint" : "auth.linkMissing")}
        </Said>
        <ToSignIn />
      </>
    );
  const offer = preview.data;
  if (!offer || me.isPending)
    return (
      <div className="grid gap-3">
        <Skeleton className="h-8 w-56" />
        <Skeleton className="h-4 w-full" />
        <Skeleton className="h-10 w-full" />
      </div>
    );
  return (
    <>
      <Heading title={t("auth.acceptTitle", { org: offer.org.name })}>
        {t("auth.acceptHint", { email: offer.email, role: roleName(offer.role), until: moment(offer.expires_at) })}
      </Heading>
      {me.data ? <AsMyself token={token} offer={offer} me={me.data} /> : <AsSomebodyNew token={token} offer={offer} />}
    </>
  );
}

interface Props {
  token: string;
  offer: Schemas["OrgsOffer"];
}

function AsMyself({ token, offer, me }: Props & { me: Schemas["Account"] }) {
  const navigate = useNavigate();
  const signOut = useSignOut();
  const accept = useMutation({
    mutationFn: () => data(api.POST("/api/v1/invitations/accept", { body: { token } })),
    onSuccess: async () => {
      toast.done(t("auth.accepted", { org: offer.org.name }));
      await queryClient.invalidateQueries();
      await queryClient.refetchQueries({ queryKey: ["orgs"] });
      await navigate({ to: "/o/$org", params: { org: offer.org.slug } });
    },
  });
  if (me.email.toLowerCase() !== offer.email.toLowerCase())
    return (
      <div className="grid gap-4">
        <Alert tone="warning">{t("auth.acceptWrongAccount", { email: me.email, invited: offer.email })}</Alert>
        <Button size="lg" loading={signOut.isPending} onClick={() => signOut.mutate()}>
          {t("menu.signOut")}
        </Button>
      </div>
    );
  return (
    <Button size="lg" variant="primary" className="w-full" loading={accept.isPending} onClick={() => accept.mutate()}>
      {t("auth.acceptAs", { email: me.email })}
    </Button>
  );
}

function AsSomebodyNew({ token, offer }: Props) {
  const enter = useEnter(`/o/${offer.org.slug}`);
  const here = useLocation().href;
  const accept = useMutation({
    mutationFn: (v: { name: string; password: string }) => data(api.POST("/api/v1/invitations/accept", { body: { ...v, token, cookie: true } })),
    meta: { handled: true, quiet: true },
    onSuccess: enter,
  });
  return (
    <>
      <Form error={accept.error} onSubmit={(v) => accept.mutate({ name: v.name ?? "", password: v.password ?? "" })}>
        <h2 className="text-sm font-semibold">{t("auth.acceptNew")}</h2>
        <input type="email" name="email" autoComplete="username" value={offer.email} readOnly hidden />
        <TextField large name="name" label={t("auth.name")} autoComplete="name" required />
        <NewPassword name="password" label={t("field.password")} about={{ email: offer.email }} />
        <Button type="submit" variant="primary" size="lg" loading={accept.isPending}>
          {t("auth.acceptTitle", { org: offer.org.name })}
        </Button>
      </Form>
      <p className="mt-7 text-center text-muted-foreground">
        {t("auth.haveAccount")}{" "}
        <TextLink to="/sign-in" search={{ next: here }}>
          {t("auth.signInAs")}
        </TextLink>
      </p>
    </>
  );
}

export const Route = createFileRoute("/_auth/accept-invitation")({ validateSearch: withToken, component: AcceptInvitation });
