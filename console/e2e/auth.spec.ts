import { everywhere, expect, PASSWORD, test, totp } from "./test";

test("somebody signs up, confirms, signs in, and makes an organization", async ({ page, server }) => {
  await page.goto(`${server.url}/`);
  await expect(page).toHaveURL(/\/sign-in$/);
  await everywhere(page);
  await page.getByRole("link", { name: "Create an account" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Create your account");
  await everywhere(page);

  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByText("Fill in this field.").first()).toBeVisible();
  await page.getByLabel("Your name").fill("Grace Hopper");
  await page.getByLabel("E-mail").fill("grace@example.com");
  await page.getByLabel("Password", { exact: true }).fill("password123");
  await expect(page.getByRole("meter")).toBeVisible();
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.locator("[data-invalid]").first()).toBeVisible();
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Check your mail");
  await everywhere(page);

  const link = (await server.mail("grace@example.com")).links[0] ?? "";
  await page.goto(link);
  await page.getByRole("button", { name: "Confirm address" }).click();
  await expect(page.getByText("Your address is confirmed")).toBeVisible();

  await page.getByLabel("E-mail").fill("grace@example.com");
  await page.getByLabel("Password", { exact: true }).fill("not this one");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("alert").filter({ hasText: "password" })).toBeVisible();
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Welcome, Grace Hopper");
  await everywhere(page);
  await page.getByLabel("Name", { exact: true }).fill("Northwind");
  await expect(page.getByLabel("Short name")).toHaveValue("northwind");
  await page.getByRole("button", { name: "Create organization" }).click();
  await expect(page).toHaveURL(/\/o\/northwind$/);
  await page.goto(link); // it works once
  await page.getByRole("button", { name: "Confirm address" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("This link does not work any more");
});

test("a forgotten password is set anew", async ({ page, server }) => {
  await server.person("forgetful@example.com", "Fo Getful");
  await page.goto(`${server.url}/sign-in`);
  await page.getByRole("link", { name: "Forgot password?" }).click();
  await everywhere(page);
  await page.getByLabel("E-mail").fill("forgetful@example.com");
  await page.getByRole("button", { name: "Send link" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Check your mail");
  const link = (await server.mail("forgetful@example.com", /password/i)).links[0] ?? "";
  await page.goto(link);
  await everywhere(page);
  await page.getByLabel("New password", { exact: true }).fill(`${PASSWORD} again`);
  await page.getByRole("button", { name: "Set password" }).click();
  await expect(page.getByText("Your new password is set")).toBeVisible();
  await page.getByLabel("E-mail").fill("forgetful@example.com");
  await page.getByLabel("Password", { exact: true }).fill(`${PASSWORD} again`);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Welcome, Fo Getful");
});

test("signing in by mail, with the code and with the link", async ({ page, server }) => {
  await server.person("postal@example.com", "Pos Tal");
  for (const way of ["code", "link"]) {
    await page.context().clearCookies();
    await page.goto(`${server.url}/sign-in`);
    await page.getByLabel("E-mail").fill("postal@example.com");
    await page.getByRole("button", { name: "Mail me a sign-in link" }).click();
    const before = Date.now();
    await page.getByRole("button", { name: "Send link" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Check your mail");
    if (way === "code") await everywhere(page);
    await expect.poll(async () => Date.parse((await server.mail("postal@example.com", /sign/i)).created_at) > before - 1500).toBe(true);
    await page.waitForTimeout(300);
    const letter = await server.mail("postal@example.com", /sign/i);
    if (way === "code") {
      await page.getByLabel("Code from the mail").fill(letter.text.match(/\b\d{3,4} \d{3,4}\b/)?.[0] ?? "");
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
    } else {
      await page.goto(letter.links[0] ?? "");
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
    }
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Welcome, Pos Tal");
  }
});

test("a second factor: a code, and a backup code", async ({ page, server }) => {
  const { api } = await server.person("careful@example.com", "Care Full");
  const { data: device } = await api.POST("/api/v1/totp/setup", { body: { device_name: "Phone" } });
  const { data: enabled } = await api.POST("/api/v1/totp/enable", { body: { code: totp(device!.secret) } });
  await page.goto(`${server.url}/sign-in`);
  await page.getByLabel("E-mail").fill("careful@example.com");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("One more step");
  await everywhere(page);
  await page.getByLabel("Authenticator app").fill("000000");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("alert").first()).toContainText("not right");
  await page.getByLabel("Authenticator app").fill(totp(device!.secret, 1));
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Welcome, Care Full");

  await page.context().clearCookies();
  await page.goto(`${server.url}/sign-in`);
  await page.getByLabel("E-mail").fill("careful@example.com");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("button", { name: "Backup code" }).click();
  await page.getByLabel("Backup code").fill(enabled!.backup_codes[0] ?? "");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Welcome, Care Full");
});

test("the console speaks German, and remembers the colours before it paints", async ({ page, server }) => {
  await page.goto(`${server.url}/sign-in`);
  await page.getByRole("button", { name: "Deutsch" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Willkommen zurück");
  await expect(page.locator("html")).toHaveAttribute("lang", "de");
  await page.context().addCookies([{ name: "theme", value: "dark", url: server.url }]);
  await page.goto(`${server.url}/sign-in`);
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe("dark");
});
