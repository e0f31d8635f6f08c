export const org = {
  "org.create": "Create organization",
  "org.created": "{name} is yours",
  "org.name": "Name",
  "org.nameHint": "As people call it: a company, a team.",
  "org.newHint": "Members, roles and data of their own.",
  "org.slug": "Short name",
  "org.slugHint": "In addresses: small letters, digits and dashes.",
  "org.welcome": "Welcome, {name}",
  "org.welcomeHint": "Make an organization. You can invite people to it afterwards.",
};
