/** The e-mail addresses in what somebody typed or pasted: by line, comma or blank, also as Ada <ada@example.com>. Each once. */
export function addressesOf(text: string): string[] {
  const found = text.split(/[\n,;]+/).flatMap((piece) => piece.match(/<\s*([^<>\s]+)\s*>/)?.[1] ?? piece.split(/\s+/).filter(Boolean));
  const seen = new Set<string>();
  return found.filter((a) => !seen.has(a.toLowerCase()) && seen.add(a.toLowerCase()));
}
