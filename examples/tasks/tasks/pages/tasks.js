// A page of the console for tasks: one plain ES module, no build. docs/CONSOLE.md explains
// the SDK that it is called with.
export default function tasks({ React, ui, api, query, toast, locale, addPage }) {
  const h = React.createElement;
  const { Badge, Button, Card, CardBody, DataTable, Empty, Form, Page, TextField } = ui;
  const german = locale() === "de";
  const say = (en, de) => (german ? de : en);

  function Tasks({ org }) {
    const path = { org: org.id };
    const list = query.useInfiniteQuery({
      queryKey: ["tasks", org.id],
      queryFn: async ({ pageParam }) => (await api.GET("/api/v1/orgs/{org}/tasks", { params: { path, query: { cursor: pageParam } } })).data,
      initialPageParam: undefined,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
    });
    const add = query.useMutation({
      mutationFn: ({ title }) => api.POST("/api/v1/orgs/{org}/tasks", { params: { path }, body: { title } }),
      meta: { handled: true },
      onSuccess: (_answer, { title }) => toast.done(say(`Added: ${title}`, `Hinzugefügt: ${title}`)),
    });
    const done = query.useMutation({
      mutationFn: (task) => api.POST("/api/v1/orgs/{org}/tasks/{task}/done", { params: { path: { ...path, task: task.id } } }),
      onSuccess: (_answer, task) => toast.done(say(`Done: ${task.title}`, `Erledigt: ${task.title}`)),
    });
    return h(
      Page,
      { title: say("Tasks", "Aufgaben"), hint: say(`What is to be done at ${org.name}.`, `Was bei ${org.name} zu tun ist.`) },
      h(
        Card,
        null,
        h(
          CardBody,
          { className: "border-t-0" },
          h(
            Form,
            { key: add.submittedAt, error: add.error, onSubmit: (values) => add.mutate(values), className: "max-w-md" },
            h(TextField, { name: "title", label: say("New task", "Neue Aufgabe"), required: true }),
            h("div", null, h(Button, { type: "submit", variant: "primary", loading: add.isPending }, say("Add task", "Aufgabe hinzufügen"))),
          ),
        ),
      ),
      h(DataTable, {
        label: say("Tasks", "Aufgaben"),
        query: list,
        rowKey: (task) => task.id,
        empty: h(Empty, { icon: "✓", title: say("Nothing to do", "Nichts zu tun") }),
        columns: [
          { key: "title", head: say("Task", "Aufgabe"), cell: (task) => task.title },
          { key: "state", head: say("State", "Stand"), narrow: true, cell: (task) => h(Badge, { tone: task.done_at ? "success" : "neutral" }, task.done_at ? say("Done", "Erledigt") : say("Open", "Offen")) },
          {
            key: "done",
            head: say("Actions", "Aktionen"),
            silent: true,
            narrow: true,
            cell: (task) => !task.done_at && h(Button, { size: "sm", onClick: () => done.mutate(task) }, say("Done", "Erledigt"), h("span", { className: "sr-only" }, `: ${task.title}`)),
          },
        ],
      }),
    );
  }

  addPage({ path: "/tasks", title: say("Tasks", "Aufgaben"), permission: "tasks.read", component: Tasks });
}
