import { Link } from "@tanstack/react-router";
import { Ban, KeySquare, type LucideIcon, MonitorSmartphone, ShieldCheck, Smartphone, Trash2, VenetianMask } from "lucide-react";
import type { ReactNode } from "react";
import { roleName } from "@/components/layout/shell";
import { Badge, Card, CardBody, CardHeader, Facts, OrgMark, Row } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Code } from "@/components/ui/copy";
import { moment } from "@/lib/format";
import { languages, t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import { Factors, StatusBadge, When } from "./parts";
import type { UserDetail } from "./queries";
import type { Stopping } from "./stop";
import type { Verb } from "./verbs";

interface Props {
  user: UserDetail;
}

export function AccountCard({ user }: Props) {
  const home = user.organizations.find((o) => o.id === user.default_org_id);
  const names: [ReactNode, ReactNode][] = [
    [
      t("admin.email"),
      <span key="email" className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <span className="min-w-0 break-all">{user.email}</span>
        <Badge tone={user.email_verified ? "success" : "warning"}>{t(user.email_verified ? "admin.confirmed" : "admin.unverified")}</Badge>
      </span>,
    ],
    [t("admin.id"), <Code key="id">{user.id}</Code>],
  ];
  const items: [ReactNode, ReactNode][] = [
    [t("admin.lastSignIn"), <When key="in" at={user.last_sign_in_at} />],
    [t("admin.lastActive"), <When key="active" at={user.last_active_at} />],
    [t("admin.created"), <When key="created" at={user.created_at} />],
    [t("admin.changed"), <When key="changed" at={user.updated_at} />],
    [t("admin.language"), languages[user.locale] ?? user.locale],
    [t("admin.homeOrg"), home?.name ?? "—"],
  ];
  if (user.suspended_at) items.push([t("admin.suspendedSince"), moment(user.suspended_at)]);
  if (user.purge_at) items.push([t("admin.erasedOn"), moment(user.purge_at)]);
  return (
    <Card>
      <CardHeader title={t("admin.facts")} />
      <CardBody>
        <Facts items={names} className="sm:grid-cols-1 lg:grid-cols-1" />
        <Facts items={items} className="mt-3 grid-cols-2 lg:grid-cols-2" />
      </CardBody>
    </Card>
  );
}

export const OrgsCard = ({ user }: Props) => (
  <Card>
    <CardHeader title={t("nav.orgs")} hint={user.organizations.length === 0 ? t("admin.inNoOrg") : undefined} />
    {user.organizations.length > 0 && (
      <ul>
        {user.organizations.map((o) => (
          <Row
            key={o.id}
            mark={<OrgMark name={o.name} id={o.id} className="size-8" />}
            title={
              <>
                <Link to="/admin/orgs/$id" params={{ id: o.id }} className="rounded-sm hover:underline">
                  {o.name}
                </Link>
                {o.status !== "active" && <StatusBadge of={o} />}
              </>
            }
            detail={<span className="font-mono">{o.slug}</span>}
            actions={<Badge tone={o.role === "owner" ? "violet" : o.role === "admin" ? "brand" : "neutral"}>{roleName(o.role)}</Badge>}
          />
        ))}
      </ul>
    )}
  </Card>
);

const Mark = ({ icon: Icon, danger }: { icon: LucideIcon; danger?: boolean }) => (
  <span
    aria-hidden
    className={cn("grid size-8 shrink-0 place-items-center rounded-md", danger ? "bg-destructive-soft text-destructive" : "bg-muted text-muted-foreground")}
  >
    <Icon className="size-4" />
  </span>
);

interface Acting extends Props {
  /** Whether the account is the reader's own: most of this is not for oneself. */
  own: boolean;
  ask: (verb: Verb) => void;
}

/** How its owner gets in, and what helps them if they do not. */
export const SignInCard = ({ user, own, ask, resetFactors }: Acting & { resetFactors: () => void }) => (
  <Card>
    <CardHeader title={t("admin.signIn")} hint={t("admin.signInHint")} />
    <ul>
      <Row
        mark={<Mark icon={MonitorSmartphone} />}
        title={t("admin.devices")}
        detail={t("admin.deviceCount", { n: user.sessions })}
        actions={
          !own &&
          user.sessions > 0 && (
            <Button size="sm" onClick={() => ask("signOut")}>
              {t("admin.signOut")}
            </Button>
          )
        }
      />
      <Row
        mark={<Mark icon={KeySquare} />}
        title={t("field.password")}
        detail={t(user.has_password ? "admin.hasPassword" : "admin.hasNoPassword")}
        actions={
          !own &&
          user.status === "active" && (
            <Button size="sm" onClick={() => ask("mailReset")}>
              {t("admin.mailReset")}
            </Button>
          )
        }
      />
      <Row
        mark={<Mark icon={Smartphone} />}
        title={t("admin.secondFactor")}
        detail={<Factors kinds={user.second_factors} />}
        actions={
          !own &&
          user.second_factors.length > 0 && (
            <Button size="sm" variant="danger-soft" onClick={resetFactors}>
              {t("admin.resetFactors")}
            </Button>
          )
        }
      />
    </ul>
  </Card>
);

/** What an administrator may do with the account. Who was stopped is brought back with the button that stopped them. */
export function PowersCard({ user, own, ask, act, stop }: Acting & { act: () => void; stop: (how: Stopping) => void }) {
  const active = user.status === "active";
  const suspended = user.suspended_at !== null;
  return (
    <Card>
      <CardHeader title={t("admin.powers")} hint={own ? t("admin.ownHint") : undefined} />
      <ul>
        {!own && (
          <Row
            mark={<Mark icon={VenetianMask} />}
            title={t("admin.actAs", { name: user.name })}
            detail={t(user.is_admin ? "admin.actNotAdmin" : active ? "admin.actDetail" : "admin.actNotActive")}
            actions={
              active &&
              !user.is_admin && (
                <Button size="sm" onClick={act}>
                  {t("admin.act")}
                </Button>
              )
            }
          />
        )}
        <Row
          mark={<Mark icon={ShieldCheck} />}
          title={t("admin.administrator")}
          detail={t(user.is_admin ? "admin.isAdmin" : user.email_verified ? "admin.isNoAdmin" : "admin.unprovenNoAdmin")}
          actions={
            (user.is_admin || (active && user.email_verified)) && (
              <Button size="sm" variant={user.is_admin ? "danger-soft" : "secondary"} onClick={() => ask(user.is_admin ? "revoke" : "grant")}>
                {t(user.is_admin ? "admin.revoke" : "admin.grant")}
              </Button>
            )
          }
        />
        {!own && user.status !== "deleting" && (
          <Row
            mark={<Mark icon={Ban} danger={suspended} />}
            title={t("admin.suspension")}
            detail={t(suspended ? "admin.isSuspended" : "admin.suspensionDetail")}
            actions={
              <Button size="sm" variant={suspended ? "secondary" : "danger-soft"} onClick={() => (suspended ? ask("reinstate") : stop("suspend"))}>
                {t(suspended ? "admin.reinstate" : "admin.suspend")}
              </Button>
            }
          />
        )}
        {!own && (
          <Row
            mark={<Mark icon={Trash2} danger={user.purge_at !== null} />}
            title={t("admin.deletion")}
            detail={user.purge_at ? t("admin.isDeleting", { when: moment(user.purge_at) }) : t("admin.deletionDetail")}
            actions={
              <Button size="sm" variant={user.purge_at ? "secondary" : "danger-soft"} onClick={() => (user.purge_at ? ask("restore") : stop("delete"))}>
                {t(user.purge_at ? "admin.restore" : "admin.delete")}
              </Button>
            }
          />
        )}
      </ul>
    </Card>
  );
}
