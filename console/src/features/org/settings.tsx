import { queryOptions, useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { api, data, explain, type Schemas, TenonError } from "@/api/client";
import { orgsQuery, queryClient, useCan } from "@/api/queries";
import { Avatar, Card, CardBody, CardFooter, CardHeader, Facts, Row } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Switch } from "@/components/ui/choice";
import { Alert, Form, TextArea, TextField } from "@/components/ui/form";
import { Confirm, Dialog, Select } from "@/components/ui/overlay";
import { toast } from "@/components/ui/toast";
import { boot } from "@/lib/boot";
import { day } from "@/lib/format";
import { languages, t } from "@/lib/i18n";
import { HandOver } from "./members";
import { matches, SearchField } from "./parts";
import { items, type Member, membersQuery, type Org, SECURITY, useRest, useSubject } from "./use";

/** An organization as somebody read it, and the mark by which the server knows that state again. */
export interface Seen {
  org: Org;
  etag: string;
}

async function seen(answer: Promise<{ data?: Org; response: Response }>): Promise<Seen> {
  const { data: org, response } = await answer;
  return { org: org as Org, etag: response.headers.get("ETag") ?? "" };
}

export const orgQuery = (org: string) =>
  queryOptions({ queryKey: ["org", org], queryFn: ({ signal }) => seen(api.GET("/api/v1/orgs/{org}", { signal, params: { path: { org } } })) });

type Change = Schemas["OrgsUpdateInputBody"];

async function patch(org: string, etag: string, body: Change): Promise<Seen> {
  const saved = await seen(api.PATCH("/api/v1/orgs/{org}", { params: { path: { org }, header: { "If-Match": etag } }, body }));
  queryClient.setQueryData(orgQuery(org).queryKey, saved);
  return saved;
}

const overtaken = (e: unknown) => e instanceof TenonError && e.status === 412;

const differ = (a: Record<string, string>, b: Record<string, string>) => Object.keys(a).some((name) => a[name] !== b[name]);

/**
 * Some fields that the reader edits, and the state that they began with. Untouched, they
 * follow what others change; touched, saving is refused if somebody was faster.
 */
function useDraft<F extends Record<string, string>>(
  now: Seen,
  pick: (o: Org) => F,
  body: (changed: Partial<F>) => Change,
  done: (saved: Org, before: Org) => void,
) {
  const [base, setBase] = useState(now);
  const [draft, setDraft] = useState(() => pick(now.org));
  const before: F = pick(base.org);
  const changed = Object.fromEntries(Object.entries(draft).filter(([name, value]) => before[name] !== value)) as Partial<F>;
  const dirty = differ(draft, before);
  const adopt = (s: Seen) => {
    setBase(s);
    setDraft(pick(s.org));
  };
  if (!dirty && now.etag !== base.etag) adopt(now);
  const save = useMutation({
    mutationFn: async (etag: string) => {
      try {
        return await patch(now.org.id, etag, body(changed));
      } catch (e) {
        if (!overtaken(e)) throw e;
        const theirs = await queryClient.fetchQuery({ ...orgQuery(now.org.id), staleTime: 0 });
        if (differ(before, pick(theirs.org))) throw e;
        return patch(now.org.id, theirs.etag, body(changed)); // they changed something else
      }
    },
    meta: { handled: true },
    onSuccess: (saved) => {
      adopt(saved);
      done(saved.org, base.org);
    },
  });
  return {
    draft,
    set: (some: Partial<F>) => setDraft({ ...draft, ...some }),
    dirty,
    save,
    etag: base.etag,
    /** Set while somebody else was faster: what it is by now. */
    conflict: overtaken(save.error) ? { began: base, theirs: now, mine: () => save.mutate(now.etag) } : undefined,
    reset: (s: Seen) => {
      adopt(s);
      save.reset();
    },
  };
}

type Draft = ReturnType<typeof useDraft>;

