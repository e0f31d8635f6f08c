import { createFileRoute } from "@tanstack/react-router";
import { NotFound } from "@/components/layout/fallback";

/** What is not there, in the frame of whoever is signed in. */
export const Route = createFileRoute("/_app/$")({ component: NotFound });
