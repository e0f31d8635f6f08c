import { createTenon, type Problem, type Schemas, TenonError } from "@tenon/client";
import { boot } from "@/lib/boot";
import { t, tOr } from "@/lib/i18n";

export { all, data, TenonError } from "@tenon/client";
export type { Schemas };

/** Asks the reader to prove who they are, and reports whether they did. Set by <StepUp>. */
export type Ask = (methods: string[]) => Promise<boolean>;
let ask: Ask = async () => false;
export const onStepUp = (fn: Ask): void => {
  ask = fn;
};

let session = boot.session;

/** Whether it is known without asking that nobody is signed in. Whoever signs in posts something. */
export const nobody = (): boolean => !session;

/** Sends a request; where the server wants a recent proof of identity, asks for it and sends it again. */
async function send(request: Request): Promise<Response> {
  session ||= request.method !== "GET";
  const again = request.clone();
  const response = await fetch(request);
  if (response.status !== 401) return response;
  const problem = (await response
    .clone()
    .json()
    .catch(() => null)) as (Problem & { methods?: string[] }) | null;
  if (problem?.code !== FRESH || !(await ask(problem.methods ?? ["password"]))) return response;
  return fetch(again);
}

const FRESH = "auth.fresh_required";

export const api = createTenon({ baseUrl: location.origin + boot.base, fetch: send });

/** Whether an error means that nobody is signed in (any more). */
export const signedOut = (e: unknown): boolean => e instanceof TenonError && e.status === 401 && e.code !== FRESH;

/** Whether the reader closed the dialog that asked who they are: nothing to tell them. */
export const declined = (e: unknown): boolean => e instanceof TenonError && e.code === FRESH;

/** What to tell a reader about an error, in their language. */
export function explain(e: unknown): string {
  if (!(e instanceof TenonError)) return t("error.unexpected");
  return tOr(`problem.${e.code}`, e.message, { seconds: Number(e.problem.retry_after ?? 0) });
}

/** What is wrong with each field of a form, in the language of the reader. */
export function fieldErrors(e: unknown): Record<string, string> {
  if (!(e instanceof TenonError)) return {};
  const found: Record<string, string> = {};
  for (const [name, f] of Object.entries(e.fields)) found[name] = tOr(`problem.${f.code}`, f.message);
  const field = e.problem.field?.replace(/^body\./, "");
  if (field && !found[field]) found[field] = explain(e);
  return found;
}
