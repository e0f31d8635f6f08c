import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { UsersRound } from "lucide-react";
import { useState } from "react";
import { api, data, type Schemas } from "@/api/client";
import { listQuery, queryClient } from "@/api/queries";
import { Avatar, Empty, Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Form, TextField } from "@/components/ui/form";
import { Confirm, Dialog, DialogActions, Select } from "@/components/ui/overlay";
import { toast } from "@/components/ui/toast";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import { CheckRow, Choices, matches, SearchField } from "./parts";
import { slugOf } from "./slug";
import { items, membersQuery, type Org, teamsQuery, useRest } from "./use";

export type Team = Schemas["OrgsTeam"];
export type Teammate = Schemas["OrgsTeammate"];
type TeamRole = Teammate["role"];

export const teammatesQuery = (org: string, team: string) =>
  listQuery(["team-members", org, team], (cursor, signal) =>
    api.GET("/api/v1/orgs/{org}/teams/{team}/members", { signal, params: { path: { org, team }, query: { cursor, limit: 100 } } }),
  );

const faces = 5;

/** The first few of a team; the list of teams does not say who is in them. */
export function Faces({ org, team }: { org: string; team: Team }) {
  const { data: page } = useQuery({
    queryKey: ["team-members", org, team.id, faces],
    queryFn: ({ signal }) =>
      data(api.GET("/api/v1/orgs/{org}/teams/{team}/members", { signal, params: { path: { org, team: team.id }, query: { limit: faces } } })),
    staleTime: 60_000,
  });
  if (!page) return <Skeleton className="h-6 w-16 rounded-full" />;
  if (page.items.length === 0) return <span className="text-muted-foreground">{t("org.nobodyYet")}</span>;
  return (
    <span className="flex items-center">
      {page.items.map((m, i) => (
        <span key={m.account_id} title={m.name} className={cn("-ml-0.5 rounded-full ring-2 ring-card first:ml-0", i > 2 && "max-sm:hidden")}>
          <Avatar name={m.name} id={m.account_id} className="size-6" />
          <span className="sr-only">{m.name}, </span>
        </span>
      ))}
      {page.next_cursor && <span className="ml-1.5 text-xs text-muted-foreground max-sm:hidden">{t("org.andMore")}</span>}
    </span>
  );
}

/** Makes a team, or changes the name of one. */
export function TeamDialog({ org, team, open, setOpen }: { org: Org; team?: Team; open: boolean; setOpen: (open: boolean) => void }) {
  return (
    <Dialog
      open={open}
      onOpenChange={setOpen}
      title={team ? t("org.renameTeamTitle", { name: team.name }) : t("org.newTeam")}
      hint={team ? undefined : t("org.newTeamHint")}
    >
      <TeamForm org={org} team={team} close={() => setOpen(false)} />
    </Dialog>
  );
}

function TeamForm({ org, team, close }: { org: Org; team?: Team; close: () => void }) {
  const navigate = useNavigate();
  const [name, setName] = useState(team?.name ?? "");
  const [slug, setSlug] = useState(team?.slug);
  const save = useMutation({
    mutationFn: (body: { name: string; slug: string }) =>
      team
        ? data(api.PATCH("/api/v1/orgs/{org}/teams/{team}", { params: { path: { org: org.id, team: team.id } }, body }))
        : data(api.POST("/api/v1/orgs/{org}/teams", { params: { path: { org: org.id } }, body })),
    meta: { handled: true },
    onSuccess: async (saved) => {
      toast.done(t(team ? "org.teamRenamed" : "org.teamMade", { name: saved.name }));
      close();
      if (!team) await navigate({ to: "/o/$org/teams/$team", params: { org: org.slug, team: saved.id } });
    },
  });
  return (
    <Form error={save.error} onSubmit={(v) => save.mutate({ name: v.name ?? "", slug: v.slug ?? "" })}>
      <TextField name="name" label={t("org.name")} required autoFocus value={name} onChange={(e) => setName(e.target.value)} autoComplete="off" />
      <TextField
        name="slug"
        label={t("org.slug")}
        hint={t("org.slugHint")}
        required
        value={slug ?? slugOf(name)}
        onChange={(e) => setSlug(e.target.value)}
        autoCapitalize="none"
        spellCheck={false}
        className="font-mono"
      />
      <DialogActions>
        <Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary" loading={save.isPending}>
          {t(team ? "action.save" : "org.makeTeam")}
        </Button>
      </DialogActions>
    </Form>
  );
}

