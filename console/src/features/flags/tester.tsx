import { useMutation } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import { Badge, Card, CardBody, CardHeader, Facts } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Form, TextField } from "@/components/ui/form";
import { t } from "@/lib/i18n";
import { readScalar } from "./draft";
import type { Flag } from "./queries";

/** What somebody would get, and why. Nothing is counted. */
export function Tester({ flag }: { flag: Flag }) {
  const test = useMutation({
    mutationFn: ({ user_id, org_id, email_domain, attributes }: Record<string, string>) =>
      data(
        api.POST("/api/v1/admin/flags/{flag}/test", {
          params: { path: { flag: flag.key } },
          body: {
            context: {
              user_id: user_id || undefined,
              org_id: org_id || undefined,
              email_domain: email_domain || undefined,
              attributes: readAttributes(attributes ?? ""),
            },
          },
        }),
      ),
    meta: { handled: true, quiet: true },
  });
  const got = test.data;
  return (
    <Card>
      <CardHeader title={t("flags.test")} hint={t("flags.testHint")} />
      <CardBody>
        <Form error={test.error} onSubmit={(v) => test.mutate(v)}>
          <TextField
            name="user_id"
            label={t("flags.testUser")}
            hint={t("flags.testUserHint")}
            autoComplete="off"
            spellCheck={false}
            className="font-mono text-xs"
          />
          <div className="grid gap-4 sm:grid-cols-2">
            <TextField name="org_id" label={t("flags.testOrg")} autoComplete="off" spellCheck={false} className="font-mono text-xs" />
            <TextField name="email_domain" label={t("flags.testDomain")} autoComplete="off" spellCheck={false} />
          </div>
          <TextField name="attributes" label={t("flags.testAttributes")} hint={t("flags.testAttributesHint")} autoComplete="off" spellCheck={false} />
          <div>
            <Button type="submit" loading={test.isPending}>
              {t("flags.testRun")}
            </Button>
          </div>
        </Form>
        {got && (
          <div role="status" className="mt-4 rounded-lg border bg-muted/40 p-4">
            <div className="flex flex-wrap items-center gap-2">
              <Badge tone="brand" className="font-mono">
                {got.variant}
              </Badge>
              <code className="min-w-0 font-mono text-xs break-all">{JSON.stringify(got.value)}</code>
            </div>
            <p className="mt-2 text-muted-foreground">{why(got.reason, got.rule, got.prerequisite)}</p>
            <Facts
              className="mt-3"
              items={(["email_domain", "org_id", "plan", "role"] as const)
                .filter((k) => got.context[k])
                .map((k) => [
                  k,
                  <code key={k} className="font-mono text-xs break-all">
                    {got.context[k]}
                  </code>,
                ])}
            />
          </div>
        )}
      </CardBody>
    </Card>
  );
}

function why(reason: string, rule: string, prerequisite: string): string {
  if (reason === "DISABLED") return prerequisite ? t("flags.whyPrerequisite", { flag: prerequisite }) : t("flags.whyOff");
  if (rule && rule !== "default") return t(reason === "SPLIT" ? "flags.whyRuleSplit" : "flags.whyRule", { rule });
  return t(reason === "SPLIT" ? "flags.whySplit" : "flags.whyDefault");
}

/** "country=AT, seats=12": what a program would say of somebody. */
function readAttributes(text: string): Record<string, unknown> | undefined {
  const pairs = text
    .split(",")
    .map((p) => p.split("="))
    .filter(([k, v]) => k?.trim() && v !== undefined)
    .map(([k = "", v = ""]) => [k.trim(), readScalar(v.trim())] as const);
  return pairs.length > 0 ? Object.fromEntries(pairs) : undefined;
}
