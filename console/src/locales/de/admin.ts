import type { admin as en } from "@/locales/en/admin";

export const admin: Record<keyof typeof en, string> = {};
