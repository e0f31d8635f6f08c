import { all, createTenon, data, TenonError } from "@tenon/client";
import { expect, test, vi } from "vitest";
import { api, onStepUp } from "@/api/client";

const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });

test("a refusal is thrown with its code, its request id and its fields", async () => {
  const tenon = createTenon({
    baseUrl: "https://app.test/",
    fetch: async () =>
      answer(422, {
        title: "Invalid",
        status: 422,
        code: "request.invalid",
        request_id: "req_9",
        errors: [{ location: "body.slug", message: "Taken.", code: "orgs.slug_taken" }],
      }),
  });
  const error = await tenon.POST("/api/v1/orgs", { body: { name: "A", slug: "a" } }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(TenonError);
  expect(error).toMatchObject({ status: 422, code: "request.invalid", requestId: "req_9", fields: { slug: { message: "Taken." } } });
});

test("no answer, and an answer of somebody else, are errors too", async () => {
  const silent = createTenon({ baseUrl: "https://app.test", fetch: () => Promise.reject(new TypeError("fetch failed")) });
  await expect(silent.GET("/api/v1/users/me")).rejects.toMatchObject({ code: "network", status: 0 });
  const proxy = createTenon({ baseUrl: "https://app.test", fetch: async () => new Response("<html>Bad gateway", { status: 502 }) });
  await expect(proxy.GET("/api/v1/users/me")).rejects.toMatchObject({ code: "http", status: 502 });
});

test("the token and the organization go with every request", async () => {
  const seen = vi.fn();
  const tenon = createTenon({
    baseUrl: "https://app.test",
    token: async () => "tn_key_1",
    org: "org_1",
    fetch: async (q) => {
      seen(q.url, q.headers.get("Authorization"), q.headers.get("X-Org-Id"));
      return answer(200, { items: [], next_cursor: null });
    },
  });
  await tenon.GET("/api/v1/orgs");
  expect(seen).toHaveBeenCalledWith("https://app.test/api/v1/orgs", "Bearer tn_key_1", "org_1");
});

test("all pages of a list are one after another", async () => {
  const pages = [answer(200, { items: [{ id: "1" }], next_cursor: "more" }), answer(200, { items: [{ id: "2" }], next_cursor: null })];
  const tenon = createTenon({ baseUrl: "https://app.test", fetch: async () => pages.shift() as Response });
  const ids = [];
  for await (const o of all((cursor) => tenon.GET("/api/v1/orgs", { params: { query: { cursor } } }))) ids.push(o.id);
  expect(ids).toEqual(["1", "2"]);
});

test("where a recent proof is wanted it is asked for once, and the same request goes again", async () => {
  const bodies: string[] = [];
  const answers = [answer(401, { title: "Unauthorized", status: 401, code: "auth.fresh_required", methods: ["totp"] }), answer(200, { id: "org_1" })];
  vi.stubGlobal("fetch", async (q: Request) => {
    bodies.push(await q.text());
    return answers.shift();
  });
  const ask = vi.fn(async () => true);
  onStepUp(ask);
  await data(api.POST("/api/v1/orgs/{org}/transfer", { params: { path: { org: "org_1" } }, body: { account_id: "acc_2" } }));
  expect(ask).toHaveBeenCalledWith(["totp"]);
  expect(bodies).toEqual(['{"account_id":"acc_2"}', '{"account_id":"acc_2"}']);
  vi.unstubAllGlobals();
});

test("who does not want to prove it gets the refusal", async () => {
  vi.stubGlobal("fetch", async () => answer(401, { title: "Unauthorized", status: 401, code: "auth.fresh_required" }));
  onStepUp(async () => false);
  await expect(api.POST("/api/v1/totp/backup-codes", {})).rejects.toMatchObject({ code: "auth.fresh_required" });
  vi.unstubAllGlobals();
});
