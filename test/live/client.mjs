// The stock client from npm. Reads {"url", "transport", "token", "refreshes", "channel", "headers"} and writes a line of JSON for all that it is told.
import { readFileSync } from "node:fs";
import { Centrifuge } from "centrifuge";
import { EventSource } from "eventsource";
import WebSocket from "ws";

const asked = JSON.parse(readFileSync(0, "utf8"));
const say = (what) => console.log(JSON.stringify(what));
const as = (headers) => ({ headers });

// A browser sends its cookie by itself; here somebody has to.
class Source extends EventSource {
  constructor(url) {
    super(url, { fetch: (at, init) => fetch(at, { ...init, headers: { ...init.headers, ...asked.headers } }) });
  }
}
class Socket extends WebSocket {
  constructor(url) {
    super(url, as(asked.headers ?? {}));
  }
}

const paths = { websocket: "/ws", sse: "/ws/sse", http_stream: "/ws/http_stream" };
const api = `${asked.url}/api/v1`;
const endpoint = (asked.transport === "websocket" ? api.replace(/^http/, "ws") : api) + paths[asked.transport];
const client = new Centrifuge([{ transport: asked.transport, endpoint }], {
  websocket: Socket,
  eventsource: Source,
  fetch: (at, init) => fetch(at, { ...init, headers: { ...init.headers, ...asked.headers } }),
  emulationEndpoint: `${api}/ws/emulation`,
  minReconnectDelay: 50,
  ...(asked.refreshes
    ? {
        getToken: async () => {
          say({ event: "getToken" });
          return asked.token;
        },
      }
    : { token: asked.token ?? "" }),
});
client.on("connected", (e) => say({ event: "connected", transport: e.transport }));
client.on("disconnected", (e) => {
  say({ event: "disconnected", code: e.code });
  process.exit(0);
});
client.on("publication", (e) => say({ event: "publication", channel: e.channel, data: e.data }));
const subscription = client.newSubscription(asked.channel);
subscription.on("subscribed", async (e) => {
  const { clients } = await subscription.presence();
  say({ event: "subscribed", recovered: e.recovered, present: Object.keys(clients).length });
});
subscription.on("publication", (e) => say({ event: "publication", channel: e.channel, data: e.data }));
subscription.on("unsubscribed", (e) => say({ event: "unsubscribed", code: e.code }));
subscription.subscribe();
client.connect();
