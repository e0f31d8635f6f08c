import { data, type Tenon } from "@tenon/client";
import { PASSWORD, type Server } from "../server";

const people = [
  ["jonas.lindqvist@northwind.example", "Jonas Lindqvist", "admin"],
  ["priya.raman@northwind.example", "Priya Raman", "admin"],
  ["mateo.alvarez@northwind.example", "Mateo Álvarez", "member"],
  ["hana.sato@northwind.example", "Hana Sato", "member"],
  ["lucie.fontaine@northwind.example", "Lucie Fontaine", "member"],
  ["tomasz.wojcik@northwind.example", "Tomasz Wójcik", "member"],
  ["noor.haddad@northwind.example", "Noor Haddad", "viewer"],
  ["caleb.whitfield@northwind.example", "Caleb Whitfield", "member"],
  ["ingrid.solheim@northwind.example", "Ingrid Solheim", "member"],
] as const;

/** A company as there are many: people, teams, roles, invitations, keys. */
export async function northwind(server: Server): Promise<{ owner: string; org: string; team: string; person: string; api: Tenon }> {
  const setup = new URL(server.setupLink).searchParams.get("token") ?? "";
  await server.client().POST("/api/v1/setup", { body: { token: setup, email: "amara.okafor@northwind.example", name: "Amara Okafor", password: PASSWORD } });
  const amara = await login(server, "amara.okafor@northwind.example");
  const org = (await data(amara.POST("/api/v1/orgs", { body: { name: "Northwind", slug: "northwind", description: "Freight, booked and followed online." } })))
    .id;
  await amara.POST("/api/v1/orgs", { body: { name: "Lumen Labs", slug: "lumen-labs" } });
  const at = { params: { path: { org } } };
  for (const [email, name, role] of people) {
    await server.person(email, name);
    await amara.POST("/api/v1/orgs/{org}/invitations", { ...at, body: { email, role } });
    const link = (await server.mail(email, /invit|join/i)).links[0] ?? "";
    const colleague = await login(server, email);
    await colleague.POST("/api/v1/invitations/accept", { body: { token: new URL(link).searchParams.get("token") ?? "" } });
  }
  const members = (await data(amara.GET("/api/v1/orgs/{org}/members", at))).items;
  const teams = [];
  for (const [name, slug] of [
    ["Platform", "platform"],
    ["Design", "design"],
    ["Finance", "finance"],
    ["On-call", "on-call"],
  ] as const)
    teams.push(await data(amara.POST("/api/v1/orgs/{org}/teams", { ...at, body: { name, slug } })));
  for (const [i, m] of members.entries())
    await amara.PUT("/api/v1/orgs/{org}/teams/{team}/members/{account}", {
      params: { path: { org, team: teams[i % 4]!.id, account: m.account_id } },
      body: {},
    });
  await amara.POST("/api/v1/orgs/{org}/roles", {
    ...at,
    body: { key: "support", name: "Support", permissions: ["orgs.read", "orgs.list_members", "orgs.list_teams"] },
  });
  for (const email of ["deepa.krishnan@partner.example", "sam.oduya@partner.example"])
    await amara.POST("/api/v1/orgs/{org}/invitations", { ...at, body: { email, role: "viewer" } });
  for (const [name, scopes, days] of [
    ["Deploy bot", ["orgs.read", "orgs.list_members"], 90],
    ["Nightly report", ["orgs.read", "audit.read"], 365],
  ] as const)
    await amara.POST("/api/v1/orgs/{org}/api-keys", {
      ...at,
      body: { name, scopes: [...scopes], expires_at: new Date(Date.now() + days * 86_400_000).toISOString() },
    });
  await amara.POST("/api/v1/admin/announcements", {
    body: {
      level: "info",
      title: "Maintenance on Sunday",
      message: "From eight to nine in the morning (UTC), everything rests.",
      starts_at: "2030-01-06T08:00:00Z",
    },
  });
  await flags(amara);
  await data(amara.POST("/api/v1/totp/setup", { body: { device_name: "Amara’s phone" } }));
  await server.person("zoe.spammer@elsewhere.example", "Zoe Spammer");
  const found = (await data(amara.GET("/api/v1/admin/users", { params: { query: { q: "zoe" } } }))).items[0]!;
  await amara.POST("/api/v1/admin/users/{person}/suspend", {
    params: { path: { person: found.id } },
    body: { reason: "Sends advertising to everybody she finds" },
  });
  return { owner: "amara.okafor@northwind.example", org, team: teams[0]!.id, person: members[3]!.account_id, api: amara };
}

