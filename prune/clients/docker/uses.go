package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	kindContainer = "Docker container"
	kindMount     = "an image mount of Docker container"
	kindLayer     = "Docker layer"
)

// uses returns the uses of containers. A layer of Docker's that belongs to none
// of them, such as one of a build in progress, uses what it is based on.
func (e *engine) uses(ctx context.Context, ns *prune.Namespace, list []container.Summary) ([]prune.Use, error) {
	own, layers := ns.DockerContainers(), ns.DockerLayers()
	typed, recorded := make([]string, len(list)), targets(ns)
	err := each(ctx, len(list), func(ctx context.Context, i int) (err error) {
		typed[i], err = e.asTyped(ctx, list[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	var uses []prune.Use
	for i, c := range list {
		uses = append(uses, containerUses(recorded, c, typed[i], own[c.ID])...)
		for _, m := range c.Mounts {
			if m.Type != mount.TypeImage {
				continue
			}
			key := mountLayer(c.ID, m)
			uses = append(uses, prune.Use{Holder: holder(kindMount, c), Image: m.Name, Snapshot: layers[key]})
			delete(layers, key)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(layers)) {
		uses = append(uses, prune.Use{Holder: prune.Holder{Kind: kindLayer, ID: short(id)}, Snapshot: layers[id]})
	}
	return uses, nil
}

// containerUses returns the uses of a container: the image it was created from,
// and the name that was typed for it, which may have moved to another image
// since. The manifest counts only if no record has the image. The container's
// own layers always count: its files are based on them, whatever the Engine
// says.
func containerUses(recorded map[digest.Digest]bool, c container.Summary, typed string, own prune.SnapshotKey) []prune.Use {
	use := prune.Use{Holder: holder(kindContainer, c), Snapshot: own, Told: true}
	if c.ImageID == "" {
		if own == (prune.SnapshotKey{}) {
			return nil
		}
		return []prune.Use{use}
	}
	use.Image, use.Digests = typed, []digest.Digest{digest.Digest(c.ImageID)}
	if !recorded[digest.Digest(c.ImageID)] && c.ImageManifestDescriptor != nil {
		use.Digests = append(use.Digests, c.ImageManifestDescriptor.Digest)
	}
	uses := []prune.Use{use}
	if tag := tagOf(typed); tag != "" {
		uses = append(uses, prune.Use{Holder: use.Holder, Image: tag, Digests: use.Digests})
	}
	return uses
}

// targets are what the records of a namespace point to.
func targets(ns *prune.Namespace) map[digest.Digest]bool {
	found := make(map[digest.Digest]bool, len(ns.Images))
	for i := range ns.Images {
		found[ns.Images[i].Target.Digest] = true
	}
	return found
}

// tagOf returns repo:tag of repo:tag@digest, and "" for all other forms. Docker
// keeps the tag too, because it is what the user has in mind.
func tagOf(typed string) string {
	name, err := reference.ParseNormalizedNamed(typed)
	if err != nil {
		return ""
	}
	tagged, hasTag := name.(reference.Tagged)
	if _, hasDigest := name.(reference.Digested); !hasTag || !hasDigest {
		return ""
	}
	return name.Name() + ":" + tagged.Tag()
}

// asTyped returns the image name that a container was created with. The list
// shows the image ID instead if the name now refers to another image.
func (e *engine) asTyped(ctx context.Context, c container.Summary) (string, error) {
	if c.Image != c.ImageID {
		return c.Image, nil
	}
	found, err := e.api.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
	if errdefs.IsNotFound(err) {
		return c.Image, nil // removed since it was listed
	}
	if err != nil {
		return "", e.sentence(err)
	}
	return summary(found.Container).Image, nil
}

// summary converts the details of one container to the form of the list.
func summary(c container.InspectResponse) container.Summary {
	s := container.Summary{
		ID: c.ID, Names: []string{c.Name}, ImageID: c.Image,
		ImageManifestDescriptor: c.ImageManifestDescriptor, Mounts: c.Mounts,
	}
	if c.Config != nil {
		s.Image = c.Config.Image
	}
	if c.State != nil {
		s.State = c.State.Status
	}
	return s
}

// mountLayer returns the name that Docker gives the layer of an image mount
// (moby: daemon/volumes.go, registerMountPoints).
func mountLayer(id string, m container.MountPoint) string {
	sum := sha256.Sum256([]byte(id + "-src=" + m.Name + "-dst=" + m.Destination))
	return hex.EncodeToString(sum[:])
}

func holder(kind string, c container.Summary) prune.Holder {
	h := prune.Holder{Kind: kind, ID: c.ID, Name: short(c.ID), State: string(c.State)}
	if c.State == container.StateExited {
		h.State = "stopped"
	}
	if len(c.Names) > 0 && strings.TrimPrefix(c.Names[0], "/") != "" {
		h.Name = strings.TrimPrefix(c.Names[0], "/")
	}
	return h
}

// short is the prefix of an ID that Docker prints.
func short(id string) string { return id[:min(12, len(id))] }
