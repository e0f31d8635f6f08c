import { account } from "./account";
import { admin } from "./admin";
import { auth } from "./auth";
import { common } from "./common";
import { org } from "./org";

export const de = { ...common, ...auth, ...account, ...org, ...admin };
