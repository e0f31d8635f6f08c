import {
  Building2,
  Cog,
  File,
  Fingerprint,
  KeyRound,
  Link2,
  LogIn,
  LogOut,
  type LucideIcon,
  Mail,
  MonitorSmartphone,
  RectangleEllipsis,
  ShieldAlert,
  ShieldCheck,
  Smartphone,
  UserRound,
  Users,
  UsersRound,
  VenetianMask,
} from "lucide-react";
import { Avatar } from "@/components/ui/basics";
import { cn } from "@/lib/utils";
import type { AuditEvent } from "./types";

const tones = { plain: "bg-muted text-muted-foreground", danger: "bg-destructive-soft text-destructive", violet: "bg-violet-soft text-violet" };

/** The first that fits a type decides its icon, and whether it wants attention. */
const marks: [RegExp, LucideIcon, keyof typeof tones][] = [
  [/^sessions\.(sign_in_failed|refresh_reused)|clone_suspected|code_rejected|disowned|sign_in_refused|^accounts\.suspended/, ShieldAlert, "danger"],
  [/impersonation/, VenetianMask, "violet"],
  [/^sessions\.signed_in/, LogIn, "plain"],
  [/^sessions\.signed_out/, LogOut, "plain"],
  [/^sessions\.confirmed/, ShieldCheck, "plain"],
  [/^sessions\./, MonitorSmartphone, "plain"],
  [/^passkeys\./, Fingerprint, "plain"],
  [/^mfa\./, Smartphone, "plain"],
  [/^identities\./, Link2, "plain"],
  [/^apikeys\./, KeyRound, "plain"],
  [/^files\./, File, "plain"],
  [/password/, RectangleEllipsis, "plain"],
  [/email|invitation/, Mail, "plain"],
  [/team/, UsersRound, "plain"],
  [/role|administrator/, ShieldCheck, "plain"],
  [/member|ownership/, Users, "plain"],
  [/^orgs\./, Building2, "plain"],
  [/^accounts\./, UserRound, "plain"],
];

export function EventMark({ type }: { type: string }) {
  const [, Icon, tone] = marks.find(([like]) => like.test(type)) ?? ["", Cog, "plain" as const];
  return (
    <span aria-hidden className={cn("grid size-8 shrink-0 place-items-center rounded-md", tones[tone])}>
      <Icon className="size-4" />
    </span>
  );
}

const actors: Record<string, LucideIcon> = { api_key: KeyRound, job: Cog, system: Cog };

export function ActorMark({ actor }: { actor: AuditEvent["actor"] }) {
  if (actor.kind === "account" && actor.name) return <Avatar name={actor.name} id={actor.id} className="size-6" />;
  const Icon = actors[actor.kind] ?? UserRound;
  return (
    <span aria-hidden className="grid size-6 shrink-0 place-items-center rounded-full bg-muted text-muted-foreground">
      <Icon className="size-3.5" />
    </span>
  );
}
