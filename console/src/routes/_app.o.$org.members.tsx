import { useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute, Link, useNavigate } from "@tanstack/react-router";
import { ArrowRightLeft, Copy, Ellipsis, LogOut, UserRoundCog, UserRoundX, UsersRound } from "lucide-react";
import { useCan, useMe } from "@/api/queries";
import { Empty, Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuLink, MenuSeparator, MenuTrigger, Select } from "@/components/ui/overlay";
import { type Column, DataTable } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import { Invite } from "@/features/org/invite";
import { ChangeRole, HandOver, RemoveMember } from "@/features/org/members";
import { matches, Person, RoleBadge, SearchField, When, wide, You } from "@/features/org/parts";
import { items, type Member, membersQuery, only, useOrg, useRest, useRights, useSubject } from "@/features/org/use";
import { t } from "@/lib/i18n";

interface Search {
  q?: string;
  role?: string;
}

function Members() {
  const org = useOrg();
  const me = useMe();
  const can = useCan(org);
  const rights = useRights(org);
  const { q = "", role = "" } = Route.useSearch();
  const navigate = useNavigate({ from: Route.fullPath });
  const filter = (search: Search) => void navigate({ search: (s) => ({ ...s, ...search }), replace: true });
  const filtered = q !== "" || role !== "";
  const query = useRest(useInfiniteQuery(membersQuery(org.id)), filtered);
  const shown = only(query, (m) => (role === "" || m.role === role) && matches(q, m.name, m.email));
  const dialog = useSubject<{ what: What; member: Member }>();
  const about = (what: What) => ({ org, member: dialog.subject?.member, open: dialog.open && dialog.subject?.what === what, setOpen: dialog.setOpen });
  const columns: Column<Member>[] = [
    {
      key: "name",
      head: t("org.name"),
      className: wide,
      cell: (m) => <Person id={m.account_id} name={m.name} detail={m.email} badge={m.account_id === me.id && <You />} />,
    },
    { key: "role", head: t("org.role"), narrow: true, cell: (m) => <RoleBadge role={m.role} name={rights.nameOf(m.role)} /> },
    {
      key: "joined",
      head: t("org.joined"),
      narrow: true,
      from: "md",
      className: "pl-8 text-muted-foreground",
      cell: (m) => <When at={m.joined_at} />,
    },
    {
      key: "actions",
      head: t("org.actions"),
      silent: true,
      narrow: true,
      cell: (m) => <Actions member={m} show={(what) => dialog.show({ what, member: m })} />,
    },
  ];
  return (
    <Page title={t("nav.members")} hint={t("org.membersHint", { org: org.name })} actions={can("orgs.invite") && <Invite org={org} />}>
      <DataTable
        label={t("nav.members")}
        columns={columns}
        query={shown}
        rowKey={(m) => m.account_id}
        clear={filtered ? () => filter({ q: undefined, role: undefined }) : undefined}
        empty={<Empty icon={<UsersRound />} title={t("org.noMembers")} />}
        toolbar={
          <>
            <SearchField label={t("org.searchMembers")} value={q} onChange={(v) => filter({ q: v || undefined })} />
            <Select
              label={t("org.role")}
              value={role}
              onChange={(v) => filter({ role: v || undefined })}
              items={[{ value: "", label: t("org.allRoles") }, ...rights.roles.map((r) => ({ value: r.key, label: rights.nameOf(r.key) }))]}
              className="w-40"
            />
            <span aria-live="polite" className="ml-auto text-muted-foreground">
              {query.data && !query.hasNextPage && t("org.memberCount", { n: items(shown).length })}
            </span>
          </>
        }
      />
      <ChangeRole {...about("role")} />
      <RemoveMember {...about("remove")} />
      <HandOver {...about("handOver")} />
    </Page>
  );
}

type What = "role" | "remove" | "handOver";

function Actions({ member, show }: { member: Member; show: (what: What) => void }) {
  const org = useOrg();
  const can = useCan(org);
  const myself = member.account_id === useMe().id;
  const manage = useRights(org).covers(member.role) && can("orgs.manage_members");
  return (
    <Menu>
      <MenuTrigger render={<Button variant="ghost" size="icon-sm" aria-label={t("action.more", { name: member.name })} />}>
        <Ellipsis />
      </MenuTrigger>
      <MenuContent>
        <MenuItem onClick={() => copy(member.email)}>
          <Copy />
          {t("org.copyEmail")}
        </MenuItem>
        {manage && (
          <MenuItem onClick={() => show("role")}>
            <UserRoundCog />
            {t("org.changeRole")}
          </MenuItem>
        )}
        {!myself && can("orgs.transfer") && (
          <MenuItem onClick={() => show("handOver")}>
            <ArrowRightLeft />
            {t("org.handOver")}
          </MenuItem>
        )}
        {(myself || manage) && <MenuSeparator />}
        {myself ? (
          <MenuLink render={<Link to="/o/$org/settings" params={{ org: org.slug }} hash="danger" />}>
            <LogOut />
            {t("org.leave")}
          </MenuLink>
        ) : (
          manage && (
            <MenuItem danger onClick={() => show("remove")}>
              <UserRoundX />
              {t("org.removeMember")}
            </MenuItem>
          )
        )}
      </MenuContent>
    </Menu>
  );
}

async function copy(email: string) {
  try {
    await navigator.clipboard.writeText(email);
    toast.done(t("org.emailCopied", { email }));
  } catch {
    toast.error(t("copy.failed"), email);
  }
}

export const Route = createFileRoute("/_app/o/$org/members")({
  validateSearch: (s: Record<string, unknown>): Search => ({
    q: typeof s.q === "string" ? s.q : undefined,
    role: typeof s.role === "string" ? s.role : undefined,
  }),
  component: Members,
});
