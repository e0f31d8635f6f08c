import { queryOptions, useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { createFileRoute, Link, useNavigate } from "@tanstack/react-router";
import { ChevronLeft, Ellipsis, Pencil, Star, StarOff, Trash2, UserPlus, UserRoundX, UsersRound } from "lucide-react";
import { useState } from "react";
import { api, data } from "@/api/client";
import { useCan, useMe } from "@/api/queries";
import { Crash } from "@/components/layout/fallback";
import { Badge, Empty, Page, Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Confirm, Menu, MenuContent, MenuItem, MenuTrigger } from "@/components/ui/overlay";
import { type Column, DataTable } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import { matches, Person, SearchField, When, wide, You } from "@/features/org/parts";
import { AddToTeam, DeleteTeam, type Team, TeamDialog, type Teammate, teammatesQuery } from "@/features/org/teams";
import { items, type Org, only, useOrg, useRest, useSubject } from "@/features/org/use";
import { t } from "@/lib/i18n";

const teamQuery = (org: string, team: string) =>
  queryOptions({
    queryKey: ["team", org, team],
    queryFn: ({ signal }) => data(api.GET("/api/v1/orgs/{org}/teams/{team}", { signal, params: { path: { org, team } } })),
  });

function TeamPage() {
  const org = useOrg();
  const params = Route.useParams();
  const { data: team, error, refetch } = useQuery(teamQuery(org.id, params.team));
  if (error && !team) return <Crash error={error} reset={refetch} />;
  if (!team)
    return (
      <Page title={<Skeleton className="h-7 w-48" />}>
        <span className="sr-only">{t("nav.teams")}</span>
      </Page>
    );
  return <Loaded org={org} team={team} />;
}

function Loaded({ org, team }: { org: Org; team: Team }) {
  const me = useMe();
  const manage = useCan(org)("orgs.manage_teams");
  const navigate = useNavigate();
  const [q, setQ] = useState("");
  const [dialog, setDialog] = useState<"add" | "rename" | "delete">();
  const opened = (what: typeof dialog) => ({ open: dialog === what, setOpen: (open: boolean) => setDialog(open ? what : undefined) });
  const removing = useSubject<Teammate>();
  const query = useRest(useInfiniteQuery(teammatesQuery(org.id, team.id)), q !== "" || dialog === "add");
  const lead = useMutation({
    mutationFn: (v: { member: Teammate; role: Teammate["role"] }) =>
      data(
        api.PUT("/api/v1/orgs/{org}/teams/{team}/members/{account}", {
          params: { path: { org: org.id, team: team.id, account: v.member.account_id } },
          body: { role: v.role },
        }),
      ),
    onSuccess: (_, { member, role }) => toast.done(t(role === "lead" ? "org.leadsNow" : "org.leadsNoMore", { name: member.name, team: team.name })),
  });
  const columns: Column<Teammate>[] = [
    {
      key: "name",
      head: t("org.name"),
      className: wide,
      cell: (m) => <Person id={m.account_id} name={m.name} detail={m.email} badge={m.account_id === me.id && <You />} />,
    },
    {
      key: "role",
      head: t("org.roleInTeam"),
      narrow: true,
      cell: (m) => <Badge tone={m.role === "lead" ? "brand" : "neutral"}>{t(`org.teamRole.${m.role}`)}</Badge>,
    },
    { key: "joined", head: t("org.joined"), narrow: true, from: "md", className: "pl-8 text-muted-foreground", cell: (m) => <When at={m.joined_at} /> },
  ];
  if (manage)
    columns.push({
      key: "actions",
      head: t("org.actions"),
      silent: true,
      narrow: true,
      cell: (m) => (
        <Menu>
          <MenuTrigger render={<Button variant="ghost" size="icon-sm" aria-label={t("action.more", { name: m.name })} />}>
            <Ellipsis />
          </MenuTrigger>
          <MenuContent>
            <MenuItem onClick={() => lead.mutate({ member: m, role: m.role === "lead" ? "member" : "lead" })}>
              {m.role === "lead" ? <StarOff /> : <Star />}
              {t(m.role === "lead" ? "org.makeTeammate" : "org.makeLead")}
            </MenuItem>
            <MenuItem danger onClick={() => removing.show(m)}>
              <UserRoundX />
              {t("org.takeOut")}
            </MenuItem>
          </MenuContent>
        </Menu>
      ),
    });
  const add = (variant: "primary" | "secondary") =>
    manage && (
      <Button variant={variant} onClick={() => setDialog("add")}>
        <UserPlus />
        {t("org.addToTeam")}
      </Button>
    );
  return (
    <Page
      title={team.name}
      hint={
        <span className="flex min-w-0 items-center gap-2">
          <Link to="/o/$org/teams" params={{ org: org.slug }} className="inline-flex shrink-0 items-center gap-0.5 rounded hover:text-foreground">
            <ChevronLeft aria-hidden className="size-3.5" />
            {t("org.allTeams")}
          </Link>
          <span aria-hidden className="text-faint">
            ·
          </span>
          <span className="truncate font-mono text-xs">{team.slug}</span>
        </span>
      }
      actions={
        manage && (
          <>
            <Menu>
              <MenuTrigger render={<Button size="icon" aria-label={t("action.more", { name: team.name })} />}>
                <Ellipsis />
              </MenuTrigger>
              <MenuContent>
                <MenuItem onClick={() => setDialog("rename")}>
                  <Pencil />
                  {t("org.rename")}
                </MenuItem>
                <MenuItem danger onClick={() => setDialog("delete")}>
                  <Trash2 />
                  {t("org.deleteTeam")}
                </MenuItem>
              </MenuContent>
            </Menu>
            {add("primary")}
          </>
        )
      }
    >
      <DataTable
        label={t("nav.members")}
        columns={columns}
        query={only(query, (m) => matches(q, m.name, m.email))}
        rowKey={(m) => m.account_id}
        clear={q ? () => setQ("") : undefined}
        toolbar={items(query).length > 0 && <SearchField label={t("org.searchMembers")} value={q} onChange={setQ} />}
        empty={
          <Empty icon={<UsersRound />} title={t("org.emptyTeam")} action={add("secondary")}>
            {t("org.emptyTeamHint")}
          </Empty>
        }
      />
      <AddToTeam org={org} team={team} there={items(query)} {...opened("add")} />
      <TeamDialog org={org} team={team} {...opened("rename")} />
      <DeleteTeam org={org} team={team} {...opened("delete")} gone={() => navigate({ to: "/o/$org/teams", params: { org: org.slug } })} />
      <TakeOut org={org} team={team} member={removing.subject} open={removing.open} setOpen={removing.setOpen} />
    </Page>
  );
}

interface TakeOutProps {
  org: Org;
  team: Team;
  member: Teammate | undefined;
  open: boolean;
  setOpen: (open: boolean) => void;
}

function TakeOut({ org, team, member, open, setOpen }: TakeOutProps) {
  const { account_id: account = "", name = "" } = member ?? {};
  const remove = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/orgs/{org}/teams/{team}/members/{account}", { params: { path: { org: org.id, team: team.id, account } } })),
    onSuccess: () => toast.done(t("org.takenOut", { name, team: team.name })),
    onSettled: () => setOpen(false),
  });
  return (
    <Confirm
      open={open}
      onOpenChange={setOpen}
      title={t("org.takeOutTitle", { name, team: team.name })}
      action={t("org.takeOut")}
      pending={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>{t("org.takeOutBody", { org: org.name })}</p>
    </Confirm>
  );
}

export const Route = createFileRoute("/_app/o/$org/teams/$team")({ component: TeamPage });
