package run

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// mostStuck bounds how many files are looked at to learn why they are still
// there. One that cannot be removed keeps the collector from the others.
const mostStuck = 1000

// stuckError says that blobs are on the disk although containerd forgot them,
// and for the first with a reason that can be seen, the reason.
func stuckError(ctx context.Context, store store.Store, left []digest.Digest) error {
	why := "see its log for the reason"
	if locator := store.Abilities().Files; locator != nil {
		if dir, err := locator.ContentDir(ctx); err == nil {
			why = stuckReason(dir, left, why)
		}
	}
	return &cause.CodeError{Code: cause.CodeFilesLeft, Err: fmt.Errorf("%d blobs are still on the disk although containerd no longer knows them: %s", len(left), why)}
}

func stuckReason(dir string, left []digest.Digest, unknown string) string {
	slices.Sort(left)
	for _, dgst := range left[:min(len(left), mostStuck)] {
		if flags := fixedFlags(store.BlobFile(dir, dgst)); flags != "" {
			return fmt.Sprintf("%s cannot be removed because its file is marked %s (see chattr(1))", dgst, flags)
		}
	}
	return unknown
}

// fixedFlags names what keeps a file from being removed even by root, as far
// as its file system tells (statx(2)).
func fixedFlags(path string) string {
	var st unix.Statx_t
	if unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_TYPE, &st) != nil {
		return ""
	}
	var flags []string
	if st.Attributes&unix.STATX_ATTR_IMMUTABLE != 0 {
		flags = append(flags, "immutable")
	}
	if st.Attributes&unix.STATX_ATTR_APPEND != 0 {
		flags = append(flags, "append-only")
	}
	return strings.Join(flags, " and ")
}
