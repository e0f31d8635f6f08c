import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { Link2, Unplug } from "lucide-react";
import { useState } from "react";
import { api, data, explain, type Schemas } from "@/api/client";
import { listQuery } from "@/api/queries";
import { Badge, Card, CardBody, Empty, Row, Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Alert } from "@/components/ui/form";
import { Confirm } from "@/components/ui/overlay";
import { Failed } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import { ProviderMark } from "@/features/auth/providers";
import { ago, day } from "@/lib/format";
import { t } from "@/lib/i18n";
import { facts } from "./mark";
import { useIsOwner } from "./theirs";

type Identity = Schemas["IdentitiesIdentity"];
type Provider = Schemas["IdentitiesOffered"];

export const providersQuery = {
  queryKey: ["providers"],
  queryFn: async () => (await data(api.GET("/api/v1/auth/providers"))).items,
  staleTime: Number.POSITIVE_INFINITY,
};

/** An account has twenty at most: one page holds them all. */
const mine = listQuery(["identities"], (cursor, signal) => api.GET("/api/v1/users/me/identities", { signal, params: { query: { cursor, limit: 100 } } }));

/** The providers that one may sign in with, and those that the reader does. */
export function IdentitiesCard() {
  const owner = useIsOwner();
  const providers = useQuery(providersQuery);
  const query = useInfiniteQuery(mine);
  const linked = query.data?.pages.flatMap((p) => p.items);
  const error = query.error ?? providers.error;
  if (error && !(linked && providers.data))
    return (
      <Card>
        <Failed error={error} again={() => void Promise.all([query.refetch(), providers.refetch()])} />
      </Card>
    );
  if (!linked || !providers.data)
    return (
      <Card>
        <CardBody className="border-t-0">
          <Skeleton className="h-3 w-56" />
        </CardBody>
      </Card>
    );
  const free = providers.data.filter((p) => !linked.some((i) => i.provider === p.id));
  if (linked.length + free.length === 0)
    return (
      <Card>
        <Empty icon={<Unplug />} title={t("account.identitiesNone")}>
          {t("account.identitiesNoneHint")}
        </Empty>
      </Card>
    );
  return (
    <Card>
      <ul aria-label={t("nav.identities")} className="-mt-px">
        {linked.map((i) => (
          <Linked key={i.id} identity={i} provider={providers.data.find((p) => p.id === i.provider)} owner={owner} />
        ))}
        {free.map((p) => (
          <Offered key={p.id} provider={p} owner={owner} />
        ))}
      </ul>
    </Card>
  );
}

const Sign = ({ id, kind }: { id: string; kind: string }) => (
  <span className="grid size-8 shrink-0 place-items-center rounded-md border bg-background shadow-btn">
    <ProviderMark id={id} kind={kind} />
  </span>
);

function Offered({ provider, owner }: { provider: Provider; owner: boolean }) {
  const link = useMutation({
    mutationFn: () =>
      data(
        api.POST("/api/v1/users/me/identities/{provider}/authorize", {
          params: { path: { provider: provider.id } },
          body: { redirect_to: `/account/identities?linked=${provider.id}` },
        }),
      ),
    meta: { quiet: true },
    onSuccess: (begun) => location.assign(begun.authorization_url),
  });
  return (
    <Row
      mark={<Sign id={provider.id} kind={provider.kind} />}
      title={provider.name}
      detail={t("account.identityNotLinked")}
      actions={
        owner && (
          <Button loading={link.isPending || link.isSuccess} onClick={() => link.mutate()}>
            <Link2 />
            {t("account.identityLink")}
            <span className="sr-only">{provider.name}</span>
          </Button>
        )
      }
    />
  );
}

function Linked({ identity, provider, owner }: { identity: Identity; provider?: Provider; owner: boolean }) {
  const [asking, setAsking] = useState(false);
  const name = provider?.name ?? identity.provider;
  const unlink = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/users/me/identities/{identity}", { params: { path: { identity: identity.id } } })),
    meta: { handled: true },
    onSuccess: () => {
      setAsking(false);
      toast.done(t("account.identityUnlinked", { name }), t("account.othersSignedOut"));
    },
  });
  const ask = (o: boolean) => {
    if (o) unlink.reset();
    setAsking(o);
  };
  const used = identity.last_used_at ? t("account.lastUsed", { used: ago(identity.last_used_at) }) : t("account.unused");
  return (
    <Row
      mark={<Sign id={identity.provider} kind={provider?.kind ?? "oidc"} />}
      title={
        <>
          {name}
          <Badge tone={provider ? "success" : "neutral"} dot>
            {t(provider ? "account.identityIsLinked" : "account.identityOff")}
          </Badge>
        </>
      }
      detail={
        <>
          {(identity.email || identity.name) && <span className="block break-all text-foreground">{identity.email || identity.name}</span>}
          {facts(t("account.identitySince", { since: day(identity.linked_at) }), used)}
        </>
      }
      actions={
        owner && (
          <>
            <Button onClick={() => ask(true)}>
              {t("account.identityUnlink")}
              <span className="sr-only">{name}</span>
            </Button>
            <Confirm
              open={asking}
              onOpenChange={ask}
              title={t("account.identityUnlinkTitle", { name })}
              action={t("account.identityUnlink")}
              pending={unlink.isPending}
              onConfirm={() => unlink.mutate()}
            >
              <p>{t("account.identityUnlinkHint", { name })}</p>
              {unlink.error && <Alert>{explain(unlink.error)}</Alert>}
            </Confirm>
          </>
        )
      }
    />
  );
}
