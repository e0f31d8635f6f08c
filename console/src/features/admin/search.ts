import { useEffect, useState } from "react";

/** A parameter of an address as text: the router reads "?q=42" as a number. */
export const text = (v: unknown): string | undefined => (typeof v === "number" ? String(v) : typeof v === "string" && v !== "" ? v : undefined);

/** One of some words, or none. */
export const oneOf = <W extends string>(words: readonly W[], v: unknown): W | undefined => words.find((w) => w === v);

/** What somebody types, once they pause: a request for each letter would be too many. */
export function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), 250);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
