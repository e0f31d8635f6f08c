import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { de } from "@/locales/de";
import { app as deApp } from "@/locales/de/app";
import { en } from "@/locales/en";
import { app as enApp } from "@/locales/en/app";

const src = join(import.meta.dirname, "../src");
const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((f) => /\.tsx?$/.test(f) && !/^(locales|routeTree)/.test(f));

/** Attributes whose value a person reads or hears. */
const read = new Set(["label", "title", "hint", "placeholder", "aria-label", "alt", "action", "text", "head", "description"]);
const words = (s: string) => /\p{L}{2,}/u.test(s);
/** Names and signs that are the same in every language. */
const same = new Set(["Esc", "⌘K", "Ctrl K", "acc_…"]);

function untranslated(file: string): string[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(src, file), "utf8"),
    ts.ScriptTarget.Latest,
    true,
    file.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS,
  );
  const found: string[] = [];
  const note = (node: ts.Node, text: string) => {
    if (words(text) && !same.has(text.trim())) found.push(`${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${text.trim()}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) note(node, node.text);
    if (ts.isJsxAttribute(node) && read.has(node.name.getText()) && node.initializer && ts.isStringLiteral(node.initializer)) note(node, node.initializer.text);
    if (ts.isPropertyAssignment(node) && read.has(node.name.getText()) && ts.isStringLiteral(node.initializer) && /\s/.test(node.initializer.text))
      note(node, node.initializer.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

test("no page says anything that is not in the locales", () => {
  expect(files.length).toBeGreaterThan(40);
  expect(files.flatMap(untranslated)).toEqual([]);
});

test("every text is used, and every text that is used is there", () => {
  const all = files.map((f) => readFileSync(join(src, f), "utf8")).join("\n");
  const keys = Object.keys({ ...en, ...enApp });
  const made = [/^event\./, /^role\./, /^notice\./, /^status\./, /^auth\.strength/]; // by tOr, from what the server says
  const unused = keys.filter((k) => !all.includes(`"${k}"`) && !made.some((m) => m.test(k)) && !all.includes(`\`${k.replace(/\.[^.]*$/, ".")}$`));
  expect(unused).toEqual([]);
});

test("German is not English", () => {
  const german: Record<string, unknown> = { ...de, ...deApp };
  const copied = Object.entries({ ...en, ...enApp }).filter(([key, text]) => typeof text === "string" && text.split(" ").length > 2 && german[key] === text);
  expect(copied).toEqual([]);
});