/** Says what somebody else made of the same fields, and lets the reader choose. */
function Conflict({ draft, fields }: { draft: Pick<Draft, "conflict" | "reset" | "save">; fields: (o: Org) => [string, string][] }) {
  if (!draft.conflict) return null;
  const { began, theirs, mine } = draft.conflict;
  const before = fields(began.org);
  const news = fields(theirs.org).filter(([, value], i) => value !== before[i]?.[1]);
  return (
    <Alert tone="warning">
      <p className="font-medium">{t("org.conflict")}</p>
      <dl className="mt-1 grid gap-x-2 sm:grid-cols-[auto_1fr]">
        {news.map(([name, value]) => (
          <div key={name} className="contents">
            <dt>{name}:</dt>
            <dd className="font-medium break-words max-sm:mb-1">{value || "—"}</dd>
          </div>
        ))}
      </dl>
      <div className="mt-2.5 flex flex-wrap gap-2">
        <Button size="sm" className="text-foreground" onClick={() => draft.reset(theirs)}>
          {t("org.takeTheirs")}
        </Button>
        <Button size="sm" className="text-foreground" loading={draft.save.isPending} onClick={mine}>
          {t("org.saveMine")}
        </Button>
      </div>
    </Alert>
  );
}

const SaveBar = ({ draft, now }: { draft: Pick<Draft, "dirty" | "reset" | "save">; now: Seen }) => (
  <CardFooter>
    {draft.dirty && (
      <Button variant="ghost" onClick={() => draft.reset(now)}>
        {t("org.discard")}
      </Button>
    )}
    <Button type="submit" variant="primary" disabled={!draft.dirty} loading={draft.save.isPending}>
      {t("action.save")}
    </Button>
  </CardFooter>
);

export function General({ now }: { now: Seen }) {
  const can = useCan(now.org);
  const navigate = useNavigate();
  const draft = useDraft(
    now,
    ({ name, slug, description }) => ({ name, slug, description }),
    (changed) => changed,
    (saved, before) => {
      toast.done(t("org.saved", { org: saved.name }));
      if (saved.slug !== before.slug) void navigate({ to: "/o/$org/settings", params: { org: saved.slug }, replace: true });
    },
  );
  if (!can("orgs.update"))
    return (
      <Card>
        <CardHeader title={t("org.general")} />
        <CardBody>
          <Facts
            items={[
              [t("org.name"), now.org.name],
              [
                t("org.slug"),
                <span key="slug" className="font-mono text-xs">
                  {now.org.slug}
                </span>,
              ],
              [t("org.description"), now.org.description || "—"],
            ]}
          />
        </CardBody>
      </Card>
    );
  const moved = draft.draft.slug !== now.org.slug;
  return (
    <Card>
      <CardHeader title={t("org.general")} hint={t("org.generalHint")} />
      <Form error={draft.conflict ? undefined : draft.save.error} onSubmit={() => draft.dirty && draft.save.mutate(draft.etag)} className="gap-0">
        <CardBody className="grid gap-4 *:max-w-lg">
          <Conflict
            draft={draft}
            fields={(o) => [
              [t("org.name"), o.name],
              [t("org.slug"), o.slug],
              [t("org.description"), o.description],
            ]}
          />
          <TextField
            name="name"
            label={t("org.name")}
            required
            value={draft.draft.name}
            onChange={(e) => draft.set({ name: e.target.value })}
            autoComplete="off"
          />
          <TextField
            name="slug"
            label={t("org.slug")}
            hint={
              moved ? (
                <span className="text-warning">{t("org.slugMoves", { from: `/o/${now.org.slug}`, to: `/o/${draft.draft.slug}` })}</span>
              ) : (
                t("org.slugHint")
              )
            }
            required
            value={draft.draft.slug}
            onChange={(e) => draft.set({ slug: e.target.value })}
            autoCapitalize="none"
            autoComplete="off"
            spellCheck={false}
            className="font-mono"
          />
          <TextArea
            name="description"
            label={t("org.description")}
            hint={t("org.descriptionHint")}
            value={draft.draft.description}
            onChange={(e) => draft.set({ description: e.target.value })}
          />
        </CardBody>
        <SaveBar draft={draft} now={now} />
      </Form>
    </Card>
  );
}

const localeName = (l: string) => (l ? (languages[l] ?? l) : t("org.localeSender"));

