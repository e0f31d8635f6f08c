import { Autocomplete } from "@base-ui/react/autocomplete";
import { Dialog as BaseDialog } from "@base-ui/react/dialog";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { CornerDownLeft, LogOut, type LucideIcon, Moon, Plus, Search, Sun } from "lucide-react";
import type { ReactNode } from "react";
import { orgsQuery } from "@/api/queries";
import { Kbd, OrgMark } from "@/components/ui/basics";
import { t } from "@/lib/i18n";
import { setTheme } from "@/lib/theme";
import { cn } from "@/lib/utils";
import type { NavGroup } from "./nav";
import { useSignOut } from "./shell";

interface Command {
  value: string;
  label: string;
  group: string;
  mark: ReactNode;
  run: () => void;
}

const icon = (Icon: LucideIcon) => <Icon className="size-4 text-muted-foreground" />;

/** Goes anywhere by a few letters: pages, organizations, actions. */
export default function CommandMenu({ groups, onClose }: { groups: NavGroup[]; onClose: () => void }) {
  const navigate = useNavigate();
  const signOut = useSignOut();
  const orgs = useQuery(orgsQuery).data ?? [];
  const go = (to: string) => () => void navigate({ to });
  const all: Command[] = [
    ...groups.flatMap((g) => g.items.map((i) => ({ value: i.to, label: i.label, group: g.label, mark: icon(i.icon), run: go(i.to) }))),
    ...orgs.map((o) => ({
      value: o.id,
      label: o.name,
      group: t("menu.orgs"),
      mark: <OrgMark name={o.name} id={o.id} className="size-5 text-micro" />,
      run: go(`/o/${o.slug}`),
    })),
    { value: "new-org", label: t("menu.newOrg"), group: t("command.actions"), mark: icon(Plus), run: go("/welcome") },
    { value: "light", label: `${t("menu.theme")}: ${t("menu.themeLight")}`, group: t("command.actions"), mark: icon(Sun), run: () => setTheme("light") },
    { value: "dark", label: `${t("menu.theme")}: ${t("menu.themeDark")}`, group: t("command.actions"), mark: icon(Moon), run: () => setTheme("dark") },
    { value: "sign-out", label: t("menu.signOut"), group: t("command.actions"), mark: icon(LogOut), run: () => signOut.mutate() },
  ];
  const grouped = [...new Set(all.map((c) => c.group))].map((label) => ({ value: label, items: all.filter((c) => c.group === label) }));
  const run = (c: Command) => {
    onClose();
    c.run();
  };
  return (
    <BaseDialog.Root open onOpenChange={(o) => !o && onClose()}>
      <BaseDialog.Portal>
        <BaseDialog.Backdrop className="fixed inset-0 z-40 bg-[oklch(0.15_0.01_265/0.42)]" />
        <BaseDialog.Popup
          className={cn(
            "surface",
            "fixed top-[12vh] left-1/2 z-50 flex max-h-[min(460px,76vh)] w-[min(560px,calc(100vw-2rem))] -translate-x-1/2 flex-col overflow-hidden rounded-xl",
          )}
        >
          <BaseDialog.Title className="sr-only">{t("command.title")}</BaseDialog.Title>
          <Autocomplete.Root items={grouped} itemToStringValue={(c: Command) => c.label} autoHighlight="always" open inline>
            <div className="flex items-center gap-2.5 border-b px-4">
              <Search className="size-4 text-muted-foreground" />
              <Autocomplete.Input
                autoFocus
                aria-label={t("command.title")}
                placeholder={t("command.placeholder")}
                className="h-12 flex-1 bg-transparent text-sm outline-none placeholder:text-faint"
              />
              <Kbd>Esc</Kbd>
            </div>
            <Autocomplete.Empty>
              <div className="px-4 py-10 text-center text-muted-foreground">{t("list.noMatch")}</div>
            </Autocomplete.Empty>
            <Autocomplete.List className="min-h-0 flex-1 overflow-y-auto p-1.5 empty:p-0">
              {(g: { value: string; items: Command[] }) => (
                <Autocomplete.Group key={g.value} items={g.items} className="mb-1">
                  <Autocomplete.GroupLabel className="px-2.5 pt-2 pb-1 text-micro font-medium text-muted-foreground">{g.value}</Autocomplete.GroupLabel>
                  <Autocomplete.Collection>
                    {(c: Command) => (
                      <Autocomplete.Item
                        key={c.value}
                        value={c}
                        onClick={() => run(c)}
                        className="group flex h-9 items-center gap-2.5 rounded-md px-2.5 outline-none select-none data-highlighted:bg-accent"
                      >
                        {c.mark}
                        <span className="min-w-0 flex-1 truncate">{c.label}</span>
                        <CornerDownLeft className="size-3.5 text-faint opacity-0 group-data-highlighted:opacity-100" />
                      </Autocomplete.Item>
                    )}
                  </Autocomplete.Collection>
                </Autocomplete.Group>
              )}
            </Autocomplete.List>
          </Autocomplete.Root>
        </BaseDialog.Popup>
      </BaseDialog.Portal>
    </BaseDialog.Root>
  );
}
