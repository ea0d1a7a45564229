package kubelet

import (
	"net"
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/ctr-prune/ctr-prune/integration/bed/apart"
)

// serveNames answers pods, as the DNS of a cluster does that knows its nodes: the name of the
// node has its address, and there are no others.
func (n *Node) serveNames() {
	n.tb.Helper()
	conn, err := net.ListenPacket("udp4", net.JoinHostPort(apart.Address, "53"))
	if err != nil {
		n.tb.Fatal(err)
	}
	n.tb.Cleanup(func() { _ = conn.Close() }) // which ends the answers
	go func() {
		for buffer := make([]byte, 1500); ; {
			size, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			if text, err := answer(buffer[:size]); err == nil {
				_, _ = conn.WriteTo(text, from) // who does not get it asks again
			}
		}
	}()
}

// answer answers a question for a name.
func answer(question []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		return nil, err
	}
	m.Response, m.Additionals, m.RCode = true, nil, dnsmessage.RCodeNameError
	for _, q := range m.Questions {
		if q.Name.String() != Name+"." {
			continue
		}
		m.RCode = dnsmessage.RCodeSuccess
		if q.Type == dnsmessage.TypeA {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60},
				Body:   &dnsmessage.AResource{A: netip.MustParseAddr(apart.Address).As4()},
			})
		}
	}
	return m.Pack()
}
