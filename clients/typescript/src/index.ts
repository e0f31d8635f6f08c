import createFetchClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type { components, operations, paths } from "./schema.js";

/** The objects of the API by name: `Schemas["Account"]`. */
export type Schemas = components["schemas"];

/** A problem document (RFC 9457) as every refusal carries it. */
export type Problem = Pick<Schemas["Problem"], "title" | "status" | "code"> & Partial<Schemas["Problem"]> & Record<string, unknown>;

/** What a call throws that was refused, or that nobody answered (`code` is then `network`). */
export class TenonError extends Error {
  override readonly name = "TenonError";

  constructor(readonly problem: Problem, options?: ErrorOptions) {
    super(problem.detail || problem.title, options);
  }

  /** The HTTP status; 0 when there was no answer. */
  get status(): number {
    return this.problem.status;
  }

  /** The stable name of the outcome, such as `orgs.slug_taken`. */
  get code(): string {
    return this.problem.code;
  }

  /** What to quote to support. */
  get requestId(): string {
    return this.problem.request_id ?? "";
  }

  /** What is wrong with the body, by its member: `{email: FieldError}`. */
  get fields(): Record<string, Schemas["FieldError"]> {
    const found: Record<string, Schemas["FieldError"]> = {};
    for (const e of this.problem.errors ?? []) found[e.location.replace(/^body\./, "")] ??= e;
    return found;
  }
}

export interface Options {
  /** Where the API is: `https://app.example.com`, without `/api/v1`. */
  baseUrl: string;
  /** An API key or an access token, or where to get one before each request. Browsers with a session cookie need none. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  /** The organization that requests outside of `/orgs/{org}` are about. */
  org?: string | (() => string | undefined);
  /** In place of the global fetch. */
  fetch?: (request: Request) => Promise<Response>;
}

export type Tenon = Client<paths>;

/** A client whose calls throw {@link TenonError}; take the answer with {@link data}. */
export function createTenon(o: Options): Tenon {
  const send = o.fetch ?? ((request: Request) => fetch(request));
  const client = createFetchClient<paths>({
    baseUrl: o.baseUrl.replace(/\/$/, ""),
    fetch: async (request) => {
      try {
        return await send(request);
      } catch (cause) {
        if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
        throw noAnswer(cause);
      }
    },
  });
  client.use({
    async onRequest({ request }) {
      const token = typeof o.token === "function" ? await o.token() : o.token;
      if (token) request.headers.set("Authorization", `Bearer ${token}`);
      const org = typeof o.org === "function" ? o.org() : o.org;
      if (org) request.headers.set("X-Org-Id", org);
      return request;
    },
    async onResponse({ response }) {
      if (!response.ok) throw new TenonError(await problemOf(response));
    },
  });
  return client;
}

/** The error of a request that nobody answered. */
export const noAnswer = (cause?: unknown): TenonError =>
  new TenonError({ title: "No answer", status: 0, code: "network", detail: "The server did not answer." }, { cause });

/** What a refusal says, also where a proxy answered in its own words. */
export async function problemOf(response: Response): Promise<Problem> {
  const fallback = { title: response.statusText || `HTTP ${response.status}`, status: response.status, code: "http" };
  try {
    return { ...fallback, ...(await response.json()) };
  } catch {
    return fallback; // a proxy answered, not Tenon
  }
}

/** The body of an answer: `const me = await data(tenon.GET("/api/v1/users/me"))`. */
export async function data<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T;
}

/** All items of a list, page by page: `for await (const m of all((cursor) => tenon.GET("…", { params: { query: { cursor } } })))`. */
export async function* all<T>(page: (cursor?: string) => Promise<{ data?: { items: T[]; next_cursor: string | null } }>): AsyncGenerator<T> {
  let cursor: string | undefined;
  do {
    const { items, next_cursor } = await data(page(cursor));
    yield* items;
    cursor = next_cursor ?? undefined;
  } while (cursor);
}
