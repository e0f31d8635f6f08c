import { useMutation, useQuery } from "@tanstack/react-query";
import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, data } from "@/api/client";
import { orgsQuery, queryClient, useMe } from "@/api/queries";
import { Card, CardBody, Page } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Form, TextField } from "@/components/ui/form";
import { toast } from "@/components/ui/toast";
import { slugOf } from "@/features/org/slug";
import { t } from "@/lib/i18n";

/** Makes an organization: the first one, or one more. */
function Welcome() {
  const me = useMe();
  const first = useQuery(orgsQuery).data?.length === 0;
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [slug, setSlug] = useState<string>();
  const create = useMutation({
    mutationFn: (v: { name: string; slug: string }) => data(api.POST("/api/v1/orgs", { body: v })),
    meta: { handled: true, quiet: true },
    onSuccess: async (org) => {
      toast.done(t("org.created", { name: org.name }));
      await queryClient.refetchQueries({ queryKey: orgsQuery.queryKey });
      await navigate({ to: "/o/$org", params: { org: org.slug } });
    },
  });
  return (
    <Page narrow title={first ? t("org.welcome", { name: me.name }) : t("menu.newOrg")} hint={t(first ? "org.welcomeHint" : "org.newHint")}>
      <Card>
        <CardBody className="border-t-0">
          <Form error={create.error} onSubmit={(v) => create.mutate({ name: v.name ?? "", slug: v.slug ?? "" })} className="max-w-md">
            <TextField
              name="name"
              label={t("org.name")}
              hint={t("org.nameHint")}
              autoFocus
              required
              value={name}
              onChange={(e) => setName(e.target.value)}
              autoComplete="organization"
            />
            <TextField
              name="slug"
              label={t("org.slug")}
              hint={t("org.slugHint")}
              required
              value={slug ?? slugOf(name)}
              onChange={(e) => setSlug(e.target.value)}
              autoCapitalize="none"
              spellCheck={false}
              className="font-mono"
            />
            <div>
              <Button type="submit" variant="primary" loading={create.isPending}>
                {t("org.create")}
              </Button>
            </div>
          </Form>
        </CardBody>
      </Card>
    </Page>
  );
}

export const Route = createFileRoute("/_app/welcome")({ component: Welcome });
