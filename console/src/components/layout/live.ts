import { useEffect } from "react";
import { useMe } from "@/api/queries";

/** Refreshes what is on the screen when it changes elsewhere. What hears of it is loaded after the page. */
export function useLive(org: string | undefined): void {
  const me = useMe();
  const operator = me.is_admin && !me.impersonator;
  useEffect(() => {
    let stop: (() => void) | undefined;
    let left = false;
    const channels = [...(org ? [`org:${org}`] : []), ...(operator ? ["admin"] : [])];
    void import("@/api/live").then(({ follow }) => {
      if (!left) stop = follow(...channels);
    });
    return () => {
      left = true;
      stop?.();
    };
  }, [org, operator]);
}
