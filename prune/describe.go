package prune

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/sandbox"

	"github.com/ctr-prune/ctr-prune/leases"
)

// keeper is a root that keeps objects from a collection. Names come from the
// store and may read like anything, so that words are put together in one place
// and never taken apart.
type keeper struct {
	Object
	// title names it, hint says how it lets go, if that can be said.
	title, hint string
}

// in describes the keeper to people who look at a namespace, "" if at all.
func (k keeper) in(namespace string) string {
	text := k.title
	if k.Namespace != namespace {
		text += fmt.Sprintf(" in namespace %q", k.Namespace)
	}
	if k.hint != "" {
		text += "; " + k.hint
	}
	return text
}

// keeper describes a root.
func (c *collector) keeper(n node) keeper {
	k := keeper{Object: n.object()}
	switch n.kind {
	case kindImage:
		k.title = fmt.Sprintf("image %q", n.key)
	case kindContainer:
		k.title = c.describeContainer(n)
	case kindSandbox:
		k.title = "sandbox " + n.key
	case kindLease:
		k.title, k.hint = c.describeLease(n)
	case kindIngest:
		k.title = fmt.Sprintf("upload in progress %q", n.key)
	case kindContent:
		k.title = fmt.Sprintf("label containerd.io/gc.root on content %s", n.key)
	case kindSnapshot:
		k.title = fmt.Sprintf("label containerd.io/gc.root on snapshot %s", n.key)
	default:
		k.title = n.key
	}
	return k
}

func (c *collector) describeContainer(n node) string {
	if s, ok := c.spaces[n.ns]; ok {
		if container, ok := s.containers[n.key]; ok {
			return holderOf(container).String()
		}
	}
	return "container " + n.key
}

func (c *collector) describeLease(n node) (title, hint string) {
	s, ok := c.spaces[n.ns]
	if !ok {
		return "lease " + n.key, ""
	}
	kind := s.kindOf(s.leases[n.key])
	if run, ok := leases.GraceRun(s.leases[n.key].Lease); ok {
		return fmt.Sprintf("the grace of run %s", run.Name), "`ctr-prune runs drop` frees it"
	}
	switch hint := c.freedBy(n.ns, kind); {
	case hint != "":
		return fmt.Sprintf("%s (lease %q)", kind, n.key), hint
	case kind == leases.KindDocker:
		return "Docker container " + n.key[:12], ""
	default:
		return fmt.Sprintf("lease %q (%s)", n.key, kind), ""
	}
}

// kindOf tells the kind of a lease of the namespace.
func (s *space) kindOf(lease Lease) leases.Kind {
	kind := leases.KindOf(lease.Lease, lease.Resources...)
	if kind == leases.KindOther && s.pod(lease.ID) {
		return leases.KindPod
	}
	return kind
}

// pod says whether a pod of the namespace has the ID.
func (s *space) pod(id string) bool {
	container, ok := s.containers[id]
	return ok && isPodSandbox(container) ||
		s.Name == criNamespace && slices.ContainsFunc(s.Sandboxes, func(sb sandbox.Sandbox) bool { return sb.ID == id })
}

// freedBy says how the owner of a lease lets go of what it holds, "" if there is
// nothing to say.
func (c *collector) freedBy(namespace string, kind leases.Kind) string {
	s := c.spaces[strings.TrimSuffix(namespace, historySuffix)]
	return freedBy(dockerName(namespace) || s != nil && s.docker, kind)
}

// dockerNames are the namespaces of Docker Engines, unless one was given
// another: with a remapped root it has numbers.
var dockerNames = regexp.MustCompile(`^` + dockerNamespace + `(-[0-9]+\.[0-9]+)?(` + historySuffix + `)?$`)

// dockerName says whether a namespace is by its name a Docker Engine's, or that
// of the history of what it builds.
func dockerName(namespace string) bool { return dockerNames.MatchString(namespace) }

// freedBy says it by buildkit's own command, or by Docker's where buildkit is a
// part of it.
func freedBy(docker bool, kind leases.Kind) string {
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
