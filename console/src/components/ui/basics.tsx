import { type ComponentProps, type ReactNode, useState } from "react";
import { hue, initials } from "@/lib/format";
import { cn } from "@/lib/utils";

export const Card = ({ className, ...p }: ComponentProps<"section">) => (
  <section className={cn("overflow-hidden rounded-lg border bg-card shadow-card", className)} {...p} />
);

export const CardHeader = ({ title, hint, actions, className }: { title: ReactNode; hint?: ReactNode; actions?: ReactNode; className?: string }) => (
  <header className={cn("flex flex-wrap items-center gap-x-3 gap-y-2 px-4 pt-3.5 pb-3 sm:px-5", className)}>
    <div className="min-w-0 flex-1 basis-52">
      <h2 className="flex flex-wrap items-center gap-2 text-sm font-semibold tracking-[-0.01em]">{title}</h2>
      {hint && <p className="mt-0.5 text-xs text-muted-foreground">{hint}</p>}
    </div>
    {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
  </header>
);

export const CardBody = ({ className, ...p }: ComponentProps<"div">) => <div className={cn("card-body", className)} {...p} />;

export const CardFooter = ({ className, ...p }: ComponentProps<"footer">) => <footer className={cn("card-footer", className)} {...p} />;

const tones = {
  neutral: "bg-muted text-muted-foreground",
  brand: "bg-brand-soft text-brand-text",
  success: "bg-success-soft text-success",
  warning: "bg-warning-soft text-warning",
  danger: "bg-destructive-soft text-destructive",
  violet: "bg-violet-soft text-violet",
};
export type Tone = keyof typeof tones;

export const Badge = ({ tone = "neutral", dot, className, children, ...p }: ComponentProps<"span"> & { tone?: Tone; dot?: boolean }) => (
  <span className={cn("badge", tones[tone], className)} {...p}>
    {dot && <i className="size-1.5 rounded-full bg-current" aria-hidden />}
    {children}
  </span>
);

export const Kbd = ({ children }: { children: ReactNode }) => (
  <kbd className="rounded border bg-background px-1 font-sans text-micro leading-4 text-muted-foreground">{children}</kbd>
);

export const Skeleton = ({ className }: { className?: string }) => <span aria-hidden className={cn("skeleton", className)} />;

/** A person: their picture, or their initials in a colour of their own where there is none to be had. */
export function Avatar({ name, id, src, className }: { name: string; id?: string; src?: string | null; className?: string }) {
  const [broken, setBroken] = useState("");
  const h = hue(id ?? name);
  const size = cn("avatar", className);
  if (src && src !== broken)
    return <img src={src} alt="" onError={() => setBroken(src)} referrerPolicy="no-referrer" className={cn(size, "bg-muted object-cover")} />;
  return (
    <span
      aria-hidden
      className={size}
      style={{ background: `light-dark(oklch(0.93 0.045 ${h}), oklch(0.34 0.07 ${h}))`, color: `light-dark(oklch(0.4 0.11 ${h}), oklch(0.88 0.07 ${h}))` }}
    >
      {initials(name) || "?"}
    </span>
  );
}

/** An organization: its first letter on a colour of its own. */
export function OrgMark({ name, id, className }: { name: string; id?: string; className?: string }) {
  const h = hue(id ?? name);
  return (
    <span aria-hidden className={cn("org-mark", className)} style={{ background: `linear-gradient(160deg, oklch(0.6 0.15 ${h}), oklch(0.45 0.15 ${h + 30}))` }}>
      {([...name][0] ?? "?").toUpperCase()}
    </span>
  );
}

interface EmptyProps {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  /** It is all that the page shows. */
  whole?: boolean;
  className?: string;
}

/** Says why there is nothing, and what can be done about it. */
export function Empty({ icon, title, children, action, whole, className }: EmptyProps) {
  const Title = whole ? "h1" : "h2";
  return (
    <div className={cn("flex flex-col items-center px-6 py-14 text-center", className)}>
      <div aria-hidden className="mb-4 grid size-12 place-items-center rounded-xl border bg-background text-muted-foreground shadow-card [&_svg]:size-5">
        {icon}
      </div>
      <Title className="text-sm font-semibold">{title}</Title>
      {children && <div className="mt-1 max-w-sm text-muted-foreground">{children}</div>}
      {action && <div className="mt-5 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}

/** The frame of a page: its title, what it is about, what one can do, and the rest. */
export const Page = ({
  title,
  hint,
  actions,
  narrow,
  children,
}: {
  title: ReactNode;
  hint?: ReactNode;
  actions?: ReactNode;
  narrow?: boolean;
  children: ReactNode;
}) => (
  <div className={cn("mx-auto w-full px-4 pt-6 pb-16 sm:px-8 sm:pt-8", narrow ? "max-w-[820px]" : "max-w-[1180px]")}>
    <header className="mb-6 flex flex-wrap items-end gap-x-6 gap-y-4">
      <div className="min-w-0 flex-1 basis-64">
        <h1 className="text-title font-semibold">{title}</h1>
        {hint && <p className="mt-1 text-muted-foreground">{hint}</p>}
      </div>
      {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </header>
    <div className="grid gap-4">{children}</div>
  </div>
);

/** A definition list: what something is called, and what it is. */
export const Facts = ({ items, className }: { items: [ReactNode, ReactNode][]; className?: string }) => (
  <dl className={cn("facts", className)}>
    {items.map(([term, value], i) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: the list does not change its order
      <div key={i} className="min-w-0">
        <dt className="text-xs text-muted-foreground">{term}</dt>
        <dd className="mt-0.5 break-words">{value}</dd>
      </div>
    ))}
  </dl>
);

/** A row of a list inside a card: a mark, two lines, what one can do. */
export const Row = ({
  mark,
  title,
  detail,
  actions,
  className,
}: {
  mark?: ReactNode;
  title: ReactNode;
  detail?: ReactNode;
  actions?: ReactNode;
  className?: string;
}) => (
  <li className={cn("flex min-h-14 items-center gap-3 border-t px-4 py-2.5 sm:px-5", className)}>
    {mark}
    <div className="min-w-0 flex-1">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1 font-medium">{title}</div>
      {detail && <div className="text-xs break-words text-muted-foreground">{detail}</div>}
    </div>
    {actions && <div className="flex shrink-0 items-center gap-1">{actions}</div>}
  </li>
);
