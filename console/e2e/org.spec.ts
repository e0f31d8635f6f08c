import type { Page } from "@playwright/test";
import { data, type Tenon } from "@tenon/client";
import { join, organization, team } from "./orgs";
import { everywhere, expect, PASSWORD, test, totp } from "./test";

const heading = (page: Page) => page.getByRole("heading", { level: 1 });
const row = (page: Page, text: string) => page.getByRole("row").filter({ hasText: text });
const menu = async (page: Page, of: string, item: string) => {
  await page.getByRole("button", { name: `Actions for ${of}` }).click();
  await page.getByRole("menuitem", { name: item }).click();
};
const dialog = (page: Page) => page.getByRole("dialog").and(page.locator(':not([aria-modal="false"])')); // toasts are dialogs too
const confirm = (page: Page) => page.getByRole("alertdialog");
const said = (page: Page, text: string) => expect(page.getByText(text, { exact: true }).first()).toBeVisible();

/** An authenticator app is set up, which ends the sessions elsewhere; then one signs in with it. */
async function secure(page: Page, url: string, person: { email: string; api: Tenon }, path: string) {
  const device = await data(person.api.POST("/api/v1/totp/setup", { body: { device_name: "Phone" } }));
  await person.api.POST("/api/v1/totp/enable", { body: { code: totp(device.secret) } });
  await page.context().clearCookies();
  await page.goto(`${url}/sign-in?next=${encodeURIComponent(path)}`);
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByLabel("Authenticator app").fill(totp(device.secret, 1));
  await page.getByRole("button", { name: "Continue" }).click();
  await page.waitForURL((u) => u.pathname === path);
}

test("an organization begins with what to do first", async ({ page, server, signIn }) => {
  const org = await organization(server, "beginners", "Beginners");
  await signIn(org.email, "/o/beginners");
  await expect(heading(page)).toHaveText("Beginners");
  await expect(page.getByText("0 of 4 done")).toBeVisible();
  await expect(page.getByRole("link", { name: "Members 1" })).toBeVisible();
  await expect(row(page, "Organization created")).toBeVisible();
  await everywhere(page);

  await join(server, org, "second@beginners.example", "Second One");
  await org.api.POST("/api/v1/orgs/{org}/api-keys", { params: { path: { org: org.id } }, body: { name: "First", scopes: [] } });
  await secure(page, server.url, org, "/o/beginners");
  await expect(page.getByText("3 of 4 done")).toBeVisible();
  const opened = page.waitForEvent("popup");
  await page.getByRole("link", { name: "Open", exact: true }).click();
  await (await opened).close();
  await expect(page.getByText("Getting started")).toBeHidden(); // everything is done
  await expect(page.getByRole("listitem").filter({ hasText: "Second One" })).toBeVisible();
  await page.getByRole("link", { name: "Members 2" }).click();
  await expect(heading(page)).toHaveText("Members");
});

