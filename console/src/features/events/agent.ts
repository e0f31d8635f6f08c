import { t } from "@/lib/i18n";

const browsers: [RegExp, string][] = [
  [/Edg(?:e|A|iOS)?\//, "Edge"],
  [/OPR\/|Opera/, "Opera"],
  [/SamsungBrowser\//, "Samsung Internet"],
  [/Firefox\/|FxiOS\//, "Firefox"],
  [/HeadlessChrome\/|Chrome\/|CriOS\//, "Chrome"],
  [/Safari\//, "Safari"],
];

const systems: [RegExp, string][] = [
  [/iPhone|iPod/, "iOS"],
  [/iPad/, "iPadOS"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/CrOS/, "ChromeOS"],
  [/Mac OS X|Macintosh/, "macOS"],
  [/Linux|X11/, "Linux"],
];

const first = (known: [RegExp, string][], text: string) => known.find(([like]) => like.test(text))?.[1];

/** A user agent for people: "Firefox on Windows"; of a program, what it calls itself. It proves nothing. */
export function agentName(agent: string): string {
  const browser = first(browsers, agent);
  const os = first(systems, agent);
  return browser && os ? onSystem(browser, os) : (browser ?? agent.split(/[\s/]/)[0] ?? "");
}

export const onSystem = (browser: string, os: string): string => (browser && os ? t("event.agent", { browser, os }) : browser || os);
