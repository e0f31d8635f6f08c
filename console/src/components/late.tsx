import { lazy, Suspense, useEffect, useState } from "react";
import { onStepUp } from "@/api/client";
import { onFirstToast } from "./ui/toast";

const StepUp = lazy(() => import("./stepup"));
const Toaster = lazy(() => import("./ui/toaster"));

interface Asked {
  methods: string[];
  answer: (ok: boolean) => void;
}

/** What is loaded when it is first needed: toasts, and the dialog that asks who the reader is. */
export function Late() {
  const [toasts, setToasts] = useState(false);
  const [asked, setAsked] = useState<Asked>();
  useEffect(() => {
    onFirstToast(() => setToasts(true));
    onStepUp((methods) => new Promise((answer) => setAsked({ methods, answer })));
  }, []);
  const finish = (ok: boolean) => {
    asked?.answer(ok);
    setAsked(undefined);
  };
  return (
    <Suspense>
      {toasts && <Toaster />}
      {asked && <StepUp methods={asked.methods} finish={finish} />}
    </Suspense>
  );
}
