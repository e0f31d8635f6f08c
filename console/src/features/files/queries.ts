import { queryOptions } from "@tanstack/react-query";
import { api, data, type Schemas } from "@/api/client";
import { listQuery } from "@/api/queries";

export type StoredFile = Schemas["File"];

/** Whose files: a header says so. */
export const of = (org: string) => ({ header: { "X-Org-Id": org } });

export const filesQuery = (org: string, q: string) =>
  listQuery(["files", org, q], (cursor, signal) =>
    api.GET("/api/v1/files", { signal, params: { ...of(org), query: { cursor, limit: 50, q: q || undefined } } }),
  );

export const usageQuery = (org: string) =>
  queryOptions({
    queryKey: ["files", org, "usage"],
    queryFn: ({ signal }) => data(api.GET("/api/v1/files/usage", { signal, params: of(org) })),
  });

type VariantName = "thumbnail" | "preview" | "original";

/** An address of a file, or of a picture that was made of it, which works for some minutes. */
export const linkQuery = (org: string, file: string, variant?: VariantName, inline = false) =>
  queryOptions({
    queryKey: ["file-links", org, file, variant ?? "", inline],
    queryFn: async ({ signal }) =>
      (await data(api.GET("/api/v1/files/{file}/download", { signal, params: { ...of(org), path: { file }, query: { variant, inline } } }))).download_url,
    staleTime: 10 * 60_000, // they work for fifteen minutes
  });
