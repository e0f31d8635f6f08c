import type { ReactNode } from "react";
import { Badge, type Tone } from "@/components/ui/basics";
import { t } from "@/lib/i18n";
import type { State } from "./queries";

const tones: Record<State, Tone> = {
  running: "brand",
  available: "neutral",
  scheduled: "neutral",
  retrying: "warning",
  dead: "danger",
  completed: "success",
  cancelled: "neutral",
};

export const StateBadge = ({ state }: { state: State }) => (
  <Badge tone={tones[state]} dot>
    {t(`jobs.state.${state}`)}
  </Badge>
);

/** The name of a kind, a queue or a schedule. */
export const Name = ({ children }: { children: ReactNode }) => <span className="min-w-0 truncate font-mono text-xs font-medium">{children}</span>;
