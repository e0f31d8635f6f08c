import { account } from "./account";
import { admin } from "./admin";
import { events } from "./events";
import { files } from "./files";
import { flags } from "./flags";
import { jobs } from "./jobs";
import { notifications } from "./notifications";
import { org } from "./org";

/** What the pages of somebody who is signed in say. */
export const app = { ...account, ...events, ...org, ...admin, ...jobs, ...files, ...flags, ...notifications };
