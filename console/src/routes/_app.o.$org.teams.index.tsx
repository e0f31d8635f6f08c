import { useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute, Link, useNavigate } from "@tanstack/react-router";
import { Ellipsis, Pencil, Plus, Trash2, UsersRound } from "lucide-react";
import { useCan } from "@/api/queries";
import { Empty, Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuTrigger } from "@/components/ui/overlay";
import { type Column, DataTable } from "@/components/ui/table";
import { When, wide } from "@/features/org/parts";
import { DeleteTeam, Faces, type Team, TeamDialog } from "@/features/org/teams";
import { teamsQuery, useOrg, useSubject } from "@/features/org/use";
import { t } from "@/lib/i18n";

function Teams() {
  const org = useOrg();
  const manage = useCan(org)("orgs.manage_teams");
  const navigate = useNavigate();
  const editing = useSubject<Team | undefined>();
  const deleting = useSubject<Team>();
  const columns: Column<Team>[] = [
    {
      key: "name",
      head: t("org.name"),
      className: wide,
      cell: (team) => (
        <>
          <Link to="/o/$org/teams/$team" params={{ org: org.slug, team: team.id }} className="block truncate rounded font-medium hover:underline">
            {team.name}
          </Link>
          <div className="truncate font-mono text-xs text-muted-foreground">{team.slug}</div>
        </>
      ),
    },
    { key: "who", head: t("nav.members"), narrow: true, cell: (team) => <Faces org={org.id} team={team} /> },
    {
      key: "created",
      head: t("org.createdAt"),
      narrow: true,
      from: "md",
      className: "pl-8 text-muted-foreground",
      cell: (team) => <When at={team.created_at} />,
    },
  ];
  if (manage)
    columns.push({
      key: "actions",
      head: t("org.actions"),
      silent: true,
      narrow: true,
      cell: (team) => (
        <Menu>
          <MenuTrigger render={<Button variant="ghost" size="icon-sm" aria-label={t("action.more", { name: team.name })} />}>
            <Ellipsis />
          </MenuTrigger>
          <MenuContent>
            <MenuItem onClick={() => editing.show(team)}>
              <Pencil />
              {t("org.rename")}
            </MenuItem>
            <MenuItem danger onClick={() => deleting.show(team)}>
              <Trash2 />
              {t("action.delete")}
            </MenuItem>
          </MenuContent>
        </Menu>
      ),
    });
  const create = (variant: "primary" | "secondary") =>
    manage && (
      <Button variant={variant} onClick={() => editing.show(undefined)}>
        <Plus />
        {t("org.newTeam")}
      </Button>
    );
  return (
    <Page title={t("nav.teams")} hint={t("org.teamsHint")} actions={create("primary")}>
      <DataTable
        label={t("nav.teams")}
        columns={columns}
        query={useInfiniteQuery(teamsQuery(org.id))}
        rowKey={(team) => team.id}
        onRow={(team) => navigate({ to: "/o/$org/teams/$team", params: { org: org.slug, team: team.id } })}
        empty={
          <Empty icon={<UsersRound />} title={t("org.noTeams")} action={create("secondary")}>
            {t("org.noTeamsHint")}
          </Empty>
        }
      />
      <TeamDialog org={org} team={editing.subject} open={editing.open} setOpen={editing.setOpen} />
      <DeleteTeam org={org} team={deleting.subject} open={deleting.open} setOpen={deleting.setOpen} />
    </Page>
  );
}

export const Route = createFileRoute("/_app/o/$org/teams/")({ component: Teams });
