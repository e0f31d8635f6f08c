import type { Page } from "@playwright/test";
import { createTenon, data, type Tenon } from "@tenon/client";
import { Server } from "./server";
import { test as base, everywhere, expect, PASSWORD, totp } from "./test";

const ROOT = "root@example.com";

/** Makes the first administrator by the link that the server prints; the browser's journey is a test of its own. */
async function administrator(server: Server): Promise<Tenon> {
  const token = new URL(server.setupLink).searchParams.get("token") ?? "";
  const tokens = await data(server.client().POST("/api/v1/setup", { body: { token, email: ROOT, password: PASSWORD, name: "Rosalind Franklin" } }));
  return createTenon({ baseUrl: server.url, token: tokens.access_token });
}

const test = base.extend<object, { root: Tenon }>({
  root: [async ({ server }, use) => use(await administrator(server)), { scope: "worker" }],
});

/** The id of an account, as administrators find it. */
async function idOf(root: Tenon, email: string): Promise<string> {
  const found = await data(root.GET("/api/v1/admin/users", { params: { query: { q: email } } }));
  return found.items[0]?.id ?? "";
}

/** Leaves the page before its server stops: it asks how that is every few seconds. */
async function leave(page: Page, server: Server): Promise<void> {
  await page.goto("about:blank");
  await server.stop();
}

const heading = (page: Page) => page.locator("main h1");
const said = (page: Page, text: string | RegExp) => expect(page.getByText(text).first()).toBeVisible();
/** A row of a card, by the words in it. */
const row = (page: Page, text: string) => page.getByRole("listitem").filter({ has: page.getByText(text, { exact: true }) });

test.describe("the first run", () => {
  test("whoever holds the link makes the first administrator, once", async ({ page, server: _built }) => {
    const server = await Server.start();
    try {
      await page.goto(server.setupLink);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Set up Tenon");
      await everywhere(page);
      await page.getByLabel("Your name").fill("Rosalind Franklin");
      await page.getByLabel("E-mail").fill(ROOT);
      await page.getByLabel("Password", { exact: true }).fill("password123");
      await page.getByRole("button", { name: "Create administrator" }).click();
      await expect(page.locator("[data-invalid]").first()).toBeVisible();
      await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
      await page.getByRole("button", { name: "Create administrator" }).click();
      await expect(heading(page)).toHaveText("Welcome, Rosalind Franklin");
      await page.getByRole("link", { name: "Users" }).click();
      await expect(heading(page)).toHaveText("Users");
      await expect(page.getByRole("row").filter({ hasText: ROOT })).toContainText("Administrator");

      await page.goto(`${server.url}/admin/orgs`);
      await said(page, "There are no organizations");
      await everywhere(page);
      await page.goto(`${server.url}/admin/mail`);
      await said(page, "No mail yet");
      await everywhere(page);
      await page.goto(`${server.url}/admin`);
      await said(page, "Nobody is suspended.");
      await everywhere(page);

      await page.goto(server.setupLink);
      await page.getByLabel("Your name").fill("Mallory");
      await page.getByLabel("E-mail").fill("mallory@example.com");
      await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
      await page.getByRole("button", { name: "Create administrator" }).click();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("This link does not work any more");
    } finally {
      await leave(page, server);
    }
  });
  test.use({ allowed: [/status of (401|404|409|422) /] });
});

test("who is no administrator finds nothing here", async ({ page, server, root, signIn }) => {
  await server.person("nobody@example.com", "No Body");
  await signIn("nobody@example.com");
  const paths = ["", "/users", `/users/${await idOf(root, ROOT)}`, "/orgs", "/events", "/waitlist", "/health", "/mail"];
  for (const path of paths) {
    await page.goto(`${server.url}/admin${path}`);
    await said(page, "There is nothing here");
  }
  await everywhere(page);
  await expect(page.getByRole("navigation", { name: "Main" })).not.toContainText("Operator");
});

