import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useRouterState } from "@tanstack/react-router";
import { BookOpen, Check, ChevronsUpDown, Languages, LogOut, Menu as MenuIcon, Monitor, Moon, Plus, Search, Settings, Sun, VenetianMask } from "lucide-react";
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { api, data } from "@/api/client";
import { orgsQuery, useCan, useMe } from "@/api/queries";
import { Avatar, Kbd, OrgMark } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuLabel, MenuLink, MenuSeparator, MenuTrigger } from "@/components/ui/overlay";
import { Announcements } from "@/features/notifications/announcements";
import { Bell } from "@/features/notifications/bell";
import { boot } from "@/lib/boot";
import { moment } from "@/lib/format";
import { getLocale, languages, t, tOr } from "@/lib/i18n";
import { setTheme, type Theme, useTheme } from "@/lib/theme";
import { cn } from "@/lib/utils";
import { changeLanguage } from "./language";
import { useLive } from "./live";
import { accountPages, type NavGroup, operatorPages, orgPages, productPages } from "./nav";
import { useCurrentOrg } from "./org";

const CommandMenu = lazy(() => import("./command"));
const Drawer = lazy(() => import("./drawer"));

/** What a built-in role is called, or an organization's own. */
export const roleName = (key: string, name = key): string => tOr(`role.${key}`, name);

function useGroups(): NavGroup[] {
  const me = useMe();
  const org = useCurrentOrg();
  const can = useCan(org ?? ({ id: "", role: "" } as never));
  const may = org ? can : () => false;
  return [
    { label: t("nav.workspace"), items: org ? orgPages(org.slug, may) : [] },
    { label: t("nav.product"), items: productPages(may) },
    { label: t("nav.account"), items: accountPages() },
    { label: t("nav.operator"), items: operatorPages(me) },
  ].filter((g) => g.items.length > 0);
}

function OrgSwitcher() {
  const current = useCurrentOrg();
  const orgs = useQuery(orgsQuery).data ?? [];
  const navigate = useNavigate();
  return (
    <Menu>
      <MenuTrigger className="flex h-11 w-full items-center gap-2.5 rounded-md px-2 text-left transition-colors hover:bg-accent data-popup-open:bg-accent">
        {current ? <OrgMark name={current.name} id={current.id} /> : <Plus className="mx-1.5 size-4 text-muted-foreground" />}
        <span className="min-w-0 flex-1">
          <span className="block truncate font-semibold tracking-[-0.01em]">{current?.name ?? t("menu.newOrg")}</span>
          <span className="block text-micro text-muted-foreground">
            {current && roleName(current.role)}
            <span className="sr-only">, {t("menu.switchOrg")}</span>
          </span>
        </span>
        <ChevronsUpDown className="size-4 text-muted-foreground" />
      </MenuTrigger>
      <MenuContent align="start" className="w-60">
        {orgs.length > 0 && <MenuLabel>{t("menu.orgs")}</MenuLabel>}
        {orgs.map((o) => (
          <MenuItem key={o.id} className="h-10" onClick={() => navigate({ to: "/o/$org", params: { org: o.slug } })}>
            <OrgMark name={o.name} id={o.id} className="size-6" />
            <span className="min-w-0 flex-1">
              <span className="block truncate leading-4 font-medium">{o.name}</span>
              <span className="block text-micro text-muted-foreground">{o.status === "active" ? roleName(o.role) : tOr(`status.${o.status}`, o.status)}</span>
            </span>
            {o.id === current?.id && <Check className="text-brand-text!" />}
          </MenuItem>
        ))}
        {orgs.length > 0 && <MenuSeparator />}
        {current && (
          <MenuLink render={<Link to="/o/$org/settings" params={{ org: current.slug }} />}>
            <Settings />
            {t("menu.orgSettings")}
          </MenuLink>
        )}
        <MenuLink render={<Link to="/welcome" />}>
          <Plus />
          {t("menu.newOrg")}
        </MenuLink>
      </MenuContent>
    </Menu>
  );
}

