// Whatever floats above a page. Each is a module of its own: a page brings those it uses.
export { Confirm, Dialog, DialogActions, DialogClose } from "./dialog";
export { Menu, MenuContent, MenuItem, MenuLabel, MenuLink, MenuSeparator, MenuTrigger } from "./menu";
export { Select } from "./select";
export { Tooltip } from "./tooltip";
