import { account } from "./account";
import { admin } from "./admin";
import { auth } from "./auth";
import { common } from "./common";
import { events } from "./events";
import { org } from "./org";

export const de = { ...common, ...auth, ...account, ...events, ...org, ...admin };
