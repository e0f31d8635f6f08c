import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Form, TextField } from "@/components/ui/form";
import { Dialog, DialogActions, Select } from "@/components/ui/overlay";
import type { AuditEvent } from "@/features/events";
import { t } from "@/lib/i18n";
import { adminOrgQuery, userQuery } from "./queries";

// Events hold ids, and a name changes seldom: it is asked for once, and kept.
const kept = { staleTime: 300_000, refetchInterval: false, refetchOnWindowFocus: false } as const;

/** What an organization is called; its id, where it is gone. */
export function OrgName({ id }: { id: string }) {
  const { data: org, isPending } = useQuery({ ...adminOrgQuery(id), ...kept });
  return org ? org.name : <ID id={id} faint={isPending} />;
}

/** What an account is called; its id, where it is gone. */
export function AccountName({ id }: { id: string }) {
  const { data: user, isPending } = useQuery({ ...userQuery(id), ...kept });
  return user ? user.name : <ID id={id} faint={isPending} />;
}

const ID = ({ id, faint }: { id: string; faint: boolean }) => <code className={faint ? "font-mono text-xs opacity-50" : "font-mono text-xs"}>{id}</code>;

const link = "rounded-sm break-words hover:underline";

/** In whose log an event is: it leads to the page of its owner. */
export function LogOf({ event }: { event: AuditEvent }) {
  if (event.org_id)
    return (
      <Link to="/admin/orgs/$id" params={{ id: event.org_id }} className={link}>
        <OrgName id={event.org_id} />
      </Link>
    );
  const account = accountOf(event);
  if (!account) return <span className="text-muted-foreground">{t("admin.logOfNobody")}</span>;
  return (
    <Link to="/admin/users/$person" params={{ person: account }} className={link}>
      {(event.target.id === account && event.target.name) || <AccountName id={account} />}
    </Link>
  );
}

/** The account that an event of no organization is about. */
function accountOf({ target, data }: AuditEvent): string | undefined {
  if (target.kind === "account") return target.id;
  const { account_id } = (data ?? {}) as Record<string, unknown>;
  return typeof account_id === "string" ? account_id : undefined;
}

type Narrowing = "actor" | "target" | "account" | "org";

interface ByIDProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onFind: (found: Partial<Record<Narrowing, string>>) => void;
}

/** Narrows the list to an id that somebody has at hand: from a support request, a log line. */
export const ByID = ({ open, onOpenChange, onFind }: ByIDProps) => (
  <Dialog open={open} onOpenChange={onOpenChange} title={t("admin.byIdTitle")} hint={t("admin.byIdHint")}>
    <ByIDForm
      close={() => onOpenChange(false)}
      onFind={(found) => {
        onFind(found);
        onOpenChange(false);
      }}
    />
  </Dialog>
);

function ByIDForm({ close, onFind }: { close: () => void; onFind: ByIDProps["onFind"] }) {
  const [id, setID] = useState("");
  const [chosen, choose] = useState<Narrowing>();
  // Only an organization has members' events in its log, only an account has its own.
  const offered: Narrowing[] = id.startsWith("org_") ? ["org", "target"] : id.startsWith("acc_") ? ["account", "actor", "target"] : ["target", "actor"];
  const how = chosen && offered.includes(chosen) ? chosen : offered[0]!;
  return (
    <Form onSubmit={() => onFind({ [how]: id.trim() })}>
      <TextField
        name="id"
        label={t("admin.id")}
        placeholder={t("admin.byIdExample")}
        required
        autoFocus
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={100}
        value={id}
        onChange={(e) => setID(e.target.value)}
        className="font-mono"
      />
      <Select
        field
        label={t("admin.byIdHow")}
        value={how}
        onChange={choose}
        items={offered.map((value) => ({ value, label: t(`admin.byId.${value}`), hint: t(`admin.byId.${value}Hint`) }))}
      />
      <DialogActions>
        <Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary">
          {t("admin.byIdShow")}
        </Button>
      </DialogActions>
    </Form>
  );
}