export function Preferences({ now }: { now: Seen }) {
  const draft = useDraft(
    now,
    ({ settings }) => ({ locale: settings.locale, time_zone: settings.time_zone }),
    (settings) => ({ settings }),
    (saved) => toast.done(t("org.preferencesSaved", { org: saved.name })),
  );
  const locales = [...new Set(["", ...boot.locales, now.org.settings.locale])];
  return (
    <Card>
      <CardHeader title={t("org.preferences")} hint={t("org.preferencesHint")} />
      <Form error={draft.conflict ? undefined : draft.save.error} onSubmit={() => draft.dirty && draft.save.mutate(draft.etag)} className="gap-0">
        <CardBody className="grid gap-4 *:max-w-lg">
          <Conflict
            draft={draft}
            fields={(o) => [
              [t("org.locale"), localeName(o.settings.locale)],
              [t("org.timeZone"), o.settings.time_zone || t("org.zoneOwn")],
            ]}
          />
          <Select
            field
            label={t("org.locale")}
            hint={t("org.localeHint")}
            value={draft.draft.locale}
            onChange={(locale) => draft.set({ locale })}
            items={locales.map((value) => ({ value, label: localeName(value) }))}
          />
          <TextField
            name="settings.time_zone"
            label={t("org.timeZone")}
            hint={t("org.timeZoneHint")}
            placeholder={t("org.zoneOwn")}
            list="zones"
            value={draft.draft.time_zone}
            onChange={(e) => draft.set({ time_zone: e.target.value })}
            autoComplete="off"
            spellCheck={false}
          />
          <datalist id="zones">
            {Intl.supportedValuesOf("timeZone").map((z) => (
              <option key={z} value={z} />
            ))}
          </datalist>
        </CardBody>
        <SaveBar draft={draft} now={now} />
      </Form>
    </Card>
  );
}

export function SecondFactor({ now }: { now: Seen }) {
  const [asking, setAsking] = useState(false);
  const required = now.org.settings.require_second_factor;
  const turn = useMutation({
    mutationFn: (require_second_factor: boolean) => patch(now.org.id, now.etag, { settings: { require_second_factor } }),
    meta: { handled: true },
    onSuccess: (saved) => toast.done(t(saved.org.settings.require_second_factor ? "org.factorRequired" : "org.factorNotRequired", { org: saved.org.name })),
    onError: () => queryClient.refetchQueries({ queryKey: orgQuery(now.org.id).queryKey }),
    onSettled: () => setAsking(false),
  });
  return (
    <Card>
      <CardHeader
        title={t("org.requireFactor")}
        hint={t("org.requireFactorHint")}
        actions={
          <Switch
            label={t("org.requireFactor")}
            checked={required}
            disabled={turn.isPending}
            onCheckedChange={(on) => (on ? setAsking(true) : turn.mutate(false))}
          />
        }
      />
      {turn.error && (
        <CardBody>
          <Alert>
            {explain(turn.error)}
            {(turn.error as TenonError).code === "orgs.second_factor_needed" && (
              <>
                {" "}
                <Link to={SECURITY} className="rounded font-medium underline underline-offset-4">
                  {t("org.setUpFactor")}
                </Link>
              </>
            )}
          </Alert>
        </CardBody>
      )}
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={t("org.requireFactorTitle")}
        action={t("org.requireFactorDo")}
        danger={false}
        pending={turn.isPending}
        onConfirm={() => turn.mutate(true)}
      >
        <p>{t("org.requireFactorBody")}</p>
      </Confirm>
    </Card>
  );
}

/** What takes the organization away from the reader, or from everybody. */
export function Danger({ org }: { org: Org }) {
  const can = useCan(org);
  const [dialog, setDialog] = useState<"leave" | "choose" | "delete">();
  const heir = useSubject<Member>();
  const opened = (what: typeof dialog) => ({ open: dialog === what, setOpen: (open: boolean) => setDialog(open ? what : undefined) });
  return (
    <Card id="danger" className="scroll-mt-20">
      <CardHeader title={t("org.danger")} />
      <ul>
        <Row
          title={t("org.leave")}
          detail={t("org.leaveHint")}
          actions={
            <Button variant="danger-soft" onClick={() => setDialog("leave")}>
              {t("org.leaveDo")}
            </Button>
          }
        />
        {can("orgs.transfer") && (
          <Row
            title={t("org.handOverRow")}
            detail={t("org.handOverHint")}
            actions={
              <Button variant="danger-soft" onClick={() => setDialog("choose")}>
                {t("org.chooseMember")}
              </Button>
            }
          />
        )}
        {can("orgs.delete") && (
          <Row
            title={t("org.delete")}
            detail={t("org.deleteHint")}
            actions={
              <Button variant="danger-soft" onClick={() => setDialog("delete")}>
                {t("action.delete")}
              </Button>
            }
          />
        )}
      </ul>
      <Leave org={org} {...opened("leave")} />
      <ChooseHeir
        org={org}
        {...opened("choose")}
        choose={(m) => {
          setDialog(undefined);
          heir.show(m);
        }}
      />
      <HandOver org={org} member={heir.subject} open={heir.open} setOpen={heir.setOpen} />
      <Delete org={org} {...opened("delete")} />
    </Card>
  );
}

