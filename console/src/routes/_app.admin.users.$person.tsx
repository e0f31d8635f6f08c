import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { api } from "@/api/client";
import { listQuery, useMe } from "@/api/queries";
import { Crash } from "@/components/layout/fallback";
import { Avatar, Badge, Page } from "@/components/ui/basics";
import { Alert } from "@/components/ui/form";
import { Impersonate } from "@/features/admin/impersonate";
import { AdminBadge, Back, Loading, StatusBadge } from "@/features/admin/parts";
import { type UserDetail, userQuery } from "@/features/admin/queries";
import { StopDialog } from "@/features/admin/stop";
import { AccountCard, OrgsCard, PowersCard, SignInCard } from "@/features/admin/user";
import { ResetFactors, useDialog, type Verb, VerbDialog } from "@/features/admin/verbs";
import { accountEvents, type EventFilter, EventTable, readFilter, useFilterQuery } from "@/features/events";
import { moment } from "@/lib/format";
import { t } from "@/lib/i18n";

function UserPage() {
  const { person } = Route.useParams();
  const { data: user, error, refetch } = useQuery(userQuery(person));
  if (error && !user) return <Crash error={error} reset={refetch} />;
  return user ? <Loaded user={user} /> : <Loading title={t("admin.account")} />;
}

function Loaded({ user }: { user: UserDetail }) {
  const own = useMe().id === user.id;
  const dialog = useDialog<"act" | "suspend" | "delete" | "reset">("act");
  const verb = useDialog<Verb>("signOut");
  return (
    <Page
      title={
        <span className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <Avatar name={user.name} id={user.id} src={user.avatar_url} className="size-9 text-xs" />
          <span className="min-w-0 break-words">{user.name}</span>
          <StatusBadge of={user} />
          {user.is_admin && <AdminBadge />}
          {own && <Badge>{t("admin.you")}</Badge>}
        </span>
      }
      hint={
        <Back to="/admin/users" label={t("nav.users")}>
          <span className="min-w-0 break-all">{user.email}</span>
        </Back>
      }
    >
      {user.status === "suspended" && <Alert>{t("admin.suspendedNotice", { when: moment(user.suspended_at ?? user.updated_at) })}</Alert>}
      {user.purge_at && <Alert tone="warning">{t("admin.deletingNotice", { when: moment(user.purge_at) })}</Alert>}
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <div className="grid gap-4">
          <AccountCard user={user} />
          <OrgsCard user={user} />
        </div>
        <div className="grid gap-4">
          <SignInCard user={user} own={own} ask={verb.show} resetFactors={() => dialog.show("reset")} />
          <PowersCard user={user} own={own} ask={verb.show} act={() => dialog.show("act")} stop={dialog.show} />
        </div>
      </div>
      <Events user={user} />
      <Impersonate user={user} {...dialog.of("act")} />
      <StopDialog user={user} how="suspend" {...dialog.of("suspend")} />
      <StopDialog user={user} how="delete" {...dialog.of("delete")} />
      <ResetFactors user={user} {...dialog.of("reset")} />
      <VerbDialog user={user} verb={verb.what} {...verb.of(verb.what)} />
    </Page>
  );
}

function Events({ user }: { user: UserDetail }) {
  const me = useMe();
  const filter = Route.useSearch();
  const navigate = Route.useNavigate();
  const query = useFilterQuery(filter);
  const events = useInfiniteQuery(
    listQuery(["admin", "user", user.id, "events", query], (cursor, signal) =>
      api.GET("/api/v1/admin/users/{person}/events", { signal, params: { path: { person: user.id }, query: { ...query, cursor } } }),
    ),
  );
  return (
    <section aria-labelledby="log" className="mt-2 grid gap-3">
      <div>
        <h2 id="log" className="text-sm font-semibold tracking-[-0.01em]">
          {t("nav.events")}
        </h2>
        <p className="mt-0.5 text-xs text-muted-foreground">{t("admin.userEventsHint")}</p>
      </div>
      <EventTable
        label={t("nav.events")}
        query={events}
        filter={filter}
        onFilter={(search: EventFilter) => navigate({ search, replace: true, resetScroll: false })}
        types={accountEvents}
        me={me.id}
      />
    </section>
  );
}

export const Route = createFileRoute("/_app/admin/users/$person")({ validateSearch: readFilter, component: UserPage });
