// Writes the types of the client from the OpenAPI document of this source.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import openapi, { astToString } from "openapi-typescript";

const root = new URL("../../", import.meta.url);
// Your own program, where the console is ejected: TENON_PROGRAM=../cmd/app.
const program = process.env.TENON_PROGRAM ?? "github.com/tenonhq/tenon/cmd/tenon";
const document = execFileSync("go", ["run", program, "openapi"], { cwd: root, maxBuffer: 64 << 20, encoding: "utf8" });
const types = astToString(await openapi(document, { silent: true }));
writeFileSync(new URL("clients/typescript/src/schema.d.ts", root), `// Generated from the OpenAPI document: npm run gen in console/.\n${types}`);
