import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Switch } from "@/components/ui/choice";
import { Form, TextArea, TextField } from "@/components/ui/form";
import { Confirm, Dialog, DialogActions, Select } from "@/components/ui/overlay";
import { toast } from "@/components/ui/toast";
import { Group } from "@/features/flags/parts";
import { t } from "@/lib/i18n";
import { Banner } from "./announcements";
import { type Announcement, type Level, levels } from "./queries";

interface Props {
  /** What is changed; a new one is made where there is none. */
  announcement?: Announcement;
  open: boolean;
  setOpen: (open: boolean) => void;
}

/** Writes an announcement, and shows it meanwhile as everybody will see it. */
export function Announce({ announcement, open, setOpen }: Props) {
  return (
    <Dialog wide open={open} onOpenChange={setOpen} title={t(announcement ? "announcements.edit" : "announcements.new")} hint={t("announcements.newHint")}>
      <AnnounceForm announcement={announcement} close={() => setOpen(false)} />
    </Dialog>
  );
}

/** The local time that a field of the browser shows for an instant, and back. */
const local = (iso: string | null | undefined): string => {
  if (!iso) return "";
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
const instant = (value: string | undefined): string | undefined => (value ? new Date(value).toISOString() : undefined);

function AnnounceForm({ announcement: old, close }: { announcement?: Announcement; close: () => void }) {
  const [level, setLevel] = useState<Level>(old?.level ?? "info");
  const [title, setTitle] = useState(old?.title ?? "");
  const [message, setMessage] = useState(old?.message ?? "");
  const [label, setLabel] = useState(old?.action?.label ?? "");
  const [url, setURL] = useState(old?.action?.url ?? "");
  const [dismissible, setDismissible] = useState(old?.dismissible ?? true);
  const action = label && url ? { label, url } : undefined;
  const save = useMutation({
    mutationFn: async (v: Record<string, string>) => {
      const body = { level, title, message, action, dismissible, starts_at: instant(v.starts_at), ends_at: instant(v.ends_at) };
      if (old) await data(api.PUT("/api/v1/admin/announcements/{announcement}", { params: { path: { announcement: old.id } }, body }));
      else await data(api.POST("/api/v1/admin/announcements", { body }));
    },
    meta: { handled: true },
    onSuccess: () => {
      toast.done(t(old ? "announcements.saved" : "announcements.made", { title }));
      close();
    },
  });
  return (
    <Form error={save.error} onSubmit={(v) => save.mutate(v)}>
      <div inert>
        <Banner announcement={{ id: "", level, title: title || t("announcements.title"), message, action, dismissible }} />
      </div>
      <Select field label={t("announcements.level")} value={level} onChange={setLevel} items={levels.map((value) => ({ value, label: t(`level.${value}`) }))} />
      <TextField
        name="title"
        label={t("announcements.title")}
        required
        maxLength={100}
        autoComplete="off"
        value={title}
        onChange={(e) => setTitle(e.target.value)}
      />
      <TextArea name="message" label={t("announcements.message")} maxLength={1000} value={message} onChange={(e) => setMessage(e.target.value)} />
      <Group label={t("announcements.action")} className="grid gap-4 sm:grid-cols-2">
        <TextField
          name="action.label"
          label={t("announcements.actionLabel")}
          maxLength={50}
          required={url !== ""}
          value={label}
          onChange={(e) => setLabel(e.target.value)}
          autoComplete="off"
        />
        <TextField
          name="action.url"
          label={t("announcements.actionURL")}
          hint={t("announcements.actionHint")}
          required={label !== ""}
          pattern="(/|/[^\/\\].*|https://.+)"
          value={url}
          onChange={(e) => setURL(e.target.value)}
          autoComplete="off"
          spellCheck={false}
        />
      </Group>
      <Group label={t("announcements.window")} className="grid gap-4 sm:grid-cols-2">
        <TextField
          name="starts_at"
          type="datetime-local"
          label={t("announcements.starts")}
          hint={t("announcements.startsHint")}
          defaultValue={local(old?.starts_at)}
        />
        <TextField name="ends_at" type="datetime-local" label={t("announcements.ends")} hint={t("announcements.endsHint")} defaultValue={local(old?.ends_at)} />
      </Group>
      <div className="flex items-center gap-3">
        <Switch label={t("announcements.dismissible")} checked={dismissible} onCheckedChange={setDismissible} />
        <span>
          {t("announcements.dismissible")}
          <span className="block text-xs text-muted-foreground">{t("announcements.dismissibleHint")}</span>
        </span>
      </div>
      <DialogActions>
        <Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary" loading={save.isPending}>
          {t(old ? "action.save" : "announcements.make")}
        </Button>
      </DialogActions>
    </Form>
  );
}

export function DeleteAnnouncement({ announcement, open, setOpen }: Props) {
  const { id = "", title = "" } = announcement ?? {};
  const remove = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/admin/announcements/{announcement}", { params: { path: { announcement: id } } })),
    onSuccess: () => toast.done(t("announcements.deleted", { title })),
    onSettled: () => setOpen(false),
  });
  return (
    <Confirm
      open={open}
      onOpenChange={setOpen}
      title={t("announcements.deleteTitle", { title })}
      action={t("announcements.delete")}
      pending={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>{t("announcements.deleteBody")}</p>
    </Confirm>
  );
}
