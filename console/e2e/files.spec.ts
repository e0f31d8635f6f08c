import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { join, organization } from "./orgs";
import { everywhere, expect, test } from "./test";

const files = (page: Page) => page.getByRole("table", { name: "Files" }).getByRole("row");
const said = (page: Page, text: string | RegExp) => expect(page.getByText(text).first()).toBeVisible();
const pdf = (text: string) => Buffer.from(`%PDF-1.7\n${text}\n`);
/** A picture of one pixel. */
const dot = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

async function choose(page: Page, ...list: { name: string; buffer: Buffer }[]): Promise<void> {
  const asked = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Upload files" }).first().click();
  await (await asked).setFiles(list.map((f) => ({ ...f, mimeType: "application/octet-stream" })));
}

test.describe("files", () => {
  test.use({ allowed: [/status of (401|409|415|422) /] });

  test("are uploaded, looked at, handed on and deleted", async ({ page, server, signIn }) => {
    const org = await organization(server, "harbour", "Harbour");
    await signIn(org.email, `/o/${org.slug}/files`);
    await said(page, "No files yet");
    await everywhere(page);

    await choose(
      page,
      { name: "Tide table.pdf", buffer: pdf("high") },
      { name: "lighthouse.png", buffer: dot },
      { name: "page.png", buffer: Buffer.from("<html><script>") },
    );
    await said(page, "Uploads are done");
    await said(page, "Files of this type are not taken here.");
    await expect(files(page).filter({ hasText: "Tide table.pdf" })).toBeVisible();
    await expect(files(page).filter({ hasText: "lighthouse.png" }).locator("img")).toBeVisible();
    await everywhere(page);
    await page.getByRole("button", { name: "Clear", exact: true }).click();
    await expect(page.getByText("Uploads are done")).toHaveCount(0);

    await page.getByRole("button", { name: "lighthouse.png", exact: true }).click();
    const detail = page.getByRole("dialog");
    await expect(detail.getByRole("img", { name: "lighthouse.png" })).toBeVisible();
    await expect(detail).toContainText(createHash("sha256").update(dot).digest("hex"));
    await everywhere(page);
    const saved = page.waitForEvent("download");
    await detail.getByRole("button", { name: "Download" }).click();
    expect(readFileSync(await (await saved).path())).toEqual(dot);
    await page.keyboard.press("Escape");

    await page.getByRole("button", { name: "Actions for Tide table.pdf" }).click();
    await page.getByRole("menuitem", { name: "Get a link" }).click();
    const link = page.getByRole("dialog").locator("code");
    await expect(link).toContainText("/content/");
    await everywhere(page);
    const fetched = await fetch((await link.textContent()) ?? "");
    expect(Buffer.from(await fetched.arrayBuffer())).toEqual(pdf("high"));
    await page.keyboard.press("Escape");

    await page.getByLabel("Search files").fill("tide");
    await expect(files(page).filter({ hasText: "lighthouse.png" })).toHaveCount(0);
    await page.getByRole("button", { name: "Actions for Tide table.pdf" }).click();
    await page.getByRole("menuitem", { name: "Delete file" }).click();
    await everywhere(page);
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete file" }).click();
    await said(page, "Tide table.pdf is gone for everyone");
    await said(page, "Nothing matches");
    await page.getByRole("button", { name: "Clear filters" }).click();
    await expect(files(page).filter({ hasText: "lighthouse.png" })).toBeVisible();
  });

  test("of others are there to be read", async ({ page, server, signIn }) => {
    const org = await organization(server, "quay", "Quay");
    const viewer = await join(server, org, "vera@quay.example", "Vera", "viewer");
    await signIn(org.email, `/o/${org.slug}/files`);
    await choose(page, { name: "Rules.pdf", buffer: pdf("rules") });
    await said(page, "Uploads are done");
    await page.context().clearCookies();
    await signIn(viewer.email, `/o/${org.slug}/files`);
    await expect(page.getByRole("button", { name: "Upload files" })).toHaveCount(0);
    await page.getByRole("button", { name: "Actions for Rules.pdf" }).click();
    await expect(page.getByRole("menuitem", { name: "Download" })).toBeVisible();
    await expect(page.getByRole("menuitem", { name: "Delete file" })).toHaveCount(0);
  });

  test("a portrait is made of a picture", async ({ page, server, signIn }) => {
    await server.person("portrait@example.com", "Por Trait");
    await signIn("portrait@example.com", "/account/profile");
    const send = async (buffer: Buffer) => {
      const asked = page.waitForEvent("filechooser");
      await page.getByRole("button", { name: "Upload a picture" }).click();
      await (await asked).setFiles({ name: "me.png", mimeType: "image/png", buffer });
    };
    await send(dot);
    await said(page, "Your picture is shown beside your name");
    await expect(page.locator("aside img")).toHaveAttribute("src", /\/api\/v1\/avatars\/ava_/);
    await everywhere(page);
    await page.getByRole("button", { name: "Save changes" }).click(); // keeps it
    await said(page, "People see you as Por Trait now");
    await page.getByRole("button", { name: "Remove picture" }).click();
    await expect(page.locator("aside img")).toHaveCount(0);
    await send(Buffer.from("no picture"));
    await said(page, "Send a picture: JPEG, PNG, GIF or WebP.");
  });
});
