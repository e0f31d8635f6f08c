import { type ReactNode, useState } from "react";
import { Facts } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Code } from "@/components/ui/copy";
import { Dialog } from "@/components/ui/overlay";
import { exact } from "@/lib/format";
import { t } from "@/lib/i18n";
import { agentName } from "./agent";
import { actorName, describe, detail, fieldName } from "./describe";
import type { EventFilter } from "./filter";
import type { AuditEvent, EventLog } from "./types";

interface Props {
  /** The event that is open, if one is. */
  event?: AuditEvent;
  onClose: () => void;
  /** The reader's account. */
  me?: string;
  /** Where it is one of several logs: which one it is in. */
  log?: EventLog;
  /** Offers to show only what the same actor did, or what happened to the same thing. */
  onFilter?: (filter: Pick<EventFilter, "actor" | "target">) => void;
}

/** Everything that is known of an event. */
export function EventDetail({ event, onClose, me, log, onFilter }: Props) {
  const [last, setLast] = useState(event);
  if (event && event !== last) setLast(event); // it is still to be read while the dialog closes
  return (
    <Dialog open={event !== undefined} onOpenChange={(o) => !o && onClose()} wide title={last ? describe(last) : ""} hint={last && detail(last)}>
      {last && (
        <div className="grid gap-5">
          <Facts items={facts(last, me, log)} className="lg:grid-cols-2" />
          <Changes event={last} />
          <Data event={last} />
          {onFilter && <Filters event={last} onFilter={onFilter} />}
        </div>
      )}
    </Dialog>
  );
}

function facts(e: AuditEvent, me?: string, log?: EventLog): [ReactNode, ReactNode][] {
  const behalf = e.actor.on_behalf_of;
  const items: [ReactNode, ReactNode][] = [
    [t("event.when"), exact(e.occurred_at)],
    [t("event.type"), mono(e.type)],
    [t("event.who"), named(actorName(e, me), e.actor.id)],
    [t("event.target"), named(e.target.name, e.target.id)],
    [t("event.where"), e.ip_address || t("event.hidden")],
    [t("event.device"), device(e.user_agent)],
  ];
  if (log) items.push([log.head, log.cell(e)]);
  if (behalf) items.push([t("event.onBehalfOf"), named(behalf === me ? t("event.actor.you") : "", behalf)]);
  if (e.request_id) items.push([t("event.request"), named("", e.request_id)]);
  items.push([t("event.id"), named("", e.id)]);
  return items;
}

const mono = (text: string) => <code className="font-mono text-xs break-all">{text}</code>;

const named = (name: string, id: string) => (
  <>
    {name || (id ? "" : "—")}
    {name && id && <br />}
    {id && <Code className="text-muted-foreground">{id}</Code>}
  </>
);

const device = (agent: string) => (
  <>
    {agentName(agent) || "—"}
    <span className="block text-xs break-words text-muted-foreground">{agent}</span>
  </>
);

const Section = ({ title, children }: { title: string; children: ReactNode }) => (
  <section>
    <h3 className="mb-1.5 text-xs font-medium text-muted-foreground">{title}</h3>
    {children}
  </section>
);

function Changes({ event }: { event: AuditEvent }) {
  const changes = Object.entries(event.changes ?? {});
  if (changes.length === 0) return null;
  return (
    <Section title={t("event.changes")}>
      <div className="overflow-hidden rounded-md border">
        <table className="w-full table-fixed border-collapse text-left text-xs">
          <thead className="bg-muted/50 text-muted-foreground">
            <tr>
              {[t("event.field"), t("event.before"), t("event.after")].map((head) => (
                <th key={head} scope="col" className="px-3 py-1.5 font-medium">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {changes.map(([field, { from, to }]) => (
              <tr key={field} className="border-t align-top">
                <th scope="row" className="px-3 py-1.5 font-medium break-words">
                  {fieldName(field)}
                </th>
                <td className="px-3 py-1.5 break-words text-muted-foreground">{value(from)}</td>
                <td className="px-3 py-1.5 break-words">{value(to)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function value(v: unknown): string {
  if (v === null || v === undefined || v === "") return "—";
  if (Array.isArray(v)) return v.map(value).join(", ");
  return typeof v === "object" ? JSON.stringify(v) : String(v);
}

function Data({ event }: { event: AuditEvent }) {
  if (!event.data || Object.keys(event.data).length === 0) return null;
  return (
    <Section title={t("event.data")}>
      <pre className="rounded-md border bg-muted/50 p-3 font-mono text-xs break-all whitespace-pre-wrap">{JSON.stringify(event.data, null, 2)}</pre>
    </Section>
  );
}

function Filters({ event: { actor, target }, onFilter }: { event: AuditEvent; onFilter: NonNullable<Props["onFilter"]> }) {
  return (
    <div className="flex flex-wrap justify-end gap-2">
      {actor.id && <Button onClick={() => onFilter({ actor: actor.id })}>{t("event.onlyBy")}</Button>}
      {target.id && <Button onClick={() => onFilter({ target: target.id })}>{t("event.onlyAbout")}</Button>}
    </div>
  );
}
