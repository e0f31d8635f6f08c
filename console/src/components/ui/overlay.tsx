// Whatever floats above a page. What shows it is loaded when it is first needed.
export { Confirm, Dialog, DialogActions } from "./dialog";
export { Menu, MenuContent, MenuItem, MenuLabel, MenuLink, MenuSeparator, MenuTrigger } from "./menu";
export { Select } from "./select";
