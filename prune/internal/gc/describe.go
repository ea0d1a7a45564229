package gc

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/sandbox"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Keeper tells of a root.
func (c *Collector) Keeper(n graph.Node) cause.Keeper {
	k := cause.Keeper{HeldBy: n.Object()}
	switch n.Kind {
	case graph.KindContainer:
		k.HolderCode, k.HolderParts = cause.HolderContainer, &cause.Parts{Users: []cause.User{{Holder: c.holder(n)}}}
	case graph.KindSandbox:
		k.HolderCode = cause.HolderSandbox
	case graph.KindLease:
		k.HolderCode, k.HolderParts = c.leaseKeeper(n)
	case graph.KindIngest:
		k.HolderCode = cause.HolderUpload
	case graph.KindContent, graph.KindSnapshot:
		k.HolderCode = cause.HolderRootLabel
		if s := c.Spaces[n.Namespace]; s != nil && s.Unread != "" {
			k.HolderCode = cause.HolderUnread
		}
	default:
		k.HolderCode = cause.HolderImage
	}
	return k
}

func (c *Collector) holder(n graph.Node) cause.Holder {
	if s, ok := c.Spaces[n.Namespace]; ok {
		if container, ok := s.ContainerByID[n.Key]; ok {
			return inventory.HolderOf(container)
		}
	}
	return cause.Holder{Kind: "container", ID: n.Key}
}

func (c *Collector) leaseKeeper(n graph.Node) (cause.Code, *cause.Parts) {
	s, ok := c.Spaces[n.Namespace]
	if !ok {
		return cause.HolderLease, &cause.Parts{LeaseKind: leases.KindOther}
	}
	kind := s.KindOf(s.LeaseByID[n.Key])
	p := &cause.Parts{LeaseKind: kind, Command: c.Freeing(n.Namespace, kind), Name: s.PodOf(n.Key)}
	run, grace := leases.GraceOf(s.LeaseByID[n.Key].Lease)
	switch {
	case grace:
		p.Run = run
		return cause.HolderGrace, p
	case cause.ReleaseCommand(kind, p.Command) != "":
		return cause.HolderBuild, p
	case kind == leases.KindDocker:
		return cause.HolderDocker, p
	default:
		return cause.HolderLease, p
	}
}

// KindOf tells the kind of a lease of the namespace.
func (s *Space) KindOf(lease inventory.Lease) leases.Kind {
	kind := leases.KindOf(lease.Lease, lease.Resources...)
	if kind == leases.KindOther && s.PodOf(lease.ID) != "" {
		return leases.KindPod
	}
	return kind
}

// PodOf names the pod whose sandbox has the ID, by which CRI calls the pod's lease,
// as "namespace/name", or by the ID if its sandbox does not say; it is "" if there
// is none.
func (s *Space) PodOf(id string) string {
	if container, ok := s.ContainerByID[id]; ok && inventory.IsPodSandbox(container) {
		return cmp.Or(inventory.PodName(container), id)
	}
	at := slices.IndexFunc(s.Sandboxes, func(sb sandbox.Sandbox) bool { return sb.ID == id })
	if s.Name != store.CRINamespace || at < 0 {
		return ""
	}
	return cmp.Or(inventory.PodName(containers.Container{Labels: s.Sandboxes[at].Labels}), id)
}

// Freeing is the command by which the owner of a lease releases what it holds,
// or "" if there is none.
func (c *Collector) Freeing(namespace string, kind leases.Kind) string {
	s := c.Spaces[strings.TrimSuffix(namespace, inventory.HistorySuffix)]
	return Freeing(DockerName(namespace) || s != nil && s.docker, kind)
}

// dockerNames are the namespaces of Docker Engines, unless one was given
// another: with a remapped root it has numbers.
var dockerNames = regexp.MustCompile(`^` + inventory.DockerNamespace + `(-[0-9]+\.[0-9]+)?(` + inventory.HistorySuffix + `)?$`)

// DockerName says whether a namespace is by its name a Docker Engine's, or that
// of the history of what it builds.
func DockerName(namespace string) bool { return dockerNames.MatchString(namespace) }

// Freeing is buildkit's own command, or Docker's where buildkit is a part of it.
func Freeing(docker bool, kind leases.Kind) string {
	switch {
	case kind == leases.KindCache && docker:
		return "docker builder prune"
	case kind == leases.KindCache:
		return "buildctl prune"
	// Without its flag, buildkit keeps the cache that an image shares.
	case kind == leases.KindView && docker:
		return "docker builder prune --all"
	case kind == leases.KindView:
		return "buildctl prune --all"
	case kind == leases.KindHistory && docker:
		return "docker buildx history rm"
	case kind == leases.KindHistory:
		return "buildctl prune-histories"
	default:
		return ""
	}
}
