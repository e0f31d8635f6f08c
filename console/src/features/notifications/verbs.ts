import { type UseMutationResult, useMutation } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import { toast } from "@/components/ui/toast";
import { t } from "@/lib/i18n";
import type { Notification } from "./queries";

type Verb<V> = UseMutationResult<unknown, Error, V>;

/** Marks a notification as read, or as unread again. */
export function useMark(): Verb<{ of: Notification; read: boolean }> {
  return useMutation({
    mutationFn: ({ of, read }) => {
      const params = { path: { notification: of.id } };
      return read
        ? data(api.POST("/api/v1/notifications/{notification}/read", { params }))
        : data(api.POST("/api/v1/notifications/{notification}/unread", { params }));
    },
  });
}

/** Marks all that came until the newest one on the screen: what arrives meanwhile stays unread. */
export function useMarkAll(): Verb<string | undefined> {
  return useMutation({
    mutationFn: (until) => data(api.POST("/api/v1/notifications/read-all", { body: { until } })),
    onSuccess: () => toast.done(t("inbox.allRead")),
  });
}

export function useDelete(): Verb<Notification> {
  return useMutation({
    mutationFn: (n) => data(api.DELETE("/api/v1/notifications/{notification}", { params: { path: { notification: n.id } } })),
    onSuccess: (_, n) => toast.done(t("inbox.deleted", { title: n.title })),
  });
}
