// Lighthouse on the sign-in page and on a list of members, as a phone and as a desktop sees them, against a server of its own:
//
//   npm run lighthouse
//
// It wants a quiet machine, chromium (CHROME_PATH), and Go to build the server; npx fetches Lighthouse.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const dir = mkdtempSync(join(tmpdir(), "tenon-lighthouse-"));
const url = "http://127.0.0.1:8099";
const person = { email: "ada@example.com", password: "correct horse battery staple 9", name: "Ada Lovelace" };

const post = async (path, body) => {
  const response = await fetch(`${url}/api/v1${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: url, ...(cookie && { Cookie: cookie }) },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
  return response;
};

let cookie = "";
execFileSync("go", ["build", "-o", join(dir, "tenon"), "./cmd/tenon"], { cwd: root, stdio: "inherit" });
const server = spawn(join(dir, "tenon"), ["serve", "--addr", "127.0.0.1:8099", "--data", join(dir, "data")], {
  env: { ...process.env, TENON_ACCOUNTS_VERIFY_EMAIL: "off", TENON_RATELIMIT: "off" },
});
try {
  for (;;) {
    const up = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (up?.ok) break;
    await new Promise((wait) => setTimeout(wait, 100));
  }
  await post("/auth/register", person);
  const login = await post("/auth/login", { email: person.email, password: person.password, cookie: true });
  cookie = login.headers
    .getSetCookie()
    .map((c) => c.split(";")[0])
    .join("; ");
  await post("/orgs", { name: "Northwind", slug: "northwind" });
  for (const [page, path, header] of [
    ["sign-in", "/sign-in", {}],
    ["members", "/o/northwind/members", { Cookie: cookie }],
  ])
    for (const look of ["mobile", "desktop"]) {
      const out = join(dir, `${page}-${look}.json`);
      const flags = [
        "--output=json",
        `--output-path=${out}`,
        "--quiet",
        "--only-categories=performance,accessibility,best-practices",
        `--extra-headers=${JSON.stringify(header)}`,
        "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
        ...(look === "desktop" ? ["--preset=desktop"] : []),
      ];
      execFileSync("npx", ["-y", "lighthouse@12", url + path, ...flags], {
        env: { CHROME_PATH: "/usr/bin/chromium", ...process.env },
        stdio: ["ignore", "ignore", "inherit"],
      });
      const report = JSON.parse(readFileSync(out, "utf8"));
      const score = (name) => Math.round(report.categories[name].score * 100);
      const took = (name) => report.audits[name].displayValue;
      const failed = Object.values(report.audits).filter((a) => a.score === 0 && a.scoreDisplayMode === "binary");
      console.log(
        `${page.padEnd(8)} ${look.padEnd(8)} performance ${score("performance")}, accessibility ${score("accessibility")}, best practices ${score("best-practices")};`,
        `FCP ${took("first-contentful-paint")}, LCP ${took("largest-contentful-paint")}, TBT ${took("total-blocking-time")}, CLS ${took("cumulative-layout-shift")}`,
        failed.length > 0 ? `; not passed: ${failed.map((a) => a.id).join(", ")}` : "",
      );
    }
} finally {
  server.kill();
  rmSync(dir, { recursive: true, force: true });
}
