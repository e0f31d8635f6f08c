import { useMutation, useQuery } from "@tanstack/react-query";
import { KeyRound, Plus, Smartphone, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, data, type Schemas } from "@/api/client";
import { Badge, Card, CardBody, CardHeader, Row, Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/overlay";
import { Failed } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import { t } from "@/lib/i18n";
import { AddApp } from "./add-app";
import { CodesDialog } from "./codes";
import { addedUsed, Mark } from "./mark";
import { useIsOwner } from "./theirs";

type Device = Schemas["MfaDevice"];

/** Authenticator apps, and the codes for whoever lost them. */
export function AppsCard() {
  const owner = useIsOwner();
  const [adding, setAdding] = useState(0);
  const status = useQuery({ queryKey: ["totp"], queryFn: ({ signal }) => data(api.GET("/api/v1/totp/status", { signal })) });
  const devices = status.data?.devices ?? [];
  return (
    <Card>
      <CardHeader
        title={
          <>
            {t("account.apps")}
            {status.data && (
              <Badge tone={status.data.enabled ? "success" : "neutral"} dot>
                {t(status.data.enabled ? "account.on" : "account.off")}
              </Badge>
            )}
          </>
        }
        hint={t("account.appsHint")}
        actions={
          owner &&
          status.data && (
            <Button onClick={() => setAdding(adding + 1)}>
              <Plus />
              {t("account.appAdd")}
            </Button>
          )
        }
      />
      {status.isPending && (
        <CardBody>
          <Skeleton className="h-3 w-48" />
        </CardBody>
      )}
      {status.error && !status.data && <Failed error={status.error} again={status.refetch} />}
      {devices.length > 0 && (
        <ul aria-label={t("account.apps")}>
          {devices.map((d) => (
            <App key={d.id} device={d} last={devices.length === 1} owner={owner} />
          ))}
          <BackupCodes left={status.data?.backup_codes_remaining ?? 0} owner={owner} />
        </ul>
      )}
      {adding > 0 && <AddApp key={adding} />}
    </Card>
  );
}

function App({ device, last, owner }: { device: Device; last: boolean; owner: boolean }) {
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => data(api.POST("/api/v1/totp/disable", { body: { device_id: device.id } })),
    onSuccess: () => toast.done(t("account.appRemoved", { name: device.name }), t("account.othersSignedOut")),
    onSettled: () => setAsking(false),
  });
  return (
    <Row
      mark={<Mark icon={Smartphone} />}
      title={<span className="break-words">{device.name}</span>}
      detail={addedUsed(device)}
      actions={
        owner && (
          <>
            <Button variant="ghost" size="icon" aria-label={t("account.removeNamed", { name: device.name })} onClick={() => setAsking(true)}>
              <Trash2 />
            </Button>
            <Confirm
              open={asking}
              onOpenChange={setAsking}
              title={t("account.appRemoveTitle", { name: device.name })}
              action={t("action.remove")}
              pending={remove.isPending}
              onConfirm={() => remove.mutate()}
            >
              {t(last ? "account.appRemoveLast" : "account.appRemoveOne")}
            </Confirm>
          </>
        )
      }
    />
  );
}

const FEW = 3;

function BackupCodes({ left, owner }: { left: number; owner: boolean }) {
  const [asking, setAsking] = useState(false);
  const [shown, setShown] = useState(false);
  const renew = useMutation({
    mutationFn: () => data(api.POST("/api/v1/totp/backup-codes", {})),
    onSuccess: () => setShown(true),
    onSettled: () => setAsking(false),
  });
  return (
    <Row
      mark={<Mark icon={KeyRound} />}
      title={
        <>
          {t("account.backupCodes")}
          {left <= FEW && <Badge tone={left === 0 ? "danger" : "warning"}>{t(left === 0 ? "account.backupNone" : "account.backupFew")}</Badge>}
        </>
      }
      detail={t("account.backupLeft", { n: left })}
      actions={
        owner && (
          <>
            <Button size="sm" onClick={() => setAsking(true)}>
              {t("account.backupRenew")}
            </Button>
            <Confirm
              open={asking}
              onOpenChange={setAsking}
              title={t("account.backupRenewTitle")}
              action={t("account.backupRenew")}
              danger={false}
              pending={renew.isPending}
              onConfirm={() => renew.mutate()}
            >
              {t("account.backupRenewHint")}
            </Confirm>
            <CodesDialog open={shown} codes={renew.data?.backup_codes ?? []} onClose={() => setShown(false)} />
          </>
        )
      }
    />
  );
}
