import type { Page } from "@playwright/test";
import { createTenon, data } from "@tenon/client";
import { test as base, everywhere, expect, PASSWORD } from "./test";

const ROOT = "root@example.com";

const test = base.extend<object, { root: undefined }>({
  root: [
    async ({ server }, use) => {
      const token = new URL(server.setupLink).searchParams.get("token") ?? "";
      const tokens = await data(server.client().POST("/api/v1/setup", { body: { token, email: ROOT, password: PASSWORD, name: "Rosalind Franklin" } }));
      const api = createTenon({ baseUrl: server.url, token: tokens.access_token });
      await data(api.POST("/api/v1/orgs", { body: { name: "Northwind", slug: "northwind" } }));
      await use(undefined);
    },
    { scope: "worker" },
  ],
});

const heading = (page: Page) => page.locator("main h1");
const said = (page: Page, text: string | RegExp) => expect(page.getByText(text).first()).toBeVisible();
const jobs = (page: Page) => page.getByRole("table", { name: "Jobs" }).getByRole("row");

test("queues are watched, paused and resumed", async ({ page, server, root: _, signIn }) => {
  await server.person("mailed@example.com", "Mai Led");
  await signIn(ROOT, "/admin/jobs");
  await expect(heading(page)).toHaveText("Jobs");
  await expect(jobs(page).filter({ hasText: "mail.send" }).first()).toContainText("Completed");
  await everywhere(page);

  await page.getByRole("button", { name: "Pause mail" }).click();
  await everywhere(page);
  await page.getByRole("alertdialog").getByRole("button", { name: "Pause queue" }).click();
  await said(page, "mail is paused on every node");
  await expect(page.getByRole("button", { name: "Resume mail" })).toBeVisible();
  await page.waitForTimeout(2_500); // so long may a node take to notice
  await server.client().POST("/api/v1/auth/request-password-reset", { body: { email: "mailed@example.com" } });
  await page
    .getByRole("group", { name: "State" })
    .getByRole("button", { name: /Waiting/ })
    .click();
  await expect(page).toHaveURL(/state=available/);
  const letter = jobs(page).filter({ hasText: "mail.send" });
  await expect(letter).toBeVisible({ timeout: 10_000 });

  await letter.getByRole("link", { name: "mail.send" }).click();
  await expect(heading(page)).toContainText("mail.send");
  await said(page, "Arguments of this kind are never shown.");
  await said(page, "It has not begun yet.");
  await everywhere(page);
  await page.getByRole("button", { name: "Cancel job" }).click();
  await everywhere(page);
  await page.getByRole("alertdialog").getByRole("button", { name: "Cancel job" }).click();
  await said(page, "The job is cancelled");
  await expect(heading(page)).toContainText("Cancelled");
  await page.getByRole("button", { name: "Retry now" }).click();
  await expect(heading(page)).toContainText("Waiting");
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
  await said(page, "The job is deleted");
  await expect(heading(page)).toHaveText("Jobs");
  await page.getByRole("button", { name: "Resume mail" }).click();
  await said(page, "mail goes on");
});

test("lists are narrowed, schedules are run, and the page stands still when told to", async ({ page, server: _s, root: _, signIn }) => {
  await signIn(ROOT, "/admin/jobs");
  await page
    .getByRole("button", { name: /^Run now: / })
    .first()
    .click();
  await said(page, /is enqueued/);
  await page.getByRole("searchbox", { name: "Kind, or id of a job" }).fill("no.such.kind");
  await said(page, "Nothing matches");
  await expect(page).toHaveURL(/q=no\.such\.kind/);
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.getByRole("button", { name: "default", exact: false, pressed: false }).filter({ hasText: "per minute" }).first().click();
  await expect(page).toHaveURL(/queue=default/);

  await page.getByRole("button", { name: "Live" }).click();
  let asked = 0;
  page.on("request", (r) => {
    if (r.url().includes("/api/v1/admin/")) asked++;
  });
  await page.waitForTimeout(4_000);
  expect(asked).toBe(0);
});

test.describe("what failed", () => {
  test.use({ allowed: [/status of (401|503) /] });

  test("is shown with its error and its stack, and tried again", async ({ page, server, root: _, signIn }) => {
    const now = Date.now();
    const at = (s: number) => new Date(now - s * 1000).toISOString();
    const job = {
      id: "job_7",
      kind: "report.render",
      queue: "default",
      state: "dead",
      urgent: false,
      attempt: 3,
      max_attempts: 3,
      error: "template: no such field",
      cancel_requested: false,
      created_at: at(900),
      scheduled_at: at(800),
      started_at: at(61),
      finished_at: at(60),
    };
    const failed = {
      number: 3,
      node: "worker-1",
      outcome: "failed",
      started_at: at(61),
      ended_at: at(60),
      error: job.error,
      trace: "goroutine 1:\nmain.render()",
    };
    const queue = {
      name: "default",
      paused: false,
      paused_at: null,
      waiting: 0,
      running: 0,
      scheduled: 0,
      retrying: 0,
      dead: 2,
      oldest_wait_seconds: 0,
      throughput: 0,
      concurrency: 50,
    };
    await signIn(ROOT, "/admin");
    await page.route("**/api/v1/admin/queues", (r) => r.fulfill({ json: { items: [queue], next_cursor: null } }));
    await page.route("**/api/v1/admin/jobs?*", (r) => r.fulfill({ json: { items: [job], next_cursor: null } }));
    await page.route("**/api/v1/admin/jobs/job_7?*", (r) => r.fulfill({ json: { ...job, args: { report: 42 }, sealed: false, attempts: [failed] } }));
    await page.route("**/api/v1/admin/dead-jobs/retry", (r) => r.fulfill({ json: { count: 2 } }));
    await page.getByRole("link", { name: "Jobs" }).click();
    await said(page, "They need a person");
    await page
      .getByRole("group", { name: "State" })
      .getByRole("button", { name: /Dead\s*2/ })
      .click();
    await page.getByRole("button", { name: "Retry all dead" }).click();
    await expect(page.getByRole("alertdialog")).toContainText("Retry 2 dead jobs?");
    await everywhere(page);
    await page.getByRole("alertdialog").getByRole("button", { name: "Retry now" }).click();
    await said(page, "2 jobs run again");
    await jobs(page).filter({ hasText: "report.render" }).getByRole("link").click();
    await said(page, "Attempt 3");
    await page.getByText("Stack").click();
    await said(page, "main.render()");
    await page.getByRole("button", { name: "Show arguments" }).click();
    await said(page, '"report": 42');
    await everywhere(page);

    const down = { title: "Service Unavailable", status: 503, code: "service.unavailable", detail: "The database is away.", request_id: "req_42" };
    await page.unrouteAll();
    await page.route("**/api/v1/admin/**", (r) => r.fulfill({ status: 503, contentType: "application/problem+json", json: down }));
    await page.goto(`${server.url}/admin/jobs`);
    await expect(page.getByText("This did not load")).toHaveCount(4, { timeout: 20_000 });
    await everywhere(page);
    await page.unrouteAll();
  });
});
