package tasks_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tenonhq/tenon/examples/tasks/tasks"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/realtime"
	"github.com/tenonhq/tenon/tenontest"
)

// Who looks at the list sees a new task without asking again.
func TestWhoIsConnectedSeesANewTask(t *testing.T) {
	each(t, func(t *testing.T, app *tenontest.App, s *tasks.Service, org id.Org, ada *tenontest.User) {
		server := httptest.NewServer(app.Handler())
		t.Cleanup(func() {
			server.CloseClientConnections()
			server.Close()
		})
		commands := fmt.Sprintf(`{"id":1,"connect":{}}`+"\n"+`{"id":2,"subscribe":{"channel":%q}}`, realtime.OrgWith(org, tasks.PermRead).Name())
		q, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/api/v1/ws/sse?cf_connect="+url.QueryEscape(commands), nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer "+ada.Tokens.AccessToken)
		answer, err := server.Client().Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		defer time.AfterFunc(time.Minute, server.CloseClientConnections).Stop() // so that nothing is waited for in vain
		lines := bufio.NewScanner(answer.Body)
		await(t, lines, `"subscribe"`)
		task, err := s.Create(app.As(ada), org, "Order more coffee", ada.ID)
		if err != nil {
			t.Fatal(err)
		}
		if line := await(t, lines, `"type":"tasks.created"`); !strings.Contains(line, task.ID.String()) {
			t.Errorf("came %s", line)
		}
	})
}

func await(t *testing.T, lines *bufio.Scanner, what string) string {
	t.Helper()
	for lines.Scan() {
		if strings.Contains(lines.Text(), what) {
			return lines.Text()
		}
	}
	t.Fatalf("%s did not come", what)
	return ""
}
