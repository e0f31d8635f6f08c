package fault

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenonhq/tenon/tenontest/servers"
)

// promptly is how long signing up may take, whatever the relay does: a hash and a busy machine.
const promptly = 2 * time.Second

func signUp(email string) ask {
	return ask{method: "POST", path: "/auth/register", body: fmt.Sprintf(`{"email":%q,"password":%q,"name":"Someone"}`, email, password)}
}

func forgot(email string) ask {
	return ask{method: "POST", path: "/auth/request-password-reset", body: fmt.Sprintf(`{"email":%q}`, email)}
}

// mailJob is how the job that sends a letter is doing.
type mailJob struct {
	State   string
	Attempt int
	Errors  int
	Wait    time.Duration // from the beginning of the last attempt to the next
}

// mailJobs returns those of a database, oldest first.
func mailJobs(t testing.TB, url string) []mailJob {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer c.Close(t.Context())
	rows, err := c.Query(t.Context(), `SELECT state::text, attempt::int, coalesce(array_length(errors, 1), 0)::int,
		coalesce(extract(epoch FROM scheduled_at - attempted_at), 0)::float8 FROM river.river_job WHERE kind = 'mail.send' ORDER BY id`)
	must(t, err)
	all, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (j mailJob, err error) {
		var seconds float64
		err = r.Scan(&j.State, &j.Attempt, &j.Errors, &seconds)
		j.Wait = time.Duration(seconds * float64(time.Second))
		return j, err
	})
	must(t, err)
	return all
}

// post is a node whose mail goes to a relay, with its database.
func post(t testing.TB, settings []string) (n *node, url string) {
	t.Helper()
	url = servers.Postgres(t).CreateDatabase(t)
	return start(t, append([]string{"DATABASE_URL=" + url, "SMTP_TIMEOUT=" + size("1s", "30s")}, settings...)...), url
}

// Whatever is wrong with a relay for a while: people are answered, and the letter is
// tried again later and later, until it arrives.
func TestMailOutlivesABadRelay(t *testing.T) {
	t.Parallel()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	_, closed, _ := net.SplitHostPort(nobody.Addr().String())
	must(t, nobody.Close())
	for _, c := range []struct {
		name     string
		habit    habit
		settings []string
		mends    bool // in time for the second attempt
	}{
		{name: "refuses connections", settings: []string{"SMTP_PORT=" + closed}},
		{name: "is a tarpit", habit: habit{greet: func(int) string { return "" }}},
		{name: "says 421 twice", mends: true, habit: habit{greet: func(n int) string {
			if n <= 2 {
				return "421 come back later"
			}
			return "220 relay.example.com"
		}}},
		{name: "shows a certificate that nobody trusts", habit: habit{tls: true}, settings: []string{"SMTP_TLS=starttls"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := listen(t, c.habit)
			n, url := post(t, r.settings(c.settings...))
			for _, a := range []ask{signUp("ada@example.com"), forgot("nobody@example.com"), signUp("ada@example.com")} {
				if got := n.do(t, 202, a); got.took > promptly {
					t.Errorf("%s takes %v", a.path, got.took)
				}
			}
			if c.mends {
				servers.Within(t, 15*time.Second, "the letters arrive", func() bool { return len(r.got("ada@example.com")) == 2 })
				return
			}
			var job mailJob
			servers.Within(t, size(15*time.Second, 90*time.Second), "the letter was tried twice", func() bool {
				jobs := mailJobs(t, url)
				if len(jobs) == 2 {
					job = jobs[0]
				}
				return job.Attempt >= 2 && job.Errors >= 2
			})
			if job.State != "retryable" || job.Wait < 10*time.Second || job.Wait > size(30*time.Second, time.Minute) {
				t.Errorf("after the second failure the job is %+v, want another try after about 16 seconds", job)
			}
			if letters := r.got("ada@example.com"); len(letters) > 0 {
				t.Errorf("%d letters left, over a connection that is not safe", len(letters))
			}
		})
	}
}

func TestARecipientWhoIsRefusedBlocksNobody(t *testing.T) {
	t.Parallel()
	r := listen(t, habit{
		rcpt: func(to string, _ int) string {
			if to == "refused@example.com" {
				return "550 no such user"
			}
			return ""
		},
		pause: func(to string) time.Duration {
			if strings.HasPrefix(to, "slow") {
				return time.Minute
			}
			return 0
		},
	})
	n, url := post(t, r.settings())
	for i := range 5 {
		n.do(t, 202, signUp(fmt.Sprintf("slow%d@example.com", i)))
	}
	n.do(t, 202, signUp("refused@example.com"))
	sent := time.Now()
	n.do(t, 202, signUp("ada@example.com"))
	servers.Within(t, 5*time.Second, "the letter to somebody else arrives", func() bool { return len(r.got("ada@example.com")) == 1 })
	t.Logf("delivered beside them after %v", time.Since(sent).Round(time.Millisecond))
	var final mailJob
	servers.Within(t, 5*time.Second, "the refused letter is given up and stays visible", func() bool {
		final = mailJobs(t, url)[5]
		return final.State == "discarded" && final.Attempt == 1 && final.Errors == 1
	})
	time.Sleep(size(2*time.Second, 20*time.Second))
	if tries := r.tries("refused@example.com"); len(tries) != 1 {
		t.Errorf("a letter that was refused for good was sent %d times", len(tries))
	}
}

func TestALetterThatWasTakenWithoutAWordArrivesAtMostTwiceAsOne(t *testing.T) {
	t.Parallel()
	r := listen(t, habit{data: func(_ string, n int) bool { return n == 1 }})
	n, url := post(t, r.settings())
	n.do(t, 202, signUp("ada@example.com"))
	servers.Within(t, 15*time.Second, "the letter is acknowledged", func() bool {
		jobs := mailJobs(t, url)
		return len(jobs) == 1 && jobs[0].State == "completed"
	})
	time.Sleep(2 * time.Second)
	letters := r.got("ada@example.com")
	if len(letters) != 2 || letters[0].id == "" || letters[0].id != letters[1].id {
		t.Errorf("the letter arrived as %v, want twice under one Message-ID", letters)
	}
}
