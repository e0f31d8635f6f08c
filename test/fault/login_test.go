package fault

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tenonhq/tenon/tenontest/servers"
)

func TestAStormOfSignInsIsBoundedAndSparesOthers(t *testing.T) {
	n := start(t, "DATABASE_URL="+servers.Postgres(t).CreateDatabase(t))
	ada := n.person(t, "ada")
	var known []*person
	for i := range 5 {
		known = append(known, n.person(t, fmt.Sprint("known", i)))
	}
	traffic := func(int) answer { return n.send(me(ada)) }
	during(500*time.Millisecond, 50, traffic)
	calm := during(size(2*time.Second, 10*time.Second), 50, traffic)

	others := begin(50, traffic)
	signIns := together(size(160, 500), func(i int) answer {
		if i%10 == 0 {
			return n.send(login(known[i/10%len(known)].Email, password))
		}
		return n.send(login(fmt.Sprintf("unknown%d@example.com", i), "a wrong password"))
	})
	signUps := together(size(20, 500), func(i int) answer {
		return n.send(signUp(fmt.Sprintf("new%d@example.com", i)))
	})
	long := together(size(10, 100), func(i int) answer {
		return n.send(login(known[0].Email, strings.Repeat("x", 4096)))
	})
	under := others.stop()
	n.alive()
	peak, _ := n.memory()
	t.Logf("calm: %v; sign-ins: %v; sign-ups: %v; %v beside them; %d MiB at most", calm, signIns, signUps, under, peak)

	// 32 hashes at once, without a queue, were measured at gigabytes.
	if peak > 300 {
		t.Errorf("%d MiB in memory: more passwords were hashed at once than there are cores", peak)
	}
	refused := 0
	for _, all := range []answers{signIns, signUps} {
		all.where(func(a answer) bool {
			if a.status == 503 || a.status == 429 {
				refused++
				return a.header.Get("Retry-After") == ""
			}
			return a.status != 200 && a.status != 201 && a.status != 401
		}).wantNone(t, "are neither a result nor a refusal that says when to come again")
		all.where(func(a answer) bool { return a.took > 15*time.Second }).wantNone(t, "took longer than 15 seconds")
	}
	if refused == 0 {
		t.Error("nobody was refused: the queue is not bounded")
	}
	if got := signIns.where(func(a answer) bool { return a.status == 200 }); len(got) == 0 {
		t.Error("nobody who knows the password got in")
	}
	long.where(func(a answer) bool { return a.status != 422 }).wantNone(t, "to passwords of 4 KB are no refusal")
	under.where(func(a answer) bool { return a.status != 200 }).wantNone(t, "failed beside the storm")
	if was, is := calm.percentile(95), under.percentile(95); is > 3*was+2*noise {
		t.Errorf("95%% are answered within %v, in calm within %v", is, was)
	}
}
