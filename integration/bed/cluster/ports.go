package cluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
)

// span is from how many ports below those of connections one is chosen.
const span = 12000

// Ports returns ports of the loopback address on which nobody listens. The kernel
// gives none of them to a connection: such a one could be taken before its server
// listens, or while it is away.
func Ports(tb testing.TB, count int) (ports []int) {
	tb.Helper()
	first := firstOfConnections(tb)
	for len(ports) < count {
		port := first - 1 - rand.IntN(span)
		listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			tb.Fatal(err)
		}
		defer listener.Close() // after all are chosen, so that they differ
		ports = append(ports, port)
	}
	return ports
}

// network chooses a network of the loopback device at whose first address nobody serves
// https.
func network(tb testing.TB) *net.IPNet {
	tb.Helper()
	for {
		n := &net.IPNet{IP: net.IPv4(127, byte(1+rand.IntN(254)), byte(rand.IntN(256)), 0), Mask: net.CIDRMask(24, 32)}
		listener, err := net.Listen("tcp4", net.JoinHostPort(first(n).String(), "443"))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err == nil {
			err = listener.Close()
		}
		if err != nil {
			tb.Fatal(err)
		}
		return n
	}
}

// first is the first address of a network, which is that of the API server's service.
func first(n *net.IPNet) net.IP {
	ip := slices.Clone(n.IP)
	ip[len(ip)-1] = 1
	return ip
}

// firstOfConnections is the lowest port that the kernel gives to a connection.
func firstOfConnections(tb testing.TB) (first int) {
	tb.Helper()
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err == nil {
		_, err = fmt.Sscan(string(text), &first)
	}
	if err != nil || first < 1024+span {
		tb.Fatalf("the ports of connections begin at %d: %v", first, err)
	}
	return first
}
