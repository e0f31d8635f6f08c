import { queryOptions } from "@tanstack/react-query";
import { boot } from "@/lib/boot";

/** A letter that would have been sent: see internal/devpages. */
export interface Letter {
  id: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  links: string[];
  created_at: string;
}

const folder = `${boot.base}/_dev/mail/messages`;

export const mailQuery = queryOptions({
  queryKey: ["admin", "mail"],
  queryFn: async ({ signal }): Promise<Letter[]> => {
    const answer = await fetch(folder, { signal, headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    return ((await answer.json()) as { items: Letter[] }).items;
  },
  refetchInterval: 2_000,
});

/** Where a letter is shown as markup: a page without rights. In a frame the console's own policy refuses it. */
export const asMarkup = (l: Letter): string => `${folder}/${encodeURIComponent(l.id)}/html`;

/** A text in pieces, its links by themselves. The server says which they are. */
export function pieces(text: string, links: string[]): { text: string; link: boolean }[] {
  const found: { text: string; link: boolean }[] = [];
  let rest = text;
  for (const link of links) {
    const at = rest.indexOf(link);
    if (at < 0) continue;
    if (at > 0) found.push({ text: rest.slice(0, at), link: false });
    found.push({ text: link, link: true });
    rest = rest.slice(at + link.length);
  }
  if (rest) found.push({ text: rest, link: false });
  return found;
}
