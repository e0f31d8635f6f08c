import { defineConfig } from "@playwright/test";
import base from "./playwright.config.ts";

/** Takes the pictures of docs/screenshots: npm run screenshots. */
export default defineConfig({ ...base, testDir: "e2e/screenshots", testIgnore: [], timeout: 300_000 });
