import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { Fingerprint, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data, type Schemas } from "@/api/client";
import { listQuery } from "@/api/queries";
import { Badge, Card, CardBody, CardHeader, Row, Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Form, TextField } from "@/components/ui/form";
import { Confirm, Dialog, DialogActions } from "@/components/ui/overlay";
import { Failed } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import { t } from "@/lib/i18n";
import { canPasskey } from "@/lib/webauthn";
import { AddPasskey } from "./add-passkey";
import { addedUsed, Mark } from "./mark";
import { useIsOwner } from "./theirs";

type Passkey = Schemas["Passkey"];

/** An account has twenty at most: one page holds them all. */
const list = listQuery(["passkeys"], (cursor, signal) => api.GET("/api/v1/passkeys", { signal, params: { query: { cursor, limit: 100 } } }));

export function PasskeysCard() {
  const owner = useIsOwner();
  const [adding, setAdding] = useState(false);
  const query = useInfiniteQuery(list);
  const passkeys = query.data?.pages.flatMap((p) => p.items);
  const able = canPasskey();
  return (
    <Card>
      <CardHeader
        title={
          <>
            {t("account.passkeys")}
            {passkeys && (
              <Badge tone={passkeys.length > 0 ? "success" : "neutral"} dot>
                {t(passkeys.length > 0 ? "account.on" : "account.off")}
              </Badge>
            )}
          </>
        }
        hint={t("account.passkeysHint")}
        actions={
          owner &&
          able &&
          passkeys && (
            <Button onClick={() => setAdding(true)}>
              <Plus />
              {t("account.passkeyAdd")}
            </Button>
          )
        }
      />
      {query.isPending && (
        <CardBody>
          <Skeleton className="h-3 w-48" />
        </CardBody>
      )}
      {query.error && !passkeys && <Failed error={query.error} again={query.refetch} />}
      {owner && !able && <CardBody className="text-muted-foreground">{t("account.passkeysUnable")}</CardBody>}
      {passkeys && passkeys.length > 0 && (
        <ul aria-label={t("account.passkeys")}>
          {passkeys.map((p) => (
            <One key={p.id} passkey={p} owner={owner} />
          ))}
        </ul>
      )}
      <AddPasskey open={adding} onOpenChange={setAdding} />
    </Card>
  );
}

function One({ passkey, owner }: { passkey: Passkey; owner: boolean }) {
  const { id, name } = passkey;
  const [open, setOpen] = useState<"rename" | "remove">();
  const close = () => setOpen(undefined);
  const remove = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/passkeys/{passkey}", { params: { path: { passkey: id } } })),
    onSuccess: () => toast.done(t("account.passkeyRemoved", { name }), t("account.othersSignedOut")),
    onSettled: close,
  });
  return (
    <Row
      mark={<Mark icon={Fingerprint} />}
      title={
        <>
          <span className="break-words">{name}</span>
          {passkey.backed_up && <Badge tone="brand">{t("account.passkeySynced")}</Badge>}
        </>
      }
      detail={addedUsed(passkey)}
      actions={
        owner && (
          <>
            <Button variant="ghost" size="icon" aria-label={t("account.renameNamed", { name })} onClick={() => setOpen("rename")}>
              <Pencil />
            </Button>
            <Button variant="ghost" size="icon" aria-label={t("account.removeNamed", { name })} onClick={() => setOpen("remove")}>
              <Trash2 />
            </Button>
            <Rename passkey={passkey} open={open === "rename"} close={close} />
            <Confirm
              open={open === "remove"}
              onOpenChange={close}
              title={t("account.passkeyRemoveTitle", { name })}
              action={t("action.remove")}
              pending={remove.isPending}
              onConfirm={() => remove.mutate()}
            >
              {t("account.passkeyRemoveHint")}
            </Confirm>
          </>
        )
      }
    />
  );
}

const Rename = ({ passkey, open, close }: { passkey: Passkey; open: boolean; close: () => void }) => (
  <Dialog open={open} onOpenChange={close} title={t("account.passkeyRename")}>
    <RenameForm passkey={passkey} close={close} />
  </Dialog>
);

function RenameForm({ passkey, close }: { passkey: Passkey; close: () => void }) {
  const rename = useMutation({
    mutationFn: (name: string) => data(api.PATCH("/api/v1/passkeys/{passkey}", { params: { path: { passkey: passkey.id } }, body: { name } })),
    meta: { handled: true },
    onSuccess: (renamed) => {
      close();
      toast.done(t("account.passkeyRenamed", { name: renamed.name }));
    },
  });
  return (
    <Form error={rename.error} onSubmit={(v) => rename.mutate(v.name ?? "")}>
      <TextField name="name" label={t("account.deviceName")} defaultValue={passkey.name} autoComplete="off" autoFocus required />
      <DialogActions>
        <Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary" loading={rename.isPending}>
          {t("account.rename")}
        </Button>
      </DialogActions>
    </Form>
  );
}
