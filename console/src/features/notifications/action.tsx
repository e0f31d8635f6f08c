import { Link, useNavigate } from "@tanstack/react-router";
import type { Schemas } from "@/api/client";
import { Button } from "@/components/ui/button";

export type Action = NonNullable<Schemas["Notification"]["action"]>;

/** Whether an address is a page of this console, which opens without leaving it. */
const inside = (url: string): boolean => url.startsWith("/");
const elsewhere = { target: "_blank", rel: "noopener noreferrer" };

/** Goes where an action leads. */
export function useFollow(): (action: Action) => void {
  const navigate = useNavigate();
  return ({ url }) => {
    if (inside(url)) void navigate({ to: url });
    else window.open(url, elsewhere.target, "noopener,noreferrer");
  };
}

/** What a message asks one to do: a link that looks like a button. */
export function ActionLink({ action, onFollow }: { action: Action; onFollow?: () => void }) {
  const at = inside(action.url) ? {} : elsewhere;
  return (
    <Button size="sm" render={<Link to={action.url} {...at} onClick={onFollow} />}>
      {action.label}
    </Button>
  );
}
