import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClientProvider } from "@tanstack/react-query";
import { type AnyRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { nobody } from "./api/client";
import { meQuery, onSignedOut, orgsQuery, queryClient } from "./api/queries";
import { Late } from "./components/late";
import { Crash, NotFound } from "./components/layout/fallback";
import { loadExtensions } from "./extensions/load";
import { boot } from "./lib/boot";
import { preferred, setLocale } from "./lib/i18n";
import { routeTree } from "./routeTree.gen";
import "./styles/app.css";

const router = createRouter({
  routeTree,
  basepath: boot.base || "/",
  context: { queryClient },
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  scrollRestoration: true,
  defaultNotFoundComponent: NotFound,
  defaultErrorComponent: Crash,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

onSignedOut(() => {
  const next = router.state.location.href;
  queryClient.clear();
  void router.navigate({ to: "/sign-in", search: { next } });
});

// What the first page needs is asked for at once, not one thing after the other.
const first = router.matchRoutes(router.latestLocation).map((m) => m.routeId as keyof typeof router.routesById);
for (const id of first) void router.loadRouteChunk(router.routesById[id] as AnyRoute);
const within = first.includes("/_app") && !nobody();
if (within) {
  void queryClient.prefetchQuery(meQuery);
  void queryClient.prefetchQuery(orgsQuery);
}

await Promise.all([setLocale(preferred(), within), loadExtensions()]);

const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <CSPProvider disableStyleElements>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
          <Late />
        </QueryClientProvider>
      </CSPProvider>
    </StrictMode>,
  );
