import { TenonError } from "@tenon/client";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ComponentProps } from "react";
import { expect, test, vi } from "vitest";
import { DataTable } from "@/components/ui/table";

type Row = { id: string; name: string };
type Query = ComponentProps<typeof DataTable<Row>>["query"];

const query = (q: Partial<Query>): Query =>
  ({
    data: undefined,
    error: null,
    isPending: false,
    isFetching: false,
    refetch: vi.fn(),
    hasNextPage: false,
    fetchNextPage: vi.fn(),
    isFetchingNextPage: false,
    ...q,
  }) as Query;
const pages = (...names: string[][]) => ({ pages: names.map((p) => ({ items: p.map((name) => ({ id: name, name })) })) });

const show = (q: Partial<Query>, more: Partial<ComponentProps<typeof DataTable<Row>>> = {}) =>
  render(
    <DataTable
      label="People"
      query={query(q)}
      rowKey={(r) => r.id}
      empty={<p>Nobody yet</p>}
      columns={[
        { key: "name", head: "Name", cell: (r) => r.name },
        { key: "do", head: "Actions", silent: true, cell: (r) => <button type="button">Remove {r.name}</button> },
      ]}
      {...more}
    />,
  );

test("pages are one table", () => {
  show({ data: pages(["Ada"], ["Grace"]) as never });
  expect(within(screen.getByRole("table", { name: "People" })).getAllByRole("row")).toHaveLength(3);
});

test("while it loads there is the table, and nothing in it to read", () => {
  show({ isPending: true });
  expect(screen.getByRole("table")).toBeVisible();
  expect(screen.queryByText("Nobody yet")).toBeNull();
});

test("nothing yet, and nothing that matches, are not the same", async () => {
  show({ data: pages([]) as never });
  expect(screen.getByText("Nobody yet")).toBeVisible();
  const clear = vi.fn();
  show({ data: pages([]) as never }, { clear });
  await userEvent.click(screen.getByRole("button", { name: "Clear filters" }));
  expect(clear).toHaveBeenCalled();
});

test("what did not load says why, and can be tried again", async () => {
  const refetch = vi.fn();
  show({ error: new TenonError({ title: "No", status: 503, code: "x", detail: "The database rests.", request_id: "req_1" }), refetch });
  expect(screen.getByText("The database rests.")).toBeVisible();
  expect(screen.getByText("req_1")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(refetch).toHaveBeenCalled();
});

test("rows that loaded stay when the next look fails", () => {
  show({ data: pages(["Ada"]) as never, error: new TenonError({ title: "No", status: 503, code: "x" }) });
  expect(screen.getByRole("cell", { name: "Ada" })).toBeVisible();
});

test("a click on a row opens it, a click on a button in it does not", async () => {
  const open = vi.fn();
  show({ data: pages(["Ada"]) as never }, { onRow: open });
  await userEvent.click(screen.getByRole("button", { name: "Remove Ada" }));
  expect(open).not.toHaveBeenCalled();
  await userEvent.click(screen.getByRole("cell", { name: "Ada" }));
  expect(open).toHaveBeenCalledWith({ id: "Ada", name: "Ada" });
});
