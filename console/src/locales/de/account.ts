import type { account as en } from "@/locales/en/account";

export const account: Record<keyof typeof en, string> = {};
