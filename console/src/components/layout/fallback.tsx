import { Link } from "@tanstack/react-router";
import { Compass, RotateCw, ServerCrash } from "lucide-react";
import { explain, TenonError } from "@/api/client";
import { Empty } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { t } from "@/lib/i18n";

export const NotFound = () => (
  <div className="grid min-h-[60dvh] place-items-center">
    <Empty whole icon={<Compass />} title={t("error.notFound")} action={<Button render={<Link to="/" />}>{t("error.goHome")}</Button>}>
      {t("error.notFoundHint")}
    </Empty>
  </div>
);

export function Crash({ error, reset }: { error: unknown; reset?: () => void }) {
  if (error instanceof TenonError && error.status === 404) return <NotFound />;
  return (
    <div className="grid min-h-[60dvh] place-items-center">
      <Empty
        whole
        icon={<ServerCrash />}
        title={t(error instanceof TenonError ? "error.load" : "error.crashed")}
        action={
          <Button onClick={() => (reset ? reset() : location.reload())}>
            <RotateCw />
            {t("action.tryAgain")}
          </Button>
        }
      >
        {explain(error)}
        {error instanceof TenonError && error.requestId && <span className="mt-2 block font-mono text-micro">{error.requestId}</span>}
      </Empty>
    </div>
  );
}
