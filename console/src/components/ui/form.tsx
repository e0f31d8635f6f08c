import { CircleCheck, Eye, EyeOff, Info, TriangleAlert } from "lucide-react";
import {
  type ComponentProps,
  createContext,
  type FormEvent,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
} from "react";
import { declined, explain, fieldErrors, signedOut } from "@/api/client";
import { t } from "@/lib/i18n";
import { cn } from "@/lib/utils";

export const Input = ({ className, ...p }: ComponentProps<"input">) => <input className={cn("field", className)} {...p} />;

/** What the server refuses of the fields of the form around, and how to forget it. */
const Refused = createContext<{ errors: Record<string, string>; clear: (name: string) => void }>({ errors: {}, clear: () => {} });

interface FormProps {
  onSubmit: (values: Record<string, string>) => void;
  error?: unknown;
  className?: string;
  children: ReactNode;
}

/**
 * A form whose values are those of its named fields. What the browser can tell is told when
 * a field is left or the form is sent; what the server refuses is shown at the field it is
 * about, and above the fields where it is about none.
 */
export function Form({ onSubmit, error, className, children }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const [errors, setErrors] = useState<Record<string, string>>({});
  useEffect(() => {
    const found = fieldErrors(error);
    setErrors(found);
    const first = [...(form.current?.elements ?? [])].find((e) => "name" in e && (e.name as string) in found);
    (first as HTMLElement | undefined)?.focus();
  }, [error]);
  const clear = useCallback((name: string) => setErrors(({ [name]: _, ...rest }) => rest), []);
  const refused = useMemo(() => ({ errors, clear }), [errors, clear]);
  const submit = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault();
    e.stopPropagation(); // a dialog's form is inside another page's, as React sees it
    if (e.currentTarget.checkValidity()) onSubmit(Object.fromEntries(new FormData(e.currentTarget)) as Record<string, string>);
  };
  const general = error != null && Object.keys(fieldErrors(error)).length === 0 && !declined(error) && !signedOutElsewhere(error);
  return (
    <Refused value={refused}>
      <form ref={form} noValidate onSubmit={submit} className={cn("form", className)}>
        {general && <Alert>{explain(error)}</Alert>}
        {children}
      </form>
    </Refused>
  );
}

// On the sign-in pages 401 is an answer to tell about; inside, the reader is led out.
const signedOutElsewhere = (e: unknown) => signedOut(e) && (e as { code: string }).code.startsWith("auth.session");

type Tone = "danger" | "warning" | "success" | "info";

export const Alert = ({ tone = "danger", children }: { tone?: Tone; children: ReactNode }) => (
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
    <Sign tone={tone} />
    <div className="min-w-0">{children}</div>
  </div>
);

function Sign({ tone }: { tone: Tone }) {
  const Icon = { danger: TriangleAlert, warning: TriangleAlert, success: CircleCheck, info: Info }[tone];
  return <Icon className="size-4 shrink-0 translate-y-0.5" aria-hidden />;
}

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

type Control = HTMLInputElement | HTMLTextAreaElement;

/** What a field has in common with others: its label, its hint, and what is wrong with it. */
function useField(name: string, hint: ReactNode) {
  const id = useId();
  const [wrong, setWrong] = useState<string>();
  const { errors, clear } = useContext(Refused);
  const error = wrong ?? errors[name];
  const control = {
    id,
    name,
    "aria-invalid": error ? true : undefined,
    "data-invalid": error ? "" : undefined,
    "aria-describedby": [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined,
    onInvalid: (e: FormEvent<Control>) => {
      e.preventDefault();
      setWrong(complaint(e.currentTarget.validity));
      if (firstWrong(e.currentTarget.form) === e.currentTarget) e.currentTarget.focus();
    },
    onBlur: (e: FormEvent<Control>) => e.currentTarget.value !== "" && setWrong(complaint(e.currentTarget.validity)),
    onInput: () => {
      setWrong(undefined);
      if (errors[name]) clear(name);
    },
  };
  const notes = (
    <>
      {hint && (
        <p id={`${id}-hint`} className="text-xs text-muted-foreground">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="text-xs font-medium text-destructive">
          {error}
        </p>
      )}
    </>
  );
  return { id, control, notes };
}

const firstWrong = (form: HTMLFormElement | null) => [...(form?.elements ?? [])].find((e) => "validity" in e && !(e as Control).validity.valid);

function complaint(v: ValidityState): string | undefined {
  if (v.valid) return undefined;
  if (v.valueMissing) return t("field.required");
  if (v.typeMismatch) return t("field.email");
  if (v.tooShort) return t("field.short");
  return t("field.pattern");
}

export function TextField({ label, name, hint, aside, end, large, className, ...p }: FieldProps) {
  const { id, control, notes } = useField(name, hint);
  return (
    <div className="grid content-start gap-1.5">
      <div className="flex items-baseline justify-between gap-2">
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        {aside}
      </div>
      <div className="relative">
        <input className={cn("field", large && "h-10 px-3 text-sm", end && "pr-9", className)} {...control} {...p} />
        {end && <span className="absolute inset-y-0 right-1 flex items-center">{end}</span>}
      </div>
      {notes}
    </div>
  );
}

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
  const { id, control, notes } = useField(name, hint);
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      <textarea rows={3} className={cn("field", "h-auto min-h-20 py-2 leading-5", className)} {...control} {...p} />
      {notes}
    </div>
  );
}
