import {
  Activity,
  Bell,
  Building2,
  Files,
  Fingerprint,
  Flag,
  Gauge,
  History,
  Inbox,
  KeyRound,
  LayoutDashboard,
  Link2,
  type LucideIcon,
  MailCheck,
  Mails,
  Megaphone,
  Puzzle,
  ScrollText,
  Settings,
  ShieldCheck,
  Timer,
  UserRound,
  Users,
  UsersRound,
  Zap,
} from "lucide-react";
import type { Schemas } from "@/api/client";
import { pages } from "@/extensions/load";
import { boot } from "@/lib/boot";
import { t } from "@/lib/i18n";

export interface NavItem {
  /** Its name for Config.Hidden. */
  id: string;
  to: string;
  label: string;
  icon: LucideIcon;
  /** Marked only on exactly this page, not on those below. */
  exact?: boolean;
}

export interface NavGroup {
  label: string;
  items: NavItem[];
}

export function orgPages(slug: string, can: (permission: string) => boolean): NavItem[] {
  const at = (page: string) => `/o/${slug}${page}`;
  const all: (NavItem & { permission?: string })[] = [
    { id: "overview", to: at(""), label: t("nav.overview"), icon: LayoutDashboard, exact: true },
    { id: "members", to: at("/members"), label: t("nav.members"), icon: Users, permission: "orgs.list_members" },
    { id: "invitations", to: at("/invitations"), label: t("nav.invitations"), icon: MailCheck, permission: "orgs.invite" },
    { id: "teams", to: at("/teams"), label: t("nav.teams"), icon: UsersRound, permission: "orgs.list_teams" },
    { id: "roles", to: at("/roles"), label: t("nav.roles"), icon: ShieldCheck, permission: "orgs.read" },
    { id: "files", to: at("/files"), label: t("nav.files"), icon: Files, permission: "files.read" },
    { id: "api-keys", to: at("/api-keys"), label: t("nav.apiKeys"), icon: KeyRound, permission: "apikeys.list" },
    { id: "events", to: at("/events"), label: t("nav.events"), icon: ScrollText, permission: "audit.read" },
    { id: "settings", to: at("/settings"), label: t("nav.settings"), icon: Settings, permission: "orgs.read" },
  ];
  return shown(all.filter((i) => !i.permission || can(i.permission)));
}

export const productPages = (can: (permission: string) => boolean): NavItem[] =>
  [...pages.values()].filter((p) => !p.permission || can(p.permission)).map((p) => ({ id: p.path, to: `/x${p.path}`, label: p.title, icon: Puzzle }));

export const accountPages = (): NavItem[] =>
  shown([
    { id: "inbox", to: "/inbox", label: t("nav.inbox"), icon: Inbox },
    { id: "profile", to: "/account/profile", label: t("nav.profile"), icon: UserRound },
    { id: "security", to: "/account/security", label: t("nav.security"), icon: Fingerprint },
    { id: "identities", to: "/account/identities", label: t("nav.identities"), icon: Link2 },
    { id: "notifications", to: "/account/notifications", label: t("nav.notifications"), icon: Bell },
    { id: "activity", to: "/account/activity", label: t("nav.activity"), icon: History },
  ]);

export function operatorPages(me: Schemas["Account"]): NavItem[] {
  if (!me.is_admin || me.impersonator) return [];
  const all: NavItem[] = [
    { id: "operator", to: "/admin", label: t("nav.overview"), icon: Gauge, exact: true },
    { id: "users", to: "/admin/users", label: t("nav.users"), icon: UserRound },
    { id: "orgs", to: "/admin/orgs", label: t("nav.orgs"), icon: Building2 },
    { id: "operator-events", to: "/admin/events", label: t("nav.events"), icon: ScrollText },
    { id: "flags", to: "/admin/flags", label: t("nav.flags"), icon: Flag },
    { id: "announcements", to: "/admin/announcements", label: t("nav.announcements"), icon: Megaphone },
    { id: "jobs", to: "/admin/jobs", label: t("nav.jobs"), icon: Zap },
    { id: "waitlist", to: "/admin/waitlist", label: t("nav.waitlist"), icon: Timer },
    { id: "health", to: "/admin/health", label: t("nav.health"), icon: Activity },
  ];
  if (boot.developer) all.push({ id: "mail", to: "/admin/mail", label: t("nav.mail"), icon: Mails });
  return shown(all.filter((i) => i.id !== "waitlist" || boot.signUp === "waitlist"));
}

const shown = (items: NavItem[]): NavItem[] => items.filter((i) => !boot.hidden.includes(i.id));
