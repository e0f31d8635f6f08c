import { useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { Ellipsis, KeyRound, Pencil, Plus, RefreshCw, ScanText, Trash2 } from "lucide-react";
import { useState } from "react";
import { useCan, useMe } from "@/api/queries";
import { Badge, Empty, Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "@/components/ui/overlay";
import { type Column, DataTable } from "@/components/ui/table";
import { CreateKey, KeyDetail, RenameKey, RevokeKey, RotateKey } from "@/features/org/api-keys";
import { type Key, lifeOf, overlaps } from "@/features/org/keys";
import { When, wide } from "@/features/org/parts";
import { keysQuery, useEverybody, useOrg, useSubject } from "@/features/org/use";
import { day, moment } from "@/lib/format";
import { t } from "@/lib/i18n";

type What = "detail" | "rename" | "rotate" | "revoke";

function Scopes({ scopes }: { scopes: string[] }) {
  if (scopes.length === 0) return <span className="text-muted-foreground">{t("org.noScopes")}</span>;
  return (
    <span className="flex items-center gap-1">
      {scopes.slice(0, 2).map((s) => (
        <Badge key={s} className="font-mono font-normal">
          {s}
        </Badge>
      ))}
      {scopes.length > 2 && <span className="pl-0.5 text-xs whitespace-nowrap text-muted-foreground">{t("org.moreScopes", { n: scopes.length - 2 })}</span>}
    </span>
  );
}

function Ends({ apiKey: k }: { apiKey: Key }) {
  if (!k.expires_at) return t("time.never");
  const life = lifeOf(k);
  if (life === "expired") return <Badge tone="danger">{t("org.expired")}</Badge>;
  return life === "ending" ? (
    <Badge tone="warning">
      <When at={k.expires_at} />
    </Badge>
  ) : (
    <time dateTime={k.expires_at}>{day(k.expires_at)}</time>
  );
}

function ApiKeys() {
  const org = useOrg();
  const me = useMe();
  const manage = useCan(org)("apikeys.manage");
  const everybody = useEverybody(org.id);
  const [creating, setCreating] = useState(false);
  const dialog = useSubject<{ what: What; key: Key }>();
  const about = (what: What) => ({ org, apiKey: dialog.subject?.key, open: dialog.open && dialog.subject?.what === what, setOpen: dialog.setOpen });
  const ownerOf = (k: Key | undefined) => (k && everybody.get(k.account_id)?.name) ?? t("org.nobody");
  const columns: Column<Key>[] = [
    {
      key: "name",
      head: t("org.name"),
      className: wide,
      cell: (k) => (
        <>
          <div className="flex items-center gap-2">
            <button
              type="button"
              onClick={() => dialog.show({ what: "detail", key: k })}
              className="min-w-0 truncate rounded text-left font-medium hover:underline"
            >
              {k.name}
            </button>
            {overlaps(k) && (
              <Badge tone="warning" className="max-sm:hidden" title={moment(k.previous_expires_at ?? "")}>
                {t("org.oldValueWorks")}
              </Badge>
            )}
          </div>
          <div className="truncate font-mono text-xs text-muted-foreground">{k.prefix}…</div>
          <div className="flex items-center gap-1.5 text-xs text-muted-foreground md:hidden">
            {lifeOf(k) === "expired" ? null : k.expires_at ? t("org.expires") : t("org.endless")} {k.expires_at && <Ends apiKey={k} />}
          </div>
        </>
      ),
    },
    { key: "scopes", head: t("org.scopes"), from: "xl", narrow: true, className: "pl-6", cell: (k) => <Scopes scopes={k.scopes} /> },
    { key: "owner", head: t("org.madeBy"), from: "lg", narrow: true, className: "pl-6", cell: ownerOf },
    {
      key: "used",
      head: t("org.lastUsed"),
      from: "md",
      narrow: true,
      className: "pl-6",
      cell: (k) =>
        k.last_used_at ? (
          <>
            <When at={k.last_used_at} />
            <div className="font-mono text-xs text-muted-foreground">{k.last_used_ip}</div>
          </>
        ) : (
          <span className="text-muted-foreground">{t("time.never")}</span>
        ),
    },
    { key: "expires", head: t("org.expires"), from: "md", narrow: true, className: "pl-6 text-muted-foreground", cell: (k) => <Ends apiKey={k} /> },
    {
      key: "actions",
      head: t("org.actions"),
      silent: true,
      narrow: true,
      cell: (k) => (
        <Menu>
          <MenuTrigger render={<Button variant="ghost" size="icon-sm" aria-label={t("action.more", { name: k.name })} />}>
            <Ellipsis />
          </MenuTrigger>
          <MenuContent>
            <MenuItem onClick={() => dialog.show({ what: "detail", key: k })}>
              <ScanText />
              {t("org.details")}
            </MenuItem>
            {manage && (
              <>
                <MenuItem onClick={() => dialog.show({ what: "rename", key: k })}>
                  <Pencil />
                  {t("org.rename")}
                </MenuItem>
                {k.account_id === me.id && lifeOf(k) !== "expired" && (
                  <MenuItem onClick={() => dialog.show({ what: "rotate", key: k })}>
                    <RefreshCw />
                    {t("org.rotate")}
                  </MenuItem>
                )}
                <MenuSeparator />
                <MenuItem danger onClick={() => dialog.show({ what: "revoke", key: k })}>
                  <Trash2 />
                  {t("org.revokeKey")}
                </MenuItem>
              </>
            )}
          </MenuContent>
        </Menu>
      ),
    },
  ];
  const create = (variant: "primary" | "secondary") =>
    manage && (
      <Button variant={variant} onClick={() => setCreating(true)}>
        <Plus />
        {t("org.newKey")}
      </Button>
    );
  return (
    <Page title={t("nav.apiKeys")} hint={t("org.keysHint")} actions={create("primary")}>
      <DataTable
        label={t("nav.apiKeys")}
        columns={columns}
        query={useInfiniteQuery(keysQuery(org.id))}
        rowKey={(k) => k.id}
        rowClass={(k) => (lifeOf(k) === "expired" ? "text-muted-foreground" : undefined)}
        onRow={(k) => dialog.show({ what: "detail", key: k })}
        empty={
          <Empty icon={<KeyRound />} title={t("org.noKeys")} action={create("secondary")}>
            {t("org.noKeysHint")}
          </Empty>
        }
      />
      <CreateKey org={org} open={creating} setOpen={setCreating} />
      <KeyDetail {...about("detail")} owner={ownerOf(dialog.subject?.key)} />
      <RenameKey {...about("rename")} />
      <RotateKey {...about("rotate")} />
      <RevokeKey {...about("revoke")} />
    </Page>
  );
}

export const Route = createFileRoute("/_app/o/$org/api-keys")({ component: ApiKeys });
