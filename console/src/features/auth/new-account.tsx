import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Form, TextField } from "@/components/ui/form";
import { t } from "@/lib/i18n";
import { NewPassword } from "./parts";

export interface NewAccountValues {
  email: string;
  password: string;
  name: string;
}

interface Props {
  error: unknown;
  pending: boolean;
  /** What the button does. */
  action: string;
  onSubmit: (values: NewAccountValues) => void;
}

/** Who somebody is that makes an account: to sign up, or as the first administrator. */
export function NewAccount({ error, pending, action, onSubmit }: Props) {
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  return (
    <Form error={error} onSubmit={(v) => onSubmit({ email: v.email ?? "", password: v.password ?? "", name: v.name ?? "" })}>
      <TextField large name="name" label={t("auth.name")} autoComplete="name" autoFocus required value={name} onChange={(e) => setName(e.target.value)} />
      <TextField
        large
        name="email"
        type="email"
        label={t("auth.email")}
        placeholder={t("auth.emailPlaceholder")}
        autoComplete="username"
        required
        value={email}
        onChange={(e) => setEmail(e.target.value)}
      />
      <NewPassword name="password" label={t("field.password")} about={{ email, name }} />
      <Button type="submit" variant="primary" size="lg" loading={pending}>
        {action}
      </Button>
    </Form>
  );
}
