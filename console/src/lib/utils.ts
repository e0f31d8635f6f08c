import { type ClassValue, clsx } from "clsx";

/**
 * Puts classes together. Which of two that contradict each other wins is for the style sheet to say, not their order here: the looks of a part are in styles/parts.css,
 * in a layer below the utilities, so that a utility from outside always overrules them.
 */
export const cn = (...values: ClassValue[]): string => clsx(values);
