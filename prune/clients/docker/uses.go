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

// uses turns containers into claims. Layers that Docker keeps and that belong
// to none of them, as of a build under way, claim what they stand on.
func (e *engine) uses(ctx context.Context, ns *prune.Namespace, list []container.Summary) ([]prune.Use, error) {
	own, layers := ns.DockerContainers(), ns.DockerLayers()
	var uses []prune.Use
	for _, c := range list {
		image, err := e.asTyped(ctx, c)
		if err != nil {
			return nil, err
		}
		uses = append(uses, containerUses(ns, c, image, own[c.ID])...)
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

// containerUses claims the image that a container was made from, and the name
// that was typed for it, which may have moved to another since. The manifest
// speaks only when no record has the image. The container's own layers speak
// for themselves: they are what its files stand on, whatever the Engine says.
func containerUses(ns *prune.Namespace, c container.Summary, typed string, own prune.SnapshotKey) []prune.Use {
	use := prune.Use{Holder: holder(kindContainer, c), Snapshot: own, Told: true}
	if c.ImageID == "" {
		if own == (prune.SnapshotKey{}) {
			return nil
		}
		return []prune.Use{use}
	}
	use.Image, use.Digests = typed, []digest.Digest{digest.Digest(c.ImageID)}
	if !recorded(ns, digest.Digest(c.ImageID)) && c.ImageManifestDescriptor != nil {
		use.Digests = append(use.Digests, c.ImageManifestDescriptor.Digest)
	}
	uses := []prune.Use{use}
	if tag := tagOf(typed); tag != "" {
		uses = append(uses, prune.Use{Holder: use.Holder, Image: tag, Digests: use.Digests})
	}
	return uses
}

func recorded(ns *prune.Namespace, target digest.Digest) bool {
	for _, image := range ns.Images {
		if image.Target.Digest == target {
			return true
		}
	}
	return false
}

// tagOf returns repo:tag of repo:tag@digest, "" for all other spellings.
// Docker keeps the tag, too, as it is what the user thinks of.
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

// asTyped returns the name that a container was made by. The list shows the
// image ID instead when the name means another image by now.
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

// summary is the list's entry of a container that was asked for by itself.
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

// mountLayer names the layer of an image mount as Docker does (moby:
// daemon/volumes.go, registerMountPoints).
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

// short is the beginning of an ID, as Docker prints it.
func short(id string) string { return id[:min(12, len(id))] }
