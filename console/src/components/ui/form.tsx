import { Checkbox as BaseCheckbox } from "@base-ui/react/checkbox";
import { Field as BaseField } from "@base-ui/react/field";
import { Form as BaseForm } from "@base-ui/react/form";
import { Switch as BaseSwitch } from "@base-ui/react/switch";
import { Check, Eye, EyeOff, Minus, TriangleAlert } from "lucide-react";
import { type ComponentProps, type ReactNode, useMemo, useState } from "react";
import { declined, explain, fieldErrors, signedOut } from "@/api/client";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";

export const inputClass =
  "h-8 w-full rounded-md border border-input bg-background px-2.5 text-ui shadow-btn transition-[border-color,box-shadow] placeholder:text-faint hover:border-border-strong focus:border-ring focus:ring-3 focus:ring-ring/20 focus:outline-none disabled:bg-muted disabled:text-muted-foreground aria-invalid:border-destructive aria-invalid:ring-destructive/15 data-invalid:border-destructive";

export const Input = ({ className, ...p }: ComponentProps<"input">) => <input className={cn(inputClass, className)} {...p} />;

/**
 * A form whose values are those of its named fields. What the server refuses is shown at
 * the field it is about, and above the fields where it is about none.
 */
export function Form({
  onSubmit,
  error,
  className,
  children,
}: {
  onSubmit: (values: Record<string, string>) => void;
  error?: unknown;
  className?: string;
  children: ReactNode;
}) {
  const errors = useMemo(() => fieldErrors(error), [error]); // a new object would bring back what was corrected since
  const shown = Object.keys(errors).length > 0;
  return (
    <BaseForm errors={errors} onFormSubmit={(values) => onSubmit(values as Record<string, string>)} className={cn("grid gap-4", className)}>
      {error != null && !shown && !declined(error) && !signedOutElsewhere(error) && <Alert>{explain(error)}</Alert>}
      {children}
    </BaseForm>
  );
}

// On the sign-in pages 401 is an answer to tell about; inside, the reader is led out.
const signedOutElsewhere = (e: unknown) => signedOut(e) && (e as { code: string }).code.startsWith("auth.session");

export const Alert = ({ tone = "danger", children }: { tone?: "danger" | "warning" | "success" | "info"; children: ReactNode }) => (
  <div
    role="alert"
    className={cn(
      "flex gap-2 rounded-md p-2.5 leading-5",
      {
        danger: "bg-destructive-soft text-destructive",
        warning: "bg-warning-soft text-warning",
        success: "bg-success-soft text-success",
        info: "bg-brand-soft text-brand-text",
      }[tone],
    )}
  >
    <TriangleAlert className="size-4 shrink-0 translate-y-0.5" aria-hidden />
    <div className="min-w-0">{children}</div>
  </div>
);

interface FieldProps extends ComponentProps<"input"> {
  label: string;
  name: string;
  hint?: ReactNode;
  /** Beside the label, such as a link. */
  aside?: ReactNode;
  /** Inside the field, at its end. */
  end?: ReactNode;
  /** Larger, as on the pages for signing in. */
  large?: boolean;
}

export function TextField({ label, name, hint, aside, end, large, className, ...p }: FieldProps) {
  return (
    <BaseField.Root name={name} className="grid content-start gap-1.5" validationMode="onBlur">
      <div className="flex items-baseline justify-between gap-2">
        <BaseField.Label className="font-medium">{label}</BaseField.Label>
        {aside}
      </div>
      <div className="relative">
        <BaseField.Control className={cn(inputClass, large && "h-10 px-3 text-sm", end && "pr-9", className)} {...(p as object)} />
        {end && <span className="absolute inset-y-0 right-1 flex items-center">{end}</span>}
      </div>
      <FieldNotes hint={hint} />
    </BaseField.Root>
  );
}

function FieldNotes({ hint }: { hint?: ReactNode }) {
  return (
    <>
      {hint && <BaseField.Description className="text-xs text-muted-foreground">{hint}</BaseField.Description>}
      <BaseField.Validity>
        {({ validity }) => {
          const ours = wrong.find(([what]) => validity[what]);
          // Without words of ours it shows the server's: an Error that has a `match` would not.
          return <BaseField.Error className="text-xs font-medium text-destructive" {...(ours && { children: t(ours[1]) })} />;
        }}
      </BaseField.Validity>
    </>
  );
}

const wrong: [keyof ValidityState, "field.required" | "field.email" | "field.pattern" | "field.short"][] = [
  ["valueMissing", "field.required"],
  ["typeMismatch", "field.email"],
  ["patternMismatch", "field.pattern"],
  ["tooShort", "field.short"],
];

export function PasswordField(p: Omit<FieldProps, "end" | "type">) {
  const [shown, setShown] = useState(false);
  return (
    <TextField
      {...p}
      type={shown ? "text" : "password"}
      end={
        <button
          type="button"
          aria-label={t("field.showPassword")}
          aria-pressed={shown}
          onClick={() => setShown(!shown)}
          className="grid size-7 place-items-center rounded text-muted-foreground hover:text-foreground"
        >
          {shown ? <EyeOff className="size-4" /> : <Eye className="size-4" />}
        </button>
      }
    />
  );
}

export function TextArea({ label, name, hint, className, ...p }: ComponentProps<"textarea"> & { label: string; name: string; hint?: ReactNode }) {
  return (
    <BaseField.Root name={name} className="grid gap-1.5" validationMode="onBlur">
      <BaseField.Label className="font-medium">{label}</BaseField.Label>
      <BaseField.Control render={<textarea rows={3} />} className={cn(inputClass, "h-auto min-h-20 py-2 leading-5", className)} {...(p as object)} />
      <FieldNotes hint={hint} />
    </BaseField.Root>
  );
}

export const Switch = ({ label, className, ...p }: Omit<BaseSwitch.Root.Props, "className"> & { label: string; className?: string }) => (
  <BaseSwitch.Root
    aria-label={label}
    className={cn(
      "relative inline-flex h-[18px] w-8 shrink-0 rounded-full bg-border-strong p-[2px] transition-colors data-checked:bg-primary data-disabled:opacity-50",
      className,
    )}
    {...p}
  >
    <BaseSwitch.Thumb className="size-3.5 rounded-full bg-white shadow-[0_1px_2px_oklch(0_0_0/0.3)] transition-transform duration-150 ease-out-quint data-checked:translate-x-3.5" />
  </BaseSwitch.Root>
);

export const Checkbox = ({ label, ...p }: Omit<BaseCheckbox.Root.Props, "className"> & { label: string }) => (
  <BaseCheckbox.Root
    aria-label={label}
    className="grid size-4 shrink-0 place-items-center rounded-[5px] border border-input bg-background shadow-btn data-checked:border-primary data-checked:bg-primary data-disabled:opacity-50 data-indeterminate:border-primary data-indeterminate:bg-primary"
    {...p}
  >
    <BaseCheckbox.Indicator className="text-white">
      {p.indeterminate ? <Minus className="size-3" strokeWidth={3} /> : <Check className="size-3" strokeWidth={3} />}
    </BaseCheckbox.Indicator>
  </BaseCheckbox.Root>
);
