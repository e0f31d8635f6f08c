import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Card, CardBody, CardHeader, Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Failed } from "@/components/ui/table";
import { ago, count, exact } from "@/lib/format";
import { t } from "@/lib/i18n";
import { type Change, changesQuery, usageQuery } from "./queries";

/** Who changed what, when and why. */
export function History({ flag }: { flag: string }) {
  const changes = useInfiniteQuery(changesQuery(flag));
  const all = changes.data?.pages.flatMap((p) => p.items) ?? [];
  return (
    <Card>
      <CardHeader title={t("flags.history")} />
      {changes.isPending && (
        <CardBody>
          <Skeleton className="h-10 w-full" />
        </CardBody>
      )}
      {changes.error && !changes.data && <Failed error={changes.error} again={changes.refetch} />}
      <ol>
        {all.map((c) => (
          <Entry key={c.id} change={c} />
        ))}
      </ol>
      {changes.hasNextPage && (
        <div className="flex justify-center border-t p-3">
          <Button variant="ghost" loading={changes.isFetchingNextPage} onClick={() => changes.fetchNextPage()}>
            {t("list.more")}
          </Button>
        </div>
      )}
    </Card>
  );
}

function Entry({ change: c }: { change: Change }) {
  const fields = Object.entries(c.changes);
  return (
    <li className="grid gap-1 border-t px-4 py-3 sm:px-5">
      <div className="flex flex-wrap items-baseline gap-x-2">
        <span className="font-medium">{t(`flags.verb.${c.verb}`)}</span>
        <span className="text-muted-foreground">{t("flags.changedBy", { name: (c.changed_by as Change["changed_by"] | null)?.name ?? t("org.nobody") })}</span>
        <time dateTime={c.changed_at} title={exact(c.changed_at)} className="ml-auto text-xs text-muted-foreground">
          {ago(c.changed_at)}
        </time>
      </div>
      <p className="break-words">{c.reason}</p>
      {c.verb === "updated" && fields.length > 0 && (
        <details className="text-xs">
          <summary className="cursor-pointer text-muted-foreground hover:text-foreground">
            {t("flags.changed", { fields: fields.map(([name]) => name).join(", ") })}
          </summary>
          <dl className="mt-2 grid gap-2">
            {fields.map(([name, v]) => (
              <div key={name}>
                <dt className="font-mono text-muted-foreground">{name}</dt>
                <dd className="mt-0.5 grid gap-0.5 font-mono break-all">
                  <del className="text-destructive no-underline">− {JSON.stringify(v.from)}</del>
                  <ins className="text-success no-underline">+ {JSON.stringify(v.to)}</ins>
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </li>
  );
}

/** How often each variant was served lately. */
export function Usage({ flag }: { flag: string }) {
  const { data } = useQuery(usageQuery(flag));
  const sums = new Map<string, number>();
  for (const u of data ?? []) sums.set(u.variant, (sums.get(u.variant) ?? 0) + u.count);
  const all = [...sums.values()].reduce((a, b) => a + b, 0);
  if (all === 0) return <p className="text-muted-foreground">{t("flags.neverServed")}</p>;
  return (
    <ul className="grid gap-2">
      {[...sums].map(([variant, n]) => (
        <li key={variant} className="grid grid-cols-[minmax(3rem,7rem)_1fr_auto] items-center gap-3">
          <span className="truncate font-mono text-xs">{variant}</span>
          <span aria-hidden className="h-2 overflow-hidden rounded-full bg-muted">
            <span className="block h-full rounded-full bg-primary" style={{ width: `${(100 * n) / all}%` }} />
          </span>
          <span className="tnum text-xs text-muted-foreground">{count(n)}</span>
        </li>
      ))}
    </ul>
  );
}
