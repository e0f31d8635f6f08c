import { Centrifuge, type PublicationContext } from "centrifuge";
import { boot } from "@/lib/boot";
import { meQuery, queryClient, setPushed } from "./queries";

/** Which lists show what a module's changes touch, by the first word of their keys. Other modules' changes may touch any. */
const shows: Record<string, string[]> = {
  accounts: ["me", "members", "team-members", "strength"],
  sessions: ["sessions", "session-stats"],
  passkeys: ["passkeys", "factors"],
  mfa: ["totp", "factors"],
  identities: ["identities"],
  orgs: ["orgs", "org", "roles", "members", "teams", "team", "team-members", "invitations"],
  apikeys: ["api-keys"],
  files: ["files"],
  flags: ["flags"],
  notifications: ["notifications"],
};
/** What tells of everything: the event logs, the operator's pages, announcements. */
const tells = ["org-events", "my-events", "admin", "announcements"];

const PAUSE = 250; // milliseconds that changes are gathered for: what changes together is asked for once

let touched = new Set<string>();

/** Asks anew for what a change may have touched, where it is on the screen. */
export function refresh(topic: string): void {
  if (touched.size === 0) setTimeout(ask, PAUSE);
  touched.add(topic);
}

function ask(): void {
  const topics = [...touched];
  touched = new Set();
  const keys = topics.every((t) => shows[t]) && new Set([...tells, ...topics.flatMap((t) => shows[t] ?? [])]);
  void queryClient.invalidateQueries({ predicate: (q) => !keys || keys.has(q.queryKey[0] as string) });
}

/** A message says what happened; that something changed in a module is one of them. */
function hear({ data }: Pick<PublicationContext, "data">): void {
  const message = data as { type: string; data?: { topic?: string } };
  refresh(message.data?.topic ?? message.type.split(".")[0] ?? "");
}

/** Missed messages cannot be told one by one any more: everything may have changed. */
const resync = (was: { wasRecovering?: boolean; recovered?: boolean }): void => {
  if (was.wasRecovering && !was.recovered) void queryClient.invalidateQueries();
};

let socket: Centrifuge | undefined;

/** The connection that changes are pushed over. What is the reader's own comes over it by itself. */
function connection(): Centrifuge {
  if (socket) return socket;
  const at = `${location.origin}${boot.base}/api/v1/ws`;
  socket = new Centrifuge(
    [
      { transport: "websocket", endpoint: at.replace(/^http/, "ws") },
      { transport: "sse", endpoint: `${at}/sse` },
    ],
    { emulationEndpoint: `${at}/emulation` },
  );
  socket.on("connected", () => setPushed(true));
  socket.on("connecting", () => setPushed(false));
  socket.on("disconnected", () => {
    setPushed(false);
    void queryClient.invalidateQueries({ queryKey: meQuery.queryKey }); // perhaps the session is over
  });
  socket.on("subscribed", resync);
  socket.on("publication", hear);
  socket.connect();
  return socket;
}

/** Hears what changes for the reader and, besides, in channels that they may follow. Returns how to stop following those. */
export function follow(...channels: string[]): () => void {
  const live = connection();
  const subscriptions = channels.map((channel) => {
    const s = live.newSubscription(channel);
    s.on("publication", hear);
    s.on("subscribed", resync);
    s.subscribe();
    return s;
  });
  return () => {
    for (const s of subscriptions) live.removeSubscription(s);
  };
}
