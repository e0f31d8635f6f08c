import { Toast as T } from "@base-ui/react/toast";
import { CircleAlert, CircleCheck, X } from "lucide-react";
import { useEffect } from "react";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import { takeToasts } from "./toast";

const manager = T.createToastManager();

export default function Toaster() {
  useEffect(
    () => takeToasts((s) => manager.add({ title: s.title, description: s.description, ...(s.error && { type: "error", priority: "high", timeout: 8000 }) })),
    [],
  );
  return (
    <T.Provider toastManager={manager} timeout={4500}>
      <T.Portal>
        <T.Viewport className="fixed right-4 bottom-4 z-[60] grid w-[min(360px,calc(100vw-2rem))] gap-2 outline-none">
          <Toasts />
        </T.Viewport>
      </T.Portal>
    </T.Provider>
  );
}

function Toasts() {
  const { toasts } = T.useToastManager();
  return toasts.map((x) => (
    <T.Root
      key={x.id}
      toast={x}
      swipeDirection={["right", "down"]}
      className={cn(
        "surface",
        "flex items-start gap-2.5 p-3 transition-[transform,opacity] duration-200 ease-out-quint data-ending-style:translate-x-4 data-ending-style:opacity-0 data-starting-style:translate-y-3 data-starting-style:opacity-0",
      )}
    >
      {x.type === "error" ? (
        <CircleAlert className="mt-0.5 size-4 shrink-0 text-destructive" />
      ) : (
        <CircleCheck className="mt-0.5 size-4 shrink-0 text-success" />
      )}
      <div className="min-w-0 flex-1">
        <T.Title className="font-medium" />
        <T.Description className="mt-0.5 text-xs break-words text-muted-foreground" />
      </div>
      <T.Close aria-label={t("action.dismiss")} className="rounded p-0.5 text-muted-foreground hover:text-foreground">
        <X className="size-3.5" />
      </T.Close>
    </T.Root>
  ));
}
