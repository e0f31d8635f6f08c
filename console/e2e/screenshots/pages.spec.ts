import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { data } from "@tenon/client";
import { Provider } from "../provider";
import { Server } from "../server";
import { everywhere, PASSWORD, test, totp } from "../test";
import { northwind, papers } from "./world";

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

/** The machine that takes the pictures is nobody's business. */
const anonymous = (page: Page) =>
  page.evaluate((name) => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.nodeValue = texts.currentNode.nodeValue?.replaceAll(name, "app-1") ?? null;
  }, hostname());

async function shoot(page: Page, name: string) {
  await page.mouse.move(0, 0);
  await anonymous(page);
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
  const { owner, team, person, org, api } = await northwind(server);
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
  const picture = await page.screenshot({ clip: { x: 760, y: 0, width: 680, height: 680 } });
  await page.getByLabel("E-mail").fill(owner);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.waitForURL("**/o/northwind");
  await papers(server, picture);
  const pages: Record<string, string> = {
    "org-overview": "/o/northwind",
    "org-members": "/o/northwind/members",
    "org-invitations": "/o/northwind/invitations",
    "org-teams": "/o/northwind/teams",
    "org-team": `/o/northwind/teams/${team}`,
    "org-roles": "/o/northwind/roles",
    "org-api-keys": "/o/northwind/api-keys",
    "org-files": "/o/northwind/files",
    "org-events": "/o/northwind/events",
    "org-settings": "/o/northwind/settings",
    welcome: "/welcome",
    "account-profile": "/account/profile",
    "account-security": "/account/security",
    "account-notifications": "/account/notifications",
    "account-activity": "/account/activity",
    inbox: "/inbox",
    "admin-overview": "/admin",
    "admin-users": "/admin/users",
    "admin-user": `/admin/users/${person}`,
    "admin-orgs": "/admin/orgs",
    "admin-org": `/admin/orgs/${org}`,
    "admin-events": "/admin/events",
    "admin-announcements": "/admin/announcements",
    "admin-flags": "/admin/flags",
    "admin-flag": "/admin/flags/live-tracking",
    "admin-jobs": "/admin/jobs",
    "admin-job": `/admin/jobs/${(await data(api.GET("/api/v1/admin/jobs"))).items[0]!.id}`,
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
  await page.goto(`${server.url}/o/northwind/files`);
  await page.getByRole("button", { name: "Night route.png", exact: true }).click();
  await page.getByRole("dialog").getByRole("img").waitFor();
  await shoot(page, "org-file");
});

test("ways in", async ({ page, server }) => {
  const fresh = await Server.start();
  await page.goto(fresh.setupLink);
  await page.locator("h1").waitFor();
  await shoot(page, "set-up");
  await page.goto("about:blank");
  await fresh.stop();

  const ada = await server.person("ada@lighthouse.example", "Ada Winter");
  const org = await data(ada.api.POST("/api/v1/orgs", { body: { name: "Lighthouse", slug: "lighthouse" } }));
  await ada.api.POST("/api/v1/orgs/{org}/invitations", { params: { path: { org: org.id } }, body: { email: "ben@lighthouse.example", role: "member" } });
  await ada.api.POST("/api/v1/auth/request-password-reset", { body: { email: ada.email } });
  const device = await data(ada.api.POST("/api/v1/totp/setup", { body: { device_name: "Phone" } }));
  await data(ada.api.POST("/api/v1/totp/enable", { body: { code: totp(device.secret) } }));
  for (const [name, letter] of [
    ["accept-invitation", await server.mail("ben@lighthouse.example")],
    ["reset-password", await server.mail(ada.email, /password/i)],
  ] as const) {
    await page.goto(letter.links[0] ?? "");
    await page.locator("h1").waitFor();
    await page.waitForLoadState("networkidle");
    await shoot(page, name);
  }
  for (const name of ["magic-link", "confirm-email", "not-me"]) {
    await page.goto(`${server.url}/${name}?token=tn_${name}_x`); // which is sent only once the button is pressed
    await page.locator("h1").waitFor();
    await shoot(page, name);
  }
  await page.goto(`${server.url}/sign-in`);
  await page.getByLabel("E-mail").fill(ada.email);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.waitForURL("**/second-factor**");
  await shoot(page, "second-factor");
});

test("a waiting list, and accounts elsewhere", async ({ page }) => {
  const provider = await Provider.start();
  const server = await Server.start({ ...provider.env, TENON_SIGNUP: "waitlist" });
  const root = { email: "amara.okafor@northwind.example", password: PASSWORD };
  await server.client().POST("/api/v1/setup", { body: { ...root, token: new URL(server.setupLink).searchParams.get("token") ?? "", name: "Amara Okafor" } });
  for (const [name, email] of [
    ["Deepa Krishnan", "deepa.krishnan@partner.example"],
    ["Sam Oduya", "sam.oduya@partner.example"],
  ] as const)
    await server.client().POST("/api/v1/auth/register", { body: { name, email, password: PASSWORD } });
  await page.goto(`${server.url}/sign-in?next=/admin/waitlist`);
  await shoot(page, "sign-in-with-provider");
  await page.getByLabel("E-mail").fill(root.email);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("table").waitFor();
  await shoot(page, "admin-waitlist");
  await page.goto(`${server.url}/account/identities`);
  await page.getByRole("button", { name: /^Link / }).click();
  await page.getByRole("alert").waitFor();
  await shoot(page, "account-identities");
  await page.goto("about:blank");
  await server.stop();
  await provider.stop();
});