test("the overview says how it is, and who is new", async ({ page, server, root, signIn }) => {
  const ada = await server.person("overview@example.com", "Over View");
  await data(ada.api.POST("/api/v1/orgs", { body: { name: "Viewpoint", slug: "viewpoint" } }));
  const person = await idOf(root, "overview@example.com");
  await data(root.POST("/api/v1/admin/users/{person}/suspend", { params: { path: { person } }, body: { reason: "Sends spam", orphan_organizations: true } }));
  await signIn(ROOT, "/admin");
  await said(page, "All is well");
  await said(page, /Database in [\d.]+ ms/);
  await said(page, "Version 0.1.0");
  await expect(page.getByRole("alert")).toContainText("has no owner who can sign in: Viewpoint");
  await expect(page.getByRole("listitem").filter({ hasText: "overview@example.com" }).first()).toContainText("Suspended");
  await everywhere(page);
  await page.getByRole("link", { name: /^Suspended/ }).click();
  await expect(page).toHaveURL(/\/admin\/users\?status=suspended$/);
  await expect(page.getByRole("row").filter({ hasText: "overview@example.com" })).toBeVisible();
  await page.goto(`${server.url}/admin`);
  await page.getByRole("link", { name: "Viewpoint" }).click();
  await expect(heading(page)).toContainText("Viewpoint");
});

test("accounts are searched, and the search stands in the address", async ({ page, server, root, signIn }) => {
  await server.person("grace@example.com", "Grace Hopper");
  await server.person("ada@example.com", "Ada Lovelace");
  await server.client().POST("/api/v1/auth/register", { body: { email: "late@example.com", name: "Late Comer", password: PASSWORD } });
  const ada = await idOf(root, "ada@example.com");
  await signIn(ROOT, "/admin/users");
  const rows = page.getByRole("table", { name: "Users" }).locator("tbody tr");
  await expect(rows.filter({ hasText: "Grace Hopper" })).toContainText("Active");
  await expect(rows.filter({ hasText: "Late Comer" })).toContainText("Unconfirmed");
  await everywhere(page);

  const search = page.getByRole("searchbox", { name: "Search name, address or id" });
  await search.fill("lovelace");
  await expect(rows).toHaveCount(1);
  await expect(page).toHaveURL(/q=lovelace/);
  await search.fill(ada);
  await expect(rows).toHaveCount(1);
  await page.reload();
  await expect(search).toHaveValue(ada);
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText("ada@example.com");
  await search.fill("nobody is called this");
  await said(page, "Nothing matches");
  await everywhere(page);
  await page.getByRole("button", { name: "Clear filters" }).click();
  await expect(page).toHaveURL(/\/admin\/users$/);

  await page.getByRole("combobox", { name: "Status" }).click();
  await page.getByRole("option", { name: "Unconfirmed" }).click();
  await expect(page).toHaveURL(/status=unverified/);
  await expect(rows.filter({ hasText: "Grace Hopper" })).toHaveCount(0);
  await expect(rows.filter({ hasText: "Late Comer" })).toBeVisible();
  await page.goto(`${server.url}/admin/users?admin=true`);
  await expect(page.getByRole("combobox", { name: "Who" })).toContainText("Administrators");
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText(ROOT);
  // A number is a search like any other.
  await page.goto(`${server.url}/admin/users?q=4711`);
  await expect(search).toHaveValue("4711");
});

