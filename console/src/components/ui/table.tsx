import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { RotateCw, SearchX, ServerCrash } from "lucide-react";
import type { ReactNode } from "react";
import { explain, TenonError } from "@/api/client";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import { Card, Empty, Skeleton } from "./basics";
import { Button } from "./button";

export interface Column<T> {
  key: string;
  head: ReactNode;
  cell: (row: T) => ReactNode;
  /** From which width on it is shown; always, unless set. */
  from?: "sm" | "md" | "lg" | "xl";
  /** As narrow as what is in it. */
  narrow?: boolean;
  /** The heading is for those who do not see the table. */
  silent?: boolean;
  /** Of its cells, and of its heading, which is to stand above them. */
  className?: string;
}

const from = { sm: "max-sm:hidden", md: "max-md:hidden", lg: "max-lg:hidden", xl: "max-xl:hidden" };

interface Pages<T> {
  pages: { items: T[] }[];
}

interface Props<T> {
  label: string;
  columns: Column<T>[];
  query: Pick<
    UseInfiniteQueryResult<Pages<T>>,
    "data" | "error" | "isPending" | "isFetching" | "refetch" | "hasNextPage" | "fetchNextPage" | "isFetchingNextPage"
  >;
  rowKey: (row: T) => string;
  /** Filters and search, above the table. */
  toolbar?: ReactNode;
  /** What is shown where there is nothing yet. */
  empty: ReactNode;
  /** Takes the filters away; set while there are some. */
  clear?: () => void;
  rowClass?: (row: T) => string | undefined;
  onRow?: (row: T) => void;
}

/** A list as a table, with its skeleton, its empty, no-match and error states, and the next page. */
export function DataTable<T>({ label, columns, query, rowKey, toolbar, empty, clear, rowClass, onRow }: Props<T>) {
  const rows = query.data?.pages.flatMap((p) => p.items) ?? [];
  const width = (c: Column<T>) => cn(c.from && from[c.from], c.narrow && "w-px whitespace-nowrap");
  const some = rows.length > 0;
  return (
    <Card>
      {toolbar && <div className="flex flex-wrap items-center gap-2 border-b p-3 sm:px-5">{toolbar}</div>}
      {(some || query.isPending) && (
        <table aria-label={label} aria-busy={query.isFetching} className="w-full table-auto border-collapse">
          <thead className="bg-muted/50 text-left text-xs text-muted-foreground max-md:sr-only">
            <tr>
              {columns.map((c) => (
                <th key={c.key} scope="col" className={cn("cell h-9!", width(c), c.className, "py-0! align-middle! font-medium")}>
                  {c.silent ? <span className="sr-only">{c.head}</span> : c.head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {query.isPending && !query.error
              ? Array.from({ length: 6 }, (_, i) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
                  <tr key={i} className="border-t">
                    {columns.map((c, n) => (
                      <td key={c.key} className={cn("cell", width(c))}>
                        {!c.silent && <Skeleton className={cn("h-3", n === 0 ? "w-40 max-w-full" : "w-16")} />}
                      </td>
                    ))}
                  </tr>
                ))
              : rows.map((r) => (
                  <tr
                    key={rowKey(r)}
                    onClick={onRow && ((e) => !(e.target as Element).closest("a,button,input,label,[role]:not(td)") && onRow(r))}
                    className={cn("border-t transition-colors hover:bg-accent/50", onRow && "cursor-pointer", rowClass?.(r))}
                  >
                    {columns.map((c) => (
                      <td key={c.key} className={cn("cell", width(c), c.className)}>
                        {c.cell(r)}
                      </td>
                    ))}
                  </tr>
                ))}
          </tbody>
        </table>
      )}
      {query.error && !some ? <Failed error={query.error} again={query.refetch} /> : null}
      {query.data && !some && (clear ? <NoMatch clear={clear} /> : empty)}
      {query.hasNextPage && (
        <div className="flex justify-center border-t p-3">
          <Button variant="ghost" loading={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
            {t("list.more")}
          </Button>
        </div>
      )}
    </Card>
  );
}

/** What did not load, why, and what to quote to support. */
export const Failed = ({ error, again }: { error: unknown; again?: () => void }) => (
  <Empty
    icon={<ServerCrash />}
    title={t("error.load")}
    action={
      again && (
        <Button onClick={() => again()}>
          <RotateCw />
          {t("action.tryAgain")}
        </Button>
      )
    }
  >
    {explain(error)}
    {error instanceof TenonError && error.requestId && <span className="mt-2 block font-mono text-micro">{error.requestId}</span>}
  </Empty>
);

export const NoMatch = ({ clear }: { clear: () => void }) => (
  <Empty icon={<SearchX />} title={t("list.noMatch")} action={<Button onClick={clear}>{t("list.clear")}</Button>}>
    {t("list.noMatchHint")}
  </Empty>
);
