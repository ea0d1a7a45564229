package prune

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"google.golang.org/protobuf/encoding/protowire"
)

// pinnedByCRI adds what CRI is configured with. If it cannot be learned, every
// image stays that may be the sandbox image: those are small, and without it the
// node starts nothing any more. A CRI that fails is not believed in anything.
func (r asking) pinnedByCRI(ctx context.Context, ns *Namespace) error {
	if ns.Name != criNamespace {
		return nil
	}
	if r.store == nil || r.store.Abilities().CRI == nil {
		ns.addPauseLike("as containerd does not run, which could be asked")
		return nil
	}
	pins, err := r.store.Abilities().CRI.Pins(ctx)
	if errdefs.IsUnavailable(err) && ctx.Err() == nil {
		ns.addPauseLike("as its configuration cannot be read here")
		return nil
	}
	for _, purpose := range slices.Sorted(maps.Keys(pins)) {
		name := fmt.Sprintf("as its pinned image %q", purpose)
		if purpose == pinSandbox {
			name = "as its sandbox (pause) image"
		}
		for _, image := range slices.Compact(slices.Sorted(slices.Values(pins[purpose]))) {
			ns.Uses = append(ns.Uses, Use{Holder: Holder{Kind: "CRI", Name: name}, Image: image, Absent: true})
		}
	}
	return err
}

// addPauseLike protects what is called a pause image.
func (ns *Namespace) addPauseLike(because string) {
	for i := range ns.Images {
		if name := ns.Images[i].Name; pauseLike(name) {
			holder := Holder{Kind: "CRI", Name: "as its sandbox (pause) image, perhaps, " + because}
			ns.Uses = append(ns.Uses, Use{Holder: holder, Image: name, Absent: true})
		}
	}
}

// pauseLike says whether the last part of an image's repository has the word:
// "registry.k8s.io/pause", "rancher/mirrored-pause", "pause-amd64".
func pauseLike(name string) bool {
	ref, err := reference.ParseDockerRef(name)
	return err == nil && strings.Contains(path.Base(ref.Name()), "pause")
}

// pins asks CRI for its configuration and reads what that says of the sandbox
// image; ok is false if it says nothing (2.x: it is that of another plugin).
func (c criConn) pins(ctx context.Context) (pins CRIPins, ok bool, err error) {
	verbose := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1)
	answer, err := c.ask(ctx, "RuntimeService", "Status", verbose)
	if err != nil {
		return nil, false, err
	}
	text, err := statusInfo(answer, "config")
	if err != nil {
		return nil, false, fmt.Errorf("reading the status of CRI: %w", err)
	}
	var config struct {
		SandboxImage string `json:"sandboxImage"`
	}
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		return nil, false, fmt.Errorf("reading the configuration of CRI in its status: %w", err)
	}
	if config.SandboxImage == "" {
		return nil, false, nil
	}
	return CRIPins{pinSandbox: {config.SandboxImage}}, true, nil
}

// statusInfo finds a value in the map that is field 2 of the answer: its
// entries are messages with the key in field 1 and the value in field 2.
func statusInfo(answer []byte, key string) (text string, err error) {
	text = "{}"
	err = eachField(answer, func(field protowire.Number, entry []byte) error {
		if field != 2 {
			return nil
		}
		var pair [3]string
		err := eachField(entry, func(field protowire.Number, value []byte) error {
			if field == 1 || field == 2 {
				pair[field] = string(value)
			}
			return nil
		})
		if pair[1] == key {
			text = pair[2]
		}
		return err
	})
	return text, err
}