function ThemePicker() {
  const current = useTheme();
  const options: [Theme, string, typeof Sun][] = [
    ["light", t("menu.themeLight"), Sun],
    ["system", t("menu.themeSystem"), Monitor],
    ["dark", t("menu.themeDark"), Moon],
  ];
  return (
    <div role="radiogroup" aria-label={t("menu.theme")} className="flex rounded-md bg-muted p-0.5">
      {options.map(([value, label, Icon]) => (
        <button
          key={value}
          type="button"
          role="radio"
          aria-checked={current === value}
          aria-label={label}
          onClick={() => setTheme(value)}
          className={cn(
            "grid h-6 w-7 place-items-center rounded-[5px]",
            current === value ? "bg-background text-foreground shadow-card" : "text-muted-foreground",
          )}
        >
          <Icon className="size-3.5" />
        </button>
      ))}
    </div>
  );
}

/** Where whoever is signed out now goes; the page says what was done, where `done` names it. It is loaded anew: nothing of the reader stays in memory. */
export const leave = (done?: string): void => location.assign(`${boot.base}/sign-in${done ? `?done=${done}` : ""}`);

export const useSignOut = (done?: string) =>
  useMutation({ mutationFn: () => data(api.POST("/api/v1/auth/logout", {})), meta: { quiet: true }, onSuccess: () => leave(done) });

