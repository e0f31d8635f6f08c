package safehttp

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

const maxURL = 2048

// guard knows what may be reached.
type guard struct{ allow []netip.Prefix }

func (g guard) checkURL(u *url.URL) error {
	reason := ""
	switch port, err := portOf(u); {
	case u.Scheme != "http" && u.Scheme != "https":
		reason = "scheme " + u.Scheme
	case u.Opaque != "" || u.Host == "":
		reason = "no host"
	case u.User != nil:
		reason = "a user name or password in the URL"
	case err != nil || !allowedPort(port):
		reason = "port " + u.Port()
	default:
		return g.checkHost(u.Hostname(), strings.HasPrefix(u.Host, "["))
	}
	return ErrBlocked.Because(errors.New(reason))
}

func (g guard) checkHost(host string, bracketed bool) error {
	blocked := ErrBlocked.Because(errors.New("host " + host))
	if bracketed {
		ip, err := netip.ParseAddr(host)
		if err != nil || !ip.Is6() || ip.Is4In6() || !g.allows(ip) {
			return blocked
		}
		return nil
	}
	name, ok := lookupForm(host)
	if !ok {
		return blocked
	}
	if endsInNumber(name) {
		// Only the plain spelling: 127.1, 0x7f.1, 0177.1 and 2130706433 mean 127.0.0.1 to some resolvers.
		ip, err := netip.ParseAddr(name)
		if err != nil || name != host || !g.allows(ip) {
			return blocked
		}
		return nil
	}
	if isInternalName(name) && len(g.allow) == 0 {
		return blocked
	}
	return nil
}

// lookupForm is the name as the HTTP client will ask for it, without the root's dot.
func lookupForm(host string) (string, bool) {
	name, err := idna.Lookup.ToASCII(host)
	if err != nil && !isASCII(host) {
		return "", false
	}
	if err != nil {
		name = host // an underscore, which some real names have
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if name == "" || len(name) > 253 || strings.HasPrefix(name, ".") || strings.Contains(name, "..") {
		return "", false
	}
	return name, strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}

// endsInNumber is the test by which browsers tell an IPv4 address from a name
// (https://url.spec.whatwg.org/#ends-in-a-number-checker).
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

// isInternalName recognises names that mean something in a private network only. A name
// of one label is looked up in the search domains of the host, which are private too.
func isInternalName(name string) bool {
	if !strings.Contains(name, ".") {
		return true
	}
	for _, zone := range [...]string{
		".localhost", ".localdomain", ".local", ".internal", ".intranet", ".private", ".corp", ".home", ".lan",
		".home.arpa", ".in-addr.arpa", ".ip6.arpa", ".svc", ".cluster.local", ".onion",
	} {
		if strings.HasSuffix(name, zone) {
			return true
		}
	}
	return false
}

// allowedPort accepts the web's ports and unprivileged ones, but not those of services
// which would take a request for commands of their own.
func allowedPort(port int) bool {
	switch port {
	case 80, 443:
		return true
	case 1433, 1521, 1883, // SQL Server, Oracle, MQTT
		2049, 2181, 2375, 2376, 2379, 2380, // NFS, ZooKeeper, Docker, etcd
		3306, 3389, 4369, // MySQL, remote desktop, Erlang
		5060, 5061, 5432, 5433, 5672, 5900, 5984, 5985, 5986, // SIP, PostgreSQL, AMQP, VNC, CouchDB, WinRM
		6000, 6379, 6380, 6432, 6443, 6667, // X11, Redis, PgBouncer, Kubernetes, IRC
		7000, 7001, 7199, 8086, 8500, 8600, // Cassandra, WebLogic, InfluxDB, Consul
		9042, 9092, 9100, 9160, 9200, 9300, // Cassandra, Kafka, printers, Elasticsearch
		10250, 10255, 10256, 11211, 15672, 26257, 26379, 27017, 27018, 27019, 28015, 50000: // kubelet, memcached, RabbitMQ, CockroachDB, Sentinel, MongoDB, RethinkDB, DB2
		return false
	}
	return port >= 1024 && port <= 65535
}

// allows decides on one address.
func (g guard) allows(ip netip.Addr) bool {
	if ip.Zone() != "" {
		return false
	}
	ip = ip.Unmap()
	if slices.ContainsFunc(g.allow, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return true
	}
	if ip.Is4() {
		return isPublic4(ip.As4())
	}
	return isPublic6(ip.As16())
}

// isPublic4 follows IANA's registry of special-purpose addresses
// (https://www.iana.org/assignments/iana-ipv4-special-registry): whatever is not
// globally reachable is refused, and so are some addresses with a private meaning.
func isPublic4(a [4]byte) bool {
	switch {
	case a[0] == 0, a[0] == 10, a[0] == 127, a[0] >= 224: // this network, private, loopback, multicast and reserved
		return false
	case a[0] == 100 && a[1]&0xc0 == 64: // carrier-grade NAT
		return false
	case a[0] == 169 && a[1] == 254: // link-local, where clouds keep credentials
		return false
	case a[0] == 172 && a[1]&0xf0 == 16, a[0] == 192 && a[1] == 168: // private
		return false
	case a[0] == 192 && a[1] == 0 && (a[2] == 0 || a[2] == 2): // protocol assignments, documentation
		return false
	case a[0] == 192 && a[1] == 31 && a[2] == 196, a[0] == 192 && a[1] == 52 && a[2] == 193, a[0] == 192 && a[1] == 175 && a[2] == 48: // AS112, AMT
		return false
	case a[0] == 192 && a[1] == 88 && a[2] == 99: // 6to4 relays
		return false
	case a[0] == 198 && a[1]&0xfe == 18, a[0] == 198 && a[1] == 51 && a[2] == 100, a[0] == 203 && a[1] == 0 && a[2] == 113: // benchmarks, documentation
		return false
	case a == [4]byte{168, 63, 129, 16}: // Azure's agent, public by its number only
		return false
	}
	return true
}

// isPublic6 accepts global unicast, 2000::/3, without what is special in it
// (https://www.iana.org/assignments/iana-ipv6-special-registry). Everything else, and so
// every way to wrap an IPv4 address, is outside.
func isPublic6(a [16]byte) bool {
	switch {
	case a[0]&0xe0 != 0x20: // ::, ::1, ::a.b.c.d, 64:ff9b::, 100::, fc00::, fe80::, fec0::, ff00::, …
		return false
	case a[0] == 0x20 && a[1] == 0x01 && a[2]&0xfe == 0: // 2001::/23: Teredo, ORCHID, benchmarks
		return false
	case a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8: // documentation
		return false
	case a[0] == 0x20 && a[1] == 0x02: // 6to4
		return false
	case a[0] == 0x3f && (a[1] == 0xfe || a[1] == 0xff && a[2]&0xf0 == 0): // 6bone, documentation
		return false
	case a[0] == 0x26 && a[1] == 0x20 && a[2] == 0 && a[3] == 0x4f && a[4] == 0x80 && a[5] == 0: // AS112
		return false
	}
	return true
}
