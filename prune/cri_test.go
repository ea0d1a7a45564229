package prune

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/daemon"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/protobuf/encoding/protowire"
)

// criSpace is a namespace with images of one manifest and one config each,
// named by single letters: the config of "a" is digest "a config".
func criSpace(records map[string]string) *inventory.Namespace {
	ns := &inventory.Namespace{Name: store.CRINamespace, Blobs: map[digest.Digest]content.Info{}}
	for name, letter := range records {
		target := digest.FromString(letter)
		ns.Images = append(ns.Images, images.Image{Name: name, Target: ocispec.Descriptor{Digest: target}})
		ns.Blobs[target] = content.Info{Digest: target, Labels: map[string]string{
			"containerd.io/gc.ref.content.config": criID(letter),
		}}
		ns.Blobs[digest.Digest(criID(letter))] = content.Info{Digest: digest.Digest(criID(letter))}
	}
	return ns
}

func criID(letter string) string { return digest.FromString(letter + " config").String() }

func TestPhantoms(t *testing.T) {
	dangling := "overlayfs@" + digest.FromString("a").String()
	for name, test := range map[string]struct {
		records map[string]string // name to image
		shown   []store.CRIImage
		going   []string
		want    []string
	}{
		"full names": {
			records: map[string]string{"docker.io/library/app:1": "a", criID("a"): "a"},
			shown:   []store.CRIImage{{ID: criID("a"), Refs: []string{"docker.io/library/app:1"}}},
			going:   []string{"docker.io/library/app:1", criID("a")},
		},
		"a bare name": {
			records: map[string]string{"app:1": "a", criID("a"): "a"},
			shown:   []store.CRIImage{{ID: criID("a"), Refs: []string{"docker.io/library/app:1"}}},
			going:   []string{"app:1", criID("a")},
			want:    []string{"docker.io/library/app:1"},
		},
		"a bare name beside its full one": {
			records: map[string]string{"app:1": "a", "docker.io/library/app:1": "a"},
			shown:   []store.CRIImage{{ID: criID("a"), Refs: []string{"docker.io/library/app:1"}}},
			going:   []string{"app:1", "docker.io/library/app:1"},
		},
		"a name without tag, which CRI has but does not show": {
			records: map[string]string{"app": "a"},
			shown:   []store.CRIImage{{ID: criID("a"), Refs: nil}},
			going:   []string{"app"},
			want:    []string{"docker.io/library/app"},
		},
		"a dangling name": {
			records: map[string]string{dangling: "a"},
			shown:   []store.CRIImage{{ID: criID("a"), Refs: []string{"docker.io/library/" + dangling}}},
			going:   []string{dangling},
			want:    []string{"docker.io/library/" + dangling},
		},
		"a name that CRI cannot spell otherwise": {
			records: map[string]string{"<none>@x": "a"},
			shown:   []store.CRIImage{{ID: criID("a"), Refs: nil}},
			going:   []string{"<none>@x"},
		},
		"a bare name that moved away": {
			records: map[string]string{criID("a"): "a", "app:1": "b", criID("b"): "b"},
			shown:   []store.CRIImage{{ID: criID("a"), Refs: []string{"docker.io/library/app:1"}}, {ID: criID("b"), Refs: []string{"docker.io/library/app:1"}}},
			going:   []string{criID("a")},
			want:    []string{"docker.io/library/app:1"},
		},
		"an image that stays": {
			records: map[string]string{"app:1": "a", "other:1": "b"},
			shown:   []store.CRIImage{{ID: criID("a"), Refs: []string{"docker.io/library/app:1"}}},
			going:   []string{"other:1"},
		},
		"an image that CRI never had": {
			records: map[string]string{"app:1": "a"},
			going:   []string{"app:1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ns := criSpace(test.records)
			var records []rules.Decision
			for _, name := range test.going {
				target := ocispec.Descriptor{Digest: digest.FromString(test.records[name])}
				records = append(records, rules.Decision{Name: name, Target: target})
			}
			var got []string
			for _, p := range run.Phantoms(ns, gc.Release{Major: 2, Minor: 4}, test.shown, records) {
				got = append(got, p.Ref)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("phantoms (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseCRIImage(t *testing.T) {
	message := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "sha256:id")
	message = protowire.AppendString(protowire.AppendTag(message, 2, protowire.BytesType), "repo:tag")
	message = protowire.AppendVarint(protowire.AppendTag(message, 4, protowire.VarintType), 77)
	message = protowire.AppendString(protowire.AppendTag(message, 3, protowire.BytesType), "repo@digest")
	got, err := daemon.ParseCRIImage(message)
	if diff := cmp.Diff(store.CRIImage{ID: "sha256:id", Refs: []string{"repo:tag", "repo@digest"}}, got); diff != "" || err != nil {
		t.Errorf("parseCRIImage: %v\n%s", err, diff)
	}
	for name, garbled := range map[string][]byte{
		"half of it":   message[:len(message)-3],
		"no ID":        message[11:],
		"another kind": []byte("\xff\xff\xff"),
	} {
		if image, err := daemon.ParseCRIImage(garbled); err == nil {
			t.Errorf("%s: read as %+v", name, image)
		}
	}
}

func TestImageVolumeUses(t *testing.T) {
	target := digest.FromString("a")
	mount := "/run/containerd/io.containerd.grpc.v1.cri/image-volumes/box/" + target.Encoded()
	lease := func(id string, resources ...leases.Resource) inventory.Lease {
		return inventory.Lease{Lease: leases.Lease{ID: id}, Resources: resources}
	}
	volume := leases.Resource{ID: mount, Type: "snapshots/overlayfs"}
	layer := leases.Resource{ID: digest.FromString("layer").String(), Type: "snapshots/overlayfs"}
	blob := leases.Resource{ID: target.String(), Type: "content"}
	sandbox := containers.Container{ID: "box", Labels: map[string]string{inventory.LabelPodNamespace: "default", inventory.LabelPodName: "api"}}
	for name, test := range map[string]struct {
		ns   *inventory.Namespace
		want []inventory.Use
	}{
		"of a pod": {
			ns: &inventory.Namespace{Name: store.CRINamespace, Leases: []inventory.Lease{lease("box", volume, layer, blob)}, Containers: []containers.Container{sandbox}},
			want: []inventory.Use{{
				Holder:  cause.Holder{Kind: "pod", ID: "box", Name: "default/api, image volume", Client: "CRI"},
				Digests: []digest.Digest{target}, Snapshot: inventory.SnapshotKey{Snapshotter: "overlayfs", Key: mount},
			}},
		},
		"of a pod that left no container": {
			ns: &inventory.Namespace{Name: store.CRINamespace, Leases: []inventory.Lease{lease("box", volume)}},
			want: []inventory.Use{{
				Holder:  cause.Holder{Kind: "pod", ID: "box", Name: "box, image volume", Client: "CRI"},
				Digests: []digest.Digest{target}, Snapshot: inventory.SnapshotKey{Snapshotter: "overlayfs", Key: mount},
			}},
		},
		"of a lease that is no sandbox's": {ns: &inventory.Namespace{Name: store.CRINamespace, Leases: []inventory.Lease{lease("pull", volume, layer)}}},
		"elsewhere":                       {ns: &inventory.Namespace{Name: "default", Leases: []inventory.Lease{lease("box", volume)}}},
	} {
		t.Run(name, func(t *testing.T) {
			clients.AddVolumes(test.ns)
			if diff := cmp.Diff(test.want, test.ns.Uses); diff != "" {
				t.Errorf("uses (-want +got):\n%s", diff)
			}
		})
	}
	if text := (cause.Holder{Kind: "pod", Name: "default/api, image volume", Client: "CRI"}).String(); strings.Contains(text, "CRI") {
		t.Errorf("the holder is %q", text)
	}
}

// A run that was killed left its probe: it must not keep the image.
func TestProbeOfAKilledRunGoesWithItsImage(t *testing.T) {
	dangling := "overlayfs@" + digest.FromString("a").String()
	ns := criSpace(map[string]string{dangling: "a", "ctr-prune.invalid/probe:1": "a", "docker.io/library/" + dangling: "a"})
	for i := range ns.Images {
		if ns.Images[i].Name != dangling {
			ns.Images[i].Labels = map[string]string{inventory.LabelProbe: "1"}
		}
	}
	store := store.StoreInfo{Version: "2.4.2"}
	decisions := rules.Decide(rules.NewView(ns, store), rules.Policy{}, store, time.Now())
	for _, d := range decisions {
		if d.Action != rules.Remove {
			t.Errorf("%s: %s, %s", d.Name, d.Action, d.Reason)
		}
	}
}

func TestDanglingUnitsOfCRI(t *testing.T) {
	const tag, repo = "docker.io/library/app:1", "docker.io/library/app@sha256:0000000000000000000000000000000000000000000000000000000000000000"
	dangling := "<none>@" + digest.FromString("a").String()
	for name, test := range map[string]struct {
		records []string
		want    rules.Action
	}{
		"a dangling name and its ID":  {[]string{dangling, criID("a")}, rules.Remove},
		"a dangling name alone":       {[]string{dangling}, rules.Remove},
		"an ID alone":                 {[]string{criID("a")}, rules.Keep},
		"a digest of a repository":    {[]string{repo, criID("a")}, rules.Keep},
		"a tag beside a dangling one": {[]string{dangling, tag, criID("a")}, rules.Keep},
	} {
		t.Run(name, func(t *testing.T) {
			records := map[string]string{}
			for _, record := range test.records {
				records[record] = "a"
			}
			ns := criSpace(records)
			for i := range ns.Images {
				ns.Images[i].Labels = map[string]string{inventory.LabelManaged: inventory.ValueManaged}
			}
			store := store.StoreInfo{Version: "2.4.2"}
			decisions := rules.Decide(rules.NewView(ns, store), rules.Policy{}, store, time.Now())
			for _, d := range decisions {
				if d.Action != test.want {
					t.Errorf("%s: %s, %s", d.Name, d.Action, d.Reason)
				}
			}
		})
	}
}

// deaf is a CRI that never takes note of anything.
type deaf struct{ store.CRI }

func (deaf) Image(context.Context, string) (store.CRIImage, bool, error) {
	return store.CRIImage{}, false, nil
}

func TestCRIThatTakesNoNoteIsNotAwaitedForever(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := run.AwaitCRI(ctx, deaf{}, "ctr-prune.invalid/probe:1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}
