import { auth } from "./auth";
import { common } from "./common";

/** What the pages before one is signed in say; `app.ts` has the rest. */
export const en = { ...common, ...auth };
