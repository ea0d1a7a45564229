package browse_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/browse"
	"github.com/ctr-prune/ctr-prune/prune"
)

// noon is when the store of the tests was read.
var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// store is a survey whose images have a layer of their own each, and share one with all
// others: of what is picked it frees the layers of the images that are unused.
type store struct {
	usage *prune.DiskUsage
	// held is who holds what is shared.
	held string
}

const (
	ownBytes    = 5_000_000
	sharedBytes = 20_000_000
)

// add adds an image, unused if why is "unused".
func (s *store) add(namespace string, days int, why string, names ...string) {
	image := prune.ImageUsage{
		Namespace: namespace, Names: names, Target: digest.FromString(names[0]), Unused: why == "unused",
		CreatedAt: noon.Add(-time.Duration(days) * 24 * time.Hour), Cause: prune.Cause{Reason: why},
	}
	image.TotalBytes = ownBytes*int64(len(s.usage.Images)+1) + sharedBytes
	s.usage.Images = append(s.usage.Images, image)
}

// own is what only one image has: the later it was added, the more.
func (s *store) own(image int) int64 { return ownBytes * int64(image+1) }

func (s *store) Groups(parent, of []int) []prune.Group {
	groups := make([]prune.Group, len(parent))
	for i, at := range of {
		for g := at; g >= 0; g = parent[g] {
			if groups[g].TotalBytes == 0 {
				groups[g].TotalBytes = sharedBytes
			}
			groups[g].TotalBytes += s.own(i)
			groups[g].UniqueBytes += s.own(i)
			if s.usage.Images[i].Unused {
				groups[g].ReclaimableBytes += s.own(i)
			}
		}
	}
	return groups
}

func (s *store) Contents(image int) []prune.ObjectUsage {
	held := prune.ObjectUsage{Digest: digest.FromString("base"), Kind: "layer", Layer: 1, Bytes: sharedBytes, Images: len(s.usage.Images)}
	held.Holder = s.held
	return []prune.ObjectUsage{
		{Digest: digest.FromString(fmt.Sprint("config ", image)), Kind: "config", Bytes: 721, Images: 1}, held,
		{Digest: digest.FromString(fmt.Sprint("layer ", image)), Kind: "layer", Layer: 2, Bytes: s.own(image), Images: 1},
	}
}

func (s *store) Pick(images []int) (p prune.Picked) {
	for _, i := range images {
		image := &s.usage.Images[i]
		if !image.Unused {
			p.Stays = slices.Grow(p.Stays, 1)[:len(p.Stays)+1]
			p.Stays[len(p.Stays)-1].Image, p.Stays[len(p.Stays)-1].Cause = i, image.Cause
			continue
		}
		p.Goes = append(p.Goes, i)
		p.Records += len(image.Names)
		p.Frees.AddBlob(s.own(i))
	}
	if len(p.Goes) > 0 {
		p.Held = slices.Grow(p.Held, 1)[:1]
		p.Held[0].Holder = s.held
		p.Held[0].AddBlob(sharedBytes)
	}
	return p
}

func (s *store) Policy([]int) prune.Policy { return prune.Policy{} }

// small is a store of two namespaces.
func small() *store {
	s := &store{usage: &prune.DiskUsage{Time: noon}, held: `container "web"`}
	s.add("default", 70, "in use by container web (nerdctl)", "docker.io/library/nginx:1.27")
	s.add("default", 3, "unused", "docker.io/library/nginx:1.28", "docker.io/library/nginx:latest")
	s.add("default", 12, "unused", "ghcr.io/example/shop/frontend:2026-10")
	s.add("default", 5, "unused and dangling", "<none>@"+digest.FromString("dangling").String())
	s.usage.Images[3].Unused = true
	s.add("default", 1, "unused", "ghcr.io/example/evil\x1b[2J\u202e:1")
	s.add("k8s.io", 400, "pinned by label io.cri-containerd.pinned", "registry.k8s.io/pause:3.10", "sha256:"+strings.Repeat("7", 64))
	s.usage.Total.TotalBytes, s.usage.Reclaimable.TotalBytes = 125_000_000, 70_000_000
	return s
}

// model is a program that has read a store.
func model(s *store, width, height int) *browse.Model {
	m := browse.New(browse.Look{Title: "/var/lib/containerd", Grace: "24h"}, noon)
	m.Width, m.Height = width, height
	m.Loaded(s, s.usage)
	return m
}

// typed types keys, and returns what the last one asks for.
func typed(m *browse.Model, keys ...string) (effect browse.Effect) {
	for _, key := range keys {
		effect = m.Key(key)
	}
	return effect
}

// screen is what is shown, without spaces at the ends of lines.
func screen(m *browse.Model) string {
	lines := m.View(noon)
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// shows fails unless the screen has a text.
func shows(t *testing.T, m *browse.Model, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(screen(m), text) {
			t.Errorf("no %q on the screen:\n%s", text, screen(m))
		}
	}
}
