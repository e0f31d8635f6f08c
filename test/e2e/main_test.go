// Package e2e uses the product as its users do: the real program, over the network.
package e2e

import (
	"testing"

	"github.com/tenonhq/tenon/tenontest/servers"
	"github.com/tenonhq/tenon/test/binary"
)

func TestMain(m *testing.M) { binary.Main(m) }

// shared is what the nodes of one installation have in common.
func shared(t *testing.T, redis bool) binary.Settings {
	t.Helper()
	s := binary.Settings{"DATABASE_URL": servers.Postgres(t).CreateDatabase(t)}
	if redis {
		s["REDIS_URL"] = servers.Redis(t).URL()
	}
	return s
}

// cluster starts nodes behind a balancer, on one database.
func cluster(t *testing.T, n int, s binary.Settings) (*binary.Balancer, []*binary.Node) {
	t.Helper()
	b := binary.NewBalancer(t)
	s = binary.Settings{"TENON_PUBLIC_URL": b.URL, "TENON_ROOT_SECRET": "for tests alone 8fK2pLq0vXw7Zr4T"}.Or(s)
	var nodes []*binary.Node
	for range n {
		nodes = append(nodes, binary.Serve(t, s))
	}
	b.Add(nodes...)
	return b, nodes
}
