/** What floats: menus, dialogs, toasts (styles/parts.css). */
export const surface = "surface";
