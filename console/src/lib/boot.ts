/** What the server says about itself, in the page: see Boot in console/page.go. */
export interface Boot {
  /** Path that everything is below, without a slash at its end: "" or "/app". */
  base: string;
  name: string;
  logo: string;
  tagline: string;
  locale: string;
  locales: string[];
  /** Wording that replaces ours, by language and key. */
  wording: Record<string, Record<string, string>>;
  /** Navigation entries that are not shown. */
  hidden: string[];
  /** ES modules that add pages. */
  extensions: string[];
  signUp: "open" | "invitation" | "waitlist" | "domains";
  developer: boolean;
  /** The browser brought a session cookie: somebody is signed in, or was. */
  session: boolean;
}

const defaults: Boot = {
  base: "",
  name: "Tenon",
  logo: "",
  tagline: "",
  locale: "en",
  locales: ["en", "de"],
  wording: {},
  hidden: [],
  extensions: [],
  signUp: "open",
  developer: false,
  session: true,
};

export const boot: Boot = { ...defaults, ...JSON.parse(document.getElementById("boot")?.textContent || "{}") };
