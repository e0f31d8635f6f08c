import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { api, data, type Schemas } from "@/api/client";
import { Facts } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Code, CopyButton, SecretOnce } from "@/components/ui/copy";
import { Alert, Form, TextField } from "@/components/ui/form";
import { Confirm, Dialog, DialogActions, Select } from "@/components/ui/overlay";
import { toast } from "@/components/ui/toast";
import { boot } from "@/lib/boot";
import { exact, moment } from "@/lib/format";
import { t } from "@/lib/i18n";
import { curlOf, expiryOf, type Key, overlaps, type Term } from "./keys";
import { PermissionList, PermissionPicker } from "./permissions";
import { type Org, useEachOpening, useRights } from "./use";

interface DialogProps {
  open: boolean;
  setOpen: (open: boolean) => void;
}

export function CreateKey({ org, open, setOpen }: DialogProps & { org: Org }) {
  const [made, setMade] = useEachOpening<Schemas["ApikeysNewValue"]>(open);
  return (
    <Dialog wide keep open={open} onOpenChange={setOpen} title={made ? t("org.keyMadeTitle") : t("org.newKey")} hint={made ? undefined : t("org.newKeyHint")}>
      {made ? <Shown org={org} value={made} close={() => setOpen(false)} /> : <CreateForm org={org} done={setMade} close={() => setOpen(false)} />}
    </Dialog>
  );
}

function CreateForm({ org, done, close }: { org: Org; done: (key: Schemas["ApikeysNewValue"]) => void; close: () => void }) {
  const rights = useRights(org);
  const [scopes, setScopes] = useState(["orgs.read"].filter(rights.holds));
  const [term, setTerm] = useState<Term>("90");
  const create = useMutation({
    mutationFn: (v: { name: string; date: string }) =>
      data(api.POST("/api/v1/orgs/{org}/api-keys", { params: { path: { org: org.id } }, body: { name: v.name, scopes, expires_at: expiryOf(term, v.date) } })),
    meta: { handled: true },
    onSuccess: done, // which says so itself
  });
  return (
    <Form error={create.error} onSubmit={(v) => create.mutate({ name: v.name ?? "", date: v.expires_at ?? "" })}>
      <TextField name="name" label={t("org.name")} placeholder={t("org.keyNamePlaceholder")} required autoFocus autoComplete="off" />
      <div className="grid gap-4 sm:grid-cols-2">
        <Select field label={t("org.term")} value={term} onChange={setTerm} items={terms()} hint={term === "never" ? t("org.termNeverHint") : undefined} />
        {term === "date" && <TextField name="expires_at" type="date" label={t("org.termDate")} min={new Date().toISOString().slice(0, 10)} required />}
      </div>
      <div className="grid gap-1.5">
        <span className="font-medium">{t("org.scopes")}</span>
        <p className="text-xs text-muted-foreground">{t("org.scopesHint")}</p>
        <PermissionPicker value={scopes} onChange={setScopes} holds={rights.holds} />
      </div>
      <DialogActions>
        <Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary" loading={create.isPending}>
          {t("org.makeKey")}
        </Button>
      </DialogActions>
    </Form>
  );
}

const terms = (): { value: Term; label: string }[] => [
  ...(["30", "90", "365"] as const).map((days) => ({ value: days, label: t("org.termDays", { n: Number(days) }) })),
  { value: "date", label: t("org.termUntil") },
  { value: "never", label: t("org.termNever") },
];

/** A new value, which nobody sees again, and a line to try it with. */
function Shown({ org, value, close }: { org: Org; value: Schemas["ApikeysNewValue"]; close: () => void }) {
  const curl = curlOf(location.origin + boot.base, org.id, value.scopes, value.key);
  return (
    <div className="grid gap-5">
      <SecretOnce secret={value.key}>{t("org.keyOnce")}</SecretOnce>
      {overlaps(value) && <p className="text-muted-foreground">{t("org.previousUntil", { until: moment(value.previous_expires_at ?? "") })}</p>}
      {curl && (
        <section className="grid min-w-0 gap-1.5">
          <div className="flex items-center justify-between gap-2">
            <h3 className="font-medium">{t("org.tryKey")}</h3>
            <CopyButton text={curl} label={t("org.copyCommand")} />
          </div>
          <code data-testid="curl" className="rounded-md border bg-muted/50 p-3 font-mono text-xs break-all select-all">
            {curl}
          </code>
        </section>
      )}
      <DialogActions>
        <Button variant="primary" onClick={close}>
          {t("org.keyStored")}
        </Button>
      </DialogActions>
    </div>
  );
}

type Overlap = "0" | "3600" | "86400" | "604800";

export function RotateKey({ org, apiKey, open, setOpen }: DialogProps & { org: Org; apiKey: Key | undefined }) {
  const [made, setMade] = useEachOpening<Schemas["ApikeysNewValue"]>(open);
  return (
    <Dialog
      wide={made !== undefined}
      keep
      open={open}
      onOpenChange={setOpen}
      title={made ? t("org.keyRotatedTitle") : t("org.rotateTitle", { name: apiKey?.name ?? "" })}
      hint={made ? undefined : t("org.rotateHint")}
    >
      {made ? (
        <Shown org={org} value={made} close={() => setOpen(false)} />
      ) : (
        apiKey && <RotateForm org={org} apiKey={apiKey} done={setMade} close={() => setOpen(false)} />
      )}
    </Dialog>
  );
}

