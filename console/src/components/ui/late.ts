import { useEffect, useState } from "react";

/**
 * A module that is loaded once it is wanted: what floats above a page is most of its code,
 * and most pages are left before any of it is opened.
 */
export function useLate<M>(load: () => Promise<M>, wanted: boolean): M | undefined {
  const [module, setModule] = useState<M>();
  useEffect(() => {
    if (wanted && !module) void load().then((m) => setModule(() => m));
  }, [load, wanted, module]);
  return module;
}
