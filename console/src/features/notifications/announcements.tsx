import { useMutation, useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { api, data } from "@/api/client";
import { queryClient } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import { ActionLink } from "./action";
import { Sign, soft } from "./level";
import { type Announcement, announcementsQuery } from "./queries";

/** What administrators want everybody to know, above every page until it is put away. */
export function Announcements() {
  const all = useQuery(announcementsQuery).data ?? [];
  if (all.length === 0) return null;
  return (
    <section aria-label={t("announcements.now")} className="grid gap-2 px-4 pt-4 sm:px-8">
      {all.map((a) => (
        <Banner key={a.id} announcement={a} />
      ))}
    </section>
  );
}

/** One of them; in a dialog, how it will look. */
export function Banner({ announcement: a }: { announcement: Pick<Announcement, "id" | "level" | "title" | "message" | "action" | "dismissible"> }) {
  const dismiss = useMutation({
    mutationFn: () => data(api.POST("/api/v1/announcements/{announcement}/dismiss", { params: { path: { announcement: a.id } } })),
    meta: { quiet: true },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: announcementsQuery.queryKey }),
  });
  return (
    <div role="status" className={cn("flex items-start gap-3 rounded-lg px-3.5 py-2.5", soft(a.level))}>
      <Sign level={a.level} className="mt-0.5" />
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-4 gap-y-2">
        <p className="min-w-0 flex-1 basis-64 break-words">
          <strong className="font-semibold">{a.title}</strong>
          {a.message && <span className="text-foreground"> {a.message}</span>}
        </p>
        {a.action && <ActionLink action={a.action} />}
      </div>
      {a.dismissible && (
        <Button
          variant="ghost"
          size="icon-sm"
          className="-my-0.5 text-current"
          loading={dismiss.isPending}
          aria-label={t("announcements.dismiss", { title: a.title })}
          onClick={() => dismiss.mutate()}
        >
          <X />
        </Button>
      )}
    </div>
  );
}
