import { boot } from "@/lib/boot";
import { cn } from "@/lib/utils";

/** The sign of the product: the owner's, or ours. */
export const Mark = ({ className }: { className?: string }) =>
  boot.logo ? (
    <img src={boot.logo} alt="" className={cn("size-7 object-contain", className)} />
  ) : (
    <svg aria-hidden viewBox="0 0 32 32" className={cn("size-7", className)}>
      <rect width="32" height="32" rx="8" className="fill-primary" />
      <path d="M8 8h16v6h-5v10h-6V14H8z" fill="#fff" />
      <path d="M8 16.5h3V24H8zM21 16.5h3V24h-3z" fill="#fff" opacity=".5" />
    </svg>
  );
