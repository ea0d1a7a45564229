package store

import (
	// The algorithms that a content store may use, sha256 and sha512.
	_ "crypto/sha256"
	_ "crypto/sha512"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
)

// ListBlobFiles lists the blobs of a content store's directory, blobs/<alg>/<hex>
// (containerd's docs/content-flow.md). Only names are read, no inode: 43,000
// blobs take tens of milliseconds. Names that are no digest are left out.
func ListBlobFiles(contentRoot string) (map[digest.Digest]struct{}, error) {
	blobs := filepath.Join(contentRoot, "blobs")
	var algs []string
	err := storeEachName(blobs, func(name string) { algs = append(algs, name) })
	if errors.Is(err, fs.ErrNotExist) {
		// The store makes this directory with its first blob.
		return map[digest.Digest]struct{}{}, nil
	}
	if err != nil {
		return nil, StoreBlobsError(err)
	}
	found := map[digest.Digest]struct{}{}
	for _, name := range algs {
		alg := digest.Algorithm(name)
		if !alg.Available() {
			continue
		}
		err := storeEachName(filepath.Join(blobs, name), func(hex string) {
			if storeIsHex(hex, alg.Size()*2) {
				found[digest.Digest(name+":"+hex)] = struct{}{}
			}
		})
		if err != nil {
			return nil, StoreBlobsError(err)
		}
	}
	return found, nil
}

// SizeOfBlobFile is the length of a blob's file in bytes.
func SizeOfBlobFile(contentRoot string, dgst digest.Digest) (int64, error) {
	info, err := os.Lstat(BlobFile(contentRoot, dgst))
	if err != nil {
		return 0, fmt.Errorf("look at the file of blob %s: %w", dgst, err)
	}
	return info.Size(), nil
}

// StoreBlobsError says that the files of blobs could not be listed; of files that this
// user may not see it matches errdefs.ErrUnavailable.
func StoreBlobsError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		err = Cause(errdefs.ErrUnavailable, err)
	}
	return fmt.Errorf("list the blobs on disk: %w", err)
}

// namesAtOnce is how many names of a directory are read at once: it may have a
// million.
const namesAtOnce = 4096

func storeEachName(dir string, visit func(name string)) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	// Nothing was written: closing a directory has no error that matters.
	defer func() { _ = f.Close() }()
	for {
		names, err := f.Readdirnames(namesAtOnce)
		for _, name := range names {
			visit(name)
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
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

// BlobFile is where a content store keeps a blob; empty, which is no file, for what
// is no digest: the store has none of these, but names and labels may.
func BlobFile(contentRoot string, dgst digest.Digest) string {
	if dgst.Validate() != nil {
		return ""
	}
	return filepath.Join(contentRoot, "blobs", dgst.Algorithm().String(), dgst.Encoded())
}

// RootPath joins the parts of a plugin's directory: its type and its name.
func RootPath(dir, plugin, name string) string {
	return filepath.Join(dir, plugin+"."+name)
}
