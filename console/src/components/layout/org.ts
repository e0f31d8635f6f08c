import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import type { Schemas } from "@/api/client";
import { orgsQuery, useMe } from "@/api/queries";

type Org = Schemas["Org"];

/** The organization that the page is about, or else the one that the reader was in last. */
export function useCurrentOrg(): Org | undefined {
  const { org: slug } = useParams({ strict: false });
  const orgs = useQuery(orgsQuery).data;
  const me = useMe();
  return orgs?.find((o) => o.slug === slug) ?? choose(orgs, me);
}

/** Where somebody begins who asked for no organization. */
export const choose = (orgs: Org[] | undefined, me: Schemas["Account"]): Org | undefined =>
  orgs?.find((o) => o.id === me.default_org_id && o.status === "active") ?? orgs?.find((o) => o.status === "active") ?? orgs?.[0];
