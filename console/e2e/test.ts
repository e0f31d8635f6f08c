import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test as base, type CDPSession, expect, type Page } from "@playwright/test";
import { PASSWORD, Server } from "./server";

export { totp } from "./server";
export { expect, PASSWORD };

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Fixtures {
  /** What the browser may complain about: refusals that a page tells about. */
  allowed: RegExp[];
  signIn: (email: string, path?: string) => Promise<void>;
}

export const test = base.extend<Fixtures, { server: Server }>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.stop();
    },
    { scope: "worker", timeout: 300_000 }, // it may have to be built first,
  ],
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern
  allowed: async ({}, use) => use([/status of (401|409|422) /]),
  page: async ({ page, allowed }, use) => {
    const said: string[] = [];
    page.on("console", (m) => m.type() === "error" && said.push(`${m.text()} ${m.location().url}`));
    page.on("pageerror", (e) => said.push(String(e)));
    await page.addInitScript(() => addEventListener("securitypolicyviolation", (e) => console.error(`CSP ${e.violatedDirective} ${e.blockedURI} ${e.sample}`)));
    await use(page);
    expect(said.filter((s) => !allowed.some((a) => a.test(s)))).toEqual([]);
  },
  signIn: async ({ page, server }, use) =>
    use(async (email, path = "/") => {
      await page.goto(`${server.url}/sign-in?next=${encodeURIComponent(path)}`);
      await page.getByLabel("E-mail").fill(email);
      await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await expect(page.locator("main h1")).toBeVisible();
      await page.waitForURL((u) => !u.pathname.startsWith("/sign-in"));
    }),
});

const sessions = new WeakMap<Page, CDPSession>();

/** A session with the browser that stays: where one ends, the virtual authenticators of all others are gone. */
async function session(page: Page): Promise<CDPSession> {
  const open = sessions.get(page) ?? (await page.context().newCDPSession(page));
  sessions.set(page, open);
  return open;
}

/** Nothing on the page keeps anybody out (WCAG 2.2 AA and axe's best practices). */
export async function accessible(page: Page): Promise<void> {
  const cdp = await session(page); // the page's own policy refuses a script tag
  const there = await cdp.send("Runtime.evaluate", { expression: "'axe' in window" });
  if (!there.result.value) await cdp.send("Runtime.evaluate", { expression: axe }); // half a megabyte
  const { result } = await cdp.send("Runtime.evaluate", {
    expression: `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"] }).then((r) => JSON.stringify(r.violations.map((v) => ({ id: v.id, nodes: v.nodes.map((n) => n.html.slice(0, 200) + " — " + n.failureSummary) }))))`,
    awaitPromise: true,
    returnByValue: true,
  });
  expect(JSON.parse(result.value as string)).toEqual([]);
}

const DESK = 1440;
const PHONE = 390;

/** The page fits its width, in both colours, on a phone and on a desk, and keeps nobody out. It is left in the colours that it did not have. */
export async function everywhere(page: Page): Promise<void> {
  const size = page.viewportSize();
  const dark = await page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches);
  await still(page);
  await fits(page, DESK);
  await accessible(page);
  await fits(page, PHONE);
  await accessible(page);
  await paint(page, dark ? "light" : "dark");
  await fits(page, PHONE);
  await accessible(page);
  await fits(page, DESK);
  await accessible(page);
  if (size) await page.setViewportSize(size);
}

/** Shows the page in light or dark. */
async function paint(page: Page, colorScheme: "light" | "dark"): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await still(page);
}

/** Waits until nothing moves any more: what opened is open, what closed is gone, and colours that are inherited have arrived, some frames after those they lie on. */
async function still(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const frame = () => new Promise(requestAnimationFrame);
    const moving = () => document.getAnimations().length > 0 || document.querySelector("[data-starting-style], [data-ending-style]");
    for (let n = 0; n < 3; n = moving() ? 0 : n + 1) await frame();
  });
}

/** Shows the page in a window of a width, which nothing of it goes beyond. */
async function fits(page: Page, width: number): Promise<void> {
  if (page.viewportSize()?.width !== width) await page.setViewportSize({ width, height: 900 });
  await page.evaluate(() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))));
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(beyond, `overflow at ${width}`).toBe(0);
}
