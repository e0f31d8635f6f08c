import { createFileRoute } from "@tanstack/react-router";
import { Page } from "@/components/ui/basics";
import { EmailCard } from "@/features/account/email";
import { PasswordCard } from "@/features/account/password";
import { LanguageCard, ProfileCard } from "@/features/account/profile";
import { t } from "@/lib/i18n";

const Profile = () => (
  <Page narrow title={t("nav.profile")} hint={t("account.profilePageHint")}>
    <ProfileCard />
    <LanguageCard />
    <EmailCard />
    <PasswordCard />
  </Page>
);

export const Route = createFileRoute("/_app/account/profile")({ component: Profile });
