import { useSyncExternalStore } from "react";
import { boot } from "./boot";

export type Theme = "system" | "light" | "dark";

const listeners = new Set<() => void>();
const read = () => (document.documentElement.dataset.theme as Theme | undefined) ?? "system";

/** The choice lives in a cookie: the server writes it into the page, and the first paint is right. */
export function setTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  // biome-ignore lint/suspicious/noDocumentCookie: the server reads it
  document.cookie = `theme=${theme};path=${boot.base || "/"};max-age=31536000;samesite=lax`;
  for (const tell of listeners) tell();
}

export const useTheme = (): Theme =>
  useSyncExternalStore((tell) => {
    listeners.add(tell);
    return () => listeners.delete(tell);
  }, read);
