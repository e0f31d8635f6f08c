import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { CircleCheck, CircleX, UserPlus } from "lucide-react";
import { useState } from "react";
import { api, data, explain, fieldErrors, signedOut } from "@/api/client";
import { useCan } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { Form, TextArea } from "@/components/ui/form";
import { Dialog, DialogActions } from "@/components/ui/overlay";
import { toast } from "@/components/ui/toast";
import { t } from "@/lib/i18n";
import { addressesOf } from "./addresses";
import { CheckRow, Choices } from "./parts";
import { RoleSelect } from "./roles-choice";
import { items, type Org, teamsQuery, useRights } from "./use";

/** The button that invites people, and its dialog. */
export function Invite({ org, variant = "primary" }: { org: Org; variant?: "primary" | "secondary" }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button variant={variant} onClick={() => setOpen(true)}>
        <UserPlus />
        {t("org.invite")}
      </Button>
      <Dialog open={open} onOpenChange={setOpen} title={t("org.inviteTitle", { org: org.name })} hint={t("org.inviteHint")}>
        <InviteForm org={org} close={() => setOpen(false)} />
      </Dialog>
    </>
  );
}

interface Outcome {
  email: string;
  /** Why it was not sent. */
  refused?: string;
}

function InviteForm({ org, close }: { org: Org; close: () => void }) {
  const rights = useRights(org);
  const [emails, setEmails] = useState("");
  const [role, setRole] = useState("member");
  const [teams, setTeams] = useState<string[]>([]);
  const invite = useMutation({
    mutationFn: async (addresses: string[]) => {
      const outcomes: Outcome[] = [];
      // One after the other: each is a letter, and the server counts them.
      for (const email of addresses) outcomes.push(await send(org.id, email, role, teams));
      return outcomes;
    },
    meta: { handled: true },
    onSuccess: (outcomes) => {
      const sent = outcomes.filter((o) => !o.refused);
      if (sent.length > 0) toast.done(sent.length === 1 ? t("org.invitedOne", { email: sent[0]!.email }) : t("org.invited", { n: sent.length }));
      if (sent.length === outcomes.length) close();
    },
  });
  const addresses = addressesOf(emails);
  if (invite.data?.some((o) => o.refused))
    return (
      <Outcomes
        outcomes={invite.data}
        correct={(left) => {
          setEmails(left.join("\n"));
          invite.reset();
        }}
        close={close}
      />
    );
  return (
    <Form error={invite.error} onSubmit={() => addresses.length > 0 && invite.mutate(addresses)}>
      <TextArea
        name="emails"
        label={t("org.emails")}
        hint={t("org.emailsHint")}
        placeholder={"grace@example.com\nada@example.com"}
        required
        autoFocus
        spellCheck={false}
        autoCapitalize="none"
        value={emails}
        onChange={(e) => setEmails(e.target.value)}
      />
      <RoleSelect rights={rights} value={role} onChange={setRole} />
      <Teams org={org} value={teams} onChange={setTeams} />
      <DialogActions>
        <Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary" loading={invite.isPending}>
          {addresses.length > 1 ? t("org.sendInvitations", { n: addresses.length }) : t("org.sendInvitation")}
        </Button>
      </DialogActions>
    </Form>
  );
}

async function send(org: string, email: string, role: string, team_ids: string[]): Promise<Outcome> {
  try {
    await data(api.POST("/api/v1/orgs/{org}/invitations", { params: { path: { org } }, body: { email, role, team_ids } }));
    return { email };
  } catch (e) {
    if (signedOut(e)) throw e;
    return { email, refused: fieldErrors(e).email ?? explain(e) };
  }
}

function Teams({ org, value, onChange }: { org: Org; value: string[]; onChange: (teams: string[]) => void }) {
  const can = useCan(org);
  const teams = items(useInfiniteQuery({ ...teamsQuery(org.id), enabled: can("orgs.list_teams") }));
  if (teams.length === 0) return null;
  return (
    <Choices label={t("org.inviteTeams")} className="max-h-36">
      {teams.map((team) => (
        <CheckRow
          key={team.id}
          label={team.name}
          checked={value.includes(team.id)}
          onChange={(on) => onChange(on ? [...value, team.id] : value.filter((v) => v !== team.id))}
        />
      ))}
    </Choices>
  );
}

function Outcomes({ outcomes, correct, close }: { outcomes: Outcome[]; correct: (left: string[]) => void; close: () => void }) {
  const left = outcomes.filter((o) => o.refused).map((o) => o.email);
  return (
    <div className="grid gap-4">
      <p>{t("org.notAllInvited", { n: left.length })}</p>
      <ul className="max-h-72 divide-y overflow-y-auto rounded-md border shadow-btn">
        {outcomes.map((o) => (
          <li key={o.email} className="flex items-start gap-2.5 px-3 py-2">
            {o.refused ? (
              <CircleX aria-hidden className="mt-0.5 size-4 shrink-0 text-destructive" />
            ) : (
              <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0 text-success" />
            )}
            <span className="min-w-0">
              <span className="block font-medium break-words">{o.email}</span>
              <span className="block text-xs text-muted-foreground">{o.refused ?? t("org.sent")}</span>
            </span>
          </li>
        ))}
      </ul>
      <DialogActions>
        <Button onClick={() => correct(left)}>{t("org.correct")}</Button>
        <Button variant="primary" onClick={close}>
          {t("action.done")}
        </Button>
      </DialogActions>
    </div>
  );
}
