import { auth } from "./auth";
import { common } from "./common";
import { problems } from "./problems";

/** What the pages before one is signed in say; `app.ts` has the rest. */
export const de = { ...common, ...auth, ...problems };