test("members are found, get other roles, and go", async ({ page, server, signIn }) => {
  const org = await organization(server, "members", "Harbour");
  await join(server, org, "ada@members.example", "Ada Lovelace");
  await join(server, org, "grace@members.example", "Grace Hopper", "admin");
  await org.api.POST("/api/v1/orgs/{org}/roles", {
    params: { path: { org: org.id } },
    body: { key: "pilot", name: "Pilot", permissions: ["orgs.read", "orgs.list_members"] },
  });
  await signIn(org.email, "/o/members/members");
  await expect(page.getByText("3 members")).toBeVisible();
  await expect(row(page, "Amara Okafor").getByText("You")).toBeVisible();
  await everywhere(page);

  await page.getByLabel("Search name or e-mail").fill("lovelace");
  await expect(row(page, "Grace")).toBeHidden();
  await expect(page).toHaveURL(/q=lovelace/);
  await page.reload();
  await expect(row(page, "Ada")).toBeVisible();
  await page.getByLabel("Search name or e-mail").fill("nobody");
  await expect(page.getByRole("heading", { name: "Nothing matches" })).toBeVisible();
  await everywhere(page);
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: "Admin" }).click();
  await expect(row(page, "Ada")).toBeHidden();
  await expect(row(page, "Grace")).toBeVisible();
  await page.getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: "All roles" }).click();

  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await menu(page, "Ada Lovelace", "Copy e-mail address");
  await said(page, "ada@members.example is in the clipboard");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("ada@members.example");

  await menu(page, "Ada Lovelace", "Change role");
  await dialog(page).getByRole("combobox", { name: "Role" }).click();
  await expect(page.getByRole("option", { name: /Owner/ })).toBeVisible();
  await page.getByRole("option", { name: /Pilot/ }).click();
  await expect(dialog(page).getByText("See who belongs to the organization")).toBeVisible();
  await everywhere(page);
  await dialog(page).getByRole("button", { name: "Change role" }).click();
  await said(page, "Ada Lovelace has the role Pilot now");
  await expect(row(page, "Ada").getByText("Pilot")).toBeVisible();

  await menu(page, "Amara Okafor", "Change role"); // oneself, who is the last owner
  await dialog(page).getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: "Member Works" }).click();
  await dialog(page).getByRole("button", { name: "Change role" }).click();
  await expect(dialog(page).getByRole("alert")).toHaveText("An organization keeps at least one owner. Make someone else an owner first.");
  await dialog(page).getByRole("button", { name: "Cancel" }).click();

  await menu(page, "Ada Lovelace", "Remove from organization");
  await everywhere(page);
  await confirm(page).getByRole("button", { name: "Remove" }).click();
  await said(page, "Ada Lovelace does not belong to Harbour any more");
  await expect(row(page, "Ada")).toBeHidden();

  await menu(page, "Grace Hopper", "Hand over ownership");
  await expect(confirm(page).getByRole("button", { name: "Hand over ownership" })).toBeDisabled();
  await confirm(page)
    .getByLabel(/Type members/)
    .fill("members");
  await confirm(page).getByRole("button", { name: "Hand over ownership" }).click();
  await said(page, "Harbour is Grace Hopper’s now");
  await expect(row(page, "Amara").getByText("Admin")).toBeVisible();
  // An admin does not touch an owner.
  await page.getByRole("button", { name: "Actions for Grace Hopper" }).click();
  await expect(page.getByRole("menuitem")).toHaveText(["Copy e-mail address"]);
});

test("people are invited, many at once, and uninvited", async ({ page, server, signIn }) => {
  const org = await organization(server, "inviters", "Inviters");
  await team(org, "Crew", "crew");
  await signIn(org.email, "/o/inviters/invitations");
  await expect(page.getByRole("heading", { name: "No open invitations" })).toBeVisible();
  await everywhere(page);
  await page.getByRole("button", { name: "Invite people" }).first().click();
  await everywhere(page);
  await page.getByLabel("E-mail addresses").fill("one@inviters.example, Two <two@inviters.example>\nnobody at home; owner@inviters.example");
  await dialog(page).getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: /Viewer/ }).click();
  await dialog(page).getByRole("checkbox", { name: "Crew" }).click();
  await dialog(page).getByRole("button", { name: "Send 4 invitations" }).click();
  await expect(dialog(page).getByText("2 invitations were not sent.")).toBeVisible();
  await expect(dialog(page).getByRole("listitem").filter({ hasText: "owner@" })).toContainText("This person is a member already.");
  await everywhere(page);
  await dialog(page).getByRole("button", { name: "Correct the rest" }).click();
  await expect(page.getByLabel("E-mail addresses")).toHaveValue("nobody at home\nowner@inviters.example");
  await page.getByLabel("E-mail addresses").fill("three@inviters.example");
  await dialog(page).getByRole("button", { name: "Send invitation" }).click();
  await said(page, "The invitation for three@inviters.example is on its way");
  await expect(dialog(page)).toBeHidden();
  await expect(row(page, "two@inviters.example")).toContainText("Viewer");
  await expect(row(page, "two@inviters.example")).toContainText("Crew");
  await expect(row(page, "two@inviters.example")).toContainText("Amara Okafor");
  expect((await server.mail("two@inviters.example")).links[0]).toContain("accept-invitation");
  await everywhere(page);

  await menu(page, "one@inviters.example", "Send again");
  await said(page, "The invitation was sent to one@inviters.example again");
  await menu(page, "one@inviters.example", "Revoke invitation");
  await everywhere(page);
  await confirm(page).getByRole("button", { name: "Revoke" }).click();
  await said(page, "The invitation for one@inviters.example is void");
  await expect(row(page, "one@inviters.example")).toBeHidden();
});

