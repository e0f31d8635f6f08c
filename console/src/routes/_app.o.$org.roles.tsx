import { useQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { rolesQuery, useCan } from "@/api/queries";
import { Card, Page, Skeleton } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Failed } from "@/components/ui/table";
import { DeleteRole, Matrix, OneRole, RoleDialog } from "@/features/org/roles";
import { permissionsQuery, type Role, useOrg, useSubject } from "@/features/org/use";
import { t } from "@/lib/i18n";

function Roles() {
  const org = useOrg();
  const manage = useCan(org)("orgs.manage_roles");
  const roles = useQuery(rolesQuery(org.id));
  const permissions = useQuery(permissionsQuery);
  const editing = useSubject<Role | undefined>();
  const deleting = useSubject<Role>();
  const actions = manage ? { edit: editing.show, remove: deleting.show } : undefined;
  const failed = (!roles.data && roles.error) || (!permissions.data && permissions.error);
  return (
    <Page
      title={t("nav.roles")}
      hint={t("org.rolesHint")}
      actions={
        manage && (
          <Button variant="primary" onClick={() => editing.show(undefined)}>
            <Plus />
            {t("org.newRole")}
          </Button>
        )
      }
    >
      {failed ? (
        <Card>
          <Failed
            error={failed}
            again={() => {
              void roles.refetch();
              void permissions.refetch();
            }}
          />
        </Card>
      ) : roles.data && permissions.data ? (
        <>
          <Matrix org={org} actions={actions} />
          <OneRole org={org} actions={actions} />
        </>
      ) : (
        <Card className="grid gap-4 p-5">
          {["w-40", "w-64", "w-56", "w-72", "w-48", "w-60"].map((w) => (
            <Skeleton key={w} className={`h-3.5 max-w-full ${w}`} />
          ))}
        </Card>
      )}
      <RoleDialog org={org} role={editing.subject} open={editing.open} setOpen={editing.setOpen} />
      <DeleteRole org={org} role={deleting.subject} open={deleting.open} setOpen={deleting.setOpen} />
    </Page>
  );
}

export const Route = createFileRoute("/_app/o/$org/roles")({ component: Roles });