interface DialogProps {
  org: Org;
  open: boolean;
  setOpen: (open: boolean) => void;
}

function Leave({ org, open, setOpen }: DialogProps) {
  const navigate = useNavigate();
  const leave = useMutation({
    mutationFn: () => data(api.POST("/api/v1/orgs/{org}/leave", { params: { path: { org: org.id } } })),
    meta: { quiet: true }, // what this page shows cannot be read any more
    onSuccess: async () => {
      toast.done(t("org.left", { org: org.name }));
      await queryClient.refetchQueries({ queryKey: orgsQuery.queryKey });
      await navigate({ to: "/" });
    },
    onSettled: () => setOpen(false),
  });
  return (
    <Confirm
      open={open}
      onOpenChange={setOpen}
      title={t("org.leaveTitle", { org: org.name })}
      action={t("org.leaveDo")}
      pending={leave.isPending}
      onConfirm={() => leave.mutate()}
    >
      <p>{t("org.leaveBody")}</p>
    </Confirm>
  );
}

function Delete({ org, open, setOpen }: DialogProps) {
  const remove = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/orgs/{org}", { params: { path: { org: org.id } } })),
    meta: { quiet: true },
    onSuccess: async ({ purge_at }) => {
      toast.done(t("org.deleted", { org: org.name }), t("org.deletedHint", { until: day(purge_at) }));
      await queryClient.refetchQueries({ queryKey: orgsQuery.queryKey });
    },
    onSettled: () => setOpen(false),
  });
  return (
    <Confirm
      open={open}
      onOpenChange={setOpen}
      title={t("org.deleteTitle", { org: org.name })}
      action={t("action.delete")}
      phrase={org.slug}
      pending={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>{t("org.deleteBody")}</p>
    </Confirm>
  );
}

function ChooseHeir({ org, open, setOpen, choose }: DialogProps & { choose: (m: Member) => void }) {
  return (
    <Dialog open={open} onOpenChange={setOpen} title={t("org.chooseHeirTitle", { org: org.name })} hint={t("org.handOverHint")}>
      <Heirs org={org} choose={choose} />
    </Dialog>
  );
}

function Heirs({ org, choose }: { org: Org; choose: (m: Member) => void }) {
  const me = queryClient.getQueryData<Schemas["Account"]>(["me"]);
  const [q, setQ] = useState("");
  const members = useRest(useInfiniteQuery(membersQuery(org.id)));
  const others = items(members).filter((m) => m.account_id !== me?.id);
  if (members.data && others.length === 0) return <p className="text-muted-foreground">{t("org.noHeirs")}</p>;
  const found = others.filter((m) => matches(q, m.name, m.email));
  return (
    <div className="grid gap-3">
      <SearchField label={t("org.searchMembers")} value={q} onChange={setQ} className="sm:max-w-none" />
      <ul className="max-h-64 overflow-y-auto rounded-md border p-1 shadow-btn">
        {found.map((m) => (
          <li key={m.account_id}>
            <button type="button" onClick={() => choose(m)} className="flex w-full items-center gap-3 rounded-sm px-2 py-1.5 text-left hover:bg-accent">
              <Avatar name={m.name} id={m.account_id} className="size-7" />
              <span className="min-w-0">
                <span className="block truncate font-medium">{m.name}</span>
                <span className="block truncate text-xs text-muted-foreground">{m.email}</span>
              </span>
            </button>
          </li>
        ))}
        {found.length === 0 && <NoneFound>{t("list.noMatch")}</NoneFound>}
      </ul>
    </div>
  );
}

const NoneFound = ({ children }: { children: ReactNode }) => <li className="px-3 py-8 text-center text-muted-foreground">{children}</li>;
