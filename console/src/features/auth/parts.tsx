import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { CircleCheck, Link2Off, MailOpen } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { api, data, type Schemas } from "@/api/client";
import { PasswordField } from "@/components/ui/form";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";

/** The heading of a page for signing in. */
export const Heading = ({ title, children }: { title: string; children?: ReactNode }) => (
  <div className="mb-7">
    <h1 className="text-[1.75rem] leading-9 font-semibold tracking-[-0.03em] text-balance">{title}</h1>
    {children && <p className="mt-1.5 text-sm text-muted-foreground">{children}</p>}
  </div>
);

const marks = { mail: MailOpen, done: CircleCheck, broken: Link2Off };

/** A page that only says something, and where to go from here. */
export function Said({ mark, title, children, action }: { mark: keyof typeof marks; title: string; children?: ReactNode; action?: ReactNode }) {
  const Icon = marks[mark];
  return (
    <div>
      <div
        aria-hidden
        className={cn(
          "mb-5 grid size-11 place-items-center rounded-xl",
          mark === "broken" ? "bg-destructive-soft text-destructive" : mark === "done" ? "bg-success-soft text-success" : "bg-brand-soft text-brand-text",
        )}
      >
        <Icon className="size-5" />
      </div>
      <Heading title={title}>{children}</Heading>
      {action && <div className="grid gap-3">{action}</div>}
    </div>
  );
}

export const TextLink = ({ to, search, children }: { to: string; search?: Record<string, unknown>; children: ReactNode }) => (
  <Link to={to} search={search as never} className="rounded font-medium text-brand-text underline-offset-4 hover:underline">
    {children}
  </Link>
);

export const ToSignIn = () => (
  <p className="mt-8 text-center text-muted-foreground">
    <TextLink to="/sign-in">{t("auth.backToSignIn")}</TextLink>
  </p>
);

/** The answer of whatever signs somebody in. */
export type Entered = Pick<Schemas["SessionsOutputBody"], "status" | "challenge_token" | "methods">;

/** Where a way in leads: to the second factor, or to where the reader wanted to go. */
export function useEnter(next?: string) {
  const navigate = useNavigate();
  const client = useQueryClient();
  return async (entered: Entered) => {
    if (entered.status === "second_factor_required") {
      // In the fragment, which no server and no Referer sees; a provider's way back does the same.
      const half = new URLSearchParams({ challenge: entered.challenge_token ?? "", methods: (entered.methods ?? []).join(","), redirect_to: next ?? "" });
      return navigate({ to: "/sign-in/second-factor", hash: half.toString() });
    }
    client.clear();
    return navigate({ href: inside(next) });
  };
}

/** A path of ours: whatever came in an address must not lead to another site. */
export function inside(next: string | undefined): string {
  if (!next?.startsWith("/") || /^\/[/\\]/.test(next)) return "/";
  return new URL(next, location.origin).origin === location.origin ? next : "/";
}

/** A new password, and how strong it is. */
export function NewPassword({ name, label, about, large = true }: { name: string; label: string; about: { email?: string; name?: string }; large?: boolean }) {
  const [value, setValue] = useState("");
  const [asked, setAsked] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setAsked(value), 300);
    return () => clearTimeout(timer);
  }, [value]);
  const { data: strength } = useQuery({
    queryKey: ["strength", asked, about.email, about.name],
    queryFn: () => data(api.POST("/api/v1/auth/password-strength", { body: { password: asked, email: about.email, name: about.name } })),
    enabled: asked.length >= 4,
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (previous) => previous,
  });
  const score = value.length >= 4 ? strength?.score : undefined;
  return (
    <div className="grid gap-2">
      <PasswordField name={name} label={label} autoComplete="new-password" required large={large} value={value} onChange={(e) => setValue(e.target.value)} />
      {score !== undefined && strength && (
        <div className="grid gap-1">
          <div role="meter" aria-label={t("auth.strengthLabel")} aria-valuemin={0} aria-valuemax={4} aria-valuenow={score} className="grid grid-cols-4 gap-1">
            {[1, 2, 3, 4].map((n) => (
              <i
                key={n}
                className={cn(
                  "h-1 rounded-full",
                  n <= Math.max(score, 1) ? (score < 2 ? "bg-destructive-solid" : score < 3 ? "bg-warning" : "bg-success") : "bg-border",
                )}
              />
            ))}
          </div>
          <p aria-live="polite" className="text-xs text-muted-foreground">
            {t(`auth.strength${score}` as "auth.strength0")}
            {strength.problems?.[0] && `. ${strength.problems[0].message}`}
          </p>
        </div>
      )}
    </div>
  );
}
