import { useQuery } from "@tanstack/react-query";
import { createFileRoute, useBlocker } from "@tanstack/react-router";
import { useState } from "react";
import { Crash } from "@/components/layout/fallback";
import { Badge, Card, CardBody, CardHeader, Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Switch } from "@/components/ui/choice";
import { Alert } from "@/components/ui/form";
import { toast } from "@/components/ui/toast";
import { Back, Loading } from "@/features/admin/parts";
import { PrerequisitesEditor, ScheduleEditor, VariantsEditor } from "@/features/flags/definition";
import { changesOf, type Draft, draftOf } from "@/features/flags/draft";
import { History, Usage } from "@/features/flags/history";
import { Badges, Labelled } from "@/features/flags/parts";
import { flagQuery, type Read } from "@/features/flags/queries";
import { Attributes, RulesEditor } from "@/features/flags/rules";
import { ServeEditor } from "@/features/flags/serve";
import { Tester } from "@/features/flags/tester";
import { AskWhy, Endings, Toggle, useUpdate } from "@/features/flags/verbs";
import { says } from "@/features/flags/words";
import { t } from "@/lib/i18n";

function FlagPage() {
  const { flag: key } = Route.useParams();
  const { data, error, refetch } = useQuery(flagQuery(key));
  if (error && !data) return <Crash error={error} reset={refetch} />;
  if (!data) return <Loading title={t("flags.flag")} />;
  return <Editor key={key} latest={data} />;
}

/** The flag as it is being changed. What it was read as stays its base, however it changes elsewhere. */
function Editor({ latest }: { latest: Read }) {
  const [base, setBase] = useState(latest);
  const [draft, setDraft] = useState(() => draftOf(latest.flag));
  const [asking, ask] = useState(false);
  const changes = changesOf(base.flag, draft);
  const dirty = Object.keys(changes).length > 0;
  const follow = (to: Read) => {
    setBase(to);
    setDraft(draftOf(to.flag));
  };
  if (!dirty && latest.etag !== base.etag) follow(latest);
  const save = useUpdate(base, () => {
    ask(false);
    setDraft(draftOf(base.flag)); // and follow what was saved
    toast.done(t("flags.saved", { key: base.flag.key }), t("flags.savedHint"));
  });
  useBlocker({ shouldBlockFn: () => dirty && !confirm(t("flags.leave")), enableBeforeUnload: dirty });
  const { flag } = base;
  const disabled = flag.archived_at !== null;
  const set = (d: Partial<Draft>) => setDraft({ ...draft, ...d });
  return (
    <Page
      title={
        <span className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <span className="min-w-0 font-mono text-lg break-all">{flag.key}</span>
          <Badge>{t(`flags.type.${flag.type}`)}</Badge>
          <Badges flag={latest.flag} />
        </span>
      }
      hint={
        <Back to="/admin/flags" label={t("nav.flags")}>
          {says(latest.flag)}
        </Back>
      }
      actions={
        <>
          <Endings flag={latest.flag} />
          <span className="flex items-center gap-2">
            <span aria-hidden>{t(latest.flag.enabled ? "flags.isOn" : "flags.isOff")}</span>
            <Toggle {...latest} />
          </span>
        </>
      }
    >
      <Attributes />
      {flag.stale && !disabled && <Alert tone="warning">{t(`flags.staleHint.${flag.stale}`)}</Alert>}
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="grid gap-4">
          <Card>
            <CardHeader title={t("flags.targeting")} hint={t("flags.targetingHint")} />
            <CardBody>
              <RulesEditor draft={draft} disabled={disabled} onChange={(rules) => set({ rules })} />
            </CardBody>
            <CardBody>
              <h3 className="mb-3 text-sm font-semibold">{t(draft.rules.length > 0 ? "flags.everybodyElse" : "flags.everybody")}</h3>
              <ServeEditor label={t("flags.default")} draft={draft} serve={draft.default} disabled={disabled} onChange={(serve) => set({ default: serve })} />
            </CardBody>
          </Card>
          <Card>
            <CardHeader title={t("flags.variants")} hint={t("flags.variantsHint")} />
            <CardBody>
              <VariantsEditor key={base.etag} flag={flag} draft={draft} disabled={disabled} onChange={setDraft} />
            </CardBody>
          </Card>
          <Card>
            <CardHeader title={t("flags.schedule")} hint={t("flags.scheduleHint")} />
            <CardBody>
              <ScheduleEditor draft={draft} disabled={disabled} onChange={setDraft} />
            </CardBody>
          </Card>
          <Card>
            <CardHeader title={t("flags.prerequisites")} hint={t("flags.prerequisitesHint")} />
            <CardBody>
              <PrerequisitesEditor flag={flag} draft={draft} disabled={disabled} onChange={setDraft} />
            </CardBody>
          </Card>
          <About draft={draft} disabled={disabled} set={set} />
        </div>
        <div className="grid gap-4">
          <Card>
            <CardHeader title={t("flags.usage")} hint={t("flags.usageHint")} />
            <CardBody>
              <Usage flag={flag.key} />
            </CardBody>
          </Card>
          {!disabled && <Tester flag={flag} />}
          <History flag={flag.key} />
        </div>
      </div>
      {dirty && (
        <div className="sticky bottom-3 z-10 flex flex-wrap items-center justify-end gap-2 rounded-lg border bg-card p-3 shadow-card" role="status">
          <span className="flex-1">{latest.etag === base.etag ? t("flags.unsaved") : t("flags.collided")}</span>
          <Button onClick={() => follow(latest)}>{t(latest.etag === base.etag ? "flags.discard" : "flags.showTheirs")}</Button>
          <Button variant="primary" onClick={() => ask(true)}>
            {t("action.save")}
          </Button>
        </div>
      )}
      <AskWhy
        open={asking}
        setOpen={(o) => {
          save.reset();
          ask(o);
        }}
        title={t("flags.saveTitle", { key: flag.key })}
        action={t("action.save")}
        pending={save.isPending}
        error={save.error}
        onReason={(reason) => save.mutate({ ...changes, reason })}
        reload={() => {
          ask(false);
          save.reset();
          follow(latest);
        }}
      >
        {t("flags.saveBody", { fields: Object.keys(changes).join(", ") })}
      </AskWhy>
    </Page>
  );
}

function About({ draft, disabled, set }: { draft: Draft; disabled: boolean; set: (d: Partial<Draft>) => void }) {
  return (
    <Card>
      <CardHeader title={t("flags.about")} />
      <CardBody className="grid gap-4 sm:grid-cols-2">
        <Labelled
          label={t("flags.description")}
          value={draft.description}
          disabled={disabled}
          maxLength={1000}
          onChange={(e) => set({ description: e.target.value })}
          className="sm:col-span-2"
        />
        <Labelled label={t("flags.owner")} value={draft.owner} disabled={disabled} maxLength={100} onChange={(e) => set({ owner: e.target.value })} />
        <div className="flex items-center gap-3">
          <Switch label={t("flags.client")} checked={draft.client} disabled={disabled} onCheckedChange={(client) => set({ client })} />
          <span>
            {t("flags.client")}
            <span className="block text-xs text-muted-foreground">{t("flags.clientHint")}</span>
          </span>
        </div>
      </CardBody>
    </Card>
  );
}

export const Route = createFileRoute("/_app/admin/flags/$flag")({ component: FlagPage });
