package identities_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/tenonhq/tenon/tenontest"
	"github.com/tenonhq/tenon/tenontest/idp"
)

// together runs all of fns at the same moment, and returns when all are done.
func together(fns ...func()) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for _, fn := range fns {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			fn()
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

func TestOfManyAnswersToOneFlowOneSignsIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		path, flow := back(w.acme.Browse(t, b.authorize("acme", "/home"))), b.cookies["tenon_flow"]
		answers := make([]*tenontest.Answer, 10)
		fns := make([]func(), len(answers))
		for i := range fns {
			fns[i] = func() {
				copied := w.browser()
				copied.cookies["tenon_flow"] = flow
				answers[i] = copied.send("GET", path, "")
			}
		}
		together(fns...)
		in := 0
		for _, a := range answers {
			if a.Want(t, 302).Header.Get("Location") == "/home" {
				in++
			}
		}
		if sessions := w.count(`SELECT count(*) FROM sessions`); in != 1 || sessions != 1 {
			t.Errorf("%d answers signed in, and there are %d sessions; want one of each", in, sessions)
		}
	})
}

func TestWhoSignsInForTheFirstTimeTwiceAtOnceIsOnePerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for round := range 5 {
			w.acme.As(idp.Person{Subject: strings.Repeat("S", round+1), Email: strings.Repeat("a", round+1) + "@race.example", EmailVerified: true, Name: "Ada"})
			var fns []func()
			for range 6 {
				b := w.browser()
				path := back(w.acme.Browse(t, b.authorize("acme", "/home")))
				fns = append(fns, func() { b.wantIn(b.send("GET", path, ""), "/home") })
			}
			together(fns...)
			if a, i := w.count(`SELECT count(*) FROM accounts`), w.count(`SELECT count(*) FROM identities`); a != round+1 || i != round+1 {
				t.Fatalf("round %d: %d accounts, %d identities", round, a, i)
			}
		}
	})
}

func TestOfTwoWhoLinkOneIdentityOneHasIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada, eve := w.as(w.User("ada")), w.as(w.User("eve"))
		for round := range 8 {
			w.acme.As(idp.Person{Subject: strings.Repeat("R", round+1), Email: "x@example.com"})
			paths := map[*browser]string{}
			for _, b := range []*browser{ada, eve} {
				to := b.send("POST", "/users/me/identities/acme/authorize", "{}").Want(t, 200).Get("authorization_url")
				paths[b] = back(w.acme.Browse(t, to))
			}
			got := map[*browser]string{}
			var mu sync.Mutex
			var fns []func()
			for _, b := range []*browser{ada, eve} {
				fns = append(fns, func() {
					to := b.send("GET", paths[b], "").Want(t, 302).Header.Get("Location")
					mu.Lock()
					got[b] = to
					mu.Unlock()
				})
			}
			together(fns...)
			won := 0
			for _, to := range got {
				switch to {
				case "/":
					won++
				case "/?error=identities.taken":
				default:
					t.Errorf("went to %s", to)
				}
			}
			if n := w.count(`SELECT count(*) FROM identities`); won != 1 || n != round+1 {
				t.Fatalf("round %d: %d won, %d identities", round, won, n)
			}
		}
	})
}

func TestOfTheLastTwoIdentitiesOneStays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.wantIn(b.signIn(w.acme, "acme"), "/home")
		for round := range 8 {
			mine := b.send("GET", "/users/me/identities", "").Want(t, 200).Items()
			if len(mine) == 1 {
				p, name := w.other, "other"
				if mine[0]["provider"] == "other" {
					p, name = w.acme, "acme"
				}
				b.link(p, name).Want(t, 302)
				mine = b.send("GET", "/users/me/identities", "").Want(t, 200).Items()
			}
			if len(mine) != 2 {
				t.Fatalf("round %d begins with %d identities", round, len(mine))
			}
			// Two requests of one browser: neither learns of the other's cookies in time.
			jars := []*browser{w.browser(), w.browser()}
			statuses := make([]int, 2)
			var fns []func()
			for i, jar := range jars {
				jar.cookies["tenon_session"] = b.cookies["tenon_session"]
				id, _ := mine[i]["id"].(string)
				fns = append(fns, func() { statuses[i] = jar.send("DELETE", "/users/me/identities/"+id, "").Status })
			}
			together(fns...)
			if left := w.count(`SELECT count(*) FROM identities`); left != 1 || w.count(`SELECT count(*) FROM identity_subjects`) != 1 {
				t.Fatalf("round %d: answered %v, %d identities are left", round, statuses, left)
			}
			for i, jar := range jars {
				if statuses[i] == 204 {
					b = jar
				} else if statuses[i] != 409 && statuses[i] != 401 {
					t.Errorf("answered %d", statuses[i])
				}
			}
		}
	})
}
