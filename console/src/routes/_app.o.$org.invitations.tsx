import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { Ellipsis, MailX, Send, UserPlus } from "lucide-react";
import { api, data, type Schemas } from "@/api/client";
import { useCan } from "@/api/queries";
import { Badge, Empty, Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Confirm, Menu, MenuContent, MenuItem, MenuTrigger } from "@/components/ui/overlay";
import { type Column, DataTable } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import { Invite } from "@/features/org/invite";
import { RoleBadge, When, wide } from "@/features/org/parts";
import { invitationsQuery, items, teamsQuery, useEverybody, useOrg, useRest, useRights, useSubject } from "@/features/org/use";
import { day } from "@/lib/format";
import { t } from "@/lib/i18n";

type Invitation = Schemas["OrgsInvitation"];

const expired = (i: Invitation) => Date.parse(i.expires_at) < Date.now();

function Expiry({ invitation: i }: { invitation: Invitation }) {
  return expired(i) ? <Badge tone="warning">{t("org.expired")}</Badge> : <When at={i.expires_at} />;
}

function Invitations() {
  const org = useOrg();
  const can = useCan(org);
  const rights = useRights(org);
  const everybody = useEverybody(org.id);
  const teams = new Map(items(useRest(useInfiniteQuery({ ...teamsQuery(org.id), enabled: can("orgs.list_teams") }))).map((team) => [team.id, team.name]));
  const revoking = useSubject<Invitation>();
  const resend = useMutation({
    mutationFn: (i: Invitation) =>
      data(api.POST("/api/v1/orgs/{org}/invitations/{invitation}/resend", { params: { path: { org: org.id, invitation: i.id } } })),
    onSuccess: (i) => toast.done(t("org.resent", { email: i.email }), t("org.resentHint", { until: day(i.expires_at) })),
  });
  const columns: Column<Invitation>[] = [
    {
      key: "email",
      head: t("org.email"),
      className: wide,
      cell: (i) => (
        <>
          <div className="truncate font-medium">{i.email}</div>
          <div className="flex items-center gap-1.5 text-xs text-muted-foreground md:hidden">
            {expired(i) ? <Expiry invitation={i} /> : t("org.expiresAt", { when: day(i.expires_at) })}
          </div>
        </>
      ),
    },
    { key: "role", head: t("org.role"), narrow: true, cell: (i) => <RoleBadge role={i.role} name={rights.nameOf(i.role)} /> },
    {
      key: "teams",
      head: t("nav.teams"),
      from: "xl",
      className: "min-w-40 pl-6 text-muted-foreground",
      cell: (i) => i.team_ids.flatMap((id) => teams.get(id) ?? []).join(", ") || "—",
    },
    {
      key: "by",
      head: t("org.invitedBy"),
      from: "lg",
      narrow: true,
      className: "pl-6",
      cell: (i) => everybody.get(i.invited_by ?? "")?.name ?? <span className="text-muted-foreground">{t("org.nobody")}</span>,
    },
    { key: "sent", head: t("org.sentAt"), from: "md", narrow: true, className: "pl-6 text-muted-foreground", cell: (i) => <When at={i.sent_at} /> },
    { key: "expires", head: t("org.expires"), from: "md", narrow: true, className: "pl-6 text-muted-foreground", cell: (i) => <Expiry invitation={i} /> },
    {
      key: "actions",
      head: t("org.actions"),
      silent: true,
      narrow: true,
      cell: (i) =>
        rights.covers(i.role) && (
          <Menu>
            <MenuTrigger render={<Button variant="ghost" size="icon-sm" aria-label={t("action.more", { name: i.email })} />}>
              <Ellipsis />
            </MenuTrigger>
            <MenuContent>
              <MenuItem onClick={() => resend.mutate(i)}>
                <Send />
                {t("org.resend")}
              </MenuItem>
              <MenuItem danger onClick={() => revoking.show(i)}>
                <MailX />
                {t("org.revokeInvitation")}
              </MenuItem>
            </MenuContent>
          </Menu>
        ),
    },
  ];
  return (
    <Page title={t("nav.invitations")} hint={t("org.invitationsHint")} actions={<Invite org={org} />}>
      <DataTable
        label={t("nav.invitations")}
        columns={columns}
        query={useInfiniteQuery(invitationsQuery(org.id))}
        rowKey={(i) => i.id}
        empty={
          <Empty icon={<UserPlus />} title={t("org.noInvitations")} action={<Invite org={org} variant="secondary" />}>
            {t("org.noInvitationsHint")}
          </Empty>
        }
      />
      <Revoke org={org.id} invitation={revoking.subject} open={revoking.open} setOpen={revoking.setOpen} />
    </Page>
  );
}

interface RevokeProps {
  org: string;
  invitation: Invitation | undefined;
  open: boolean;
  setOpen: (open: boolean) => void;
}

function Revoke({ org, invitation, open, setOpen }: RevokeProps) {
  const { id = "", email = "" } = invitation ?? {};
  const revoke = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/orgs/{org}/invitations/{invitation}", { params: { path: { org, invitation: id } } })),
    onSuccess: () => toast.done(t("org.revoked", { email })),
    onSettled: () => setOpen(false),
  });
  return (
    <Confirm
      open={open}
      onOpenChange={setOpen}
      title={t("org.revokeTitle", { email })}
      action={t("org.revoke")}
      pending={revoke.isPending}
      onConfirm={() => revoke.mutate()}
    >
      <p>{t("org.revokeBody")}</p>
    </Confirm>
  );
}

export const Route = createFileRoute("/_app/o/$org/invitations")({ component: Invitations });
