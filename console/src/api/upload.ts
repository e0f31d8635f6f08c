import { noAnswer, problemOf, TenonError } from "@tenon/client";
import { boot } from "@/lib/boot";

interface Sending {
  headers?: Record<string, string>;
  /** How much has left, from 0 to 1. */
  progress?: (part: number) => void;
  signal?: AbortSignal;
}

/** Sends a file as a form does. fetch does not tell how far it is; this does. */
export function upload<T>(path: string, file: File, { headers = {}, progress, signal }: Sending = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${boot.base}${path}`);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (e) => e.lengthComputable && progress?.(e.loaded / e.total);
    request.onload = async () => {
      const answer = new Response(request.responseText, { status: request.status, statusText: request.statusText });
      if (answer.ok) resolve((await answer.json()) as T);
      else reject(new TenonError(await problemOf(answer)));
    };
    request.onerror = () => reject(noAnswer());
    request.onabort = () => reject(new DOMException("given up", "AbortError"));
    signal?.addEventListener("abort", () => request.abort());
    const body = new FormData();
    body.append("file", file);
    request.send(body);
  });
}
