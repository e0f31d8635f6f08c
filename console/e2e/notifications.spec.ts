import type { Page } from "@playwright/test";
import { data } from "@tenon/client";
import { join, organization } from "./orgs";
import { test as base, everywhere, expect, PASSWORD } from "./test";

const ROOT = "root@announce.example";

const test = base.extend<object, { root: string }>({
  root: [
    async ({ server }, use) => {
      const token = new URL(server.setupLink).searchParams.get("token") ?? "";
      await data(server.client().POST("/api/v1/setup", { body: { token, email: ROOT, password: PASSWORD, name: "Root" } }));
      await use(ROOT);
    },
    { scope: "worker" },
  ],
});

const said = (page: Page, text: string | RegExp) => expect(page.getByText(text).first()).toBeVisible();
const rows = (page: Page) => page.getByRole("table", { name: "Inbox" }).getByRole("row");

test.describe("notifications", () => {
  test("arrive by themselves, are read, and go", async ({ page, server, signIn }) => {
    const org = await organization(server, "lagoon", "Lagoon");
    await signIn(org.email, "/inbox");
    await said(page, "Nothing yet");
    await everywhere(page);

    // Somebody accepts an invitation, and Ada's role changes twice, elsewhere: the inbox moves by itself.
    const ada = await join(server, org, "ada@lagoon.example", "Ada");
    await expect(rows(page).filter({ hasText: "Ada has joined Lagoon" })).toBeVisible({ timeout: 20_000 });
    await expect(page.locator("aside").getByRole("link", { name: "Inbox, 1 unread" })).toBeVisible({ timeout: 20_000 });
    await everywhere(page);

    await page.getByRole("link", { name: "Show members" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Members" })).toBeVisible();
    await expect(page.locator("aside").getByRole("link", { name: "Inbox", exact: true }).first()).toBeVisible();

    const me = await data(ada.api.GET("/api/v1/users/me"));
    for (const role of ["admin", "viewer"])
      await org.api.PATCH("/api/v1/orgs/{org}/members/{account}", { params: { path: { org: org.id, account: me.id } }, body: { role } });
    await page.context().clearCookies();
    await signIn(ada.email, "/inbox");
    await expect(rows(page).filter({ hasText: "Your role in Lagoon is Viewer now" })).toBeVisible();
    await page.getByRole("button", { name: "Actions for Your role in Lagoon is Admin now" }).click();
    await page.getByRole("menuitem", { name: "Mark as read" }).click();
    await said(page, "Unread (1)");
    await page.getByText("Unread (1)").click();
    await expect(rows(page).filter({ hasText: "is Admin now" })).toHaveCount(0);
    await page.getByRole("button", { name: "Mark all as read" }).click();
    await said(page, "You have seen everything.");
    await expect(page.getByRole("button", { name: "Mark all as read" })).toBeDisabled();
    await everywhere(page);
    await page.getByText("All", { exact: true }).click();
    await page.getByRole("button", { name: "Actions for Your role in Lagoon is Admin now" }).click();
    await page.getByRole("menuitem", { name: "Mark as unread" }).click();
    await said(page, "Unread (1)");
    await page.getByRole("button", { name: "Actions for Your role in Lagoon is Admin now" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await said(page, "is gone from your inbox");
    await expect(rows(page).filter({ hasText: "is Admin now" })).toHaveCount(0);
  });

  test("reach people as they like", async ({ page, server, signIn }) => {
    await server.person("prefers@example.com", "Pre Fers");
    await signIn("prefers@example.com", "/account/notifications");
    await said(page, "Security of your account");
    await everywhere(page);
    await expect(page.getByLabel("In the inbox: Security of your account")).toBeDisabled();
    await page.getByLabel("In the inbox: Invitations accepted").click();
    await expect(page.getByLabel("In the inbox: Invitations accepted")).not.toBeChecked(); // a moment later
    await said(page, "Holds from now on: Invitations accepted");
    await page.getByRole("combobox", { name: "E-mail: Your role" }).click();
    await page.getByRole("option", { name: "At once" }).click();
    await said(page, "Holds from now on: Your role");
    await page.reload();
    await expect(page.getByLabel("In the inbox: Invitations accepted")).not.toBeChecked();
    await expect(page.getByRole("combobox", { name: "E-mail: Your role" })).toContainText("At once");
  });

  test("administrators announce something, and people put it away", async ({ page, server, signIn, root }) => {
    await signIn(root, "/admin/announcements");
    await said(page, "Nothing announced");
    await everywhere(page);

    await page.getByRole("button", { name: "New announcement" }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Title" }).fill("Maintenance on Sunday");
    await dialog.getByLabel("Message").fill("From eight to nine, everything rests.");
    await dialog.getByLabel("Label of the button").fill("Read more");
    await dialog.getByLabel("Where the button leads").fill("javascript:alert(1)");
    await dialog.getByRole("button", { name: "Announce" }).click();
    await said(page, "This does not have the right form.");
    await dialog.getByLabel("Where the button leads").fill("/account/security");
    await everywhere(page);
    await dialog.getByRole("button", { name: "Announce" }).click();
    const banner = page.getByRole("region", { name: "Announcements" }).getByRole("status");
    await expect(banner).toContainText("Maintenance on Sunday");
    await said(page, "Shown now");
    await everywhere(page);

    await page.getByRole("button", { name: "Maintenance on Sunday", exact: true }).click();
    await dialog.getByRole("textbox", { name: "Title" }).fill("Maintenance on Monday");
    await dialog.getByRole("button", { name: "Save changes" }).click();
    await expect(banner).toContainText("Maintenance on Monday");

    await server.person("reader@example.com", "Rea Der");
    await page.context().clearCookies();
    await signIn("reader@example.com", "/account/profile");
    await expect(banner).toContainText("Maintenance on Monday");
    await banner.getByRole("link", { name: "Read more" }).click();
    await expect(page).toHaveURL(/\/account\/security/);
    await banner.getByRole("button", { name: "Put away: Maintenance on Monday" }).click();
    await expect(banner).toHaveCount(0);
    await page.reload();
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(banner).toHaveCount(0);

    await page.context().clearCookies();
    await signIn(root, "/admin/announcements");
    await page.getByRole("button", { name: "Actions for Maintenance on Monday" }).click();
    await page.getByRole("menuitem", { name: "Delete announcement" }).click();
    await everywhere(page);
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete announcement" }).click();
    await said(page, "Nothing announced");
    await expect(banner).toHaveCount(0);
  });
});
