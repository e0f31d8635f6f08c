import { Menu as BaseMenu } from "@base-ui/react/menu";
import type { ReactElement, ReactNode } from "react";
import { cn } from "@/lib/utils";

export const Root = BaseMenu.Root;
export const Trigger = BaseMenu.Trigger;

export const Content = ({
  children,
  className,
  side = "bottom",
  align = "end",
}: {
  children: ReactNode;
  className?: string;
  side?: "top" | "bottom";
  align?: "start" | "end";
}) => (
  <BaseMenu.Portal>
    <BaseMenu.Positioner side={side} align={align} sideOffset={6} className="z-50 outline-none">
      <BaseMenu.Popup className={cn("surface", "pop-motion max-h-(--available-height) min-w-48 overflow-y-auto p-1", className)}>{children}</BaseMenu.Popup>
    </BaseMenu.Positioner>
  </BaseMenu.Portal>
);

export const Item = ({ className, danger, ...p }: Omit<BaseMenu.Item.Props, "className"> & { danger?: boolean; className?: string }) => (
  <BaseMenu.Item className={cn("menu-item", danger && "text-destructive data-highlighted:bg-destructive-soft [&_svg]:text-destructive", className)} {...p} />
);

/** A menu entry that is a link. */
export const Row = ({
  className,
  render,
  children,
  closeOnClick = true,
}: {
  className?: string;
  render: ReactElement;
  children: ReactNode;
  closeOnClick?: boolean;
}) => (
  <BaseMenu.Item className={cn("menu-item", className)} render={render} closeOnClick={closeOnClick}>
    {children}
  </BaseMenu.Item>
);

export const Separator = () => <BaseMenu.Separator className="-mx-1 my-1 h-px bg-border" />;
