import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { problems } from "@/locales/de/problems";

const root = join(import.meta.dirname, "../..");

/** The codes that the Go sources declare; those that only programs meet say what is wrong in English. */
function codes(): string[] {
  const found = new Set<string>();
  for (const folder of ["modules", "platform"])
    for (const file of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }))
      if (file.endsWith(".go") && !file.endsWith("_test.go"))
        for (const [, code] of readFileSync(join(root, folder, file), "utf8").matchAll(/errs\.New\(errs\.\w+, "([a-z_.]+)"/g)) if (code) found.add(code);
  return [...found].filter((c) => !/^(request\.|url_)/.test(c));
}

test("every refusal that a reader can meet is said in German", () => {
  expect(codes().length).toBeGreaterThan(100);
  expect(codes().filter((c) => !(`problem.${c}` in problems))).toEqual([]);
});
