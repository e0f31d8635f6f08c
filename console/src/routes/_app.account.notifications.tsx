import { useMutation, useQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { Inbox } from "lucide-react";
import { api, data } from "@/api/client";
import { queryClient } from "@/api/queries";
import { Card, Page, Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Switch } from "@/components/ui/choice";
import { Select } from "@/components/ui/overlay";
import { Failed } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import { emails, type Preference, preferencesQuery } from "@/features/notifications/queries";
import { t, tOr } from "@/lib/i18n";

type Choice = Pick<Preference, "in_app" | "email">;

const title = (p: Preference): string => tOr(`notice.${p.kind}`, p.title);

/** One kind of message, and how it reaches the reader. What is chosen holds at once. */
function Kind({ of: p }: { of: Preference }) {
  const save = useMutation({
    mutationFn: (body: Choice) => data(api.PUT("/api/v1/notifications/preferences/{notice}", { params: { path: { notice: p.kind } }, body })),
    // Shown at once; what the server does not take goes back.
    onMutate: (body) => queryClient.setQueryData(preferencesQuery.queryKey, (all) => all?.map((q) => (q.kind === p.kind ? { ...q, ...body } : q))),
    onSuccess: () => toast.done(t("notices.saved", { title: title(p) })),
    onSettled: () => queryClient.invalidateQueries({ queryKey: preferencesQuery.queryKey }),
    meta: { quiet: true },
  });
  const set = (change: Partial<Choice>) => save.mutate({ in_app: p.in_app, email: p.email, ...change });
  return (
    <li className="grid items-center gap-x-6 gap-y-3 border-t px-4 py-3.5 first:border-t-0 sm:grid-cols-[minmax(0,1fr)_auto_9rem] sm:px-5">
      <div className="min-w-0">
        <div className="font-medium">{title(p)}</div>
        <p className="text-xs text-muted-foreground">{tOr(`notice.${p.kind}.hint`, p.description)}</p>
      </div>
      <div className="flex items-center gap-2.5">
        <Switch label={t("notices.inAppOf", { title: title(p) })} checked={p.in_app} disabled={p.required} onCheckedChange={(in_app) => set({ in_app })} />
        <span aria-hidden>{t(p.required ? "notices.always" : "notices.inApp")}</span>
      </div>
      <Select
        label={t("notices.emailOf", { title: title(p) })}
        value={p.email}
        onChange={(email) => set({ email })}
        items={emails.map((value) => ({ value, label: t(`notices.email.${value}`) }))}
        className="w-full"
      />
    </li>
  );
}

/** Which messages reach the reader, and how. */
function Preferences() {
  const { data: all, error, refetch } = useQuery(preferencesQuery);
  return (
    <Page
      narrow
      title={t("nav.notifications")}
      hint={t("notices.hint")}
      actions={
        <Button render={<Link to="/inbox" />}>
          <Inbox />
          {t("notices.toInbox")}
        </Button>
      }
    >
      <Card>
        {error && !all ? <Failed error={error} again={refetch} /> : null}
        <ul aria-busy={!all} aria-label={t("nav.notifications")}>
          {all?.map((p) => <Kind key={p.kind} of={p} />) ??
            (!error &&
              ["a", "b", "c", "d"].map((k) => (
                <li key={k} className="border-t p-5 first:border-t-0">
                  <Skeleton className="h-8" />
                </li>
              )))}
        </ul>
      </Card>
      <p className="px-1 text-xs text-muted-foreground">{t("notices.foot")}</p>
    </Page>
  );
}

export const Route = createFileRoute("/_app/account/notifications")({ component: Preferences });
