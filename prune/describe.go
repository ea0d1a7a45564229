package prune

import (
	"fmt"

	"github.com/ctr-prune/ctr-prune/leases"
)

// describe names a root for people.
func (c *collector) describe(n node) string {
	switch n.kind {
	case kindImage:
		return fmt.Sprintf("image %q", n.key)
	case kindContainer:
		return c.describeContainer(n)
	case kindSandbox:
		return "sandbox " + n.key
	case kindLease:
		return c.describeLease(n)
	case kindIngest:
		return fmt.Sprintf("upload in progress %q", n.key)
	case kindContent:
		return fmt.Sprintf("label containerd.io/gc.root on content %s", n.key)
	case kindSnapshot:
		return fmt.Sprintf("label containerd.io/gc.root on snapshot %s", n.key)
	default:
		return n.key
	}
}

func (c *collector) describeContainer(n node) string {
	if s, ok := c.spaces[n.ns]; ok {
		if container, ok := s.containers[n.key]; ok {
			return holderOf(container).String()
		}
	}
	return "container " + n.key
}

func (c *collector) describeLease(n node) string {
	s, ok := c.spaces[n.ns]
	if !ok {
		return "lease " + n.key
	}
	kind := leases.KindOf(s.leases[n.key].Lease)
	text := fmt.Sprintf("lease %q (%s)", n.key, kind)
	if kind == leases.KindCache || kind == leases.KindHistory {
		text += ", `buildctl prune` frees it"
	}
	return text
}
