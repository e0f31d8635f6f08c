import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, data } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Switch } from "@/components/ui/choice";
import { Form, TextField } from "@/components/ui/form";
import { Dialog, DialogActions, Select } from "@/components/ui/overlay";
import { toast } from "@/components/ui/toast";
import { t } from "@/lib/i18n";
import type { Flag, Variant } from "./queries";

/** What a new flag can be, to begin with. */
const beginnings: Record<Flag["type"], Variant[] | undefined> = {
  boolean: undefined, // the server makes on and off
  string: [
    { name: "a", value: "a" },
    { name: "b", value: "b" },
  ],
  number: [
    { name: "low", value: 1 },
    { name: "high", value: 10 },
  ],
  json: [
    { name: "new", value: { enabled: true } },
    { name: "old", value: { enabled: false } },
  ],
};

const types = ["boolean", "string", "number", "json"] as const;

export function CreateFlag({ open, setOpen }: { open: boolean; setOpen: (open: boolean) => void }) {
  return (
    <Dialog open={open} onOpenChange={setOpen} title={t("flags.new")} hint={t("flags.newHint")}>
      <CreateForm close={() => setOpen(false)} />
    </Dialog>
  );
}

function CreateForm({ close }: { close: () => void }) {
  const navigate = useNavigate();
  const [key, setKey] = useState("");
  const [type, setType] = useState<Flag["type"]>("boolean");
  const [client, setClient] = useState(false);
  const create = useMutation({
    mutationFn: (v: Record<string, string>) =>
      data(
        api.POST("/api/v1/admin/flags", {
          body: { key, type, client, owner: v.owner ?? "", description: v.description ?? "", reason: v.reason ?? "", variants: beginnings[type] },
        }),
      ),
    meta: { handled: true },
    onSuccess: async (f) => {
      toast.done(t("flags.made", { key: f.key }), t("flags.madeHint"));
      await navigate({ to: "/admin/flags/$flag", params: { flag: f.key } });
    },
  });
  return (
    <Form error={create.error} onSubmit={(v) => create.mutate(v)}>
      <TextField
        name="key"
        label={t("flags.key")}
        hint={t("flags.keyHint")}
        required
        pattern="[a-z0-9][a-z0-9._\-]*"
        maxLength={64}
        autoComplete="off"
        spellCheck={false}
        value={key}
        onChange={(e) => setKey(e.target.value.toLowerCase().replace(/[\s/]+/g, "-"))}
        className="font-mono"
      />
      <Select field label={t("flags.type")} value={type} onChange={setType} items={types.map((value) => ({ value, label: t(`flags.type.${value}`) }))} />
      <TextField name="description" label={t("flags.description")} maxLength={1000} autoComplete="off" />
      <TextField name="owner" label={t("flags.owner")} maxLength={100} autoComplete="off" />
      <div className="flex items-center gap-3">
        <Switch label={t("flags.client")} checked={client} onCheckedChange={setClient} />
        <span>
          {t("flags.client")}
          <span className="block text-xs text-muted-foreground">{t("flags.clientHint")}</span>
        </span>
      </div>
      <TextField name="reason" label={t("flags.reason")} hint={t("flags.reasonHint")} required minLength={3} maxLength={500} autoComplete="off" />
      <DialogActions>
        <Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary" loading={create.isPending}>
          {t("flags.make")}
        </Button>
      </DialogActions>
    </Form>
  );
}
