package prune

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/sandbox"

	"github.com/ctr-prune/ctr-prune/leases"
)

// The codes of what keeps an object.
const (
	holderImage     Code = "image"
	holderContainer Code = "container"
	holderSandbox   Code = "sandbox"
	holderLease     Code = "lease"
	holderGrace     Code = "grace"
	holderBuild     Code = "build-lease"
	holderDocker    Code = "docker-container"
	holderUpload    Code = "upload"
	holderRootLabel Code = "root-label"
)

// titles are the words for each.
var titles = map[Code]func(Keeper) string{
	holderImage:     func(k Keeper) string { return fmt.Sprintf("image %q", k.HeldBy.Name) },
	holderContainer: func(k Keeper) string { return k.HolderParts.some() },
	holderSandbox:   func(k Keeper) string { return "sandbox " + k.HeldBy.Name },
	holderLease:     func(k Keeper) string { return fmt.Sprintf("lease %q (%s)", k.HeldBy.Name, k.HolderParts.LeaseKind) },
	holderGrace:     func(k Keeper) string { return "the grace of run " + k.HolderParts.Run },
	holderBuild:     func(k Keeper) string { return fmt.Sprintf("%s (lease %q)", k.HolderParts.LeaseKind, k.HeldBy.Name) },
	holderDocker:    func(k Keeper) string { return "Docker container " + k.HeldBy.Name[:12] },
	holderUpload:    func(k Keeper) string { return fmt.Sprintf("upload in progress %q", k.HeldBy.Name) },
	holderRootLabel: func(k Keeper) string {
		return fmt.Sprintf("label containerd.io/gc.root on %s %s", k.HeldBy.Kind, k.HeldBy.Name)
	},
}

// in describes the keeper to people who look at a namespace, "" if at all. Names
// come from the store and may read like anything, so that words are put together
// here and never taken apart.
func (k Keeper) in(namespace string) Keeper {
	k.Holder = titles[k.HolderCode](k)
	if k.HeldBy.Namespace != namespace {
		k.Holder += fmt.Sprintf(" in namespace %q", k.HeldBy.Namespace)
	}
	if p := k.HolderParts; p != nil {
		if hint := letsGo(p.LeaseKind, p.Command); hint != "" {
			k.Holder += "; " + hint
		}
	}
	return k
}

// keeper tells of a root.
func (c *collector) keeper(n node) Keeper {
	k := Keeper{HeldBy: n.object()}
	switch n.kind {
	case kindContainer:
		k.HolderCode, k.HolderParts = holderContainer, &parts{Users: []user{{Holder: c.holder(n)}}}
	case kindSandbox:
		k.HolderCode = holderSandbox
	case kindLease:
		k.HolderCode, k.HolderParts = c.leaseKeeper(n)
	case kindIngest:
		k.HolderCode = holderUpload
	case kindContent, kindSnapshot:
		k.HolderCode = holderRootLabel
	default:
		k.HolderCode = holderImage
	}
	return k
}

func (c *collector) holder(n node) Holder {
	if s, ok := c.spaces[n.ns]; ok {
		if container, ok := s.containers[n.key]; ok {
			return holderOf(container)
		}
	}
	return Holder{Kind: "container", ID: n.key}
}

func (c *collector) leaseKeeper(n node) (Code, *parts) {
	s, ok := c.spaces[n.ns]
	if !ok {
		return holderLease, &parts{LeaseKind: leases.KindOther}
	}
	kind := s.kindOf(s.leases[n.key])
	p := &parts{LeaseKind: kind, Command: c.freeing(n.ns, kind)}
	run, grace := leases.GraceRun(s.leases[n.key].Lease)
	switch {
	case grace:
		p.Run = run.Name
		return holderGrace, p
	case letsGo(kind, p.Command) != "":
		return holderBuild, p
	case kind == leases.KindDocker:
		return holderDocker, p
	default:
		return holderLease, p
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

// freeing is the command by which the owner of a lease lets go of what it holds,
// "" if there is none.
func (c *collector) freeing(namespace string, kind leases.Kind) string {
	s := c.spaces[strings.TrimSuffix(namespace, historySuffix)]
	return freeing(dockerName(namespace) || s != nil && s.docker, kind)
}

// dockerNames are the namespaces of Docker Engines, unless one was given
// another: with a remapped root it has numbers.
var dockerNames = regexp.MustCompile(`^` + dockerNamespace + `(-[0-9]+\.[0-9]+)?(` + historySuffix + `)?$`)

// dockerName says whether a namespace is by its name a Docker Engine's, or that
// of the history of what it builds.
func dockerName(namespace string) bool { return dockerNames.MatchString(namespace) }

// freeing is buildkit's own command, or Docker's where buildkit is a part of it.
func freeing(docker bool, kind leases.Kind) string {
	switch {
	case kind == leases.KindCache && docker:
		return "docker builder prune"
	case kind == leases.KindCache:
		return "buildctl prune"
	case kind == leases.KindHistory && docker:
		return "docker buildx history rm"
	case kind == leases.KindHistory:
		return "buildctl prune-histories"
	default:
		return ""
	}
}
