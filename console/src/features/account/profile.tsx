import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, data } from "@/api/client";
import { useMe } from "@/api/queries";
import { changeLanguage } from "@/components/layout/language";
import { Avatar, Card, CardBody, CardHeader } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Form, TextField } from "@/components/ui/form";
import { Select } from "@/components/ui/overlay";
import { toast } from "@/components/ui/toast";
import { boot } from "@/lib/boot";
import { getLocale, languages, t } from "@/lib/i18n";

/** Name and picture: what others see. */
export function ProfileCard() {
  const me = useMe();
  const [name, setName] = useState(me.name);
  const [picture, setPicture] = useState(me.avatar_url);
  const save = useMutation({
    mutationFn: (body: { name: string; avatar_url: string }) => data(api.PATCH("/api/v1/users/me", { body })),
    meta: { handled: true },
    onSuccess: (saved) => toast.done(t("account.profileSaved", { name: saved.name })),
  });
  const locked = me.impersonator?.may_write === false;
  return (
    <Card>
      <CardHeader title={t("account.profile")} hint={t("account.profileHint")} />
      <CardBody>
        <div className="grid gap-5 sm:grid-cols-[5rem_minmax(0,28rem)] sm:gap-8">
          <Avatar name={name} id={me.id} src={useSettled(address(picture))} className="size-20 text-xl" />
          <Form error={save.error} onSubmit={(v) => save.mutate({ name: v.name ?? "", avatar_url: (v.avatar_url ?? "").trim() })}>
            <TextField
              name="name"
              label={t("account.name")}
              autoComplete="name"
              required
              disabled={locked}
              value={name}
              onChange={(e) => setName(e.target.value)}
            />
            <TextField
              name="avatar_url"
              label={t("account.picture")}
              hint={t("account.pictureHint")}
              inputMode="url"
              autoComplete="photo"
              spellCheck={false}
              disabled={locked}
              value={picture}
              onChange={(e) => setPicture(e.target.value)}
            />
            {!locked && (
              <div>
                <Button type="submit" variant="primary" loading={save.isPending}>
                  {t("action.save")}
                </Button>
              </div>
            )}
          </Form>
        </div>
      </CardBody>
    </Card>
  );
}

/** The address of a picture, once it is a whole one. */
function address(text: string): string {
  const url = URL.parse(text.trim());
  return url?.protocol === "https:" && url.hostname.includes(".") && url.pathname !== "/" ? url.href : "";
}

/** A value once nobody has changed it for a moment. */
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), 500);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

export function LanguageCard() {
  const me = useMe();
  if (boot.locales.length < 2) return null;
  return (
    <Card>
      <CardHeader
        title={t("menu.language")}
        hint={t("account.languageHint")}
        actions={
          <Select
            label={t("menu.language")}
            value={getLocale()}
            disabled={me.impersonator?.may_write === false}
            onChange={(locale) => changeLanguage(locale, true)}
            items={boot.locales.map((value) => ({ value, label: languages[value] ?? value }))}
            className="min-w-36"
          />
        }
      />
    </Card>
  );
}
