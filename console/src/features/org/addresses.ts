/**
 * The e-mail addresses in what somebody typed or pasted: by line, comma or blank, also as
 * Ada <ada@example.com>. Each once; what is none is left for the server to refuse.
 */
export function addressesOf(text: string): string[] {
  const found = text.split(/[\n,;]+/).flatMap((piece) => {
    const bracketed = piece.match(/<\s*([^<>\s]+)\s*>/)?.[1];
    if (bracketed) return bracketed;
    const like = piece.split(/\s+/).filter((word) => word.includes("@"));
    return like.length > 0 ? like : piece.trim() || [];
  });
  const seen = new Set<string>();
  return found.filter((a) => !seen.has(a.toLowerCase()) && seen.add(a.toLowerCase()));
}
