import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { everywhere, PASSWORD, test } from "../test";
import { northwind } from "./world";

const folder = process.env.FOLDER ?? join(import.meta.dirname, "../../../docs/screenshots");

/** As most people see it, and as those do who differ most from them; with LOOKS=all, what is between. */
const looks = [
  { name: "desktop-light", width: 1440, height: 900, colorScheme: "light" },
  { name: "phone-dark", width: 390, height: 844, colorScheme: "dark" },
  ...(process.env.LOOKS === "all"
    ? [
        { name: "desktop-dark", width: 1440, height: 900, colorScheme: "dark" },
        { name: "phone-light", width: 390, height: 844, colorScheme: "light" },
      ]
    : []),
] as const;

async function shoot(page: Page, name: string) {
  await page.mouse.move(0, 0);
  for (const look of looks) {
    await page.emulateMedia({ colorScheme: look.colorScheme as "light" | "dark", reducedMotion: "reduce" });
    await page.setViewportSize(look);
    await page.waitForTimeout(150);
    await page.screenshot({ path: join(folder, `${name}-${look.name}.png`), fullPage: look.width < 500 });
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1440, height: 900 });
}

test.use({ allowed: [/./] });

test("every page", async ({ page, server }) => {
  mkdirSync(folder, { recursive: true });
  const { owner, team, person } = await northwind(server);
  const signedOut = {
    "sign-in": "/sign-in",
    "sign-up": "/sign-up",
    "forgot-password": "/forgot-password",
    "broken-link": "/verify-email?token=tn_verify_gone",
  };
  for (const [name, path] of Object.entries(signedOut)) {
    await page.goto(server.url + path);
    await page.locator("h1").waitFor();
    await shoot(page, name);
  }
  await page.goto(`${server.url}/sign-in`);
  await page.getByLabel("E-mail").fill(owner);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.waitForURL("**/o/northwind");
  const pages: Record<string, string> = {
    "org-overview": "/o/northwind",
    "org-members": "/o/northwind/members",
    "org-invitations": "/o/northwind/invitations",
    "org-teams": "/o/northwind/teams",
    "org-team": `/o/northwind/teams/${team}`,
    "org-roles": "/o/northwind/roles",
    "org-api-keys": "/o/northwind/api-keys",
    "org-events": "/o/northwind/events",
    "org-settings": "/o/northwind/settings",
    welcome: "/welcome",
    "account-profile": "/account/profile",
    "account-security": "/account/security",
    "account-identities": "/account/identities",
    "account-notifications": "/account/notifications",
    "account-activity": "/account/activity",
    inbox: "/inbox",
    "admin-overview": "/admin",
    "admin-users": "/admin/users",
    "admin-user": `/admin/users/${person}`,
    "admin-orgs": "/admin/orgs",
    "admin-events": "/admin/events",
    "admin-announcements": "/admin/announcements",
    "admin-jobs": "/admin/jobs",
    "admin-health": "/admin/health",
    "admin-mail": "/admin/mail",
    "not-found": "/nowhere",
  };
  for (const [name, path] of Object.entries(pages)) {
    await page.goto(server.url + path);
    await page.locator("h1").waitFor();
    await page.waitForLoadState("networkidle");
    await everywhere(page);
    await shoot(page, name);
  }
  await page.goto(`${server.url}/o/northwind/members`);
  await page.getByRole("button", { name: "Invite people" }).first().click();
  await page.getByRole("dialog").waitFor();
  await shoot(page, "org-invite");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").waitFor();
  await shoot(page, "command-menu");
});