function RotateForm({ org, apiKey, done, close }: { org: Org; apiKey: Key; done: (key: Schemas["ApikeysNewValue"]) => void; close: () => void }) {
  const running = overlaps(apiKey);
  const [overlap, setOverlap] = useState<Overlap>(running ? "0" : "86400");
  const rotate = useMutation({
    mutationFn: () =>
      data(
        api.POST("/api/v1/orgs/{org}/api-keys/{key}/rotate", {
          params: { path: { org: org.id, key: apiKey.id } },
          body: { overlap_seconds: Number(overlap) },
        }),
      ),
    meta: { handled: true },
    onSuccess: done,
  });
  return (
    <Form error={rotate.error} onSubmit={() => rotate.mutate()}>
      {running ? (
        <Alert tone="warning">{t("org.rotationRunning", { until: moment(apiKey.previous_expires_at ?? "") })}</Alert>
      ) : (
        <Select
          field
          label={t("org.overlap")}
          hint={t("org.overlapHint")}
          value={overlap}
          onChange={setOverlap}
          items={(["0", "3600", "86400", "604800"] as const).map((value) => ({ value, label: t(`org.overlap.${value}`) }))}
        />
      )}
      <DialogActions>
        <Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary" loading={rotate.isPending}>
          {t("org.rotate")}
        </Button>
      </DialogActions>
    </Form>
  );
}

export const RenameKey = ({ org, apiKey, open, setOpen }: DialogProps & { org: Org; apiKey: Key | undefined }) => (
  <Dialog open={open} onOpenChange={setOpen} title={t("org.renameKeyTitle", { name: apiKey?.name ?? "" })}>
    {apiKey && <RenameForm org={org} apiKey={apiKey} close={() => setOpen(false)} />}
  </Dialog>
);

function RenameForm({ org, apiKey, close }: { org: Org; apiKey: Key; close: () => void }) {
  const rename = useMutation({
    mutationFn: (name: string) => data(api.PATCH("/api/v1/orgs/{org}/api-keys/{key}", { params: { path: { org: org.id, key: apiKey.id } }, body: { name } })),
    meta: { handled: true },
    onSuccess: (key) => {
      toast.done(t("org.keyRenamed", { name: key.name }));
      close();
    },
  });
  return (
    <Form error={rename.error} onSubmit={(v) => rename.mutate(v.name ?? "")}>
      <TextField name="name" label={t("org.name")} defaultValue={apiKey.name} required autoFocus autoComplete="off" />
      <DialogActions>
        <Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary" loading={rename.isPending}>
          {t("org.rename")}
        </Button>
      </DialogActions>
    </Form>
  );
}

export function RevokeKey({ org, apiKey, open, setOpen }: DialogProps & { org: Org; apiKey: Key | undefined }) {
  const { id: key = "", name = "" } = apiKey ?? {};
  const revoke = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/orgs/{org}/api-keys/{key}", { params: { path: { org: org.id, key } } })),
    onSuccess: () => toast.done(t("org.keyRevoked", { name })),
    onSettled: () => setOpen(false),
  });
  return (
    <Confirm
      open={open}
      onOpenChange={setOpen}
      title={t("org.revokeKeyTitle", { name })}
      action={t("org.revoke")}
      pending={revoke.isPending}
      onConfirm={() => revoke.mutate()}
    >
      <p>{t("org.revokeKeyBody")}</p>
    </Confirm>
  );
}

/** Everything about a key but its value. */
export function KeyDetail({ apiKey, owner, open, setOpen }: DialogProps & { apiKey: Key | undefined; owner: string }) {
  return (
    <Dialog wide open={open} onOpenChange={setOpen} title={apiKey?.name ?? ""}>
      {apiKey && (
        <div className="grid gap-5">
          <Facts className="lg:grid-cols-2" items={factsOf(apiKey, owner)} />
          <section className="rounded-md border bg-muted/40 p-3.5">
            <h3 className="mb-2.5 font-medium">{t("org.scopes")}</h3>
            <PermissionList permissions={apiKey.scopes} />
          </section>
        </div>
      )}
    </Dialog>
  );
}

function factsOf(k: Key, owner: string): [ReactNode, ReactNode][] {
  const all: [ReactNode, ReactNode][] = [
    [t("org.prefix"), <span key="prefix" className="font-mono text-xs">{`${k.prefix}…`}</span>],
    [t("org.keyId"), <Code key="id">{k.id}</Code>],
    [t("org.madeBy"), owner],
    [t("org.createdAt"), exact(k.created_at)],
    [t("org.lastUsed"), k.last_used_at ? [exact(k.last_used_at), k.last_used_ip].filter(Boolean).join(", ") : t("time.never")],
    [t("org.expires"), k.expires_at ? exact(k.expires_at) : t("time.never")],
  ];
  if (k.rotated_at) all.push([t("org.rotatedAt"), exact(k.rotated_at)]);
  if (overlaps(k)) all.push([t("org.previousWorks"), t("org.until", { until: exact(k.previous_expires_at ?? "") })]);
  return all;
}
