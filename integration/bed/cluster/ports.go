package cluster

import (
	"net"
	"testing"
)

// Ports returns ports of the loopback address on which nobody listens.
func Ports(tb testing.TB, count int) (ports []int) {
	tb.Helper()
	for range count {
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		defer listener.Close() // after all are chosen, so that they differ
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports
}
