/** The search parameters of a page that a mail leads to. */
export const withToken = (s: Record<string, unknown>): { token?: string } => ({ token: typeof s.token === "string" ? s.token : undefined });
