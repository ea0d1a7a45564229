package prune

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/typeurl/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/daemon"
)

// The seeds of all fuzz targets are in testdata/fuzz. To look for more in one:
// go test -fuzz FuzzCRIExtension ./prune

// What CRI keeps with a container is understood whole, or the container closes
// its namespace: there is nothing between.
func FuzzCRIExtension(f *testing.F) {
	f.Fuzz(func(t *testing.T, metadata []byte) {
		c := containers.Container{ID: "c", Image: "docker.io/library/a:1", Extensions: map[string]typeurl.Any{
			inventory.ExtensionCRIContainer: &anypb.Any{Value: metadata},
		}}
		use, err := inventory.ContainerUse(c)
		if err != nil {
			if !cmp.Equal(use, inventory.Use{}) {
				t.Errorf("a use beside an error: %+v", use)
			}
			return
		}
		if len(use.Digests) == 0 || use.Image != c.Image {
			t.Fatalf("a container of CRI that names no digest: %+v", use)
		}
		for _, dgst := range use.Digests {
			if dgst.Validate() != nil || !bytes.Contains(metadata, []byte(dgst.Encoded())) && !bytes.Contains(metadata, []byte(`\u`)) {
				t.Errorf("digest %q is not of the metadata", dgst)
			}
		}
		var typed struct {
			Version  string
			Metadata struct{ ImageRef string }
		}
		if err := json.Unmarshal(metadata, &typed); err != nil || typed.Version != "v1" || typed.Metadata.ImageRef != use.Digests[0].String() {
			t.Errorf("read %v of %+v, %v", use.Digests, typed, err)
		}
	})
}

// Each view of nerdctl's, and each image that it mounts, is a use of its own.
func FuzzNerdctlMounts(f *testing.F) {
	f.Fuzz(func(t *testing.T, views, all, first, second string) {
		labels := map[string]string{clients.LabelNerdctlViews: views, clients.LabelNerdctlMounts: all}
		for i, one := range []string{first, second} {
			if one != "" {
				labels[clients.LabelNerdctlMounts+"."+string(rune('0'+i))] = one
			}
		}
		uses, err := clients.NerdctlUses(containers.Container{ID: "c", Snapshotter: "overlayfs", Labels: labels})
		if err != nil {
			if uses != nil {
				t.Errorf("uses beside an error: %+v", uses)
			}
			return
		}
		var keys []string
		if err := json.Unmarshal([]byte(views), &keys); err != nil {
			t.Fatalf("views %q were understood: %v", views, err)
		}
		if len(uses) < len(keys) {
			t.Fatalf("%d views, %d uses", len(keys), len(uses))
		}
		for i, use := range uses {
			switch {
			case i < len(keys) && use.Snapshot != inventory.SnapshotKey{Snapshotter: "overlayfs", Key: keys[i]}:
				t.Errorf("view %q became %+v", keys[i], use)
			case i >= len(keys) && use.Snapshot != inventory.SnapshotKey{}:
				t.Errorf("a mount became %+v", use)
			}
		}
	})
}

// What CRI answers is taken apart by hand: nothing is read past the end, and
// what was read can be written and read again.
func FuzzCRIAnswer(f *testing.F) {
	f.Fuzz(func(t *testing.T, message []byte) {
		seen := 0
		// An error may come after fields that were whole.
		_ = daemon.EachField(message, func(_ protowire.Number, value []byte) error {
			seen += len(value)
			return nil
		})
		if seen > len(message) {
			t.Fatalf("%d bytes of %d", seen, len(message))
		}
		image, err := daemon.ParseCRIImage(message)
		if err != nil {
			return
		}
		text := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), image.ID)
		for _, ref := range image.Refs {
			text = protowire.AppendString(protowire.AppendTag(text, 2, protowire.BytesType), ref)
		}
		back, err := daemon.ParseCRIImage(text)
		if err != nil || image.ID == "" {
			t.Fatalf("%+v is read back with %v", image, err)
		}
		if diff := cmp.Diff(image, back); diff != "" {
			t.Errorf("written and read again (-first +again):\n%s", diff)
		}
	})
}

// A name in full is the full name of itself, and no name in a command to copy
// is more than a word to a shell.
func FuzzName(f *testing.F) {
	f.Fuzz(func(t *testing.T, name string) {
		full := rules.Normalize(name)
		if full != "" {
			if again := rules.Normalize(full); again != full {
				t.Errorf("%q in full is %q, and that in full %q", name, full, again)
			}
			if back := rules.Normalize(rules.Familiar(full)); back != full {
				t.Errorf("%q is %q for people, which is %q", full, rules.Familiar(full), back)
			}
		}
		if typed := manifests.PullName(name); typed != name && typed != "REFERENCE" || strings.ContainsAny(typed, " \t\n'\"`$&|;<>()*?[]{}~#!\\") || strings.HasPrefix(typed, "-") {
			t.Errorf("%q becomes %q in a command", name, typed)
		}
		if rules.Dangling(name, []string{"mine"}, []string{"yours"}) && full != "" && !strings.Contains(name, "@sha") {
			t.Errorf("%q is dangling", name)
		}
	})
}
