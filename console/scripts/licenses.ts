import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

const accepted = ["MIT", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "OFL-1.1"];

/** Writes licenses.txt beside what was built: whose code, styles and fonts are in it, and under which terms. */
export function licenses(alsoIn: string[]): Plugin {
  return {
    name: "licenses",
    apply: "build",
    generateBundle(_options, bundle) {
      const folders = new Set(alsoIn.map((name) => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))));
      for (const part of Object.values(bundle))
        for (const id of part.type === "chunk" ? Object.keys(part.modules) : []) {
          const folder = packageOf(id.replace(/^\0/, ""));
          if (folder) folders.add(folder);
        }
      const texts = [...folders].map(describe).sort((a, b) => a.name.localeCompare(b.name, "en"));
      const unknown = texts.filter((t) => !accepted.includes(t.license));
      if (unknown.length > 0) this.error(`not under a licence that we may ship: ${unknown.map((t) => `${t.name} (${t.license})`).join(", ")}`);
      const source = texts.map((t) => `${t.name} ${t.version}\n${t.license}\n\n${t.text}\n`).join(`\n${"-".repeat(80)}\n\n`);
      this.emitFile({ type: "asset", fileName: "licenses.txt", source });
    },
  };
}

/** The folder of the npm package that a module is from. */
const packageOf = (id: string): string | undefined => id.match(/^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//)?.[1];

function describe(folder: string) {
  const { name, version, license = "" } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { name: string; version: string; license?: string };
  const file = existsSync(folder) && readdirSync(folder).find((f) => /^licen[cs]e/i.test(f));
  return { name, version, license, text: file ? readFileSync(join(folder, file), "utf8").trim() : "" };
}
