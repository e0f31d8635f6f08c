import { queryOptions } from "@tanstack/react-query";
import { api, data, type Schemas } from "@/api/client";
import { listQuery, live } from "@/api/queries";

export type Notification = Schemas["Notification"];
export type Preference = Schemas["NotificationsPreference"];
export type Announcement = Schemas["NotificationsAnnouncement"];
export type Level = Notification["level"];

export const levels = ["info", "success", "warning", "error"] as const;
export const emails = ["off", "now", "daily"] as const;

/** The reader's inbox, the newest first. */
export const inboxQuery = (unread: boolean) =>
  listQuery(["notifications", unread], (cursor, signal) =>
    api.GET("/api/v1/notifications", { signal, params: { query: { cursor, limit: 50, unread: unread || undefined } } }),
  );

/** How many are unread. */
export const unreadQuery = queryOptions({
  queryKey: ["notifications", "summary"],
  queryFn: async ({ signal }) => (await data(api.GET("/api/v1/notifications/summary", { signal }))).unread,
  refetchInterval: live,
});

export const preferencesQuery = queryOptions({
  queryKey: ["notifications", "preferences"],
  queryFn: async ({ signal }) => (await data(api.GET("/api/v1/notifications/preferences", { signal }))).items,
});

/** What administrators want everybody to know now, and the reader has not put away. */
export const announcementsQuery = queryOptions({
  queryKey: ["announcements"],
  queryFn: async ({ signal }) => (await data(api.GET("/api/v1/announcements", { signal }))).items,
  refetchInterval: 60_000,
});

/** All of them, for those who write them. */
export const allAnnouncementsQuery = listQuery(["announcements", "all"], (cursor, signal) =>
  api.GET("/api/v1/admin/announcements", { signal, params: { query: { cursor, limit: 50 } } }),
);
