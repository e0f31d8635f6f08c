import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Archive, ArchiveRestore, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { api, data, type Schemas, TenonError } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Switch } from "@/components/ui/choice";
import { Alert, Form, TextField } from "@/components/ui/form";
import { Dialog, DialogActions } from "@/components/ui/overlay";
import { toast } from "@/components/ui/toast";
import { t } from "@/lib/i18n";
import { type Flag, flagQuery, type Read } from "./queries";

type Update = Schemas["FlagsUpdateInputBody"];

/** Whether somebody else changed the flag since it was read. */
const collided = (e: unknown): boolean => e instanceof TenonError && e.status === 412;

interface AskWhyProps {
  open: boolean;
  setOpen: (open: boolean) => void;
  title: string;
  action: string;
  danger?: boolean;
  /** To be typed, for what cannot be undone. */
  phrase?: string;
  pending: boolean;
  error: unknown;
  onReason: (reason: string) => void;
  /** Shows what somebody else made of the flag. */
  reload?: () => void;
  children?: ReactNode;
}

/** Every change says why: that stands in the history. */
export function AskWhy({ open, setOpen, title, action, danger, phrase, pending, error, onReason, reload, children }: AskWhyProps) {
  const [typed, setTyped] = useState("");
  return (
    <Dialog
      open={open}
      onOpenChange={(o) => {
        setTyped("");
        setOpen(o);
      }}
      title={title}
      hint={children}
    >
      <Form error={collided(error) ? undefined : error} onSubmit={({ reason = "" }) => onReason(reason)}>
        {collided(error) && (
          <Alert tone="warning">
            <p>{t("flags.collided")}</p>
            {reload && (
              <Button size="sm" className="mt-2" onClick={reload}>
                {t("flags.showTheirs")}
              </Button>
            )}
          </Alert>
        )}
        <TextField name="reason" label={t("flags.reason")} hint={t("flags.reasonHint")} required minLength={3} maxLength={500} autoComplete="off" />
        {phrase && (
          <TextField
            name="phrase"
            label={t("confirm.type", { phrase })}
            value={typed}
            onChange={(e) => setTyped(e.target.value)}
            autoComplete="off"
            spellCheck={false}
          />
        )}
        <DialogActions>
          <Button onClick={() => setOpen(false)}>{t("action.cancel")}</Button>
          <Button
            type="submit"
            variant={danger ? "danger" : "primary"}
            loading={pending}
            disabled={collided(error) || (phrase !== undefined && typed !== phrase)}
          >
            {action}
          </Button>
        </DialogActions>
      </Form>
    </Dialog>
  );
}

/** Changes a flag, unless it is not as it was read any more. */
export function useUpdate({ flag, etag }: Read, done: (saved: Flag) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Update) =>
      data(api.PATCH("/api/v1/admin/flags/{flag}", { params: { path: { flag: flag.key }, header: etag ? { "If-Match": etag } : {} }, body })),
    meta: { handled: true },
    onSuccess: async (saved) => {
      await queries.invalidateQueries({ queryKey: flagQuery(flag.key).queryKey });
      done(saved);
    },
  });
}

/** The kill switch: what it does is said before it does it. */
export function Toggle({ flag, etag = "" }: { flag: Flag; etag?: string }) {
  const [open, setOpen] = useState(false);
  const to = !flag.enabled;
  const update = useUpdate({ flag, etag }, (saved) => {
    setOpen(false);
    toast.done(t(saved.enabled ? "flags.turnedOn" : "flags.turnedOff", { key: saved.key }));
  });
  return (
    <>
      <Switch label={t("flags.switch", { key: flag.key })} checked={flag.enabled} disabled={flag.archived_at !== null} onCheckedChange={() => setOpen(true)} />
      <AskWhy
        open={open}
        setOpen={(o) => {
          update.reset();
          setOpen(o);
        }}
        title={t(to ? "flags.turnOnTitle" : "flags.turnOffTitle", { key: flag.key })}
        action={t(to ? "flags.turnOn" : "flags.turnOff")}
        danger={!to}
        pending={update.isPending}
        error={update.error}
        onReason={(reason) => update.mutate({ enabled: to, reason })}
      >
        {to ? t("flags.turnOnBody") : t("flags.turnOffBody", { variant: flag.off_variant })}
      </AskWhy>
    </>
  );
}

/** Into the archive, out of it, and gone. */
export function Endings({ flag }: { flag: Flag }) {
  const navigate = useNavigate();
  const [asking, ask] = useState<"archive" | "restore" | "delete">();
  const at = { params: { path: { flag: flag.key } } };
  const end = useMutation({
    mutationFn: ({ what, reason }: { what: "archive" | "restore" | "delete"; reason: string }): Promise<unknown> => {
      const request = { ...at, body: { reason } };
      if (what === "delete") return api.DELETE("/api/v1/admin/flags/{flag}", request);
      return what === "archive" ? api.POST("/api/v1/admin/flags/{flag}/archive", request) : api.POST("/api/v1/admin/flags/{flag}/restore", request);
    },
    meta: { handled: true, quiet: asking === "delete" },
    onSuccess: async (_, { what }) => {
      ask(undefined);
      toast.done(t(`flags.done.${what}`, { key: flag.key }));
      if (what === "delete") await navigate({ to: "/admin/flags", search: { state: "archived" } });
    },
  });
  const dialog = (what: "archive" | "restore" | "delete") => ({
    open: asking === what,
    setOpen: (o: boolean) => {
      end.reset();
      ask(o ? what : undefined);
    },
    title: t(`flags.${what}Title`, { key: flag.key }),
    action: t(`flags.${what}`),
    danger: what !== "restore",
    pending: end.isPending,
    error: end.error,
    onReason: (reason: string) => end.mutate({ what, reason }),
    children: t(`flags.${what}Body`),
  });
  return (
    <>
      {flag.archived_at === null ? (
        <Button onClick={() => ask("archive")}>
          <Archive />
          {t("flags.archive")}
        </Button>
      ) : (
        <>
          <Button onClick={() => ask("restore")}>
            <ArchiveRestore />
            {t("flags.restore")}
          </Button>
          <Button variant="danger-soft" onClick={() => ask("delete")}>
            <Trash2 />
            {t("flags.delete")}
          </Button>
        </>
      )}
      <AskWhy {...dialog("archive")} />
      <AskWhy {...dialog("restore")} />
      <AskWhy {...dialog("delete")} phrase={flag.key} />
    </>
  );
}
