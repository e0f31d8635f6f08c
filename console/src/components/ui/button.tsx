import { LoaderCircle } from "lucide-react";
import { type ComponentProps, cloneElement, type ReactElement } from "react";
import { cn } from "@/lib/utils";

interface Looks {
  variant?: "primary" | "secondary" | "ghost" | "danger" | "danger-soft" | "link";
  size?: "sm" | "md" | "lg" | "icon" | "icon-sm";
}

/** The classes of a button (styles/parts.css). */
export const buttonClass = ({ variant = "secondary", size = "md" }: Looks = {}) => `btn btn-${variant} btn-${size}`;

type Props = ComponentProps<"button"> & Looks & { loading?: boolean; render?: ReactElement<ComponentProps<"button">> };

/** A button, or with `render` a link that looks like one. While loading it takes no clicks. */
export function Button({ className, variant, size, loading, render, children, ...props }: Props) {
  const own = {
    ...props,
    ...(loading && { "aria-busy": true, disabled: true }),
    className: cn(buttonClass({ variant, size }), className),
    children: (
      <>
        {loading && <LoaderCircle className="animate-spin" />}
        {children}
      </>
    ),
  };
  return render ? cloneElement(render, own) : <button type="button" {...own} />;
}