function UserMenu() {
  const me = useMe();
  const signOut = useSignOut();
  return (
    <Menu>
      <MenuTrigger className="flex h-11 w-full items-center gap-2.5 rounded-md px-2 text-left transition-colors hover:bg-accent data-popup-open:bg-accent">
        <Avatar name={me.name} id={me.id} src={me.avatar_url} className="size-7" />
        <span className="min-w-0 flex-1">
          <span className="block truncate font-medium">{me.name}</span>
          <span className="block truncate text-micro text-muted-foreground">
            {me.email}
            <span className="sr-only">, {t("menu.account")}</span>
          </span>
        </span>
        <ChevronsUpDown className="size-4 text-muted-foreground" />
      </MenuTrigger>
      <MenuContent side="top" align="start" className="w-60">
        {accountPages().map((p) => (
          <MenuLink key={p.id} render={<Link to={p.to} />}>
            <p.icon />
            {p.label}
          </MenuLink>
        ))}
        <MenuLink render={<a href={`${boot.base}/docs`} target="_blank" rel="noreferrer" />}>
          <BookOpen />
          {t("menu.reference")}
        </MenuLink>
        <MenuSeparator />
        <div className="flex items-center justify-between px-2 py-1">
          <span>{t("menu.theme")}</span>
          <ThemePicker />
        </div>
        {boot.locales.length > 1 &&
          boot.locales.map((l) => (
            <MenuItem key={l} onClick={() => changeLanguage(l, true)}>
              <Languages />
              <span className="flex-1" lang={l}>
                {languages[l] ?? l}
              </span>
              {l === getLocale() && <Check className="text-brand-text!" />}
            </MenuItem>
          ))}
        <MenuSeparator />
        <MenuItem danger onClick={() => signOut.mutate()}>
          <LogOut />
          {t("menu.signOut")}
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}

function Nav({ groups, onNavigate }: { groups: NavGroup[]; onNavigate?: () => void }) {
  const path = useRouterState({ select: (s) => s.location.pathname });
  return (
    <nav aria-label={t("nav.main")} className="no-scrollbar flex-1 overflow-y-auto px-2 pb-4">
      {groups.map((g) => (
        <div key={g.label} className="mt-4 first:mt-2">
          <div className="px-2 pb-1 text-micro font-medium text-muted-foreground">{g.label}</div>
          <ul className="grid gap-px">
            {g.items.map((i) => {
              const on = i.exact ? path === i.to || path === `${i.to}/` : path === i.to || path.startsWith(`${i.to}/`);
              return (
                <li key={i.to}>
                  <Link
                    to={i.to}
                    onClick={onNavigate}
                    aria-current={on ? "page" : undefined}
                    className={cn(
                      "group flex h-8 items-center gap-2.5 rounded-md px-2 transition-colors",
                      on ? "bg-nav-active font-medium text-foreground shadow-card" : "text-muted-foreground hover:bg-accent hover:text-foreground",
                    )}
                  >
                    <i.icon className={cn("size-4", on ? "text-brand-text" : "text-faint group-hover:text-muted-foreground")} strokeWidth={on ? 2.25 : 2} />
                    <span className="min-w-0 flex-1 truncate">{i.label}</span>
                  </Link>
                </li>
              );
            })}
          </ul>
        </div>
      ))}
    </nav>
  );
}

function Side({ groups, search, onNavigate }: { groups: NavGroup[]; search: () => void; onNavigate?: () => void }) {
  const mac = /Mac|iP/.test(navigator.platform);
  return (
    <div className="flex h-full flex-col">
      <div className="grid gap-2 p-2">
        <OrgSwitcher />
        <div className="flex items-center gap-1">
          <button
            type="button"
            onClick={search}
            className="flex h-8 min-w-0 flex-1 items-center gap-2 rounded-md border bg-background px-2 text-muted-foreground shadow-btn transition-colors hover:border-border-strong"
          >
            <Search className="size-4" />
            <span className="flex-1 text-left">{t("command.title")}</span>
            <Kbd>{mac ? "⌘K" : "Ctrl K"}</Kbd>
          </button>
          <Bell onNavigate={onNavigate} />
        </div>
      </div>
      <Nav groups={groups} onNavigate={onNavigate} />
      <div className="border-t p-2">
        <UserMenu />
      </div>
    </div>
  );
}

/** Says, for as long as it is so, that somebody else acts in this account. */
function Impersonation() {
  const me = useMe();
  const signOut = useSignOut("impersonation");
  if (!me.impersonator) return null;
  return (
    <div role="status" className="sticky top-0 z-40 flex flex-wrap items-center gap-x-3 gap-y-1 bg-[oklch(0.42_0.15_300)] px-4 py-2 text-white">
      <VenetianMask aria-hidden className="size-4 shrink-0" />
      <span className="min-w-0 flex-1">
        {t("impersonation.banner", { admin: me.impersonator.name, name: me.name, until: moment(me.impersonator.until) })}
        {!me.impersonator.may_write && ` ${t("impersonation.readOnly")}`}
      </span>
      <Button size="sm" className="border-white/30 bg-white/10 text-white hover:bg-white/20" loading={signOut.isPending} onClick={() => signOut.mutate()}>
        {t("impersonation.end")}
      </Button>
    </div>
  );
}

/** The frame around every page of somebody who is signed in. */
export function Shell({ children }: { children: ReactNode }) {
  const [open, setOpen] = useState(false);
  const [opened, setOpened] = useState(false);
  if (open && !opened) setOpened(true); // it stays, to leave as it came
  const [command, setCommand] = useState(false);
  const groups = useGroups();
  const org = useCurrentOrg();
  useLive(org?.id);
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.key.toLowerCase() !== "k" || !(e.metaKey || e.ctrlKey) || e.shiftKey || e.altKey) return;
      e.preventDefault();
      setCommand((c) => !c);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const search = () => {
    setOpen(false);
    setCommand(true);
  };
  return (
    <>
      <a href="#main" className="sr-only z-50 rounded-md bg-primary px-3 py-2 text-white focus:not-sr-only focus:fixed focus:top-2 focus:left-2">
        {t("nav.skip")}
      </a>
      <Impersonation />
      <div className="min-h-dvh md:grid md:grid-cols-[248px_minmax(0,1fr)]">
        <aside className="sticky top-0 hidden h-dvh md:block">
          <Side groups={groups} search={search} />
        </aside>
        <header className="sticky top-0 z-30 flex h-14 items-center gap-1 border-b bg-canvas/85 px-3 backdrop-blur md:hidden">
          <Button variant="ghost" size="icon" aria-label={t("menu.open")} aria-expanded={open} onClick={() => setOpen(true)}>
            <MenuIcon />
          </Button>
          {opened && (
            <Suspense>
              <Drawer open={open} onOpenChange={setOpen}>
                <Side groups={groups} search={search} onNavigate={() => setOpen(false)} />
              </Drawer>
            </Suspense>
          )}
          {org && <OrgMark name={org.name} id={org.id} className="size-6" />}
          <span className="ml-1.5 min-w-0 flex-1 truncate font-semibold">{org?.name ?? boot.name}</span>
          <Button variant="ghost" size="icon" aria-label={t("command.title")} onClick={search}>
            <Search />
          </Button>
          <Bell />
        </header>
        <main
          id="main"
          tabIndex={-1}
          className="min-w-0 bg-background outline-none max-md:min-h-[calc(100dvh-3.5rem)] md:my-2 md:mr-2 md:rounded-xl md:border md:shadow-card"
        >
          <Announcements />
          {children}
        </main>
      </div>
      {command && (
        <Suspense>
          <CommandMenu groups={groups} onClose={() => setCommand(false)} />
        </Suspense>
      )}
    </>
  );
}
