import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { BookOpen, CircleCheck, CircleDashed, type LucideIcon } from "lucide-react";
import { type ReactNode, useState } from "react";
import { api, data } from "@/api/client";
import { listQuery, useCan, useMe } from "@/api/queries";
import { Avatar, Card, CardHeader, Row, Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { EventTable } from "@/features/events";
import { boot } from "@/lib/boot";
import { count } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import { RoleBadge, When, You } from "./parts";
import { invitationsQuery, items, keysQuery, membersQuery, type Org, teamsQuery, useRights } from "./use";

/** As many as the first page holds; a plus stands for those behind it. */
const figure = (q: { data?: { pages: { items: unknown[] }[] }; hasNextPage: boolean }) => q.data && `${count(items(q).length)}${q.hasNextPage ? "+" : ""}`;

function useLists(org: Org) {
  const can = useCan(org);
  return {
    members: useInfiniteQuery({ ...membersQuery(org.id), enabled: can("orgs.list_members") }),
    teams: useInfiniteQuery({ ...teamsQuery(org.id), enabled: can("orgs.list_teams") }),
    invitations: useInfiniteQuery({ ...invitationsQuery(org.id), enabled: can("orgs.invite") }),
    keys: useInfiniteQuery({ ...keysQuery(org.id), enabled: can("apikeys.list") }),
  };
}

/** How many there are of what, each a way to it. */
export function Figures({ org }: { org: Org }) {
  const can = useCan(org);
  const lists = useLists(org);
  const all = [
    { may: "orgs.list_members", to: "/o/$org/members", label: t("nav.members"), value: figure(lists.members) },
    { may: "orgs.list_teams", to: "/o/$org/teams", label: t("nav.teams"), value: figure(lists.teams) },
    { may: "orgs.invite", to: "/o/$org/invitations", label: t("org.openInvitations"), value: figure(lists.invitations) },
    { may: "apikeys.list", to: "/o/$org/api-keys", label: t("nav.apiKeys"), value: figure(lists.keys) },
  ].filter((f) => can(f.may));
  if (all.length === 0) return null;
  return (
    <Card>
      <ul className={cn("-mt-px -ml-px grid grid-cols-2", all.length > 2 && "lg:grid-cols-4")}>
        {all.map((f) => (
          <li key={f.to} className="border-t border-l">
            <Link
              to={f.to}
              params={{ org: org.slug }}
              className="block h-full px-4 py-3.5 transition-colors hover:bg-accent/50 focus-visible:-outline-offset-2 sm:px-5"
            >
              <span className="block text-xs text-muted-foreground">{f.label}</span>
              <span className="tnum mt-0.5 block text-stat font-semibold">{f.value ?? <Skeleton className="my-1.5 h-6 w-10" />}</span>
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}

interface Step {
  key: string;
  done: boolean;
  title: string;
  detail: string;
  action: ReactNode;
}

/** What is worth doing first, and what of it is done. Gone once everything is. */
export function GettingStarted({ org }: { org: Org }) {
  const can = useCan(org);
  const lists = useLists(org);
  const factors = useFactors();
  const [read, markRead] = useReferenceRead();
  if (factors === undefined || lists.members.isLoading || lists.invitations.isLoading || lists.keys.isLoading) return null;
  const steps: Step[] = [
    {
      key: "factor",
      done: factors > 0,
      title: t("org.step.factor"),
      detail: t("org.step.factorHint"),
      action: <StepLink to="/account/security">{t("org.step.factorDo")}</StepLink>,
    },
  ];
  if (can("orgs.invite"))
    steps.push({
      key: "invite",
      done: items(lists.members).length > 1 || items(lists.invitations).length > 0,
      title: t("org.step.invite"),
      detail: t("org.step.inviteHint"),
      action: (
        <StepLink to="/o/$org/invitations" org={org.slug}>
          {t("org.invite")}
        </StepLink>
      ),
    });
  if (can("apikeys.manage"))
    steps.push({
      key: "key",
      done: items(lists.keys).length > 0,
      title: t("org.step.key"),
      detail: t("org.step.keyHint"),
      action: (
        <StepLink to="/o/$org/api-keys" org={org.slug}>
          {t("org.newKey")}
        </StepLink>
      ),
    });
  steps.push({
    key: "reference",
    done: read,
    title: t("org.step.reference"),
    detail: t("org.step.referenceHint"),
    action: (
      <Button size="sm" render={<a href={`${boot.base}/docs`} target="_blank" rel="noreferrer" />} onClick={markRead}>
        <BookOpen />
        {t("org.step.referenceDo")}
      </Button>
    ),
  });
  const done = steps.filter((s) => s.done).length;
  if (done === steps.length) return null;
  return (
    <Card>
      <CardHeader
        title={t("org.gettingStarted")}
        hint={t("org.stepsDone", { n: done, of: steps.length })}
        actions={
          <div aria-hidden className="h-1.5 w-24 overflow-hidden rounded-full bg-muted">
            <div className="h-full rounded-full bg-primary" style={{ width: `${(100 * done) / steps.length}%` }} />
          </div>
        }
      />
      <ul>
        {steps.map((s) => (
          <Row
            key={s.key}
            mark={<StepMark icon={s.done ? CircleCheck : CircleDashed} done={s.done} />}
            title={<span className={cn(s.done && "font-normal text-muted-foreground line-through decoration-border-strong")}>{s.title}</span>}
            detail={s.done ? undefined : s.detail}
            actions={s.done ? undefined : s.action}
          />
        ))}
      </ul>
    </Card>
  );
}

const StepMark = ({ icon: Icon, done }: { icon: LucideIcon; done: boolean }) => (
  <>
    <Icon aria-hidden className={cn("size-5 shrink-0", done ? "text-success" : "text-faint")} />
    <span className="sr-only">{t(done ? "org.step.done" : "org.step.open")}</span>
  </>
);

const StepLink = ({ to, org, children }: { to: string; org?: string; children: ReactNode }) => (
  <Button size="sm" render={<Link to={to} params={{ org } as never} />}>
    {children}
  </Button>
);

/** How many second factors the reader has. */
function useFactors(): number | undefined {
  return useQuery({
    queryKey: ["factors"],
    queryFn: async ({ signal }) => {
      const [totp, passkeys] = await Promise.all([
        data(api.GET("/api/v1/totp/status", { signal })),
        data(api.GET("/api/v1/passkeys", { signal, params: { query: { limit: 1 } } })),
      ]);
      return (totp.enabled ? 1 : 0) + passkeys.items.length;
    },
  }).data;
}

/** Whether the reader has opened the API reference from here: only this browser knows. */
function useReferenceRead(): [boolean, () => void] {
  const key = `tenon.reference.${useMe().id}`;
  const [read, setRead] = useState(() => localStorage.getItem(key) !== null);
  const mark = () => {
    localStorage.setItem(key, "1");
    setRead(true);
  };
  return [read, mark];
}

/** Who joined last. Of a large organization nobody knows without reading it all: then nothing. */
export function Newest({ org }: { org: Org }) {
  const me = useMe();
  const rights = useRights(org);
  const { members } = useLists(org);
  if (!members.data || members.hasNextPage) return null;
  const newest = items(members).slice(-5).reverse();
  return (
    <Card>
      <CardHeader
        title={t("org.newest")}
        actions={
          <Button size="sm" variant="ghost" className="-mr-2.5" render={<Link to="/o/$org/members" params={{ org: org.slug }} />}>
            {t("org.allMembers")}
          </Button>
        }
      />
      <ul>
        {newest.map((m) => (
          <Row
            key={m.account_id}
            mark={<Avatar name={m.name} id={m.account_id} />}
            title={
              <>
                <span className="min-w-0 truncate">{m.name}</span>
                {m.account_id === me.id && <You />}
              </>
            }
            detail={<When at={m.joined_at} />}
            actions={<RoleBadge role={m.role} name={rights.nameOf(m.role)} />}
          />
        ))}
      </ul>
    </Card>
  );
}

/** The last few things that happened, to those who may read the log. */
export function Latest({ org }: { org: Org }) {
  const may = useCan(org)("audit.read");
  const events = useInfiniteQuery({
    ...listQuery(["org-events", org.id, "latest"], (cursor, signal) =>
      api.GET("/api/v1/orgs/{org}/events", { signal, params: { path: { org: org.id }, query: { cursor, limit: 5 } } }),
    ),
    enabled: may,
  });
  const me = useMe();
  if (!may) return null;
  return (
    <section aria-labelledby="latest" className="grid gap-2">
      <header className="mt-2 flex items-center justify-between gap-2">
        <h2 id="latest" className="text-sm font-semibold tracking-[-0.01em]">
          {t("org.latestEvents")}
        </h2>
        <Button size="sm" variant="ghost" className="-mr-2.5" render={<Link to="/o/$org/events" params={{ org: org.slug }} />}>
          {t("org.allEvents")}
        </Button>
      </header>
      <EventTable label={t("org.latestEvents")} query={{ ...events, hasNextPage: false } as typeof events} me={me.id} />
    </section>
  );
}
