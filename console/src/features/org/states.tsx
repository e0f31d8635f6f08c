import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleSlash, ShieldCheck, Trash2, Undo2 } from "lucide-react";
import type { ReactNode } from "react";
import { api, data } from "@/api/client";
import { Card, Empty, Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { toast } from "@/components/ui/toast";
import { moment } from "@/lib/format";
import { t } from "@/lib/i18n";
import { type Org, SECURITY } from "./use";

const Only = ({ org, icon, title, children, action }: { org: Org; icon: ReactNode; title: string; children: ReactNode; action?: ReactNode }) => (
  <Page title={org.name} hint={org.description}>
    <Card>
      <Empty icon={icon} title={title} action={action}>
        {children}
      </Empty>
    </Card>
  </Page>
);

/** In place of everything, to members who first have to protect their account. */
export const FactorNeeded = ({ org }: { org: Org }) => (
  <Only
    org={org}
    icon={<ShieldCheck />}
    title={t("org.factorNeeded")}
    action={
      <Button variant="primary" render={<Link to={SECURITY} />}>
        {t("org.setUpFactor")}
      </Button>
    }
  >
    {t("org.factorNeededHint", { org: org.name })}
  </Only>
);

/** In place of everything, while an organization does not work. */
export function Stopped({ org }: { org: Org }) {
  const restore = useMutation({
    mutationFn: () => data(api.POST("/api/v1/orgs/{org}/restore", { params: { path: { org: org.id } } })),
    onSuccess: () => toast.done(t("org.restored", { org: org.name })),
  });
  if (org.status === "suspended")
    return (
      <Only org={org} icon={<CircleSlash />} title={t("org.suspended", { org: org.name })}>
        {t("org.suspendedHint")}
      </Only>
    );
  return (
    <Only
      org={org}
      icon={<Trash2 />}
      title={t("org.deleting", { org: org.name })}
      action={
        org.role === "owner" && (
          <Button variant="primary" loading={restore.isPending} onClick={() => restore.mutate()}>
            <Undo2 />
            {t("org.restore")}
          </Button>
        )
      }
    >
      {t("org.deletingHint", { until: org.purge_at ? moment(org.purge_at) : "" })}
    </Only>
  );
}
