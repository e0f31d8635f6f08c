import { data, type Tenon } from "@tenon/client";
import { PASSWORD, type Server } from "./server";

/** An organization with an owner, who is signed in by the API. */
export async function organization(server: Server, slug: string, name: string, owner = { email: `owner@${slug}.example`, name: "Amara Okafor" }) {
  const person = await server.person(owner.email, owner.name);
  const org = await data(person.api.POST("/api/v1/orgs", { body: { slug, name, description: "Weather for ships and those who wait for them." } }));
  return { ...person, id: org.id, slug, org };
}

/** Somebody new joins by an invitation. */
export async function join(server: Server, org: { id: string; api: Tenon }, email: string, name: string, role = "member") {
  await org.api.POST("/api/v1/orgs/{org}/invitations", { params: { path: { org: org.id } }, body: { email, role } });
  const link = (await server.mail(email)).links[0] ?? "";
  const token = new URL(link).searchParams.get("token") ?? "";
  const tokens = await data(server.client().POST("/api/v1/invitations/accept", { body: { token, name, password: PASSWORD } }));
  return { email, api: server.client(tokens.access_token) };
}

/** Puts somebody into a new team. */
export async function team(org: { id: string; api: Tenon }, name: string, slug: string, members: string[] = []) {
  const made = await data(org.api.POST("/api/v1/orgs/{org}/teams", { params: { path: { org: org.id } }, body: { name, slug } }));
  for (const account of members)
    await org.api.PUT("/api/v1/orgs/{org}/teams/{team}/members/{account}", { params: { path: { org: org.id, team: made.id, account } }, body: {} });
  return made;
}
