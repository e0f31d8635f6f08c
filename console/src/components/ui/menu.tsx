import { type ComponentProps, cloneElement, createContext, type KeyboardEvent, type ReactElement, type ReactNode, use, useState } from "react";
import { useLate } from "./late";

const load = () => import("./menu.base");
type Base = Awaited<ReturnType<typeof load>>;

const Opened = createContext<{ base?: Base; open: () => void }>({ open: () => {} });

/** A menu behind a button. What shows it is loaded when somebody is about to open it. */
export function Menu({ children }: { children: ReactNode }) {
  const [wanted, setWanted] = useState(false);
  const base = useLate(load, wanted);
  const menu = <Opened value={{ base, open: () => setWanted(true) }}>{children}</Opened>;
  return base ? <base.Root defaultOpen>{menu}</base.Root> : menu;
}

type TriggerProps = ComponentProps<"button"> & { render?: ReactElement<ComponentProps<"button">> };

export function MenuTrigger({ render, ...p }: TriggerProps) {
  const { base, open } = use(Opened);
  if (base) return <base.Trigger render={render} {...p} />;
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
    e.preventDefault();
    open();
  };
  const waiting = {
    ...p,
    "aria-haspopup": "menu" as const,
    "aria-expanded": false,
    onClick: open,
    onKeyDown,
    onPointerEnter: () => void load(),
    onFocus: () => void load(),
  };
  return render ? cloneElement(render, waiting) : <button type="button" {...waiting} />;
}

/** The loaded menu around; its content is shown by nothing else. */
const useBase = () => use(Opened).base as Base;

export function MenuContent(p: ComponentProps<Base["Content"]>) {
  const base = useBase();
  return base ? <base.Content {...p} /> : null;
}

export function MenuItem(p: ComponentProps<Base["Item"]>) {
  const base = useBase();
  return <base.Item {...p} />;
}

/** A menu entry that is a link. */
export function MenuLink(p: ComponentProps<Base["Row"]>) {
  const base = useBase();
  return <base.Row {...p} />;
}

export function MenuSeparator() {
  const base = useBase();
  return <base.Separator />;
}

export const MenuLabel = ({ children }: { children: ReactNode }) => (
  <div className="px-2 pt-1.5 pb-1 text-micro font-medium text-muted-foreground">{children}</div>
);
