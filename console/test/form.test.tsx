import { TenonError } from "@tenon/client";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { Form, PasswordField, TextField } from "@/components/ui/form";

const problem = (more: object) => new TenonError({ title: "No", status: 422, code: "request.invalid", detail: "Some values are not valid.", ...more });

const fields = (
  <>
    <TextField name="email" type="email" label="E-mail" hint="As your colleagues write it" required />
    <PasswordField name="password" label="Password" required />
    <button type="submit">Send</button>
  </>
);

test("nothing is sent that the browser can tell is wrong, and the first wrong field is shown", async () => {
  const send = vi.fn();
  render(<Form onSubmit={send}>{fields}</Form>);
  await userEvent.click(screen.getByText("Send"));
  expect(send).not.toHaveBeenCalled();
  expect(screen.getAllByText("Fill in this field.")).toHaveLength(2);
  expect(screen.getByLabelText("E-mail")).toHaveFocus();
  expect(screen.getByLabelText("E-mail")).toHaveAccessibleDescription(/As your colleagues write it Fill in this field/);
  await userEvent.type(screen.getByLabelText("E-mail"), "ada");
  await userEvent.tab();
  expect(screen.getByText(/whole e-mail address/)).toBeVisible();
});

test("the values are those of the named fields", async () => {
  const send = vi.fn();
  render(<Form onSubmit={send}>{fields}</Form>);
  await userEvent.type(screen.getByLabelText("E-mail"), "ada@example.com");
  await userEvent.type(screen.getByLabelText("Password"), "a phrase{Enter}");
  expect(send).toHaveBeenCalledWith({ email: "ada@example.com", password: "a phrase" });
});

test("what the server refuses stands at its field until it is changed", async () => {
  const error = problem({ errors: [{ location: "body.email", message: "This address is taken.", code: "accounts.email_taken" }] });
  render(
    <Form onSubmit={vi.fn()} error={error}>
      {fields}
    </Form>,
  );
  expect(screen.getByText("This address is taken.")).toBeVisible();
  expect(screen.getByLabelText("E-mail")).toHaveFocus();
  expect(screen.queryByRole("alert")).toBeNull();
  await userEvent.type(screen.getByLabelText("E-mail"), "x");
  expect(screen.queryByText("This address is taken.")).toBeNull();
});

test("what is about no field is said above them", () => {
  render(
    <Form onSubmit={vi.fn()} error={problem({ code: "auth.invalid_credentials", status: 401, detail: "The address or the password is not right." })}>
      {fields}
    </Form>,
  );
  expect(screen.getByRole("alert")).toHaveTextContent("The address or the password is not right.");
});

test("who closes the dialog that asks who they are is told nothing", () => {
  render(
    <Form onSubmit={vi.fn()} error={problem({ code: "auth.fresh_required", status: 401 })}>
      {fields}
    </Form>,
  );
  expect(screen.queryByRole("alert")).toBeNull();
});

test("a password can be looked at", async () => {
  render(<Form onSubmit={vi.fn()}>{fields}</Form>);
  expect(screen.getByLabelText("Password")).toHaveAttribute("type", "password");
  await userEvent.click(screen.getByRole("button", { name: "Show password" }));
  expect(screen.getByLabelText("Password")).toHaveAttribute("type", "text");
});
