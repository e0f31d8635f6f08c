import { cva, type VariantProps } from "class-variance-authority";
import { LoaderCircle } from "lucide-react";
import { type ComponentProps, cloneElement, type ReactElement } from "react";
import { cn } from "@/lib/utils";

export const buttonVariants = cva(
  "relative inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap select-none transition-[background-color,border-color,box-shadow,transform] duration-100 active:translate-y-px disabled:pointer-events-none disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      variant: {
        primary: "bg-primary text-primary-foreground shadow-[0_1px_2px_oklch(0_0_0/0.12),inset_0_1px_0_oklch(1_0_0/0.16)] hover:bg-primary-hover",
        secondary: "border border-input bg-secondary shadow-btn hover:bg-accent",
        ghost: "text-muted-foreground hover:bg-accent hover:text-foreground data-popup-open:bg-accent",
        danger: "bg-destructive-solid text-white shadow-btn hover:opacity-90",
        "danger-soft": "border border-input bg-secondary text-destructive shadow-btn hover:border-destructive/40 hover:bg-destructive-soft",
        link: "h-auto! px-0! text-brand-text underline-offset-4 hover:underline",
      },
      size: { sm: "h-7 px-2.5 text-xs", md: "h-8 px-3 text-ui", lg: "h-10 px-4 text-sm", icon: "size-8", "icon-sm": "size-7" },
    },
    defaultVariants: { variant: "secondary", size: "md" },
  },
);

type Props = ComponentProps<"button"> & VariantProps<typeof buttonVariants> & { loading?: boolean; render?: ReactElement<ComponentProps<"button">> };

/** A button, or with `render` a link that looks like one. While loading it takes no clicks. */
export function Button({ className, variant, size, loading, render, children, ...props }: Props) {
  const own = {
    ...props,
    ...(loading && { "aria-busy": true, disabled: true }),
    className: cn(buttonVariants({ variant, size }), className),
    children: (
      <>
        {loading && <LoaderCircle className="animate-spin" />}
        {children}
      </>
    ),
  };
  return render ? cloneElement(render, own) : <button type="button" {...own} />;
}
