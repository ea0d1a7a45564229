package prune

import (
	// The algorithms that a content store may use, sha256 and sha512.
	_ "crypto/sha256"
	_ "crypto/sha512"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
)

// storeBlobFiles lists the blobs of a content store's directory, blobs/<alg>/<hex>
// (containerd's docs/content-flow.md). Only names are read, no inode: 43,000
// blobs take tens of milliseconds. Names that are no digest are left out.
func storeBlobFiles(contentRoot string) (map[digest.Digest]struct{}, error) {
	blobs := filepath.Join(contentRoot, "blobs")
	algs, err := storeReadNames(blobs)
	if errors.Is(err, fs.ErrNotExist) {
		// The store makes this directory with its first blob.
		return map[digest.Digest]struct{}{}, nil
	}
	if err != nil {
		return nil, storeBlobsError(err)
	}
	found := map[digest.Digest]struct{}{}
	for _, name := range algs {
		alg := digest.Algorithm(name)
		if !alg.Available() {
			continue
		}
		files, err := storeReadNames(filepath.Join(blobs, name))
		if err != nil {
			return nil, storeBlobsError(err)
		}
		for _, hex := range files {
			if storeIsHex(hex, alg.Size()*2) {
				found[digest.NewDigestFromEncoded(alg, hex)] = struct{}{}
			}
		}
	}
	return found, nil
}

// storeBlobFileSize is the length of a blob's file in bytes.
func storeBlobFileSize(contentRoot string, dgst digest.Digest) (int64, error) {
	info, err := os.Lstat(blobFile(contentRoot, dgst))
	if err != nil {
		return 0, fmt.Errorf("look at the file of blob %s: %w", dgst, err)
	}
	return info.Size(), nil
}

func storeBlobsError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		err = storeCause(errdefs.ErrUnavailable, err)
	}
	return fmt.Errorf("list the blobs on disk: %w", err)
}

func storeReadNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	// Nothing was written: closing a directory has no error that matters.
	defer func() { _ = f.Close() }()
	return f.Readdirnames(-1)
}

// storeIsHex reports whether s is n lower-case hexadecimal digits, as digests are.
// digest.Validate says the same with a regular expression, much more slowly.
func storeIsHex(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
