package rules

import (
	"regexp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// danglingPrefixes start the names that clients give to images which have
// none: docker, nerdctl, and imports. Names of snapshotters serve nerdctl for
// the same; those are the ones that exist, whatever this daemon has loaded.
var danglingPrefixes = []string{
	"moby-dangling", "<none>", "import",
	"overlayfs", "native", "btrfs", "zfs", "devmapper", "blockfile", "erofs",
	"stargz", "nydus", "soci", "overlaybd", "fuse-overlayfs", "windows", "windows-lcow", "cimfs",
}

// datedImport is what ctr names an import by digest.
var datedImport = regexp.MustCompile(`^import-\d{4}-\d{2}-\d{2}$`)

// standInPrefix is what a stand-in is named with, by namespace, so that the
// client of the namespace knows it for a dangling image.
func standInPrefix(namespace string) string {
	if namespace == inventory.DockerNamespace {
		return "moby-dangling"
	}
	return "<none>"
}

// StandInName is what the stand-in for a target is called in a namespace.
func StandInName(namespace string, target digest.Digest) string {
	return standInPrefix(namespace) + "@" + target.String()
}

// Dangling says whether a record's name is one that nobody would type: one of
// the known prefixes, a snapshotter's name or a prefix of the policy, then '@'
// and a digest; or what `nerdctl rmi -f` leaves of the image of a running
// container, a colon that a digest may follow.
func Dangling(name string, snapshotters, prefixes []string) bool {
	if rest, ok := strings.CutPrefix(name, ":"); ok {
		return rest == "" || digest.Digest(rest).Validate() == nil
	}
	prefix, rest, ok := strings.Cut(name, "@")
	if !ok || digest.Digest(rest).Validate() != nil {
		return false
	}
	return slices.Contains(danglingPrefixes, prefix) ||
		slices.Contains(snapshotters, prefix) ||
		slices.Contains(prefixes, prefix) ||
		datedImport.MatchString(prefix)
}
