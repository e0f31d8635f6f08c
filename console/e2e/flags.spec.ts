import type { Page } from "@playwright/test";
import { createTenon, data, type Tenon } from "@tenon/client";
import { test as base, everywhere, expect, PASSWORD } from "./test";

const ROOT = "root@example.com";

const test = base.extend<object, { root: Tenon }>({
  root: [
    async ({ server }, use) => {
      const token = new URL(server.setupLink).searchParams.get("token") ?? "";
      const tokens = await data(server.client().POST("/api/v1/setup", { body: { token, email: ROOT, password: PASSWORD, name: "Rosalind Franklin" } }));
      await use(createTenon({ baseUrl: server.url, token: tokens.access_token }));
    },
    { scope: "worker" },
  ],
});

test.use({ allowed: [/status of (401|409|412|422) /] });

const said = (page: Page, text: string | RegExp) => expect(page.getByText(text).first()).toBeVisible();
const flags = (page: Page) => page.getByRole("table", { name: "Feature flags" }).getByRole("row");

/** Says why, and goes on. */
async function because(page: Page, why: string, action: string): Promise<void> {
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Why").fill(why);
  await dialog.getByRole("button", { name: action, exact: true }).click();
}

async function pick(page: Page, field: string, option: string): Promise<void> {
  await page.getByRole("combobox", { name: field, exact: true }).click();
  await page.getByRole("option", { name: option, exact: true }).click();
}

test("a flag is made, aimed, tried and turned on", async ({ page, root: _, signIn }) => {
  await signIn(ROOT, "/admin/flags");
  await said(page, "No flags yet");
  await everywhere(page);
  await page.getByRole("button", { name: "New flag" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Key").fill("New Dashboard");
  await expect(dialog.getByLabel("Key")).toHaveValue("new-dashboard");
  await everywhere(page);
  await because(page, "For the autumn release", "Make flag");
  await said(page, "new-dashboard is made");
  await expect(page).toHaveURL(/\/admin\/flags\/new-dashboard$/);

  await pick(page, "Otherwise: how", "All the same");
  await page.getByRole("combobox", { name: "Variant", exact: true }).click();
  await page.getByRole("option", { name: "off", exact: true }).click();
  await page.getByRole("button", { name: "Add a rule" }).click();
  await page.getByLabel("What rule 1 is for").fill("Customers who try it");
  await page.getByLabel("Values of condition 1 of rule 1").fill("acme.com, example.org");
  await pick(page, "Rule 1 serves: how", "A part each");
  await page.getByLabel("Percent of off").first().fill("50");
  await everywhere(page);
  await page.getByRole("button", { name: "Save changes" }).click();
  await because(page, "Half of two customers", "Save changes");
  await said(page, "new-dashboard is saved");
  await said(page, "Half of two customers");
  await page.reload();
  await expect(page.getByLabel("What rule 1 is for")).toHaveValue("Customers who try it");

  await page.getByLabel("E-mail domain").fill("acme.com");
  await page.getByLabel("Account id").fill("somebody");
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await said(page, "The flag is off.");

  await page.getByRole("switch", { name: "new-dashboard is on" }).click();
  await everywhere(page);
  await because(page, "Everything is ready", "Turn on");
  await said(page, "new-dashboard is on, on every node");
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await said(page, "Rule rule-1 holds, and they are in this part of it.");
  await page.getByLabel("E-mail domain").fill("elsewhere.com");
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await said(page, "No rule holds: it is what everybody else gets.");
  await everywhere(page);

  await page.goto(new URL("/admin/flags", page.url()).href);
  await expect(flags(page).filter({ hasText: "new-dashboard" })).toContainText("1 rule; else off for everybody");
  await everywhere(page);
  await page.getByRole("switch", { name: "new-dashboard is on" }).click();
  await said(page, "Everybody gets off, on every node, within a second.");
  await because(page, "The errors pile up", "Turn off");
  await said(page, "new-dashboard is off on every node");
});

test("what somebody else has changed is not overwritten", async ({ page, root, signIn }) => {
  await data(root.POST("/api/v1/admin/flags", { body: { key: "contested", type: "string", variants: [{ name: "a", value: "A" }], reason: "for the test" } }));
  await signIn(ROOT, "/admin/flags/contested");
  await page.getByLabel("Description").fill("mine");
  await page.getByRole("button", { name: "Save changes" }).click();
  await data(
    root.PATCH("/api/v1/admin/flags/{flag}", { params: { path: { flag: "contested" }, header: {} }, body: { description: "theirs", reason: "I was quicker" } }),
  );
  await because(page, "I was slower", "Save changes");
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("Somebody else has changed this flag meanwhile.");
  await everywhere(page);
  await dialog.getByRole("button", { name: "Show theirs" }).click();
  await expect(page.getByLabel("Description")).toHaveValue("theirs");
  await said(page, "I was quicker");

  await page.getByLabel("Value of a").fill("Alpha");
  await page.getByRole("button", { name: "Add a variant" }).click();
  await page.getByLabel("Name of variant 2").fill("b");
  await page.getByRole("button", { name: "Save changes" }).click();
  await because(page, "A second one", "Save changes");
  await said(page, "contested is saved");
  expect((await data(root.GET("/api/v1/admin/flags/{flag}", { params: { path: { flag: "contested" } } }))).variants).toEqual([
    { name: "a", value: "Alpha" },
    { name: "b", value: "" },
  ]);
});

test("a flag is archived, restored and deleted", async ({ page, root, signIn }) => {
  await data(root.POST("/api/v1/admin/flags", { body: { key: "old-thing", type: "boolean", reason: "for the test" } }));
  await signIn(ROOT, "/admin/flags/old-thing");
  await page.getByRole("button", { name: "Archive" }).click();
  await because(page, "It is out of the code", "Archive");
  await said(page, "old-thing is archived");
  await everywhere(page);
  await page.getByRole("button", { name: "Restore" }).click();
  await because(page, "Not quite", "Restore");
  await said(page, "old-thing is back");
  await page.getByRole("button", { name: "Archive" }).click();
  await because(page, "Now it is", "Archive");
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Why").fill("Nobody misses it");
  await expect(dialog.getByRole("button", { name: "Delete", exact: true })).toBeDisabled();
  await dialog.getByLabel(/old-thing/).fill("old-thing");
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await said(page, "old-thing is gone");
  await expect(page).toHaveURL(/state=archived/);
  await expect(flags(page).filter({ hasText: "old-thing" })).toHaveCount(0);
});
