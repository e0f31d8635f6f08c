import { en } from "@/locales/en";
import type { app as enApp } from "@/locales/en/app";
import { boot } from "./boot";

/** A text, or its forms by plural category; `{n}` decides which. */
export type Message = string | { one: string; other: string; zero?: string };
export type Key = keyof typeof en | keyof typeof enApp;
export type Messages = Record<Key, Message>;
export type Vars = Record<string, string | number>;

type Texts = Record<string, Message>;

let locale = "en";
let messages: Texts = en;
let whole = false;

/** Names of the languages in themselves. */
export const languages: Record<string, string> = { en: "English", de: "Deutsch" };

/** Each language in two parts: the pages before one is signed in, and the rest. */
const loaders: Record<string, [first: () => Promise<Texts>, rest: () => Promise<Texts>]> = {
  en: [async () => en, async () => (await import("@/locales/en/app")).app],
  de: [async () => (await import("@/locales/de")).de, async () => (await import("@/locales/de/app")).app],
};

/** The language to show: the reader's choice, else the first one of the browser's that there is. */
export function preferred(choice?: string): string {
  const wanted = [choice, cookie("locale"), ...navigator.languages, boot.locale].filter(Boolean) as string[];
  for (const w of wanted) {
    const short = w.split("-")[0] ?? "";
    if (loaders[short] && boot.locales.includes(short)) return short;
  }
  return "en";
}

const cookie = (name: string) => document.cookie.match(new RegExp(`(?:^|; )${name}=([^;]*)`))?.[1];

/** Shows everything in a language from now on, `all` of it or the pages for signing in; the caller renders anew. */
export async function setLocale(next: string, all = false): Promise<void> {
  if (next === locale && whole >= all && messages !== en) return;
  const load = async (l: string) => Promise.all((loaders[l] ?? loaders.en!).slice(0, all ? 2 : 1).map((part) => part()));
  const [fallback, own] = await Promise.all([load("en"), next === "en" ? [] : load(next)]);
  messages = Object.assign({}, ...fallback, ...own, boot.wording[next]);
  locale = next;
  whole = all;
  document.documentElement.lang = next;
}

/** Remembers a choice that was made before anybody has signed in. */
export function rememberLocale(next: string): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the server reads it for the page's lang
  document.cookie = `locale=${next};path=${boot.base || "/"};max-age=31536000;samesite=lax`;
}

export const getLocale = (): string => locale;

/** The language as the reader's country writes dates and numbers in it: en-GB, de-AT. */
export const region = (): string => navigator.languages.find((l) => l.split("-")[0] === locale) ?? locale;

/** What formats in the reader's language, made once: making takes longer than a hundred uses. */
export function formatter<F>(make: (region: string) => F): () => F {
  let made: F;
  let of = "";
  return () => {
    if (of !== region()) {
      of = region();
      made = make(of);
    }
    return made;
  };
}

const numbers = formatter((l) => new Intl.NumberFormat(l));
const plurals = formatter((l) => new Intl.PluralRules(l));

/** A number as the reader writes it. The most are short, and written alike in all our languages. */
export const count = (n: number): string => (Number.isInteger(n) && n >= 0 && n < 1000 ? String(n) : numbers().format(n));

/** The text of a key in the language of the reader, with its `{variables}` filled in. */
export function t(key: Key, vars: Vars = {}): string {
  return fill(messages[key] ?? key, vars);
}

/** Like `t` for keys made at run time; the fallback where there is no such text. */
export function tOr(key: string, fallback: string, vars: Vars = {}): string {
  const m = messages[key];
  return m === undefined ? fallback : fill(m, vars);
}

function fill(m: Message, vars: Vars): string {
  const text = typeof m === "string" ? m : form(m, Number(vars.n));
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const v = vars[name];
    return v === undefined ? whole : typeof v === "number" ? count(v) : v;
  });
}

function form(m: Exclude<Message, string>, n: number): string {
  if (n === 0 && m.zero !== undefined) return m.zero;
  return plurals().select(n) === "one" ? m.one : m.other;
}
