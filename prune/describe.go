package prune

import (
	"fmt"
	"strings"

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

// describeFrom names a root for people who look at another namespace.
func (c *collector) describeFrom(n node, namespace string) string {
	if n.ns == namespace {
		return c.describe(n)
	}
	text, hint, found := strings.Cut(c.describe(n), "; ")
	text = fmt.Sprintf("%s in namespace %q", text, n.ns)
	if found {
		text += "; " + hint
	}
	return text
}

func (c *collector) describeLease(n node) string {
	s, ok := c.spaces[n.ns]
	if !ok {
		return "lease " + n.key
	}
	kind := leases.KindOf(s.leases[n.key].Lease)
	if run, ok := leases.GraceRun(s.leases[n.key].Lease); ok {
		return fmt.Sprintf("the grace of run %s; `ctr-prune runs drop` frees it", run.Name)
	}
	switch hint := freedBy(n.ns, kind); {
	case hint != "":
		return fmt.Sprintf("%s (lease %q); %s", kind, n.key, hint)
	case kind == leases.KindDocker:
		return "Docker container " + n.key[:12]
	default:
		return fmt.Sprintf("lease %q (%s)", n.key, kind)
	}
}

// freedBy says how the owner of a lease lets go of what it holds: with
// buildkit's own command, or with Docker's where buildkit is a part of it.
func freedBy(namespace string, kind leases.Kind) string {
	docker := strings.HasPrefix(namespace, dockerNamespace)
	switch {
	case kind == leases.KindCache && docker:
		return "`docker builder prune` frees it"
	case kind == leases.KindCache:
		return "`buildctl prune` frees it"
	case kind == leases.KindHistory && docker:
		return "`docker buildx history rm` frees it"
	case kind == leases.KindHistory:
		return "`buildctl prune-histories` frees it"
	case kind == leases.KindBuild:
		return "it goes with the build, or when buildkit starts again"
	default:
		return ""
	}
}
