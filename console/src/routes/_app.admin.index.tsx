import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { ArrowRight } from "lucide-react";
import { Card, CardHeader, Page, Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Alert } from "@/components/ui/form";
import { Failed } from "@/components/ui/table";
import { healthQuery, overall, versionQuery } from "@/features/admin/health";
import { Person, StatusBadge, When } from "@/features/admin/parts";
import { type Glance, glances, type User, type UserFilter, type Waiting } from "@/features/admin/queries";
import { boot } from "@/lib/boot";
import { count, duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";

/** How the installation does, and who is new in it, at a glance. */
function Overview() {
  return (
    <Page title={t("nav.overview")} hint={t("admin.overviewHint", { app: boot.name })}>
      <Wellness />
      <Figures />
      <Orphans />
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <People title={t("admin.newest")} query={useQuery(glances.users)} when={(u) => u.created_at} none={t("admin.noUsers")} />
        <div className="grid gap-4">
          <People
            title={t("admin.suspendedAccounts")}
            query={useQuery(glances.suspended)}
            when={(u) => u.suspended_at}
            none={t("admin.nobodySuspended")}
            filter={{ status: "suspended" }}
          />
          <People
            title={t("admin.administrators")}
            query={useQuery(glances.admins)}
            when={(u) => u.last_active_at}
            none={t("admin.noUsers")}
            filter={{ admin: true }}
          />
        </div>
      </div>
    </Page>
  );
}

const dots = { ok: "bg-success", degraded: "bg-warning", unavailable: "bg-destructive", unknown: "bg-faint" };

function Wellness() {
  const { data: observed } = useQuery(healthQuery);
  const { data: version } = useQuery(versionQuery);
  const state = observed ? overall(observed.last) : "unknown";
  return (
    <Card className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3 sm:px-5">
      <i aria-hidden className={cn("size-2.5 shrink-0 rounded-full", dots[state])} />
      <p role="status" className="min-w-0 flex-1 font-medium">
        {observed ? t(`admin.health.${state}` as "admin.health.ok") : t("admin.health.asking")}
      </p>
      <p className="tnum text-muted-foreground max-sm:order-last max-sm:w-full">
        {observed?.last.latency !== undefined && t("admin.databaseIn", { time: duration(observed.last.latency) })}
        {version?.version && <span className="ml-3">{t("admin.version", { version: version.version })}</span>}
      </p>
      <Button size="sm" render={<Link to="/admin/health" />}>
        {t("nav.health")}
        <ArrowRight />
      </Button>
    </Card>
  );
}

function Figures() {
  const users = useQuery(glances.users);
  const orgs = useQuery(glances.orgs);
  const waiting = useQuery({ ...glances.waitlist, enabled: boot.signUp === "waitlist", select: undecided });
  return (
    <Card>
      <ul className="-mt-px -ml-px grid grid-cols-2 lg:grid-flow-col lg:auto-cols-fr lg:grid-cols-none">
        <Figure label={t("admin.accounts")} of={users} note={newOnes(users.data)} to="/admin/users" />
        <Figure label={t("nav.orgs")} of={orgs} note={newOnes(orgs.data)} to="/admin/orgs" />
        <Figure label={t("status.suspended")} of={useQuery(glances.suspended)} note={t("admin.accounts")} to="/admin/users" search={{ status: "suspended" }} />
        <Figure label={t("status.deleting")} of={useQuery(glances.deleting)} note={t("admin.accounts")} to="/admin/users" search={{ status: "deleting" }} />
        {boot.signUp === "waitlist" && <Figure label={t("nav.waitlist")} of={waiting} note={t("admin.undecided")} to="/admin/waitlist" />}
      </ul>
    </Card>
  );
}

const undecided = (of: Glance<Waiting>) => ({ ...of, items: of.items.filter((e) => !e.approved_at) });

const WEEK = 7 * 86_400_000;

/** How many of the newest came in the last week. */
function newOnes(of: Glance<{ created_at: string }> | undefined): string | undefined {
  if (!of) return undefined;
  const since = Date.now() - WEEK;
  const n = of.items.filter((i) => Date.parse(i.created_at) > since).length;
  return t("admin.newInWeek", { n: many(n, of.more && n === of.items.length) });
}

/** A number, and a plus where there are more than were asked for. */
const many = (n: number, more: boolean): string => `${count(n)}${more ? "+" : ""}`;

interface FigureProps {
  label: string;
  of: UseQueryResult<Glance<unknown>>;
  note?: string;
  to: "/admin/users" | "/admin/orgs" | "/admin/waitlist";
  search?: UserFilter;
}

function Figure({ label, of: { data: of, error }, note, to, search = {} }: FigureProps) {
  const missing = error && !of ? "—" : undefined;
  return (
    <li className="border-t border-l">
      <Link to={to} search={search} className="block h-full px-4 py-3.5 -outline-offset-2 transition-colors hover:bg-accent/50 sm:px-5">
        <span className="block text-xs text-muted-foreground">{label}</span>
        <span className="mt-1 block text-stat font-semibold">
          {of ? many(of.items.length, of.more) : (missing ?? <Skeleton className="my-1 h-6.5 w-12" />)}
        </span>
        <span className="block text-xs text-muted-foreground">{note ?? missing ?? <Skeleton className="mt-1 h-3 w-20" />}</span>
      </Link>
    </li>
  );
}

/** Tells of organizations that nobody can change any more, as far as the newest hundred show. */
function Orphans() {
  const orphans = useQuery(glances.orgs).data?.items.filter((o) => o.owners === 0 && o.status !== "deleting") ?? [];
  if (orphans.length === 0) return null;
  return (
    <Alert tone="warning">
      {t("admin.orphans", { n: orphans.length })}{" "}
      {orphans.slice(0, 3).map((o, i) => (
        <span key={o.id}>
          {i > 0 && ", "}
          <Link to="/admin/orgs/$id" params={{ id: o.id }} className="font-medium underline underline-offset-4">
            {o.name}
          </Link>
        </span>
      ))}
      {orphans.length > 3 && "…"}
    </Alert>
  );
}

interface PeopleProps {
  title: string;
  query: UseQueryResult<Glance<User>>;
  /** Which moment of each is told. */
  when: (user: User) => string | null;
  none: string;
  filter?: UserFilter;
}

const SHOWN = 6;

function People({ title, query: { data: found, error, refetch }, when, none, filter = {} }: PeopleProps) {
  return (
    <Card>
      <CardHeader
        title={title}
        actions={
          <Button size="sm" variant="ghost" className="-mr-2.5" render={<Link to="/admin/users" search={filter} />}>
            {t("admin.showAll")}
            <span className="sr-only">: {title}</span>
          </Button>
        }
      />
      {error && !found && <Failed error={error} again={refetch} />}
      {found?.items.length === 0 && <p className="border-t px-4 py-4 text-muted-foreground sm:px-5">{none}</p>}
      <ul>
        {found?.items.slice(0, SHOWN).map((u) => (
          <li key={u.id} className="flex min-h-14 items-center gap-3 border-t px-4 py-2 sm:px-5">
            <div className="min-w-0 flex-1">
              <Person user={u} badges={badge(u)} />
            </div>
            <When at={when(u)} className="shrink-0 text-xs text-muted-foreground" />
          </li>
        ))}
        {!found &&
          !error &&
          ["a", "b", "c"].map((k) => (
            <li key={k} className="flex h-14 items-center gap-3 border-t px-4 sm:px-5">
              <Skeleton className="size-8 rounded-full" />
              <Skeleton className="h-3 w-40" />
            </li>
          ))}
      </ul>
    </Card>
  );
}

/** Only what is out of the ordinary. */
const badge = (u: User) => (u.status !== "active" || !u.email_verified) && <StatusBadge of={u} />;

export const Route = createFileRoute("/_app/admin/")({ component: Overview });
