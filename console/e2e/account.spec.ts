import type { Page } from "@playwright/test";
import { Provider } from "./provider";
import { Server } from "./server";
import { everywhere, expect, PASSWORD, test, totp } from "./test";

const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
const windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0";

/** Signs somebody in on another device. */
const elsewhere = (server: Server, email: string, agent: string, password = PASSWORD) =>
  fetch(`${server.url}/api/v1/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json", "user-agent": agent },
    body: JSON.stringify({ email, password }),
  });

/** A phone in the pocket of the browser: it makes passkeys, and is always touched. */
async function authenticator(page: Page, backedUp = true) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      defaultBackupEligibility: backedUp,
      defaultBackupState: backedUp,
    },
  });
  return {
    refuse: (yes: boolean) => cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: !yes }),
    touch: (enabled: boolean) => cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled }),
  };
}

/** The server wants a recent proof of identity for the next request to a path: as it does after a quarter of an hour. */
const stale = (page: Page, path: string, methods: string[]) =>
  page.route(
    `**/api/v1${path}`,
    (route) =>
      route.fulfill({
        status: 401,
        contentType: "application/problem+json",
        json: { title: "Unauthorized", status: 401, code: "auth.fresh_required", detail: "Prove again who you are.", request_id: "req_1", methods },
      }),
    { times: 1 },
  );

/** Signs in at a server of the test's own. */
async function signInAt(server: Server, page: Page, email: string, path: string) {
  await page.goto(`${server.url}/sign-in?next=${encodeURIComponent(path)}`);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.locator("main h1")).toBeVisible();
  await page.waitForURL((u) => !u.pathname.startsWith("/sign-in"));
}

const toast = (page: Page, text: string) => expect(page.getByText(text).first()).toBeVisible();

test("name and language", async ({ page, server, signIn }) => {
  const { api } = await server.person("ada@example.com", "Ada Lovelace");
  await signIn("ada@example.com", "/account/profile");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Profile");
  await everywhere(page);
  await page.getByLabel("Name", { exact: true }).fill("");
  await page.getByRole("button", { name: "Save changes" }).click();
  await expect(page.getByText("Fill in this field.")).toBeVisible();
  await page.getByLabel("Name", { exact: true }).fill("Ada King");
  await page.getByRole("button", { name: "Save changes" }).click();
  await toast(page, "People see you as Ada King now");
  await expect(page.getByRole("button", { name: /Ada King.*account menu/i })).toBeVisible();

  await page.getByRole("combobox", { name: "Language" }).click();
  await page.getByRole("option", { name: "Deutsch" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Profil");
  expect((await api.GET("/api/v1/users/me")).data?.locale).toBe("de");
  await everywhere(page);
  for (const path of ["security", "identities", "activity"]) {
    await page.goto(`${server.url}/account/${path}`);
    await expect(page.locator("main h1")).toBeVisible();
    await expect(page.locator("main [aria-busy=true]")).toHaveCount(0);
    await everywhere(page);
    await expect(page.locator("main")).not.toContainText(/account\.\w|event\.\w/);
  }
  await page.goto(`${server.url}/account/profile`);
  await page.getByRole("combobox", { name: "Sprache" }).click();
  await page.getByRole("option", { name: "English" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Profile");
});

test.describe("a picture", () => {
  // What the policy of the page does not let in is not shown, and the browser says so.
  test.use({ allowed: [/status of (401|422) |CSP img-src|Content Security Policy/] });

  test("is looked at before it is kept", async ({ page }) => {
    const server = await Server.start({ TENON_AVATAR_HOSTS: "pictures.example" });
    try {
      const picture = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path fill="#0a7" d="M0 0h1v1H0z"/></svg>';
      await page.route("https://pictures.example/**", (r) => r.fulfill({ contentType: "image/svg+xml", body: picture }));
      await server.person("face@example.com", "Fa Ce");
      await signInAt(server, page, "face@example.com", "/account/profile");
      const shown = page.locator("main img");
      const address = page.getByLabel("Address of a picture");

      await address.fill("https://elsewhere.example/me.png");
      await page.getByRole("button", { name: "Save changes" }).click();
      await expect(page.getByText("Pictures cannot be shown from this address.")).toBeVisible();
      await expect(shown).toHaveCount(0);
      await everywhere(page);

      await address.fill("https://pictures.example/me.svg");
      await expect(shown).toHaveAttribute("src", "https://pictures.example/me.svg");
      await page.getByRole("button", { name: "Save changes" }).click();
      await toast(page, "People see you as Fa Ce now");
      await expect(page.locator("aside img")).toHaveAttribute("src", "https://pictures.example/me.svg");
      await everywhere(page);

      await address.fill("");
      await page.getByRole("button", { name: "Save changes" }).click();
      await expect(page.locator("aside img")).toHaveCount(0);
    } finally {
      await server.stop();
    }
  });
});

test("another e-mail address is proved first", async ({ page, server, signIn }) => {
  await server.person("before@example.com", "Be Fore");
  await signIn("before@example.com", "/account/profile");
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await everywhere(page);
  await page.getByLabel("New e-mail address").fill("nonsense@");
  await page.getByRole("button", { name: "Send link" }).click();
  await expect(page.getByText("Enter a whole e-mail address")).toBeVisible();
  await page.getByLabel("New e-mail address").fill("after@example.com");
  await page.getByRole("button", { name: "Send link" }).click();
  await expect(page.getByRole("dialog")).toContainText("Until you open it, before@example.com stays your address.");
  await everywhere(page);
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("main")).toContainText("before@example.com");

  await page.goto((await server.mail("after@example.com")).links[0] ?? "");
  await page.getByRole("button", { name: "Confirm address" }).click();
  await toast(page, "Your new address is confirmed");
  await page.goto(`${server.url}/account/profile`);
  await expect(page.getByRole("main")).toContainText("after@example.com");
});

test("a new password signs the other devices out", async ({ page, server, signIn }) => {
  const { api } = await server.person("secret@example.com", "Sec Ret");
  await signIn("secret@example.com", "/account/profile");
  await page.getByLabel("Current password").fill("not this one");
  await page.getByLabel("New password", { exact: true }).fill("another harbour at dusk 11");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText("That is not your current password.")).toBeVisible();
  await everywhere(page);
  await page.getByLabel("Current password").fill(PASSWORD);
  await page.getByLabel("New password", { exact: true }).fill("password123");
  await expect(page.getByRole("meter")).toBeVisible();
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText("Many people use this password").last()).toBeVisible();
  await page.getByLabel("New password", { exact: true }).fill("another harbour at dusk 11");
  await page.getByRole("button", { name: "Change password" }).click();
  await toast(page, "Your new password is set");
  await expect(page.getByLabel("Current password")).toHaveValue("");
  await expect(api.GET("/api/v1/users/me")).rejects.toMatchObject({ status: 401 });
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Profile");
});

test("an authenticator app: set up, its backup codes, removed", async ({ page, server, signIn }) => {
  await server.person("apps@example.com", "Ap Ps");
  await signIn("apps@example.com", "/account/security");
  await page.getByRole("button", { name: "Add an app" }).click();
  await everywhere(page);
  await page.getByLabel("Name", { exact: true }).fill("My phone");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("img", { name: "QR code for the authenticator app" })).toBeVisible();
  await expect(page.getByLabel("Six-digit code")).toBeFocused();
  await everywhere(page);
  await page.mouse.click(5, 5); // beside the dialog
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.getByLabel("Six-digit code").fill("12345");
  await page.getByRole("button", { name: "Turn on" }).click();
  await expect(page.getByText("This does not have the right form.")).toBeVisible();
  await page.getByLabel("Six-digit code").fill("000 000");
  await page.getByRole("button", { name: "Turn on" }).click();
  await expect(page.getByRole("alert").filter({ hasText: "not right" })).toBeVisible();
  const secret = (await page.getByTestId("totp-secret").textContent()) ?? "";
  await page.getByLabel("Six-digit code").fill(totp(secret, -1));
  await page.getByRole("button", { name: "Turn on" }).click();

  await expect(page.getByRole("dialog")).toContainText("Your backup codes");
  const codes = page.getByTestId("secret").getByRole("listitem");
  await expect(codes).toHaveCount(10);
  await everywhere(page);
  const download = page.waitForEvent("download");
  await page
    .getByRole("button", { name: "Download" })
    .or(page.getByRole("link", { name: "Download" }))
    .click();
  expect((await download).suggestedFilename()).toBe("tenon-backup-codes.txt");
  await page.getByRole("button", { name: "I have kept them" }).click();
  await toast(page, "My phone is ready");
  await expect(page.getByText("10 of 10 left")).toBeVisible();
  await everywhere(page);

  // One is used up to sign in with.
  const code = "000000";
  await page.getByRole("button", { name: "Get new codes" }).click();
  await everywhere(page);
  await stale(page, "/totp/backup-codes", ["totp"]);
  await page.getByRole("alertdialog").getByRole("button", { name: "Get new codes" }).click();
  await expect(page.getByRole("dialog", { name: "Confirm that it is you" })).toBeVisible();
  await everywhere(page);
  await page.getByLabel("Code of your authenticator app").fill(code);
  await page.getByRole("button", { name: "Confirm", exact: true }).click();
  await expect(page.getByRole("alert").filter({ hasText: "not right" })).toBeVisible();
  await page.getByLabel("Code of your authenticator app").fill(totp(secret));
  await page.getByRole("button", { name: "Confirm", exact: true }).click();
  await expect(page.getByTestId("secret").getByRole("listitem")).toHaveCount(10);
  const fresh = (await page.getByTestId("secret").getByRole("listitem").first().textContent()) ?? "";
  await page.getByRole("button", { name: "I have kept them" }).click();

  // By a backup code, which is used up.
  await stale(page, "/totp/backup-codes", ["totp"]);
  await page.getByRole("button", { name: "Get new codes" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Get new codes" }).click();
  await page.getByRole("button", { name: "Use a backup code" }).click();
  await page.getByLabel("Backup code", { exact: true }).fill(fresh);
  await page.getByRole("button", { name: "Confirm", exact: true }).click();
  await page.getByRole("button", { name: "I have kept them" }).click();

  await page.getByRole("button", { name: "Remove My phone" }).click();
  await expect(page.getByRole("alertdialog")).toContainText("your backup codes become void");
  await everywhere(page);
  await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
  await toast(page, "My phone is removed");
  await expect(page.getByText("My phone", { exact: true })).toHaveCount(0);
});

test("a passkey: added, signed in with, renamed, removed", async ({ page, server, signIn }) => {
  await server.person("finger@example.com", "Fin Ger");
  await signIn("finger@example.com", "/account/security");
  const device = await authenticator(page);
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await everywhere(page);
  await page.getByLabel("Name", { exact: true }).fill("Laptop");
  await device.refuse(true);
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("alert").filter({ hasText: "No passkey was made" })).toBeVisible();
  await everywhere(page);
  await device.refuse(false);
  await page.getByRole("button", { name: "Continue" }).click();
  await toast(page, "Laptop is ready: you can sign in with it");
  await expect(page.getByText("Synced")).toBeVisible();
  await everywhere(page);

  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("alert").filter({ hasText: "holds a passkey for your account already" })).toBeVisible();
  await page.getByRole("button", { name: "Cancel" }).click();

  await page.getByRole("button", { name: "Rename Laptop" }).click();
  await everywhere(page);
  await page.getByLabel("Name", { exact: true }).fill("Work laptop");
  await page.getByRole("button", { name: "Rename", exact: true }).click();
  await toast(page, "It is called Work laptop now");

  await device.touch(false); // the page offers it in the autofill at once, and it is to be the button
  await page.getByRole("button", { name: /account menu/i }).click();
  const offered = page.waitForResponse("**/api/v1/auth/passkey/options");
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Welcome back");
  await offered;
  await page.waitForTimeout(500);
  await device.touch(true);
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Welcome, Fin Ger");

  await page.goto(`${server.url}/account/security`);
  await expect(page.getByRole("list", { name: "Passkeys" })).toContainText("last used just now");
  // The proof that removing asks for is given by the passkey itself.
  await stale(page, "/passkeys/*", ["passkey"]);
  await page.getByRole("button", { name: "Remove Work laptop" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByRole("dialog", { name: "Confirm that it is you" })).toBeVisible();
  await everywhere(page);
  await page.getByRole("button", { name: "Use a passkey" }).click();
  await toast(page, "Work laptop is removed");
  await expect(page.getByText("Work laptop", { exact: true })).toHaveCount(0);
});

test("a browser without passkeys says so", async ({ page, server, signIn }) => {
  await page.addInitScript(() => Reflect.deleteProperty(window, "PublicKeyCredential"));
  await server.person("old@example.com", "Old Browser");
  await signIn("old@example.com", "/account/security");
  await expect(page.getByText("This browser does not know passkeys.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Add a passkey" })).toHaveCount(0);
  await everywhere(page);
});

test("a recent proof is asked for by a password, above the dialog that needs it", async ({ page, server, signIn }) => {
  await server.person("stale@example.com", "Sta Le");
  await signIn("stale@example.com", "/account/security");
  await page.getByRole("button", { name: "Add an app" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Phone");
  await page.getByRole("button", { name: "Continue" }).click();
  const secret = (await page.getByTestId("totp-secret").textContent()) ?? "";
  await page.getByLabel("Six-digit code").fill(totp(secret));
  await stale(page, "/totp/enable", ["password"]);
  await page.getByRole("button", { name: "Turn on" }).click();
  const ask = page.getByRole("dialog", { name: "Confirm that it is you" });
  await expect(ask.getByLabel("Password", { exact: true })).toBeFocused();
  await everywhere(page);

  await page.keyboard.press("Escape"); // who declines stays where they were
  await expect(ask).toHaveCount(0);
  await expect(page.getByRole("dialog", { name: "Scan the code" })).toBeVisible();

  await stale(page, "/totp/enable", ["password"]);
  await page.getByRole("button", { name: "Turn on" }).click();
  await ask.getByLabel("Password", { exact: true }).fill("not this one");
  await ask.getByRole("button", { name: "Confirm", exact: true }).click();
  await expect(ask.getByText(/not your current password/)).toBeVisible();
  await ask.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("secret").getByRole("listitem")).toHaveCount(10);
});

test("who can prove nothing signs in again, and comes back", async ({ page, server, signIn }) => {
  await server.person("bare@example.com", "Ba Re");
  await signIn("bare@example.com", "/account/profile");
  await stale(page, "/users/me/email", ["sign_in"]);
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await page.getByLabel("New e-mail address").fill("barer@example.com");
  await page.getByRole("button", { name: "Send link" }).click();
  await expect(page.getByRole("dialog", { name: "Confirm that it is you" })).toContainText("Sign in again");
  await everywhere(page);
  await page
    .getByRole("link", { name: "Sign in again" })
    .or(page.getByRole("button", { name: "Sign in again" }))
    .click();
  await page.getByLabel("E-mail").fill("bare@example.com");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page).toHaveURL(/\/account\/profile$/);
});

test("devices: one is signed out, all others, everywhere", async ({ page, server, signIn }) => {
  await server.person("many@example.com", "Ma Ny");
  await elsewhere(server, "many@example.com", phone);
  await elsewhere(server, "many@example.com", windows);
  await signIn("many@example.com", "/account/security");
  const devices = page.getByRole("list", { name: "Devices" });
  await expect(devices.getByRole("listitem")).toHaveCount(4);
  await expect(devices.getByRole("listitem").first()).toContainText("This device");
  await expect(devices).toContainText("Firefox on Windows");
  await expect(page.getByRole("main")).toContainText(/Signed in now\s*4/);
  await everywhere(page);

  await devices.getByRole("button", { name: "Sign out Firefox on Windows" }).click();
  await toast(page, "Firefox on Windows is signed out");
  await expect(devices.getByRole("listitem")).toHaveCount(3);

  await page.getByRole("button", { name: "Sign out all others" }).click();
  await everywhere(page);
  await page.getByRole("button", { name: "Sign out others" }).click();
  await toast(page, "All other devices are signed out");
  await expect(devices.getByRole("listitem")).toHaveCount(1);
  await expect(page.getByRole("button", { name: "Sign out all others" })).toHaveCount(0);

  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await everywhere(page);
  await page.getByRole("alertdialog").getByRole("button", { name: "Sign out everywhere" }).click();
  await expect(page.getByRole("alert")).toHaveText("You are signed out everywhere.");
  await page.goto(`${server.url}/account/security`);
  await expect(page).toHaveURL(/\/sign-in\?next=/);
});

test("who is signed out from elsewhere is led to sign in, and back", async ({ page, server, signIn }) => {
  const { api } = await server.person("gone@example.com", "Go Ne");
  const connection = page.waitForEvent("websocket").then((s) => s.waitForEvent("framereceived"));
  await signIn("gone@example.com", "/account/activity");
  await connection;
  await api.DELETE("/api/v1/sessions/all", { params: { query: { keep_current: true } } }); // the page hears of it
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Welcome back");
  await page.getByLabel("E-mail").fill("gone@example.com");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Activity");
  await expect(page.getByRole("table", { name: "Activity" })).toContainText("Session ended");
});

test.describe("activity", () => {
  test.use({ allowed: [/status of (401|409|422|500) /] });

  test("what happened, narrowed down, in detail", async ({ page, server, signIn }) => {
    const { api } = await server.person("busy@example.com", "Bu Sy");
    await elsewhere(server, "busy@example.com", phone);
    await elsewhere(server, "busy@example.com", windows, "not this one");
    await api.PATCH("/api/v1/users/me", { body: { name: "Busy Bee" } });
    await signIn("busy@example.com", "/account/activity");
    const table = page.getByRole("table", { name: "Activity" });
    await expect(table.getByRole("row", { name: /Profile changed/ })).toContainText("Name");
    await expect(table.getByRole("row", { name: /Sign-in failed/ })).toContainText("Somebody not signed in");
    await expect(table.getByRole("row", { name: /Safari on iOS/ })).toContainText("Password");
    await everywhere(page);

    await page.getByRole("button", { name: "Profile changed" }).click();
    const open = page.getByRole("dialog", { name: "Profile changed" });
    await expect(open.getByRole("row", { name: /Name/ })).toContainText("Busy Bee");
    await expect(open).toContainText("accounts.updated");
    await expect(open).toContainText(/req_\w+/);
    await everywhere(page);
    await page.keyboard.press("Escape");
    await expect(page.getByRole("button", { name: "Profile changed" })).toBeFocused();
    await table.getByText("Safari on iOS").click(); // the row opens, too
    await expect(page.getByRole("dialog", { name: "Signed in" })).toBeVisible();
    await page.keyboard.press("Escape");

    await page.getByRole("combobox", { name: "What happened" }).click();
    await page.getByRole("option", { name: "Signed in", exact: true }).click();
    await expect(page).toHaveURL(/type=sessions\.signed_in/);
    await expect(table.getByRole("row", { name: /Profile changed/ })).toHaveCount(0);
    await page.getByRole("combobox", { name: "When" }).click();
    await page.getByRole("option", { name: "Between two days…" }).click();
    await page.getByLabel("To day").fill("2020-01-31");
    await expect(page.getByText("Nothing matches")).toBeVisible();
    await everywhere(page);
    await page.reload();
    await expect(page.getByText("Nothing matches")).toBeVisible();
    await page.getByRole("button", { name: "Clear filters" }).last().click();
    await expect(table.getByRole("row", { name: /Profile changed/ })).toBeVisible();
    await expect(page).toHaveURL(/\/account\/activity$/);
  });

  test("a log that does not load says why, and is asked again", async ({ page, server, signIn }) => {
    await server.person("unlucky@example.com", "Un Lucky");
    await signIn("unlucky@example.com", "/account/security");
    const fail = {
      status: 500,
      contentType: "application/problem+json",
      json: { title: "Error", status: 500, code: "internal", detail: "It broke.", request_id: "req_42" },
    };
    await page.route("**/api/v1/users/me/events*", (route) => route.fulfill(fail));
    await page.getByRole("link", { name: "Activity" }).click();
    await expect(page.getByText("req_42")).toBeVisible({ timeout: 15_000 });
    await everywhere(page);
    await page.unroute("**/api/v1/users/me/events*");
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(page.getByRole("table", { name: "Activity" })).toContainText("Signed in");
  });
});

test("an administrator who acts as somebody is seen, and is offered nothing", async ({ page, server, signIn, browser }) => {
  await server.person("owner@example.com", "Ow Ner");
  const admin = { email: "root@example.com", name: "Root Admin", password: PASSWORD };
  await server.client().POST("/api/v1/setup", { body: { ...admin, token: new URL(server.setupLink).searchParams.get("token") ?? "" } });
  await signIn(admin.email, "/account/security");
  await page.evaluate(async () => {
    const people = await fetch("/api/v1/admin/users?q=owner@example.com").then((r) => r.json());
    const person = people.items.find((p: { email: string }) => p.email === "owner@example.com").id;
    const body = JSON.stringify({ reason: "You asked us for help", minutes: 10, write: true, cookie: true });
    const answer = await fetch(`/api/v1/admin/users/${person}/impersonate`, { method: "POST", headers: { "content-type": "application/json" }, body });
    if (!answer.ok) throw new Error(await answer.text());
  });
  await page.goto(`${server.url}/account/security`);
  await expect(page.getByText("You act as Ow Ner.")).toBeVisible();
  await expect(page.getByRole("main").getByRole("button")).toHaveCount(0);
  await everywhere(page);
  await page.goto(`${server.url}/account/profile`);
  await expect(page.getByLabel("Current password")).toHaveCount(0);
  await page.getByLabel("Name", { exact: true }).fill("Owner, helped");
  await page.getByRole("button", { name: "Save changes" }).click();
  await toast(page, "People see you as Owner, helped now");

  const own = await browser.newPage({ locale: "en-GB" });
  await own.goto(`${server.url}/sign-in?next=/account/security`);
  await own.getByLabel("E-mail").fill("owner@example.com");
  await own.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await own.getByRole("button", { name: "Sign in", exact: true }).click();
  const devices = own.getByRole("list", { name: "Devices" });
  await expect(devices.getByText("Root Admin, administrator")).toBeVisible();
  await everywhere(own);
  await own.getByRole("link", { name: "Activity" }).click();
  await expect(own.getByRole("row", { name: /An administrator began acting/ })).toContainText("You asked us for help");
  await expect(own.getByRole("row", { name: /Profile changed/ })).toContainText("Acting for somebody");
  await everywhere(own);
  await own.getByRole("link", { name: "Security" }).click();
  await devices
    .getByRole("listitem")
    .filter({ hasText: "Root Admin" })
    .getByRole("button", { name: /Sign out/ })
    .click();
  await expect(devices.getByText("Root Admin, administrator")).toHaveCount(0);
  await own.close();
  await page.goto(`${server.url}/account/security`);
  await expect(page).toHaveURL(/\/sign-in/);
  await page.goto(`${server.url}/sign-in?done=impersonation`);
  await expect(page.getByRole("alert")).toContainText("You have stopped acting as somebody else.");
});

test.describe("linked accounts", () => {
  let provider: Provider;
  let offering: Server;
  test.beforeAll(async () => {
    provider = await Provider.start();
    offering = await Server.start(provider.env);
  });
  test.afterAll(async () => {
    await offering?.stop();
    await provider?.stop();
  });

  test("nothing is offered, and nothing is linked", async ({ page, server, signIn }) => {
    await server.person("none@example.com", "No Ne");
    await signIn("none@example.com", "/account/identities");
    await expect(page.getByText("Nothing to link")).toBeVisible();
    await everywhere(page);
  });

  test("one is linked, cancelled, unlinked", async ({ page }) => {
    await offering.person("link@example.com", "Li Nk");
    provider.person = { sub: "L1", email: "link@acme.example", name: "Li Nk" };
    await signInAt(offering, page, "link@example.com", "/account/identities");
    await expect(page.getByText("Not linked")).toBeVisible();
    await everywhere(page);

    provider.cancels = true;
    await page.getByRole("button", { name: "Link Acme" }).click();
    await expect(page.getByRole("alert")).toContainText("you cancelled at the provider");
    await everywhere(page);
    provider.cancels = false;
    await page.getByRole("button", { name: "Link Acme" }).click();
    await expect(page.getByRole("alert")).toContainText("Acme is linked");
    await expect(page.getByRole("list", { name: "Linked accounts" })).toContainText("link@acme.example");
    await everywhere(page);

    await page.getByRole("button", { name: "Unlink Acme" }).click();
    await everywhere(page);
    await page.getByRole("alertdialog").getByRole("button", { name: "Unlink" }).click();
    await toast(page, "Acme is unlinked");
    await expect(page.getByText("Not linked")).toBeVisible();
  });

  test("the last way in stays, until there is a password", async ({ page }) => {
    provider.person = { sub: "N1", email: "nopassword@example.com", name: "No Password" };
    await page.goto(`${offering.url}/sign-in?next=/account/identities`);
    await page.getByRole("button", { name: "Continue with Acme" }).click();
    await page.getByRole("button", { name: "Unlink Acme" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Unlink" }).click();
    await expect(page.getByRole("alertdialog").getByRole("alert")).toContainText("This is the only way to sign in to your account.");
    await everywhere(page);
    await page.getByRole("button", { name: "Cancel" }).click();

    await page.goto(`${offering.url}/account/profile`);
    await page.getByRole("button", { name: "Mail me a link" }).click();
    await toast(page, "A link to set a password is on its way to nopassword@example.com");
    await page.goto((await offering.mail("nopassword@example.com", /password/i)).links[0] ?? "");
    await page.getByLabel("New password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Set password" }).click();
    await toast(page, "Your new password is set"); // leaving sooner would cut the request off
    await signInAt(offering, page, "nopassword@example.com", "/account/identities");
    await page.getByRole("button", { name: "Unlink Acme" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Unlink" }).click();
    await toast(page, "Acme is unlinked");
  });
});
