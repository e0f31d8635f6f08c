import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = new URL("../../", import.meta.url).pathname;

/** Builds what the journeys run, once for all of them. */
export default function build(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "tenon-e2e-bin-"));
  execFileSync("go", ["build", "-o", `${folder}/`, "./cmd/tenon", "./examples/tasks"], { cwd: root, stdio: "inherit" });
  process.env.TENON_E2E_BIN = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
