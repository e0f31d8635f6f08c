import { api, data } from "@/api/client";
import { queryClient } from "@/api/queries";
import { rememberLocale } from "@/lib/i18n";

/** Shows the console in another language; of somebody who is signed in, their mail follows. */
export async function changeLanguage(locale: string, signedIn: boolean): Promise<void> {
  rememberLocale(locale);
  if (signedIn) await data(api.PATCH("/api/v1/users/me", { body: { locale } })).catch(() => {});
  queryClient.clear();
  location.reload(); // what was rendered holds texts of the other one
}
