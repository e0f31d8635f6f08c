import { Link } from "@tanstack/react-router";
import { ChevronLeft, Search, ShieldAlert, ShieldCheck } from "lucide-react";
import type { ReactNode } from "react";
import { Avatar, Badge, OrgMark, Page, Skeleton, type Tone } from "@/components/ui/basics";
import { Input } from "@/components/ui/form";
import { ago, exact } from "@/lib/format";
import { t, tOr } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import type { Org, User } from "./queries";

/** The first column takes the room that is left, and shortens what does not fit. */
export const wide = "w-full max-w-0";
/** The others keep their distance; where a phone leaves them out, this is the last one. */
export const apart = "pl-4 max-md:pr-4";

/** When something was, and on hover when exactly; otherwise that it is not known. */
export const When = ({ at, className }: { at: string | null | undefined; className?: string }) =>
  at ? (
    <time dateTime={at} title={exact(at)} className={cn("tnum whitespace-nowrap", className)}>
      {ago(at)}
    </time>
  ) : (
    <span className={cn("text-muted-foreground", className)}>—</span>
  );

const tones: Record<string, Tone> = { active: "success", suspended: "danger", deleting: "warning", unverified: "neutral" };

/** How an account or an organization is. An account that waits for its address to be proven is named so. */
export function StatusBadge({ of }: { of: { status: string; email_verified?: boolean } }) {
  const status = of.status === "active" && of.email_verified === false ? "unverified" : of.status;
  return (
    <Badge tone={tones[status]} dot className="align-middle">
      {status === "unverified" ? t("admin.unverified") : tOr(`status.${status}`, status)}
    </Badge>
  );
}

export const AdminBadge = ({ className }: { className?: string }) => (
  <Badge tone="violet" className={className}>
    {t("admin.administrator")}
  </Badge>
);

const factorNames = (kinds: string[]): string => kinds.map((k) => tOr(`admin.factor.${k}`, k)).join(", ");

/** Which second factors an account has. */
export const Factors = ({ kinds }: { kinds: string[] }) =>
  kinds.length > 0 ? (
    <span className="inline-flex items-center gap-1.5 align-middle whitespace-nowrap">
      <ShieldCheck aria-hidden className="size-4 shrink-0 text-success" />
      {factorNames(kinds)}
    </span>
  ) : (
    <span className="inline-flex items-center gap-1.5 align-middle whitespace-nowrap text-muted-foreground">
      <ShieldAlert aria-hidden className="size-4 shrink-0 text-warning" />
      {t("admin.noFactor")}
    </span>
  );

const link = "truncate rounded-sm font-medium hover:underline";

/** An account in a row of a table or a list: it leads to its page. */
export const Person = ({
  user,
  badges = user.is_admin && <AdminBadge className="max-md:hidden" />,
  more,
}: {
  user: User;
  badges?: ReactNode;
  more?: ReactNode;
}) => (
  <div className="flex min-w-0 items-center gap-3">
    <Avatar name={user.name} id={user.id} src={user.avatar_url} />
    <div className="min-w-0 flex-1">
      <div className="flex items-center gap-2">
        <Link to="/admin/users/$person" params={{ person: user.id }} className={link}>
          {user.name}
        </Link>
        {badges}
      </div>
      <div className="truncate text-xs text-muted-foreground">{user.email}</div>
      {more}
    </div>
  </div>
);

/** An organization in a row: it leads to its page. */
export const OrgLine = ({ org, badges, more }: { org: Pick<Org, "id" | "name" | "slug">; badges?: ReactNode; more?: ReactNode }) => (
  <div className="flex min-w-0 items-center gap-3">
    <OrgMark name={org.name} id={org.id} className="size-8" />
    <div className="min-w-0 flex-1">
      <div className="flex items-center gap-2">
        <Link to="/admin/orgs/$id" params={{ id: org.id }} className={link}>
          {org.name}
        </Link>
        {badges}
      </div>
      <div className="truncate font-mono text-xs text-muted-foreground">{org.slug}</div>
      {more}
    </div>
  </div>
);

export const SearchField = ({ value, onChange, label }: { value: string; onChange: (value: string) => void; label: string }) => (
  <div className="relative min-w-0 flex-1 basis-56 sm:max-w-80">
    <Search aria-hidden className="pointer-events-none absolute top-2 left-2.5 size-4 text-muted-foreground" />
    <Input type="search" aria-label={label} placeholder={label} maxLength={100} value={value} onChange={(e) => onChange(e.target.value)} className="pl-8" />
  </div>
);

/** The way back to the list that a page belongs to, and what else is said below its title. */
export const Back = ({ to, label, children }: { to: "/admin/users" | "/admin/orgs" | "/admin/jobs" | "/admin/flags"; label: string; children?: ReactNode }) => (
  <span className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
    <Link to={to} className="inline-flex items-center gap-0.5 rounded hover:text-foreground">
      <ChevronLeft aria-hidden className="size-3.5" />
      {label}
    </Link>
    {children && (
      <>
        <span aria-hidden className="text-faint">
          ·
        </span>
        {children}
      </>
    )}
  </span>
);

/** A page of one thing, before it has loaded. */
export const Loading = ({ title }: { title: string }) => (
  <Page
    title={
      <>
        <span className="sr-only">{title}</span>
        <Skeleton className="h-7 w-48" />
      </>
    }
    hint={<Skeleton className="mt-2 h-3 w-64 max-w-full" />}
  >
    <div aria-busy className="grid gap-4 lg:grid-cols-2">
      <Skeleton className="h-56 rounded-lg" />
      <Skeleton className="h-56 rounded-lg" />
    </div>
  </Page>
);

/** Warns of an organization that nobody can change any more. */
export const NoOwner = () => <Badge tone="warning">{t("admin.noOwner")}</Badge>;
