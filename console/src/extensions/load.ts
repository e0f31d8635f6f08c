import type { ComponentType } from "react";
import { boot } from "@/lib/boot";

/** A page that a product adds to the console. */
export interface ExtensionPage {
  /** Below /x: "/reports" is shown at /x/reports. */
  path: string;
  title: string;
  /** Shown in the navigation only to those who may this in the organization that is open. */
  permission?: string;
  component: ComponentType<{ org?: { id: string; slug: string; name: string; role: string } }>;
}

export const pages = new Map<string, ExtensionPage>();

/** Loads the modules that the server names. One that fails is named in the browser's log, and the console goes on. */
export async function loadExtensions(): Promise<void> {
  if (boot.extensions.length === 0) return;
  const { sdk } = await import("./sdk");
  const load = async (url: string) => {
    const { default: start } = (await import(/* @vite-ignore */ new URL(boot.base + url, location.origin).href)) as { default(s: typeof sdk): void };
    start(sdk);
  };
  const loaded = await Promise.allSettled(boot.extensions.map(load));
  for (const [i, l] of loaded.entries()) if (l.status === "rejected") console.error(`extension ${boot.extensions[i]}:`, l.reason);
}