interface DeleteTeamProps {
  org: Org;
  team: Team | undefined;
  open: boolean;
  setOpen: (open: boolean) => void;
  /** Leads away from what shows the team. */
  gone?: () => Promise<void>;
}

export function DeleteTeam({ org, team, open, setOpen, gone }: DeleteTeamProps) {
  const { id = "", name = "" } = team ?? {};
  const remove = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/orgs/{org}/teams/{team}", { params: { path: { org: org.id, team: id } } })),
    meta: { quiet: true }, // nobody asks again for what is gone
    onSuccess: async () => {
      const list = teamsQuery(org.id).queryKey;
      queryClient.setQueryData(list, (old) => old && { ...old, pages: old.pages.map((p) => ({ ...p, items: p.items.filter((i) => i.id !== id) })) });
      toast.done(t("org.teamDeleted", { name }));
      await gone?.();
      await queryClient.invalidateQueries({ queryKey: list });
    },
    onSettled: () => setOpen(false),
  });
  return (
    <Confirm
      open={open}
      onOpenChange={setOpen}
      title={t("org.deleteTeamTitle", { name })}
      action={t("action.delete")}
      pending={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>{t("org.deleteTeamBody")}</p>
    </Confirm>
  );
}

/** Puts members of the organization into a team. */
export function AddToTeam({ org, team, there, open, setOpen }: { org: Org; team: Team; there: Teammate[]; open: boolean; setOpen: (open: boolean) => void }) {
  return (
    <Dialog open={open} onOpenChange={setOpen} title={t("org.addToTeamTitle", { name: team.name })} hint={t("org.addToTeamHint", { org: org.name })}>
      <AddForm org={org} team={team} there={there} close={() => setOpen(false)} />
    </Dialog>
  );
}

function AddForm({ org, team, there, close }: { org: Org; team: Team; there: Teammate[]; close: () => void }) {
  const [q, setQ] = useState("");
  const [chosen, setChosen] = useState<string[]>([]);
  const [role, setRole] = useState<TeamRole>("member");
  const members = useRest(useInfiniteQuery(membersQuery(org.id)));
  const others = items(members).filter((m) => !there.some((p) => p.account_id === m.account_id));
  const add = useMutation({
    mutationFn: async () => {
      for (const account of chosen)
        await data(api.PUT("/api/v1/orgs/{org}/teams/{team}/members/{account}", { params: { path: { org: org.id, team: team.id, account } }, body: { role } }));
    },
    meta: { handled: true },
    onSuccess: () => {
      const first = items(members).find((m) => m.account_id === chosen[0])?.name ?? ""; // no longer among the others, perhaps
      toast.done(chosen.length === 1 ? t("org.addedOne", { name: first, team: team.name }) : t("org.added", { n: chosen.length, team: team.name }));
      close();
    },
  });
  if (members.data && !members.hasNextPage && others.length === 0)
    return (
      <Empty icon={<UsersRound />} title={t("org.everybodyIn")} className="py-6" action={<Button onClick={close}>{t("action.close")}</Button>}>
        {t("org.everybodyInHint")}
      </Empty>
    );
  const found = others.filter((m) => matches(q, m.name, m.email));
  return (
    <Form error={add.error} onSubmit={() => chosen.length > 0 && add.mutate()}>
      <SearchField label={t("org.searchMembers")} value={q} onChange={setQ} className="sm:max-w-none" />
      <Choices label={t("nav.members")} className="h-56 max-h-56">
        {found.map((m) => (
          <CheckRow
            key={m.account_id}
            label={m.name}
            hint={m.email}
            mark={<Avatar name={m.name} id={m.account_id} className="size-7" />}
            checked={chosen.includes(m.account_id)}
            onChange={(on) => setChosen(on ? [...chosen, m.account_id] : chosen.filter((c) => c !== m.account_id))}
          />
        ))}
        {members.data && found.length === 0 && <p className="px-3 py-8 text-center text-muted-foreground">{t("list.noMatch")}</p>}
      </Choices>
      <Select field label={t("org.roleInTeam")} value={role} onChange={setRole} items={teamRoles()} />
      <DialogActions>
        <Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary" loading={add.isPending} disabled={chosen.length === 0}>
          {chosen.length > 1 ? t("org.addMany", { n: chosen.length }) : t("action.add")}
        </Button>
      </DialogActions>
    </Form>
  );
}

const teamRoles = (): { value: TeamRole; label: string; hint: string }[] => [
  { value: "member", label: t("org.teamRole.member"), hint: t("org.teamRoleHint.member") },
  { value: "lead", label: t("org.teamRole.lead"), hint: t("org.teamRoleHint.lead") },
];
