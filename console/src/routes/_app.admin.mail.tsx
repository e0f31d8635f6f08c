import { useQuery } from "@tanstack/react-query";
import { createFileRoute, Link, notFound } from "@tanstack/react-router";
import { ChevronLeft, ExternalLink, MailOpen, Mails } from "lucide-react";
import { Card, Empty, Page, Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Failed, NoMatch } from "@/components/ui/table";
import { asMarkup, type Letter, mailQuery, pieces } from "@/features/admin/mail";
import { SearchField } from "@/features/admin/parts";
import { text } from "@/features/admin/search";
import { boot } from "@/lib/boot";
import { ago, exact } from "@/lib/format";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";

interface Search {
  /** Part of an address. */
  to?: string;
  /** The letter that is open. */
  id?: string;
}

/** The mail that would have been sent, for a developer on this machine. */
function Mail() {
  const { to, id } = Route.useSearch();
  const navigate = Route.useNavigate();
  const { data: all, error, refetch } = useQuery(mailQuery);
  const found = all?.filter((l) => !to || l.to.toLowerCase().includes(to.toLowerCase()));
  const open = all?.find((l) => l.id === id);
  const filter = (next: string) => void navigate({ search: (s) => ({ ...s, to: next || undefined }), replace: true });
  return (
    <Page title={t("nav.mail")} hint={t("admin.mailHint")}>
      {error && !all ? (
        <Card>
          <Failed error={error} again={refetch} />
        </Card>
      ) : (
        <Card className="grid lg:h-[calc(100dvh-12rem)] lg:min-h-[420px] lg:grid-cols-[minmax(280px,340px)_minmax(0,1fr)]">
          <div className={cn("flex min-h-0 min-w-0 flex-col lg:border-r", open && "max-lg:hidden")}>
            <div className="flex border-b p-3">
              <SearchField label={t("admin.mailTo")} value={to ?? ""} onChange={filter} />
            </div>
            <List letters={found} open={open} none={all?.length === 0} clear={() => filter("")} />
          </div>
          <div
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached by keyboard
            tabIndex={0}
            role="region"
            aria-label={t("admin.mailReading")}
            className={cn("min-h-0 min-w-0 overflow-y-auto -outline-offset-2", !open && "max-lg:hidden")}
          >
            {open ? <Reading letter={open} /> : <Empty icon={<MailOpen />} title={t("admin.mailPick")} className="lg:h-full lg:justify-center" />}
          </div>
        </Card>
      )}
    </Page>
  );
}

function List({ letters, open, none, clear }: { letters?: Letter[]; open?: Letter; none?: boolean; clear: () => void }) {
  if (!letters)
    return (
      <div aria-busy className="grid gap-4 p-5">
        {["a", "b", "c"].map((k) => (
          <Skeleton key={k} className="h-9" />
        ))}
      </div>
    );
  if (none)
    return (
      <Empty icon={<Mails />} title={t("admin.noMail")}>
        {t("admin.noMailHint")}
      </Empty>
    );
  if (letters.length === 0) return <NoMatch clear={clear} />;
  return (
    <ul className="min-h-0 flex-1 overflow-y-auto">
      {letters.map((l) => (
        <li key={l.id} className="border-b last:border-b-0">
          <Link
            from="/admin/mail"
            to="."
            search={(s) => ({ ...s, id: l.id })}
            aria-current={l === open ? "true" : undefined}
            className={cn("block px-4 py-2.5 -outline-offset-2 transition-colors", l === open ? "bg-brand-soft" : "hover:bg-accent/50")}
          >
            <span className="flex items-baseline gap-3">
              <span className="min-w-0 flex-1 truncate font-medium">{l.subject}</span>
              <time dateTime={l.created_at} className="tnum shrink-0 text-micro text-muted-foreground">
                {ago(l.created_at)}
              </time>
            </span>
            <span className="block truncate text-xs text-muted-foreground">{l.to}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Reading({ letter }: { letter: Letter }) {
  return (
    <article aria-label={letter.subject}>
      <header className="border-b px-4 py-4 sm:px-6">
        <Link
          from="/admin/mail"
          to="."
          search={(s) => ({ ...s, id: undefined })}
          className="mb-3 inline-flex items-center gap-0.5 rounded text-muted-foreground hover:text-foreground lg:hidden"
        >
          <ChevronLeft aria-hidden className="size-3.5" />
          {t("admin.allMail")}
        </Link>
        <div className="flex flex-wrap items-start justify-between gap-3">
          <div className="min-w-0 flex-1 basis-60">
            <h2 className="text-base font-semibold tracking-[-0.01em] break-words">{letter.subject}</h2>
            <p className="mt-1 text-xs break-words text-muted-foreground">
              {t("admin.mailToWhom", { to: letter.to })} · <time dateTime={letter.created_at}>{exact(letter.created_at)}</time>
            </p>
          </div>
          {letter.html && (
            <Button size="sm" render={<a href={asMarkup(letter)} target="_blank" rel="noreferrer" />}>
              <ExternalLink />
              {t("admin.asMarkup")}
            </Button>
          )}
        </div>
      </header>
      <p className="px-4 py-5 leading-6 break-words whitespace-pre-wrap sm:px-6">
        {pieces(letter.text, letter.links).map((p, i) =>
          p.link ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: a letter does not change
            <a key={i} href={p.text} target="_blank" rel="noreferrer" className="break-all text-brand-text underline underline-offset-4">
              {p.text}
            </a>
          ) : (
            p.text
          ),
        )}
      </p>
    </article>
  );
}

export const Route = createFileRoute("/_app/admin/mail")({
  validateSearch: (s: Record<string, unknown>): Search => ({ to: text(s.to), id: text(s.id) }),
  beforeLoad: () => {
    if (!boot.developer) throw notFound();
  },
  component: Mail,
});
