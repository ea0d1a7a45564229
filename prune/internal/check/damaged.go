package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// damaged finds the blobs whose files are shorter or longer than containerd
// lists, as after a power failure, and on request those whose bytes are others.
// A file is looked at once, whichever namespaces have it.
func (k *Checker) damaged(ctx context.Context, st store.Store, l looked, opts CheckOptions) error {
	files := st.Abilities().Files
	if files == nil || l.blobs == nil {
		return nil
	}
	dir, err := files.ContentDir(ctx)
	if err != nil {
		return err
	}
	meter := read.NewMeter(verifying(opts), read.StageVerify)
	meter.Total = len(l.blobs)
	seen := make(map[digest.Digest]cause.Cause)
	for _, ns := range k.Inv.Namespaces {
		for _, dgst := range slices.Sorted(maps.Keys(ns.Blobs)) {
			if _, there := l.blobs[dgst]; !there {
				continue // lost
			}
			why, known := seen[dgst]
			if !known {
				if why, err = wrong(ctx, store.BlobFile(dir, dgst), dgst, ns.Blobs[dgst].Size, opts.Verify); err != nil {
					return fmt.Errorf("reading blob %s: %w", dgst, err)
				}
				seen[dgst] = why
				meter.Add(1)
			}
			if why.Given() {
				k.add(Finding{
					Problem: ProblemDamaged, Namespace: ns.Name, Object: dgst.String(), Bytes: ns.Blobs[dgst].Size,
					Parts: cause.PartsBecause(why), Fix: pullAgain(ns.Name, dgst),
				})
			}
		}
	}
	return nil
}

// verifying is who is told of progress: sizes alone are compared in no time.
func verifying(opts CheckOptions) func(read.Progress) {
	if opts.Verify {
		return opts.Read.Progress
	}
	return nil
}

// pullAgain is the command for a blob whose file is not what it should be.
func pullAgain(namespace string, dgst digest.Digest) string {
	return fmt.Sprintf("ctr -n %s content rm %s, then check again: that names the images to pull", namespace, dgst)
}

// wrong says what is wrong with the file of a blob; nothing if it is gone by now.
func wrong(ctx context.Context, path string, dgst digest.Digest, size int64, verify bool) (cause.Cause, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return cause.Cause{}, nil
	}
	if err != nil {
		return cause.Cause{}, err
	}
	if info.Size() != size {
		return cause.Because(cause.CodeWrongSize, cause.Parts{Detail: fmt.Sprintf("%d bytes instead of %d", info.Size(), size)}), nil
	}
	if !verify {
		return cause.Cause{}, nil
	}
	same, err := hasDigest(ctx, path, dgst)
	if err != nil || same {
		return cause.Cause{}, err
	}
	return cause.Plainly(cause.CodeWrongDigest), nil
}

func hasDigest(ctx context.Context, path string, dgst digest.Digest) (bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // removed meanwhile
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	verifier := dgst.Verifier()
	if _, err := io.Copy(verifier, readerUnder{ctx, f}); err != nil {
		return false, err
	}
	return verifier.Verified(), nil
}

// readerUnder reads until its context ends.
type readerUnder struct {
	ctx context.Context
	io.Reader
}

func (r readerUnder) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
