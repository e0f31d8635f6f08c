import { createFileRoute, Link, Outlet } from "@tanstack/react-router";
import { Mark } from "@/components/brand";
import { changeLanguage } from "@/components/layout/language";
import { boot } from "@/lib/boot";
import { getLocale, languages, t } from "@/lib/i18n";
import { cn } from "@/lib/utils";

/** The frame of the pages before one is signed in. */
function AuthFrame() {
  return (
    <div className="grid min-h-dvh bg-background lg:grid-cols-[minmax(0,1fr)_minmax(0,1.05fr)]">
      <div className="flex flex-col px-6 py-6 sm:px-10 sm:py-8">
        <header>
          <Link
            to="/sign-in"
            aria-label={t("brand.goHome", { name: boot.name })}
            className="inline-flex items-center gap-2 rounded-md text-base font-semibold tracking-[-0.02em]"
          >
            <Mark />
            {boot.name}
          </Link>
        </header>
        <main className="m-auto w-full max-w-[372px] py-10">
          <Outlet />
        </main>
        {boot.locales.length > 1 && (
          <footer className="flex gap-3 text-xs text-muted-foreground">
            {boot.locales.map((l) => (
              <button
                key={l}
                type="button"
                lang={l}
                aria-pressed={l === getLocale()}
                onClick={() => changeLanguage(l, false)}
                className={cn("rounded hover:text-foreground", l === getLocale() && "font-medium text-foreground")}
              >
                {languages[l] ?? l}
              </button>
            ))}
          </footer>
        )}
      </div>
      <Art />
    </div>
  );
}

const waves = Array.from({ length: 15 }, (_, i) => i);

function Art() {
  return (
    <div aria-hidden className="relative hidden overflow-hidden bg-[oklch(0.2_0.045_var(--brand-h))] text-white lg:block">
      <svg aria-hidden viewBox="0 0 720 900" preserveAspectRatio="xMidYMid slice" className="absolute inset-0 size-full">
        <defs>
          <radialGradient id="glow" cx="78%" cy="14%" r="75%">
            <stop offset="0" className="[stop-color:oklch(0.62_0.2_var(--brand-h))]" />
            <stop offset="0.5" stopOpacity="0.6" className="[stop-color:oklch(0.42_0.17_var(--brand-h))]" />
            <stop offset="1" stopOpacity="0" className="[stop-color:oklch(0.2_0.045_var(--brand-h))]" />
          </radialGradient>
          <radialGradient id="shore" cx="8%" cy="100%" r="60%">
            <stop offset="0" stopOpacity="0.55" className="[stop-color:oklch(0.62_0.13_calc(var(--brand-h)-57))]" />
            <stop offset="1" stopOpacity="0" className="[stop-color:oklch(0.2_0.045_var(--brand-h))]" />
          </radialGradient>
          <linearGradient id="line" x1="0" x2="1">
            <stop offset="0" stopColor="#fff" stopOpacity="0" />
            <stop offset="0.55" stopColor="#fff" stopOpacity="0.34" />
            <stop offset="1" stopColor="#fff" stopOpacity="0.04" />
          </linearGradient>
        </defs>
        <rect width="720" height="900" fill="url(#glow)" />
        <rect width="720" height="900" fill="url(#shore)" />
        {waves.map((i) => (
          <path
            key={i}
            d={`M-20 ${250 + i * 26} C 140 ${120 + i * 34}, 300 ${420 + i * 6}, 470 ${250 + i * 20} S 690 ${90 + i * 34}, 760 ${150 + i * 26}`}
            fill="none"
            stroke="url(#line)"
            strokeWidth={1.1}
          />
        ))}
      </svg>
      <p className="absolute bottom-0 max-w-lg p-12 text-[1.75rem] leading-[2.25rem] font-medium tracking-[-0.025em] text-balance xl:p-16">
        {boot.tagline || t("auth.tagline")}
      </p>
    </div>
  );
}

export const Route = createFileRoute("/_auth")({ component: AuthFrame });
