import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { explain, TenonError } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Alert } from "@/components/ui/form";
import { t } from "@/lib/i18n";
import { Heading, Said, ToSignIn } from "./parts";

interface Props {
  token?: string;
  title: string;
  hint: ReactNode;
  action: string;
  danger?: boolean;
  run: (token: string) => Promise<unknown>;
  done: () => void;
}

/**
 * A page that a link in a mail leads to. It does nothing by itself: programs that look at
 * mail open links too, so a person presses the button.
 */
export function Press({ token, title, hint, action, danger, run, done }: Props) {
  const press = useMutation({ mutationFn: () => run(token ?? ""), meta: { handled: true, quiet: true }, onSuccess: done });
  const refused = press.error instanceof TenonError && press.error.status >= 400 && press.error.status < 429;
  if (!token || refused)
    return (
      <>
        <Said mark="broken" title={t("auth.linkBad")}>
          {t(token ? "auth.linkBadHint" : "auth.linkMissing")}
        </Said>
        <ToSignIn />
      </>
    );
  return (
    <>
      <Heading title={title}>{hint}</Heading>
      <div className="grid gap-4">
        {press.error && <Alert>{explain(press.error)}</Alert>}
        <Button size="lg" variant={danger ? "danger" : "primary"} loading={press.isPending} onClick={() => press.mutate()}>
          {action}
        </Button>
      </div>
      <ToSignIn />
    </>
  );
}
