import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { Bot, Laptop, type LucideIcon, Smartphone, Tablet, Terminal, VenetianMask } from "lucide-react";
import { useState } from "react";
import { api, data, type Schemas } from "@/api/client";
import { listQuery } from "@/api/queries";
import { leave } from "@/components/layout/shell";
import { Badge, Card, CardBody, CardFooter, CardHeader, Facts, Row, Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/overlay";
import { Failed } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import { onSystem } from "@/features/events/agent";
import { ago, count, day } from "@/lib/format";
import { t } from "@/lib/i18n";
import { facts, Mark } from "./mark";
import { useIsOwner } from "./theirs";

type Session = Schemas["Session"];

const list = listQuery(["sessions"], (cursor, signal) => api.GET("/api/v1/sessions", { signal, params: { query: { cursor, limit: 20 } } }));

/** Where somebody is signed in. */
export function DevicesCard() {
  const owner = useIsOwner();
  const query = useInfiniteQuery(list);
  const sessions = query.data?.pages.flatMap((p) => p.items).sort((a, b) => Number(b.current) - Number(a.current));
  return (
    <Card>
      <CardHeader title={t("account.devices")} hint={t("account.devicesHint")} />
      <Stats />
      {query.isPending && (
        <CardBody className="grid gap-3">
          <Skeleton className="h-3 w-48" />
          <Skeleton className="h-3 w-64" />
        </CardBody>
      )}
      {query.error && !sessions && <Failed error={query.error} again={query.refetch} />}
      {sessions && (
        <ul aria-label={t("account.devices")}>
          {sessions.map((s) => (
            <Device key={s.id} session={s} owner={owner} />
          ))}
        </ul>
      )}
      {query.hasNextPage && (
        <div className="flex justify-center border-t p-3">
          <Button variant="ghost" loading={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
            {t("list.more")}
          </Button>
        </div>
      )}
      {owner && sessions && (
        <CardFooter>
          <SignOutEverywhere />
          {sessions.length > 1 && <SignOutOthers />}
        </CardFooter>
      )}
    </Card>
  );
}

function Stats() {
  const { data: stats } = useQuery({ queryKey: ["session-stats"], queryFn: ({ signal }) => data(api.GET("/api/v1/sessions/stats", { signal })) });
  if (!stats) return null;
  return (
    <CardBody className="tnum">
      <Facts
        className="grid-cols-2 sm:grid-cols-4 lg:grid-cols-4"
        items={[
          [t("account.statsActive"), count(stats.active)],
          [t("account.statsDevices"), count(stats.devices)],
          [t("account.statsLocations"), count(stats.locations)],
          [t("account.statsLast"), ago(stats.last_sign_in_at)],
        ]}
      />
    </CardBody>
  );
}

const icons: Record<string, LucideIcon> = { desktop: Laptop, mobile: Smartphone, tablet: Tablet, bot: Bot };

const nameOf = (s: Session): string => onSystem(s.browser_name, s.os_name) || s.device_name || t("account.deviceUnknown");

const NOW = 2 * 60_000; // when a session was last active is noted to the minute

function Device({ session, owner }: { session: Session; owner: boolean }) {
  const signOut = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/sessions/{session}", { params: { path: { session: session.id } } })),
    onSuccess: () => toast.done(t("account.deviceSignedOut", { name: nameOf(session) })),
  });
  const active = session.current || Date.now() - Date.parse(session.last_active_at) < NOW;
  const place = [session.city, session.country].filter(Boolean).join(", ");
  const known = facts(
    place,
    session.ip_address,
    active ? t("account.activeNow") : t("account.activeAt", { at: ago(session.last_active_at) }),
    t("account.since", { at: day(session.created_at) }),
  );
  return (
    <Row
      mark={session.impersonator ? <Mark icon={VenetianMask} className="bg-violet-soft text-violet" /> : <Mark icon={icons[session.device_type] ?? Terminal} />}
      title={
        <>
          <span className="break-words">{nameOf(session)}</span>
          {session.current && (
            <Badge tone="success" dot>
              {t("account.thisDevice")}
            </Badge>
          )}
          {session.impersonator && <Badge tone="violet">{t("account.impersonator", { name: session.impersonator.name })}</Badge>}
        </>
      }
      detail={known}
      actions={
        owner &&
        !session.current && (
          <Button size="sm" loading={signOut.isPending} onClick={() => signOut.mutate()}>
            {t("menu.signOut")}
            <span className="sr-only">{nameOf(session)}</span>
          </Button>
        )
      }
    />
  );
}

function SignOutOthers() {
  const [asking, setAsking] = useState(false);
  const run = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/sessions/all", { params: { query: { keep_current: true } } })),
    onSuccess: () => toast.done(t("account.othersDone")),
    onSettled: () => setAsking(false),
  });
  return (
    <>
      <Button onClick={() => setAsking(true)}>{t("account.others")}</Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={t("account.othersTitle")}
        action={t("account.othersAction")}
        pending={run.isPending}
        onConfirm={() => run.mutate()}
      >
        {t("account.othersHint")}
      </Confirm>
    </>
  );
}

function SignOutEverywhere() {
  const [asking, setAsking] = useState(false);
  const run = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/sessions/all", {})),
    meta: { quiet: true },
    onSuccess: () => leave("everywhere"),
    onError: () => setAsking(false),
  });
  return (
    <>
      <Button variant="danger-soft" onClick={() => setAsking(true)}>
        {t("account.everywhere")}
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={t("account.everywhereTitle")}
        action={t("account.everywhereAction")}
        pending={run.isPending}
        onConfirm={() => run.mutate()}
      >
        {t("account.everywhereHint")}
      </Confirm>
    </>
  );
}
