package check

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	clientleases "github.com/containerd/containerd/v2/core/leases"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"bytes"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

const longAgo = 30 * 24 * time.Hour

// planted is what a check has to find of one problem.
type planted struct {
	Problem   prune.Problem
	Namespace string
	Object    string
	Bytes     int64
}

// incomplete adds an image that lacks its first layer and is not unpacked.
func (n *node) incomplete(name string) planted {
	img := n.image(name)
	lacking := img.Without(img.Layers[0].Desc.Digest)
	n.must(n.Write(n.t.Context(), lacking))
	return planted{prune.ProblemIncomplete, "default", name, bytesOf(lacking)}
}

// bytesOf sums up what there is of an image.
func bytesOf(img *imagestore.Image) (sum int64) {
	for _, b := range img.Blobs() {
		sum += b.Desc.Size
	}
	return sum
}

// forgotten puts a file among the blobs that the metadata does not know, as
// it is after a kill at the wrong moment.
func (n *node) forgotten(text string) planted {
	dgst := digest.FromString(text)
	n.must(os.WriteFile(n.d.BlobFile(dgst), []byte(text), 0o444))
	return planted{prune.ProblemForgotten, "", dgst.String(), int64(len(text))}
}

// garbage adds a blob that nothing holds.
func (n *node) garbage(text string) planted {
	ctx := n.Context(n.t.Context())
	desc := ocispec.Descriptor{Digest: digest.FromString(text), Size: int64(len(text))}
	w, err := n.Client.ContentStore().Writer(ctx, content.WithRef("garbage"), content.WithDescriptor(desc))
	n.must(err)
	_, err = w.Write([]byte(text))
	n.must(err, w.Commit(ctx, desc.Size, desc.Digest), w.Close())
	return planted{prune.ProblemGarbage, "", "1 blob", desc.Size}
}

// unowned adds a writable snapshot without a container.
func (n *node) unowned(key string) planted {
	ctx := n.Context(n.t.Context())
	sn := n.Client.SnapshotService(n.Snapshotter)
	mounts, err := sn.Prepare(ctx, key, "")
	n.must(err)
	files := []string{mounts[0].Source} // without a parent it is mounted alone
	if n.Snapshotter == "overlayfs" {
		dir := filepath.Dir(files[0])
		files = append(files, dir, filepath.Join(dir, "work"))
	}
	return planted{prune.ProblemUnowned, "default", n.Snapshotter + "/" + key, blocksOf(n, files...)}
}

// expired adds a lease of the past that holds nothing.
func (n *node) expired(id string) planted {
	n.must(n.Lease(n.t.Context(), imagestore.LeaseSpec{ID: id, Expires: time.Now().Add(-time.Hour)}))
	return planted{prune.ProblemExpired, "default", id, 0}
}

// abandoned adds half an upload and dates its files back, while the daemon is
// stopped: it writes the time of an upload when its client has left. Whatever
// was garbage before is collected then.
func (n *node) abandoned(ref string) planted {
	data := []byte("half of this is there, and will never be more")
	_, err := n.Ingest(n.t.Context(), ref, data)
	n.must(err)
	n.d.Stop()
	then := time.Now().Add(-longAgo)
	text, err := then.MarshalText()
	n.must(err)
	dir := filepath.Join(n.d.Root(), "io.containerd.content.v1.content", "ingest")
	n.must(filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if e.Name() == "startedat" || e.Name() == "updatedat" {
			err = os.WriteFile(path, text, 0o666)
		}
		return errors.Join(err, os.Chtimes(path, then, then))
	}))
	n.d.Up()
	n.Store = n.d.Store("default")
	n.must(n.Collect(n.t.Context()))
	return planted{prune.ProblemOldUpload, "default", ref, int64(len(data) / 2)}
}

// interrupted leaves the lease of a run that died with the machine, with its
// plan in which there is nothing.
func (n *node) interrupted() planted {
	ctx := n.Context(n.t.Context())
	n.must(n.RunLease(n.t.Context(), "dead", true))
	plan := []byte(`{"schema":2,"last":true,"run":"dead","namespace":"default","records":[]}`)
	desc := ocispec.Descriptor{Digest: digest.FromBytes(plan), Size: int64(len(plan))}
	n.must(content.WriteBlob(leasing(ctx), n.Client.ContentStore(), "plan", bytes.NewReader(plan), desc,
		content.WithLabels(map[string]string{"ctr-prune/plan": "v2"})))
	return planted{prune.ProblemInterrupted, "default", leases.RunID, int64(len(plan))}
}

// leasing makes what is written under ctx belong to the run lease.
func leasing(ctx context.Context) context.Context { return clientleases.WithLease(ctx, leases.RunID) }
