import { Tooltip as BaseTooltip } from "@base-ui/react/tooltip";
import type { ReactElement, ReactNode } from "react";

/** Says more about something on hover and on focus. What matters is not said here alone. */
export const Tooltip = ({ text, children }: { text: ReactNode; children: ReactElement }) => (
  <BaseTooltip.Root>
    <BaseTooltip.Trigger render={children} />
    <BaseTooltip.Portal>
      <BaseTooltip.Positioner sideOffset={6} className="z-[60]">
        <BaseTooltip.Popup className="pop-motion max-w-64 rounded-md bg-foreground px-2 py-1 text-xs text-background shadow-pop">{text}</BaseTooltip.Popup>
      </BaseTooltip.Positioner>
    </BaseTooltip.Portal>
  </BaseTooltip.Root>
);
