/** What floats: menus, dialogs, toasts. */
export const surface = "rounded-lg border bg-popover text-foreground shadow-pop outline-none";