/** Features on their way to people. */
async function flags(root: Tenon): Promise<void> {
  const boolean = { type: "boolean", client: true } as const;
  await data(
    root.POST("/api/v1/admin/flags", {
      body: {
        ...boolean,
        key: "live-tracking",
        description: "Ships move on the map without a reload",
        owner: "Platform team",
        tags: ["map"],
        enabled: true,
        reason: "For the customers who asked for it",
        rules: [
          {
            description: "Who helps us to try it",
            conditions: [{ attribute: "email_domain", operator: "one_of", values: ["northwind.example", "partner.example"] }],
            serve: { variant: "on" },
          },
          {
            description: "Larger customers, slowly",
            conditions: [{ attribute: "plan", operator: "one_of", values: ["business", "enterprise"] }],
            serve: {
              split: {
                by: "org_id",
                weights: [
                  { variant: "on", percent: 25 },
                  { variant: "off", percent: 75 },
                ],
              },
            },
          },
        ],
        default: { variant: "off" },
      },
    }),
  );
  await data(
    root.POST("/api/v1/admin/flags", {
      body: { ...boolean, key: "new-invoice", description: "Invoices in the new layout", owner: "Finance", reason: "Waits for the tax office" },
    }),
  );
  await data(
    root.POST("/api/v1/admin/flags", {
      body: {
        key: "search-ranking",
        type: "string",
        description: "How what was found is put in order",
        owner: "Growth team",
        tags: ["experiment"],
        enabled: true,
        variants: [
          { name: "by-date", value: "date" },
          { name: "by-fit", value: "fit" },
        ],
        off_variant: "by-date",
        default: {
          split: {
            by: "user_id",
            weights: [
              { variant: "by-date", percent: 50 },
              { variant: "by-fit", percent: 50 },
            ],
          },
        },
        reason: "Which do people find more with?",
      },
    }),
  );
}

/** Papers and pictures as a company keeps them. */
export async function papers(server: Server, picture: Buffer): Promise<void> {
  const token = await tokenOf(server, "amara.okafor@northwind.example");
  const org = (await data(server.client(token).GET("/api/v1/orgs"))).items.find((o) => o.slug === "northwind")!.id;
  for (const [name, body] of [
    ["Bill of lading 2207.pdf", `%PDF-1.7\n${"freight ".repeat(9_000)}\n`],
    ["Tariffs 2027.pdf", `%PDF-1.7\n${"Rotterdam to Oslo 410 ".repeat(4_000)}\n`],
    ["Handbook for new colleagues.pdf", `%PDF-1.7\n${"welcome ".repeat(60_000)}\n`],
    ["Night route.png", picture],
  ] as const) {
    const form = new FormData();
    form.set("file", new Blob([body as BlobPart]), name);
    const answer = await fetch(`${server.url}/api/v1/files/upload`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "X-Org-Id": org },
      body: form,
    });
    if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
  }
}

async function tokenOf(server: Server, email: string): Promise<string> {
  return (await data(server.client().POST("/api/v1/auth/login", { body: { email, password: PASSWORD } }))).access_token ?? "";
}

const login = async (server: Server, email: string): Promise<Tenon> => server.client(await tokenOf(server, email));
