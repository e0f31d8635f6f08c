// How much JavaScript each page brings, compressed, and whether it keeps to the budget.
import { existsSync, readFileSync, statSync } from "node:fs";
import { gzipSync } from "node:zlib";

const SIGN_IN = 150_000;
const PAGE = 220_000;

const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("manifest.json", dist), "utf8"));
const sizes = new Map();
const size = (file) => {
  if (!sizes.has(file))
    sizes.set(file, existsSync(new URL(`${file}.gz`, dist)) ? statSync(new URL(`${file}.gz`, dist)).size : gzipSync(readFileSync(new URL(file, dist))).length);
  return sizes.get(file);
};

/** The files that an entry of the manifest brings, by what it imports. */
function files(key, found = new Set()) {
  const chunk = manifest[key];
  if (!chunk || found.has(chunk.file)) return found;
  found.add(chunk.file);
  for (const i of chunk.imports ?? []) files(i, found);
  return found;
}

const pages = Object.keys(manifest).filter((k) => k.includes("src/routes/") && k.endsWith("tsr-split=component"));
const route = (key) => key.replace(/^src\/routes\//, "").replace(/\.tsx\?.*$/, "");
let over = false;
const rows = pages.map((key) => {
  // A page comes with the frames around it: those whose name is the beginning of its own.
  const frames = pages.filter((f) => f !== key && route(key).startsWith(`${route(f)}.`));
  // Who is signed in is shown texts that are not there before; English counts, German is as large.
  const texts = route(key).startsWith("_app") ? files("src/locales/en/app.ts") : [];
  const all = new Set([...files("index.html"), ...frames.flatMap((f) => [...files(f)]), ...files(key), ...texts]);
  const bytes = [...all].filter((f) => f.endsWith(".js")).reduce((sum, f) => sum + size(f), 0);
  const budget = route(key) === "_auth.sign-in" ? SIGN_IN : PAGE;
  over ||= bytes > budget;
  return { page: route(key), bytes, budget };
});
rows.sort((a, b) => b.bytes - a.bytes);
for (const r of rows) console.log(`${r.bytes > r.budget ? "OVER " : "     "}${(r.bytes / 1000).toFixed(1).padStart(6)} of ${r.budget / 1000} kB  ${r.page}`);

if (process.argv[2]) {
  const key = pages.find((p) => route(p) === process.argv[2]);
  const all = [...new Set([...files("index.html"), ...files(key)])].filter((f) => f.endsWith(".js"));
  for (const f of all.sort((a, b) => size(b) - size(a))) console.log(`${size(f)}`.padStart(8), f);
}
if (over) process.exit(1);
