package imagestore

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Builder makes images. Two builders with the same seed make the same images
// on the same machine; no two layers of one builder are alike. It is not safe
// for concurrent use.
type Builder struct {
	seed    uint64
	rand    *rand.Rand
	files   []string
	serial  int
	created time.Time
}

// New returns a builder.
func New(seed uint64) *Builder {
	return &Builder{
		seed:    seed,
		rand:    rand.New(rand.NewPCG(seed, seed)),
		files:   machineFiles(),
		created: time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC),
	}
}

// Spec describes an image to make.
type Spec struct {
	// Name is the record that Import and Write make when they are given no
	// names.
	Name string
	// Base is an image whose layers come first: a shared base.
	Base *Image
	// Layers is how many layers to add, one unless Base is given.
	Layers int
	// LayerBytes is about how large a layer is before compression: 32 KiB
	// unless set.
	LayerBytes int
	// Labels are those of the image config.
	Labels map[string]string
	// Platform is this machine's unless set.
	Platform *ocispec.Platform
	// Created stands in the image config: 2025-01-01 unless set.
	Created time.Time
	// Docker uses Docker's media types instead of the OCI's.
	Docker bool
}

func (b *Builder) complete(s Spec) Spec {
	if s.Layers == 0 && s.Base == nil {
		s.Layers = 1
	}
	if s.LayerBytes == 0 {
		s.LayerBytes = 32 << 10
	}
	if s.Platform == nil {
		p := platforms.DefaultSpec()
		s.Platform = &p
	}
	if s.Created.IsZero() {
		s.Created = b.created
	}
	return s
}

// next returns a number that no earlier call on this builder returned.
func (b *Builder) next() int {
	b.serial++
	return b.serial
}

func (b *Builder) marker() string { return fmt.Sprintf("%d/%d", b.seed, b.next()) }
