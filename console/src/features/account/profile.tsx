import { useMutation } from "@tanstack/react-query";
import { ImageUp } from "lucide-react";
import { useEffect, useState } from "react";
import { api, data } from "@/api/client";
import { useMe } from "@/api/queries";
import { upload } from "@/api/upload";
import { changeLanguage } from "@/components/layout/language";
import { Avatar, Card, CardBody, CardHeader } from "@/components/ui/basics";
import { Button } from "@/components/ui/button";
import { Form, TextField } from "@/components/ui/form";
import { Select } from "@/components/ui/overlay";
import { toast } from "@/components/ui/toast";
import { ChooseFiles } from "@/features/files/uploads";
import { boot } from "@/lib/boot";
import { getLocale, languages, t } from "@/lib/i18n";

/** Name and picture: what others see. */
export function ProfileCard() {
  const me = useMe();
  const [name, setName] = useState(me.name);
  const own = me.avatar_url.includes("/api/v1/avatars/"); // uploaded here: it has no address worth reading
  const [picture, setPicture] = useState(own ? "" : me.avatar_url);
  const save = useMutation({
    mutationFn: (body: { name: string; avatar_url?: string }) => data(api.PATCH("/api/v1/users/me", { body })),
    meta: { handled: true },
    onSuccess: (saved) => toast.done(t("account.profileSaved", { name: saved.name })),
  });
  const locked = me.impersonator?.may_write === false;
  return (
    <Card>
      <CardHeader title={t("account.profile")} hint={t("account.profileHint")} />
      <CardBody>
        <div className="grid gap-5 sm:grid-cols-[5rem_minmax(0,28rem)] sm:gap-8">
          <Avatar name={name} id={me.id} src={useSettled(address(picture)) || (own ? me.avatar_url : "")} className="size-20 text-xl" />
          <Form
            error={save.error}
            onSubmit={(v) => {
              const avatar_url = (v.avatar_url ?? "").trim();
              save.mutate({ name: v.name ?? "", avatar_url: own && avatar_url === "" ? undefined : avatar_url });
            }}
          >
            {!locked && <Portrait some={me.avatar_url !== ""} changed={() => setPicture("")} />}
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

/** Uploads a picture, or takes it away. */
function Portrait({ some, changed }: { some: boolean; changed: () => void }) {
  const set = useMutation({
    mutationFn: (file: File) => upload("/api/v1/users/me/avatar", file),
    onSuccess: () => toast.done(t("account.pictureChanged")),
    onSettled: changed,
  });
  const remove = useMutation({
    mutationFn: () => data(api.DELETE("/api/v1/users/me/avatar")),
    onSuccess: () => toast.done(t("account.pictureRemoved")),
    onSettled: changed,
  });
  return (
    <div className="flex flex-wrap gap-2">
      <ChooseFiles one accept="image/jpeg,image/png,image/gif,image/webp" onFiles={([file]) => file && set.mutate(file)}>
        <ImageUp />
        {t("account.pictureUpload")}
      </ChooseFiles>
      {some && (
        <Button variant="ghost" loading={remove.isPending} onClick={() => remove.mutate()}>
          {t("account.pictureRemove")}
        </Button>
      )}
    </div>
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
