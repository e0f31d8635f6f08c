import { CircleCheck, CircleX, Database, type LucideIcon, Server, Signpost, TriangleAlert, Zap } from "lucide-react";
import { Badge, Card, CardBody, CardHeader, type Tone } from "@/components/ui/basics";
import { duration, exact, second } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import { type Look, median, type Observed, overall, type Part, parts, type State } from "./health";

const tones: Record<State, Tone> = { ok: "success", degraded: "warning", unavailable: "danger", unknown: "neutral" };
const icons: Record<Part, LucideIcon> = { server: Server, traffic: Signpost, database: Database, cache: Zap };
const signs: Partial<Record<State, LucideIcon>> = { ok: CircleCheck, degraded: TriangleAlert };

const iso = (at: number): string => new Date(at).toISOString();

/** The answer to "is it well?", in one line. */
export function Verdict({ observed }: { observed: Observed }) {
  const state = overall(observed.last);
  const Icon = signs[state] ?? CircleX;
  const silent = observed.last.state.server !== "ok";
  return (
    <div
      role="status"
      className={cn(
        "flex items-center gap-4 rounded-lg p-5",
        state === "ok" && "bg-success-soft text-success",
        state === "degraded" && "bg-warning-soft text-warning",
        state === "unavailable" && "bg-destructive-soft text-destructive",
      )}
    >
      <Icon aria-hidden className="size-7 shrink-0" strokeWidth={1.75} />
      <div className="min-w-0">
        <h2 className="text-base font-semibold tracking-[-0.01em]">{t(silent ? "admin.health.silent" : (`admin.health.${state}` as "admin.health.ok"))}</h2>
        <p className="mt-0.5">{t(silent ? "admin.health.silentHint" : (`admin.health.${state}Hint` as "admin.health.okHint"))}</p>
      </div>
    </div>
  );
}

/** Each part: what it is for, how it is, and since when this page has seen it so. */
export const Checks = ({ observed }: { observed: Observed }) => (
  <Card>
    <CardHeader
      title={t("admin.health.checks")}
      hint={
        <>
          {t("admin.health.checked")} <time dateTime={iso(observed.last.at)}>{second(observed.last.at)}</time>
        </>
      }
    />
    <ul>
      {parts.map((p) => (
        <Check key={p} part={p} observed={observed} />
      ))}
    </ul>
  </Card>
);

function Check({ part, observed }: { part: Part; observed: Observed }) {
  const Icon = icons[part];
  const state = observed.last.state[part];
  const time = part === "database" ? observed.last.latency : part === "server" ? observed.last.trip : undefined;
  return (
    <li className="flex min-h-16 flex-wrap items-center gap-x-3 gap-y-1 border-t px-4 py-3 sm:px-5">
      <span aria-hidden className="grid size-8 shrink-0 place-items-center rounded-md bg-muted text-muted-foreground">
        <Icon className="size-4" />
      </span>
      <div className="min-w-0 flex-1 basis-40">
        <div className="font-medium">{t(`admin.part.${part}`)}</div>
        <div className="text-xs text-muted-foreground">{t(state === "ok" ? `admin.part.${part}Hint` : `admin.part.${part}Bad`)}</div>
      </div>
      <div className="flex items-center gap-3 max-sm:w-full max-sm:pl-11">
        {time !== undefined && <span className="tnum whitespace-nowrap text-muted-foreground">{duration(time)}</span>}
        <Badge tone={tones[state]} dot>
          {t(`admin.state.${state}`)}
        </Badge>
        <Since at={observed.since[part]} began={observed.began} />
      </div>
    </li>
  );
}

/** Since when something is so. What was so at the first look may have been so for long. */
const Since = ({ at, began }: { at: number; began: number }) => (
  <span className="tnum text-xs whitespace-nowrap text-muted-foreground sm:w-36 sm:text-right">
    {at === began ? t("admin.health.sinceOpened") : t("admin.health.since", { when: second(at) })}
  </span>
);

/** How long the database took at each look: the shape of it, and its figures in words. */
export function Latency({ looks }: { looks: Look[] }) {
  const known = looks.flatMap((l) => l.latency ?? []);
  const top = Math.max(...known, 0.001);
  const first = looks[0];
  return (
    <Card>
      <CardHeader title={t("admin.health.latency")} hint={first && `${t("admin.health.looks", { n: looks.length })} ${exact(iso(first.at))}`} />
      <CardBody className="grid gap-4">
        <div aria-hidden className="flex h-20 items-end gap-[3px]">
          {Array.from({ length: Math.max(0, 60 - looks.length) }, (_, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
            <i key={i} className="min-w-0 flex-1 rounded-sm bg-muted" style={{ height: 3 }} />
          ))}
          {looks.map((l) => (
            <i
              key={l.at}
              className={cn("min-w-0 flex-1 rounded-sm", l.state.database === "ok" ? "bg-chart-1" : "bg-chart-4")}
              style={{ height: l.state.database === "ok" ? `${Math.max(6, ((l.latency ?? 0) / top) * 100)}%` : "100%" }}
            />
          ))}
        </div>
        <dl className="grid grid-cols-3 gap-4">
          <Figure label={t("admin.health.now")} value={looks.at(-1)?.latency} />
          <Figure label={t("admin.health.median")} value={median(known)} />
          <Figure label={t("admin.health.slowest")} value={known.length > 0 ? top : undefined} />
        </dl>
      </CardBody>
    </Card>
  );
}

const Figure = ({ label, value }: { label: string; value?: number }) => (
  <div className="min-w-0">
    <dt className="text-xs text-muted-foreground">{label}</dt>
    <dd className="tnum mt-0.5 truncate text-base font-semibold tracking-[-0.01em]">{value === undefined ? "—" : duration(value)}</dd>
  </div>
);
