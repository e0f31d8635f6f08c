import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Bell as BellIcon } from "lucide-react";
import { Button } from "@/components/ui/button";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";
import { unreadQuery } from "./queries";

/** Leads to the inbox, and says how much in it is unread. */
export function Bell({ className, onNavigate }: { className?: string; onNavigate?: () => void }) {
  const unread = useQuery(unreadQuery).data ?? 0;
  return (
    <Button
      variant="ghost"
      size="icon"
      className={cn("relative", className)}
      render={<Link to="/inbox" onClick={onNavigate} aria-label={unread > 0 ? t("inbox.bell", { n: unread }) : t("nav.inbox")} />}
    >
      <BellIcon />
      {unread > 0 && (
        <span
          aria-hidden
          className="tnum absolute top-0 right-0 grid h-4 min-w-4 place-items-center rounded-full bg-primary px-1 text-[10px] leading-none font-semibold text-primary-foreground ring-2 ring-canvas"
        >
          {unread > 99 ? "99+" : unread}
        </span>
      )}
    </Button>
  );
}