test("teams are made, filled, renamed and deleted", async ({ page, server, signIn }) => {
  const org = await organization(server, "teamsters", "Teamsters");
  await join(server, org, "ada@teamsters.example", "Ada Lovelace");
  await join(server, org, "joan@teamsters.example", "Joan Clarke");
  await signIn(org.email, "/o/teamsters/teams");
  await expect(page.getByRole("heading", { name: "No teams yet" })).toBeVisible();
  await everywhere(page);
  await page.getByRole("button", { name: "New team" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill("Night Watch");
  await expect(page.getByLabel("Short name")).toHaveValue("night-watch");
  await page.getByLabel("Short name").fill("Night Watch");
  await page.getByRole("button", { name: "Create team" }).click();
  await expect(dialog(page).getByText("Use 1 to 40 lower-case letters")).toBeVisible();
  await everywhere(page);
  await page.getByLabel("Short name").fill("night");
  await page.getByRole("button", { name: "Create team" }).click();
  await said(page, "There is a team Night Watch now");
  await expect(heading(page)).toHaveText("Night Watch");
  await expect(page.getByRole("heading", { name: "Nobody is in this team yet" })).toBeVisible();
  await everywhere(page);

  await page.getByRole("button", { name: "Add people" }).first().click();
  await dialog(page).getByLabel("Search name or e-mail").fill("ada");
  await expect(dialog(page).getByRole("checkbox")).toHaveCount(1);
  await dialog(page).getByRole("checkbox", { name: "Ada Lovelace" }).click();
  await dialog(page).getByLabel("Search name or e-mail").fill("");
  await dialog(page).getByRole("checkbox", { name: "Joan Clarke" }).click();
  await everywhere(page);
  await dialog(page).getByRole("button", { name: "Add 2 people" }).click();
  await said(page, "2 people are in Night Watch now");
  await menu(page, "Ada Lovelace", "Make team lead");
  await said(page, "Ada Lovelace leads Night Watch now");
  await expect(row(page, "Ada").getByText("Lead", { exact: true })).toBeVisible();
  await page.getByLabel("Search name or e-mail").fill("joan");
  await expect(row(page, "Ada")).toBeHidden();
  await page.getByLabel("Search name or e-mail").fill("");
  await everywhere(page);
  await menu(page, "Joan Clarke", "Take out of the team");
  await confirm(page).getByRole("button", { name: "Take out of the team" }).click();
  await said(page, "Joan Clarke is not in Night Watch any more");
  await expect(row(page, "Joan")).toBeHidden();

  await menu(page, "Night Watch", "Rename");
  await page.getByLabel("Name", { exact: true }).fill("Day Watch");
  await page.getByRole("button", { name: "Save changes" }).click();
  await said(page, "The team is called Day Watch now");
  await expect(heading(page)).toHaveText("Day Watch");
  await page.getByRole("link", { name: "All teams" }).click();
  await expect(row(page, "Day Watch").getByTitle("Ada Lovelace")).toBeVisible();
  await everywhere(page);
  await row(page, "Day Watch").getByText("night", { exact: true }).click(); // anywhere on the row
  await expect(heading(page)).toHaveText("Day Watch");
  await menu(page, "Day Watch", "Delete team");
  await confirm(page).getByRole("button", { name: "Delete" }).click();
  await said(page, "The team Day Watch is gone");
  await expect(page.getByRole("heading", { name: "No teams yet" })).toBeVisible();
});

test("roles of one's own are made, changed, and deleted once nobody has them", async ({ page, server, signIn }) => {
  const org = await organization(server, "rolemakers", "Role Makers");
  await signIn(org.email, "/o/rolemakers/roles");
  const cell = (permission: string, role: number) => page.getByRole("row").filter({ hasText: permission }).getByRole("cell").nth(role);
  await expect(cell("orgs.delete", 0)).toHaveText("Allowed");
  await expect(cell("orgs.delete", 1)).toHaveText("Not allowed");
  await everywhere(page);

  await page.getByRole("button", { name: "New role" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Support");
  await expect(page.getByLabel("Key", { exact: true })).toHaveValue("support");
  await dialog(page).getByRole("checkbox", { name: "All of API keys" }).click();
  await everywhere(page);
  await dialog(page).getByRole("button", { name: "Create role" }).click();
  await said(page, "There is a role Support now");
  await expect(cell("apikeys.manage", 4)).toHaveText("Allowed");
  await everywhere(page);
  await menu(page, "Support", "Edit");
  await dialog(page).getByRole("checkbox", { name: "All of API keys" }).click();
  await dialog(page).getByRole("button", { name: "Save changes" }).click();
  await said(page, "The role Support is saved");
  await expect(cell("apikeys.manage", 4)).toHaveText("Not allowed");

  await join(server, org, "helper@rolemakers.example", "Help Er", "support");
  await menu(page, "Support", "Delete");
  await confirm(page).getByRole("button", { name: "Delete" }).click();
  await said(page, "Members or invitations have this role. Give them another first.");

  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: /Support/ }).click();
  await expect(page.getByRole("listitem").filter({ hasText: "See the organization" }).first()).toContainText("Allowed");
  await page.setViewportSize({ width: 1440, height: 900 });

  const admin = await join(server, org, "admin@rolemakers.example", "Ad Min", "admin");
  await page.context().clearCookies();
  await signIn(admin.email, "/o/rolemakers/roles");
  await page.getByRole("button", { name: "New role" }).click();
  const transfer = dialog(page).getByRole("checkbox", { name: "Hand the organization over" });
  await expect(transfer).toBeDisabled();
  await expect(dialog(page).getByText("You do not have this yourself, so you cannot give it.").first()).toBeVisible();
  await everywhere(page);
});

test("an API key is made, works, gets a new value, and ends", async ({ page, server, signIn }) => {
  const org = await organization(server, "keepers", "Keepers");
  await signIn(org.email, "/o/keepers/api-keys");
  await expect(page.getByRole("heading", { name: "No API keys yet" })).toBeVisible();
  await everywhere(page);
  await page.getByRole("button", { name: "New API key" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill("Nightly export");
  await dialog(page).getByRole("checkbox", { name: "See who belongs to the organization" }).click();
  await dialog(page).getByRole("combobox", { name: "Good for" }).click();
  await page.getByRole("option", { name: "Until a date" }).click();
  await page.getByLabel("Last day").fill("2020-01-01");
  await everywhere(page);
  await page.getByLabel("Last day").fill(new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10));

  // Long after signing in, the server asks who one is; the dialog keeps what is in it.
  let asked = 0;
  await page.route("**/api-keys", (route) =>
    route.request().method() === "POST" && asked++ === 0
      ? route.fulfill({ status: 401, json: { title: "Fresh", status: 401, code: "auth.fresh_required", methods: ["password"] } })
      : route.fallback(),
  );
  await dialog(page).getByRole("button", { name: "Create API key" }).click();
  const stepUp = page.getByRole("dialog", { name: "Confirm that it is you" });
  await stepUp.getByLabel("Password", { exact: true }).fill(org.password);
  await stepUp.getByRole("button", { name: "Confirm" }).click();
  await expect(page.getByTestId("secret")).toHaveText(/^tn_key_/);
  await everywhere(page);
  const key = (await page.getByTestId("secret").textContent()) ?? "";
  const [, header, url] = (await page.getByTestId("curl").textContent())?.match(/^curl -H "Authorization: (.*?)" "(.*)"$/) ?? [];
  const use = (authorization: string) => fetch(url ?? "", { headers: { authorization } });
  expect((await use(header ?? "")).status).toBe(200);
  await page.mouse.click(5, 5); // beside the dialog
  await expect(page.getByTestId("secret")).toBeVisible();
  await page.getByRole("button", { name: "I have stored it" }).click();
  await expect(page.getByTestId("secret")).toBeHidden();
  await expect(row(page, "Nightly export")).toContainText(key.slice(0, 15));
  await everywhere(page);

  await row(page, "Nightly export").getByText("Amara Okafor").click();
  await expect(dialog(page).getByText("See who belongs to the organization")).toBeVisible();
  await everywhere(page);
  await page.keyboard.press("Escape");

  await menu(page, "Nightly export", "Rename");
  await page.getByLabel("Name", { exact: true }).fill("Weekly export");
  await dialog(page).getByRole("button", { name: "Rename" }).click();
  await said(page, "The API key is called Weekly export now");

  await menu(page, "Weekly export", "Rotate");
  await everywhere(page);
  await dialog(page).getByRole("combobox").click();
  await page.getByRole("option", { name: "For an hour" }).click();
  await dialog(page).getByRole("button", { name: "Rotate" }).click();
  await expect(dialog(page).getByText(/^The value before works until/)).toBeVisible();
  const second = (await page.getByTestId("secret").textContent()) ?? "";
  expect(second).not.toBe(key);
  for (const value of [key, second]) expect((await use(`Bearer ${value}`)).status).toBe(200);
  await page.getByRole("button", { name: "I have stored it" }).click();
  await expect(row(page, "Weekly export").getByText("Old value still works")).toBeVisible();
  await menu(page, "Weekly export", "Rotate");
  await expect(dialog(page).getByRole("alert")).toContainText("at once");
  await everywhere(page);
  await dialog(page).getByRole("button", { name: "Cancel" }).click();

  await menu(page, "Weekly export", "Revoke API key");
  await everywhere(page);
  await confirm(page).getByRole("button", { name: "Revoke" }).click();
  await said(page, "The API key Weekly export works no more");
  expect((await use(`Bearer ${second}`)).status).toBe(401);
  await expect(page.getByRole("heading", { name: "No API keys yet" })).toBeVisible();
});

test("the event log is filtered, read, and taken along", async ({ page, server, signIn }) => {
  const org = await organization(server, "loggers", "Loggers");
  await join(server, org, "ada@loggers.example", "Ada Lovelace");
  await team(org, "Crew", "crew");
  await signIn(org.email, "/o/loggers/events");
  await expect(row(page, "Team created")).toBeVisible();
  await everywhere(page);
  await row(page, "Ada Lovelace").getByRole("button").first().click();
  await expect(dialog(page).getByText("orgs.member_joined")).toBeVisible();
  await everywhere(page);
  await page.keyboard.press("Escape");
  await page.getByRole("combobox").first().click();
  await page.getByRole("option", { name: "Team created" }).click();
  await expect(page).toHaveURL(/type=orgs.team_created/);
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.getByRole("button", { name: "Export" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: /CSV/ }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe("events.csv");
  const csv = await (await file.createReadStream()).toArray().then((c) => Buffer.concat(c).toString());
  expect(csv.trim().split("\n")).toHaveLength(2); // the heading, and the one that the filter lets through
  await page.getByRole("button", { name: "Export" }).click();
  await expect(page.getByRole("menuitem", { name: /JSON Lines/ })).toHaveAttribute("href", /format=jsonl&type=orgs.team_created/);
});

test.describe("settings", () => {
  test.use({ allowed: [/status of (401|403|404|409|412|422) /] });

  test("are changed, and two at once do not overwrite each other", async ({ page, server, signIn }) => {
    const org = await organization(server, "settlers", "Settlers");
    await signIn(org.email, "/o/settlers/settings");
    const save = page.getByRole("button", { name: "Save changes" });
    await expect(save.first()).toBeDisabled();
    await everywhere(page);
    await page.getByLabel("Short name").fill("admin");
    await save.first().click();
    await expect(page.getByText("This short name is reserved. Choose another.")).toBeVisible();
    await page.getByLabel("Short name").fill("new-settlers");
    await expect(page.getByText("Addresses change from /o/settlers to /o/new-settlers.")).toBeVisible();
    await everywhere(page);
    await save.first().click();
    await expect(page).toHaveURL(/\/o\/new-settlers\/settings$/);
    await said(page, "Settlers is saved");
    await page.reload();
    await expect(page.getByLabel("Short name")).toHaveValue("new-settlers");

    const elsewhere = (body: object) => org.api.PATCH("/api/v1/orgs/{org}", { params: { path: { org: org.id } }, body });
    await page.getByLabel("Name", { exact: true }).fill("Mine");
    await elsewhere({ name: "Theirs" });
    await save.first().click();
    await expect(page.getByText("Somebody else changed this")).toBeVisible();
    await expect(page.getByRole("alert")).toContainText("Theirs");
    await everywhere(page);
    await page.getByRole("button", { name: "Take over theirs" }).click();
    await expect(page.getByLabel("Name", { exact: true })).toHaveValue("Theirs");
    await page.getByLabel("Name", { exact: true }).fill("Mine");
    await elsewhere({ name: "Theirs again" });
    await save.first().click();
    await page.getByRole("button", { name: "Save mine anyway" }).click();
    await said(page, "Mine is saved");
    // What does not touch the same fields is no conflict.
    await page.getByLabel("Description").fill("Wool, mostly.");
    await elsewhere({ settings: { locale: "de" } });
    await save.first().click();
    await expect(page.getByRole("combobox", { name: "Language of letters" })).toHaveText("Deutsch");
    await expect(save.first()).toBeDisabled();

    await page.getByLabel("Time zone").fill("Nowhere at all");
    await save.last().click();
    await expect(page.getByText("Enter a time zone such as Europe/Vienna.")).toBeVisible();
    await page.getByLabel("Time zone").fill("Europe/Vienna");
    await save.last().click();
    await said(page, "The preferences of Mine are saved");
    const { org: now } = { org: await data(org.api.GET("/api/v1/orgs/{org}", { params: { path: { org: org.id } } })) };
    expect(now).toMatchObject({ name: "Mine", description: "Wool, mostly.", settings: { locale: "de", time_zone: "Europe/Vienna" } });
  });

  test("a second factor is required, of whoever requires it first", async ({ page, server, signIn }) => {
    const org = await organization(server, "careful", "Careful");
    const member = await join(server, org, "plain@careful.example", "Pla In");
    await signIn(org.email, "/o/careful/settings");
    await page.getByRole("switch", { name: "Require a second factor" }).click();
    await everywhere(page);
    await confirm(page).getByRole("button", { name: "Require it" }).click();
    await expect(page.getByRole("alert")).toContainText("you would lock yourself out");
    await expect(page.getByRole("alert").getByRole("link", { name: "Set up a second factor" })).toBeVisible();
    await everywhere(page);
    await secure(page, server.url, org, "/o/careful/settings");
    await page.getByRole("switch", { name: "Require a second factor" }).click();
    await confirm(page).getByRole("button", { name: "Require it" }).click();
    await said(page, "Careful asks everybody for a second factor now");
    await expect(page.getByRole("switch", { name: "Require a second factor" })).toBeChecked();

    await page.context().clearCookies();
    await signIn(member.email, "/o/careful/members");
    await expect(page.getByRole("heading", { name: "Protect your account first" })).toBeVisible();
    await everywhere(page);
    await expect(page.getByRole("main").getByRole("link", { name: "Set up a second factor" })).toHaveAttribute("href", /\/account\/security$/);
  });

  test("an organization is deleted, restored, handed over and left", async ({ page, server, signIn }) => {
    const org = await organization(server, "leavers", "Leavers");
    await join(server, org, "ada@leavers.example", "Ada Lovelace");
    await signIn(org.email, "/o/leavers/settings");
    await page.getByRole("button", { name: "Leave", exact: true }).click();
    await confirm(page).getByRole("button", { name: "Leave" }).click();
    await said(page, "An organization keeps at least one owner. Make someone else an owner first.");
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await expect(confirm(page).getByRole("button", { name: "Delete" })).toBeDisabled();
    await everywhere(page);
    await confirm(page)
      .getByLabel(/Type leavers/)
      .fill("leavers");
    await confirm(page).getByRole("button", { name: "Delete" }).click();
    await expect(page.getByRole("main").getByRole("heading", { level: 2 })).toHaveText("Leavers is being deleted");
    await expect(page.getByText(/^An owner can restore it until/)).toBeVisible();
    await everywhere(page);
    await page.getByRole("button", { name: "Restore" }).click();
    await said(page, "Leavers is back");
    await expect(heading(page)).toHaveText("Settings");

    await page.getByRole("button", { name: "Choose a member" }).click();
    await everywhere(page);
    await dialog(page)
      .getByRole("button", { name: /Ada Lovelace/ })
      .click();
    await confirm(page)
      .getByLabel(/Type leavers/)
      .fill("leavers");
    await everywhere(page);
    await confirm(page).getByRole("button", { name: "Hand over ownership" }).click();
    await said(page, "Leavers is Ada Lovelace’s now");
    await expect(page.getByRole("button", { name: "Choose a member" })).toBeHidden();
    await page.getByRole("button", { name: "Leave", exact: true }).click();
    await confirm(page).getByRole("button", { name: "Leave" }).click();
    await said(page, "You have left Leavers");
    await expect(page).toHaveURL(/\/welcome$/);
  });

  test("a suspended organization says so", async ({ page, server, signIn }) => {
    const org = await organization(server, "stopped", "Stopped");
    await page.route("**/api/v1/orgs?*", async (route) => {
      const answer = await route.fetch();
      const body = await answer.json();
      await route.fulfill({ response: answer, json: { ...body, items: body.items.map((o: object) => ({ ...o, status: "suspended" })) } });
    });
    await signIn(org.email, "/o/stopped/members");
    await expect(page.getByRole("heading", { name: "Stopped is suspended" })).toBeVisible();
    await expect(page.getByRole("link", { name: "Members" })).toBeHidden();
    await everywhere(page);
  });
});

test("who may only look is offered nothing else", async ({ page, server, signIn }) => {
  const org = await organization(server, "lookers", "Lookers");
  const viewer = await join(server, org, "viewer@lookers.example", "View Er", "viewer");
  await team(org, "Crew", "crew");
  await signIn(viewer.email, "/o/lookers");
  await expect(page.getByRole("navigation").getByRole("link")).toHaveText([
    /Overview/,
    /Members/,
    /Teams/,
    /Roles/,
    /Files/,
    /Settings/,
    /Inbox/,
    /Profile/,
    /Security/,
    /Linked/,
    /Notifications/,
    /Activity/,
  ]);
  await everywhere(page);
  for (const [path, title] of [
    ["/members", "Members"],
    ["/teams", "Teams"],
    ["/roles", "Roles"],
    ["/settings", "Settings"],
  ] as const) {
    await page.goto(`${server.url}/o/lookers${path}`);
    await expect(heading(page)).toHaveText(title);
    await expect(page.getByRole("main").getByRole("button", { name: /Invite|New|Save|Delete/ })).toHaveCount(0);
    await everywhere(page);
  }
  await page.getByRole("button", { name: "Leave", exact: true }).click();
  await confirm(page).getByRole("button", { name: "Leave" }).click();
  await expect(page).toHaveURL(/\/welcome$/);
});

test("what does not load says why, and is tried again", async ({ page, server, signIn }) => {
  test.info().annotations.push({ type: "note", description: "the failure is made up" });
  const org = await organization(server, "unlucky", "Unlucky");
  let broken = true;
  await page.route("**/members?*", (route) =>
    broken
      ? route.fulfill({ status: 409, json: { title: "Broken", status: 409, code: "x.broken", detail: "It is broken.", request_id: "req_42" } })
      : route.fallback(),
  );
  await signIn(org.email, "/o/unlucky/members");
  await expect(page.getByRole("heading", { name: "This did not load" })).toBeVisible();
  await expect(page.getByText("req_42")).toBeVisible();
  await everywhere(page);
  broken = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(row(page, "Amara Okafor")).toBeVisible();
});

test("the organization's pages speak German", async ({ page, server, signIn }) => {
  const org = await organization(server, "deutsche", "Deutsche See");
  await signIn(org.email, "/o/deutsche/roles");
  await page.context().addCookies([{ name: "locale", value: "de", url: server.url }]);
  await data(org.api.PATCH("/api/v1/users/me", { body: { locale: "de" } }));
  for (const [path, title, text] of [
    ["", "Deutsche See", "Erste Schritte"],
    ["/members", "Mitglieder", "Wer zu Deutsche See gehört"],
    ["/invitations", "Einladungen", "Keine offenen Einladungen"],
    ["/teams", "Teams", "Noch keine Teams"],
    ["/roles", "Rollen", "Leute einladen, Einladungen sehen und widerrufen"],
    ["/api-keys", "API-Schlüssel", "Noch keine API-Schlüssel"],
    ["/events", "Ereignisse", "Exportieren"],
    ["/settings", "Einstellungen", "Zweiten Faktor verlangen"],
  ] as const) {
    await page.goto(`${server.url}/o/deutsche${path}`);
    await expect(heading(page)).toHaveText(title);
    await expect(page.getByText(text).first()).toBeVisible();
    await everywhere(page);
  }
});
