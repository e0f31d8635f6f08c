import type { org as en } from "@/locales/en/org";

export const org: Record<keyof typeof en, string> = {
  "org.create": "Organisation anlegen",
  "org.created": "{name} gehört dir",
  "org.name": "Name",
  "org.nameHint": "Wie man sie nennt: eine Firma, ein Team.",
  "org.newHint": "Mit eigenen Mitgliedern, Rollen und Daten.",
  "org.slug": "Kurzname",
  "org.slugHint": "In Adressen: kleine Buchstaben, Ziffern und Striche.",
  "org.welcome": "Willkommen, {name}",
  "org.welcomeHint": "Lege eine Organisation an. Danach kannst du Leute einladen.",
};
