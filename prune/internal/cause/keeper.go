package cause

import (
	"fmt"

	"github.com/ctr-prune/ctr-prune/leases"
)

// In describes the keeper to people who look at a namespace, "" if at all.
// Names come from the store and may contain any text, so sentences are built
// here and never parsed.
func (k Keeper) In(namespace string) Keeper {
	k.Holder = titles[k.HolderCode](k)
	if k.HeldBy.Namespace != namespace {
		k.Holder += fmt.Sprintf(" in namespace %q", k.HeldBy.Namespace)
	}
	if p := k.HolderParts; p != nil {
		if hint := ReleaseCommand(p.LeaseKind, p.Command); hint != "" {
			k.Holder += "; " + hint
		}
	}
	return k
}

// titles are the words for each.
var titles = map[Code]func(Keeper) string{
	HolderImage:     func(k Keeper) string { return fmt.Sprintf("image %q", k.HeldBy.Name) },
	HolderContainer: func(k Keeper) string { return k.HolderParts.some() },
	HolderSandbox:   func(k Keeper) string { return "sandbox " + k.HeldBy.Name },
	HolderLease: func(k Keeper) string {
		if pod := k.HolderParts.Name; pod != "" {
			return fmt.Sprintf("lease %q (%s %s)", k.HeldBy.Name, k.HolderParts.LeaseKind, pod)
		}
		return fmt.Sprintf("lease %q (%s)", k.HeldBy.Name, k.HolderParts.LeaseKind)
	},
	HolderGrace:  func(k Keeper) string { return "the grace of run " + k.HolderParts.Run },
	HolderBuild:  func(k Keeper) string { return fmt.Sprintf("%s (lease %q)", k.HolderParts.LeaseKind, k.HeldBy.Name) },
	HolderDocker: func(k Keeper) string { return "Docker container " + k.HeldBy.Name[:12] },
	HolderUpload: func(k Keeper) string { return fmt.Sprintf("upload in progress %q", k.HeldBy.Name) },
	HolderUnread: func(k Keeper) string { return fmt.Sprintf("namespace %q, which could not be read", k.HeldBy.Namespace) },
	HolderRootLabel: func(k Keeper) string {
		return fmt.Sprintf("label containerd.io/gc.root on %s %s", k.HeldBy.Kind, k.HeldBy.Name)
	},
}

// ReleaseCommand returns the command by which the owner of a lease releases
// what it holds, or "" if there is none.
func ReleaseCommand(kind leases.Kind, command string) string {
	switch {
	case kind == leases.KindView && command != "":
		return "it outlives its build: " + freed(command) + ", and so does the next start of buildkit"
	case command != "":
		return freed(command)
	case kind == leases.KindBuild:
		return "it is removed when the build ends or buildkit restarts"
	default:
		return ""
	}
}

// The codes of what keeps an object.
const (
	HolderImage     Code = "image"
	HolderContainer Code = "container"
	HolderSandbox   Code = "sandbox"
	HolderLease     Code = "lease"
	HolderGrace     Code = "grace"
	HolderBuild     Code = "build-lease"
	HolderDocker    Code = "docker-container"
	HolderUpload    Code = "upload"
	HolderUnread    Code = "namespace-unread"
	HolderRootLabel Code = "root-label"
)