test("an account is suspended and reinstated, with its organizations", async ({ page, server, root, signIn }) => {
  const mallory = await server.person("mallory@example.com", "Mallory Archer");
  await data(mallory.api.POST("/api/v1/orgs", { body: { name: "Spam Ltd", slug: "spam" } }));
  await signIn(ROOT, `/admin/users/${await idOf(root, mallory.email)}`);
  await expect(heading(page)).toContainText("Mallory Archer");
  await expect(row(page, "Spam Ltd")).toContainText("Owner");
  await everywhere(page);

  await page.getByRole("button", { name: "Suspend", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Suspend Mallory Archer?" });
  await expect(dialog.getByLabel("Reason")).toBeFocused();
  await dialog.getByRole("button", { name: "Suspend", exact: true }).click();
  await expect(dialog.getByText("Fill in this field.")).toBeVisible();
  await dialog.getByLabel("Reason").fill("Sends spam to strangers");
  await dialog.getByRole("button", { name: "Suspend", exact: true }).click();
  await expect(dialog.getByRole("alert")).toContainText("Mallory Archer is the last owner of an organization.");
  await expect(dialog.getByRole("listitem")).toContainText("Spam Ltd");
  await expect(dialog.getByRole("button", { name: "Suspend", exact: true })).toBeDisabled();
  await everywhere(page);
  await dialog.getByRole("checkbox").click();
  await dialog.getByRole("button", { name: "Suspend", exact: true }).click();
  await said(page, "Mallory Archer is suspended");
  await expect(heading(page)).toContainText("Suspended");
  await expect(page.getByRole("button", { name: "Reinstate" })).toBeFocused();
  await expect(page.getByRole("row").filter({ hasText: "Sends spam to strangers" })).toContainText("Account suspended");
  await expect(page.getByRole("button", { name: "Act as" })).toHaveCount(0);
  await everywhere(page);
  await expect(mallory.api.GET("/api/v1/users/me")).rejects.toMatchObject({ status: 401 });

  await page.getByRole("link", { name: "Spam Ltd" }).click();
  await expect(page.getByRole("alert")).toContainText("Nobody who can sign in owns this organization.");
  await everywhere(page);
  await page.goBack();
  await page.getByRole("button", { name: "Reinstate" }).click();
  await everywhere(page);
  await page.getByRole("alertdialog").getByRole("button", { name: "Reinstate" }).click();
  await said(page, "Mallory Archer can sign in again");
  await expect(heading(page)).toContainText("Active");
});

test("an account is deleted once its address is typed, and restored", async ({ page, server, root, signIn }) => {
  await server.person("gone@example.com", "Gone Soon");
  await signIn(ROOT, `/admin/users/${await idOf(root, "gone@example.com")}`);
  await page.getByRole("button", { name: "Delete account" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Reason").fill("Asked for it by letter");
  await expect(dialog.getByRole("button", { name: "Delete account" })).toBeDisabled();
  await dialog.getByLabel("Type gone@example.com to confirm.").fill("gone@example.com");
  await everywhere(page);
  await dialog.getByRole("button", { name: "Delete account" }).click();
  await said(page, "The account of Gone Soon is being deleted");
  await expect(heading(page)).toContainText("Being deleted");
  await said(page, /This account is being deleted. It can be restored until/);
  await everywhere(page);
  await page.getByRole("button", { name: "Restore" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Restore" }).click();
  await said(page, "The account of Gone Soon is restored");
  await expect(heading(page)).toContainText("Active");
});

test("an owner who is locked out is helped", async ({ page, server, root, signIn }) => {
  const lost = await server.person("lost@example.com", "Lost Phone");
  const { data: device } = await lost.api.POST("/api/v1/totp/setup", { body: { device_name: "Phone" } });
  await lost.api.POST("/api/v1/totp/enable", { body: { code: totp(device!.secret) } });
  await signIn(ROOT, `/admin/users/${await idOf(root, lost.email)}`);
  await expect(row(page, "Second factor")).toContainText("Authenticator app");

  await page.getByRole("button", { name: "Mail a link" }).click();
  await everywhere(page);
  await page.getByRole("alertdialog").getByRole("button", { name: "Mail a link" }).click();
  await said(page, "A link to set a new password is on its way to lost@example.com");
  expect((await server.mail(lost.email, /password/i)).links[0]).toContain("/reset-password");

  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Sign out everywhere" }).click();
  await said(page, "Lost Phone is signed out everywhere");
  await said(page, "Signed in nowhere");
  await expect(lost.api.GET("/api/v1/users/me")).rejects.toMatchObject({ status: 401 });

  await page.getByRole("button", { name: "Reset", exact: true }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("Lost the phone; called back");
  await everywhere(page);
  await page.getByRole("dialog").getByRole("button", { name: "Reset" }).click();
  await said(page, "Lost Phone has no second factor any more");
  await expect(row(page, "Second factor")).toContainText("None");
  await expect(page.getByRole("row").filter({ hasText: "Second factors reset by an administrator" })).toBeVisible();
});

test("administrators make each other, and one always stays", async ({ page, server, root, signIn }) => {
  await server.person("second@example.com", "Second Admin");
  await server.client().POST("/api/v1/auth/register", { body: { email: "unproven@example.com", name: "Un Proven", password: PASSWORD } });
  await signIn(ROOT, `/admin/users/${await idOf(root, "second@example.com")}`);
  await page.getByRole("button", { name: "Make administrator" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Make administrator" }).click();
  await said(page, "Second Admin is an administrator now");
  await expect(heading(page)).toContainText("Administrator");
  await said(page, "Nobody acts as an administrator.");
  await page.getByRole("button", { name: "Revoke" }).click();
  await everywhere(page);
  await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
  await said(page, "Second Admin is no administrator any more");

  await page.goto(`${server.url}/admin/users/${await idOf(root, "unproven@example.com")}`);
  await said(page, "Not before the address is confirmed.");

  // Oneself: nothing that stops, and the last one stays.
  await page.goto(`${server.url}/admin/users/${await idOf(root, ROOT)}`);
  await said(page, "This is your own account.");
  for (const name of ["Suspend", "Delete account", "Act as", "Reset", "Sign out everywhere"])
    await expect(page.getByRole("button", { name, exact: true })).toHaveCount(0);
  await page.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
  await said(page, "That did not work");
  await expect(heading(page)).toContainText("Administrator");
});

test.describe("acting as somebody", () => {
  test.use({ allowed: [/status of (401|403|404|409|422) /] });

  test("an administrator looks, is seen to look, and ends it", async ({ page, server, root, signIn }) => {
    const helped = await server.person("helped@example.com", "Helped Person");
    await data(helped.api.POST("/api/v1/orgs", { body: { name: "Helpless", slug: "helpless" } }));
    const person = await idOf(root, helped.email);
    await signIn(ROOT, `/admin/users/${person}`);
    await page.getByRole("button", { name: "Act as" }).click();
    const dialog = page.getByRole("dialog", { name: "Act as Helped Person" });
    await dialog.getByLabel("Reason").fill("You asked us why your export is empty");
    await dialog.getByRole("combobox", { name: "For how long" }).click();
    await page.getByRole("option", { name: "5 minutes", exact: true }).click();
    await everywhere(page);
    await dialog.getByRole("button", { name: "Act as" }).click();

    await page.waitForURL(/\/o\/helpless$/);
    const banner = page.getByRole("status").filter({ hasText: "is acting as" });
    await expect(banner).toContainText("Rosalind Franklin is acting as Helped Person");
    await expect(banner).toContainText("nothing can be changed");
    await everywhere(page);
    for (const path of ["/admin/users", "/admin/nothing", "/o/nobodys"]) {
      await page.goto(server.url + path);
      await said(page, "There is nothing here");
      await expect(banner).toBeVisible();
    }

    await page.getByRole("button", { name: "End", exact: true }).click();
    await expect(page).toHaveURL(/\/sign-in\?done=impersonation$/);
    await expect(page.getByRole("alert")).toHaveText("You have stopped acting as somebody else. Sign in as yourself.");
    await everywhere(page);

    expect((await server.mail(helped.email, /administrator acts/i)).text).toContain("You asked us why your export is empty");
    await signIn(ROOT, `/admin/users/${person}`);
    await expect(page.getByRole("row").filter({ hasText: "An administrator began acting in the account" })).toContainText("You");
  });

  test("one who may change things changes one, after proving who they are", async ({ page, server, root, signIn }) => {
    const helped = await server.person("changed@example.com", "Changed Person");
    await signIn(ROOT, `/admin/users/${await idOf(root, helped.email)}`);
    // As if the sign-in were an hour ago.
    await page.route(
      "**/impersonate",
      (r) =>
        r.fulfill({
          status: 401,
          contentType: "application/problem+json",
          json: { title: "Unauthorized", status: 401, code: "auth.fresh_required", methods: ["password"] },
        }),
      { times: 1 },
    );
    await page.getByRole("button", { name: "Act as" }).click();
    await page.getByLabel("Reason").fill("You asked us to make an organization");
    await page.getByRole("combobox", { name: "What you may do" }).click();
    await page.getByRole("option", { name: /Look and change/ }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Act as" }).click();
    const proof = page.getByRole("dialog", { name: "Confirm that it is you" });
    await everywhere(page);
    await proof.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await proof.getByRole("button", { name: "Confirm" }).click();

    await page.waitForURL(/\/welcome$/);
    await expect(page.getByRole("status").filter({ hasText: "is acting as" })).not.toContainText("nothing can be changed");
    await page.getByRole("button", { name: "End", exact: true }).click();
    await expect(page).toHaveURL(/\/sign-in/);
  });
});

test("organizations are searched and looked at", async ({ page, server, root: _, signIn }) => {
  const owner = await server.person("owner@example.com", "Olive Owner");
  const org = await data(owner.api.POST("/api/v1/orgs", { body: { name: "Northwind", slug: "northwind", description: "Outdoor gear" } }));
  const doomed = await data(owner.api.POST("/api/v1/orgs", { body: { name: "Doomed", slug: "doomed" } }));
  await data(owner.api.DELETE("/api/v1/orgs/{org}", { params: { path: { org: doomed.id } } }));
  await signIn(ROOT, "/admin/orgs");
  const rows = page.getByRole("table", { name: "Organizations" }).locator("tbody tr");
  await expect(rows.filter({ hasText: "Doomed" })).toContainText("Being deleted");
  await everywhere(page);
  await page.getByRole("combobox", { name: "Status" }).click();
  await page.getByRole("option", { name: "Being deleted" }).click();
  await expect(rows).toHaveCount(1);
  await page.getByRole("searchbox").fill("north");
  await said(page, "Nothing matches");
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.getByRole("searchbox").fill("north");
  await expect(rows).toHaveCount(1);
  await rows.click({ position: { x: 500, y: 10 } }); // anywhere on the row
  await expect(page).toHaveURL(new RegExp(`/admin/orgs/${org.id}$`));
  await expect(heading(page)).toContainText("Northwind");
  await said(page, "Outdoor gear");
  await expect(page.getByRole("row").filter({ hasText: "Organization created" })).toContainText("Olive Owner");
  await everywhere(page);
  await page.getByRole("main").getByRole("link", { name: "Event log" }).click();
  await expect(page.getByRole("button", { name: /Log of Northwind/ })).toBeVisible();
});

test.describe("what is not there", () => {
  test.use({ allowed: [/status of (401|404) /] });
  test("unknown accounts and organizations are said to be unknown", async ({ page, server, root: _, signIn }) => {
    await signIn(ROOT, "/admin/users/acc_01jd8x0q3cfetb3p3ccw2s5r2a");
    for (const path of ["/users/acc_01jd8x0q3cfetb3p3ccw2s5r2a", "/users/nonsense", "/orgs/org_01jd8x0q3cfetb3p3ccw2s5r2a", "/waitlist"]) {
      await page.goto(`${server.url}/admin${path}`);
      await said(page, "There is nothing here");
    }
    await everywhere(page);
  });
});

test("what happened is found in every log", async ({ page, server, root, signIn }) => {
  const eve = await server.person("eve@example.com", "Eve Entful");
  const bob = await server.person("bob@example.com", "Bob Ordinary");
  const org = await data(eve.api.POST("/api/v1/orgs", { body: { name: "Eventful", slug: "eventful" } }));
  await data(bob.api.POST("/api/v1/orgs", { body: { name: "Quiet", slug: "quiet" } }));
  await signIn(ROOT, "/admin/events");
  const rows = page.getByRole("table", { name: "Event log" }).locator("tbody tr");
  await expect(rows.filter({ hasText: "Organization created" }).filter({ hasText: "Eventful" })).toContainText("Eve Entful");
  await expect(rows.filter({ hasText: "Organization created" }).filter({ hasText: "Quiet" })).toContainText("Bob Ordinary");
  await everywhere(page);

  // By its details: what the same person did, in whatever log.
  await page.getByRole("button", { name: "Organization created" }).nth(1).click();
  await expect(page.getByRole("dialog")).toContainText("In the log of");
  await everywhere(page);
  await page.getByRole("dialog").getByRole("button", { name: "Only by this actor" }).click();
  await expect(page).toHaveURL(/actor=acc_/);
  await expect(rows.filter({ hasText: "Bob Ordinary" })).toHaveCount(0);
  await expect(rows.filter({ hasText: "Signed in" })).toBeVisible();
  await everywhere(page);
  await page.getByRole("button", { name: "Clear filters" }).click();

  // By an id that somebody has at hand.
  await page.getByRole("button", { name: "By id" }).click();
  await page.getByRole("dialog").getByLabel("Id", { exact: true }).fill(org.id);
  await expect(page.getByRole("combobox", { name: "Show" })).toContainText("The organization's log");
  await everywhere(page);
  await page.getByRole("button", { name: "Show events" }).click();
  await expect(page).toHaveURL(new RegExp(`org=${org.id}`));
  await expect(rows).toHaveCount(1);
  await page.reload();
  await expect(rows).toHaveCount(1);
  await page.getByRole("button", { name: /Log of Eventful/ }).click();
  await expect(rows.filter({ hasText: "Quiet" })).toBeVisible();

  await page.getByRole("button", { name: "By id" }).click();
  await page
    .getByRole("dialog")
    .getByLabel("Id", { exact: true })
    .fill(await idOf(root, bob.email));
  await page.getByRole("button", { name: "Show events" }).click();
  await expect(page.getByRole("button", { name: /Log of Bob Ordinary/ })).toBeVisible();
  await expect(rows.filter({ hasText: "Organization created" })).toHaveCount(0);
  await expect(rows.filter({ hasText: "Account created" })).toBeVisible();

  await page.goto(`${server.url}/admin/events?org=${org.id}&type=mfa.reset`);
  await said(page, "Nothing matches");
});

test("the wait list lets people in and turns them down", async ({ page, server: _built }) => {
  const server = await Server.start({ TENON_SIGNUP: "waitlist" });
  try {
    await administrator(server);
    await page.goto(`${server.url}/sign-in?next=/admin/waitlist`);
    await page.getByLabel("E-mail").fill(ROOT);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await said(page, "Nobody waits");
    await everywhere(page);
    for (const name of ["Patient", "Eager"])
      await server.client().POST("/api/v1/auth/register", { body: { email: `${name.toLowerCase()}@example.com`, name, password: PASSWORD } });
    await page.reload();
    const rows = page.getByRole("table", { name: "Wait list" }).locator("tbody tr");
    await expect(rows).toHaveCount(2);
    await expect(rows.first()).toContainText("Patient");
    await everywhere(page);

    await page.getByRole("button", { name: /Let in.*patient@example.com/ }).click();
    await said(page, "Patient may sign up now");
    await expect(rows.first()).toContainText("Let in, until");
    expect((await server.mail("patient@example.com")).links[0]).toContain("/sign-up");
    await page.getByRole("button", { name: /Decline.*eager@example.com/ }).click();
    await everywhere(page);
    await page.getByRole("alertdialog").getByRole("button", { name: "Decline" }).click();
    await said(page, "Eager is off the wait list");
    await expect(rows).toHaveCount(1);
    await page.getByRole("link", { name: "Overview" }).click();
    await expect(page.getByRole("link", { name: /Wait list\s*0/ })).toBeVisible();
  } finally {
    await leave(page, server);
  }
});

test.describe("what does not load", () => {
  test.use({ allowed: [/status of (401|503) /] });
  test("says so, and is asked for again", async ({ page, server, root, signIn }) => {
    const problem = {
      title: "Service Unavailable",
      status: 503,
      code: "service.unavailable",
      detail: "The service cannot reach its database right now.",
      request_id: "req_42",
    };
    const person = await idOf(root, ROOT);
    await signIn(ROOT, "/admin/health");
    await page.route("**/api/v1/admin/**", (r) => r.fulfill({ status: 503, contentType: "application/problem+json", json: problem }));
    for (const path of ["/admin", "/admin/users", `/admin/users/${person}`, "/admin/orgs", "/admin/events"]) {
      await page.goto(server.url + path);
      await expect(page.getByText("This did not load").first()).toBeVisible({ timeout: 15_000 });
      await said(page, "req_42");
      await everywhere(page);
    }
    await page.unrouteAll();
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(page.getByRole("table", { name: "Event log" }).getByRole("row").nth(1)).toBeVisible();
  });
});

test.describe("health", () => {
  test.use({ allowed: [/status of (401|503) |ERR_FAILED/] });

  test("is green when all is well, and honest when it is not", async ({ page, root: _, signIn }) => {
    await signIn(ROOT, "/admin/health");
    const verdict = page.getByRole("status").filter({ hasText: /./ }).first();
    await expect(verdict).toContainText("All is well");
    await said(page, /Tenon 0\.1\.0 answers/);
    await expect(row(page, "Database")).toContainText(/[\d.]+ ms/);
    await expect(row(page, "Database")).toContainText("Since this page opened");
    await everywhere(page);

    const unavailable = { status: "unavailable", checks: { database: "unavailable", cache: "ok" } };
    const down = { status: 503, json: unavailable };
    await page.route("**/health/ready", (r) => r.fulfill(down));
    await page.route("**/api/v1/health/", (r) => r.fulfill(down));
    await page.route("**/api/v1/health/db", (r) => r.fulfill({ status: 503, json: { status: "unavailable", latency_ms: 2000 } }));
    await expect(verdict).toContainText("It does not work", { timeout: 15_000 });
    await expect(row(page, "Database")).toContainText("Down");
    await expect(row(page, "Database")).toContainText(/Since \d/);
    await expect(row(page, "Server")).toContainText("Well");
    await everywhere(page);

    await page.unrouteAll();
    await page.route("**/api/v1/health/", (r) => r.fulfill({ json: { status: "degraded", checks: { database: "ok", cache: "degraded" } } }));
    await expect(verdict).toContainText("It works, with less than it should have", { timeout: 15_000 });
    await expect(row(page, "Cache")).toContainText("Degraded");
    await everywhere(page);

    await page.unrouteAll();
    await page.route(/\/health/, (r) => r.abort());
    await expect(verdict).toContainText("The server does not answer", { timeout: 15_000 });
    await expect(row(page, "Database")).toContainText("Unknown");
    await everywhere(page);
    await page.unrouteAll();
    await expect(verdict).toContainText("All is well", { timeout: 15_000 });
  });
});

test("a developer reads the mail that was not sent", async ({ page, server, root: _, signIn }) => {
  await server.person("reader@example.com", "Rea Der");
  await signIn(ROOT, "/admin/mail");
  await said(page, "Choose a letter to read it");
  await everywhere(page);
  await page.getByRole("searchbox", { name: "To an address" }).fill("reader@");
  const letters = page.getByRole("main").getByRole("listitem");
  await expect(letters.filter({ hasText: "Confirm your e-mail address" })).toContainText("reader@example.com");
  await letters.filter({ hasText: "Confirm your e-mail address" }).getByRole("link").click();
  const letter = page.getByRole("article", { name: "Confirm your e-mail address" });
  await expect(letter).toContainText("To reader@example.com");
  await expect(letter.getByRole("link", { name: /verify-email/ })).toHaveAttribute("href", /^http:\/\/localhost:\d+\/verify-email\?token=/);
  const [markup] = await Promise.all([page.waitForEvent("popup"), letter.getByRole("link", { name: "Open as HTML" }).click()]);
  await expect(markup.getByText("Please confirm that this address is yours").first()).toBeVisible();
  await markup.close();
  await everywhere(page);

  // What arrives meanwhile is there without a reload.
  await server.client().POST("/api/v1/auth/request-password-reset", { body: { email: "reader@example.com" } });
  await expect(letters.filter({ hasText: /password/i })).toBeVisible({ timeout: 10_000 });
  await page.getByRole("searchbox").fill("nobody@nowhere");
  await said(page, "Nothing matches");
  await everywhere(page);
});
