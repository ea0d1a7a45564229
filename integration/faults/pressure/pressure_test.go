package pressure

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// bed is a daemon with a disk of its own, and perhaps another for its snapshots. The
// oldest of its images is in use. Of the others each has a layer of its own, and all
// have one in common.
type bed struct {
	t                  *testing.T
	d                  *daemon.Daemon
	content, snapshots disk
	// unused are the images that nothing uses, the oldest first.
	unused []*imagestore.Image
}

func newBed(t *testing.T, version parts.Part, kind string, two bool) *bed {
	t.Helper()
	make := newMaker(t, kind)
	b := &bed{t: t}
	b.d = daemon.Start(t, daemon.Options{Version: version, Config: daemon.Patient, Dir: daemon.Memory(), Mount: func(root string) error {
		b.content = disk{t, root}
		b.snapshots = b.content
		err := make.mount(filepath.Join(filepath.Dir(root), "disk.img"), root)
		if err == nil && two {
			b.snapshots.dir = filepath.Join(root, "io.containerd.snapshotter.v1.overlayfs")
			err = make.mount(filepath.Join(filepath.Dir(root), "snapshots.img"), b.snapshots.dir)
		}
		return err
	}})
	if b.d.Snapshotter() != "overlayfs" {
		t.Skip("overlayfs does not work here")
	}
	builder, store := imagestore.New(1), b.d.Store("default")
	base := builder.Image(imagestore.Spec{Name: "docker.io/library/base:1", LayerBytes: 64 << 10})
	for i := range 7 {
		img := builder.Image(imagestore.Spec{Name: fmt.Sprintf("docker.io/library/%c:1", 'g'-i), Base: base, Layers: 1, LayerBytes: 4 << 20})
		b.content.must(store.Add(t.Context(), img))
		if i == 0 {
			b.content.must(store.NerdctlContainer(t.Context(), "used", "used", img.Name, img))
		} else {
			b.unused = append(b.unused, img)
		}
	}
	b.content.must(store.Collect(t.Context()))
	return b
}

// adds is what an image alone has on a disk: blocks, and inodes.
func (b *bed) adds(img *imagestore.Image, on disk) (bytes, inodes int64) {
	b.t.Helper()
	if on.dir == b.content.dir {
		for _, blob := range []digest.Digest{img.Target.Digest, img.Config.Desc.Digest, img.Layers[len(img.Layers)-1].Blob.Desc.Digest} {
			var st unix.Stat_t
			b.content.must(unix.Stat(b.d.BlobFile(blob), &st))
			bytes, inodes = bytes+st.Blocks*512, inodes+1
		}
	}
	if on.dir == b.snapshots.dir {
		top := identity.ChainID(img.DiffIDs()).String()
		usage, err := b.d.Client("default").SnapshotService("overlayfs").Usage(b.d.Store("default").Context(b.t.Context()), top)
		b.content.must(err)
		bytes, inodes = bytes+usage.Size, inodes+usage.Inodes+2 // overlayfs's own folders
	}
	return bytes, inodes
}

// expect is how many of the oldest images have to go so that so much more is
// available on a disk.
func (b *bed) expect(need int64, on disk, amount func(bytes, inodes int64) int64) (names []string) {
	b.t.Helper()
	for _, img := range b.unused {
		if need <= 0 {
			break
		}
		need -= amount(b.adds(img, on))
		names = append(names, img.Name)
	}
	return names
}

// bytes and inodes choose of what an image adds.
func bytesOf(bytes, _ int64) int64 { return bytes }
func inodesOf(_, n int64) int64    { return n }

// gone lists the names that went, and forgets them.
func (b *bed) went(before, after *oracle.State) (names []string) {
	for _, img := range b.unused {
		if _, there := after.Namespaces["default"].Images[img.Name]; !there {
			names = append(names, img.Name)
		}
	}
	b.unused = slices.DeleteFunc(b.unused, func(img *imagestore.Image) bool { return slices.Contains(names, img.Name) })
	if err := oracle.Check(before, after); err != nil {
		b.t.Errorf("harm:\n%v", err)
	}
	return names
}

func (b *bed) command(args ...string) programs.Result {
	b.t.Helper()
	return programs.Run(b.t, nil, binary, append(append(b.d.Flags(false), "--all", "--force"), args...)...)
}

// low brings a disk above a mark, by so much of what an image adds, and has it
// brought to the mark again.
func (b *bed) low(on disk, mark int64, images float64) {
	b.t.Helper()
	each, _ := b.adds(b.unused[0], on)
	_, capacity, _, _ := on.space()
	wanted := (capacity*(100-mark) + 99) / 100
	on.fillTo(wanted - int64(images*float64(each)))
	available, _, _, _ := on.space()
	want := b.expect(wanted-available, on, bytesOf)
	before := b.d.Capture()
	doc := b.command("--low", fmt.Sprintf("%d%%", mark), "--format", "json").Want(b.t, programs.ExitDone).Document(b.t)
	if diff := cmp.Diff(want, b.went(before, b.d.Capture())); diff != "" {
		b.t.Errorf("gone (-shortest +gone):\n%s", diff)
	}
	if percent := on.percent(); percent > mark {
		b.t.Errorf("%d%% of the disk are in use, and at most %d%% were to be", percent, mark)
	}
	if !doc.Relief.Reached || len(doc.Relief.Disks) == 0 {
		b.t.Errorf("relief: %+v", doc.Relief)
	}
}

// Filled above a mark, a disk is brought to it by the shortest beginning of the order
// of the images, and nothing in use goes; with blobs and snapshots on one disk and on
// two, of which only one is short.
func TestDiskIsBroughtToAMark(t *testing.T) {
	for _, c := range []struct {
		version parts.Part
		kind    string
		two     bool
	}{
		{parts.Containerd24, "ext4", true}, {parts.Containerd24, "xfs", false},
		{parts.Containerd17, "ext4", false}, {parts.Containerd17, "xfs", true},
	} {
		t.Run(fmt.Sprintf("%s on %s, two %v", c.version, c.kind, c.two), func(t *testing.T) {
			b := newBed(t, c.version, c.kind, c.two)
			b.low(b.content, 60, 1.5)
			b.low(b.snapshots, 60, 0.5)
			b.filledByOthers()
		})
	}
}

// filledByOthers asks for more than can be had: all that is unused goes, and it is
// said who has the rest.
func (b *bed) filledByOthers() {
	b.t.Helper()
	for _, flags := range [][]string{{"--low", "1%", "--dry-run"}, {"--low", "1%"}, {"--free", "1TB"}} {
		before := b.d.Capture()
		r := b.command(append(flags, "--format", "json")...).Want(b.t, programs.ExitShort, "not enough can be freed", "containers")
		if flags[0] == "--low" {
			r.Sentence(b.t, "what is not containerd's")
		}
		switch gone := b.went(before, b.d.Capture()); {
		case len(flags) == 3 && len(gone) > 0:
			b.t.Errorf("a dry run removed %v", gone)
		case len(flags) == 2 && len(b.unused) > 0:
			b.t.Errorf("%d unused images are left after %v", len(b.unused), flags)
		}
	}
}

// Inodes run out before space does: as many images go as have the inodes that are
// missing.
func TestInodesRunOut(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		b := newBed(t, version, "ext4", false)
		b.content.takeInodes(60) // what a run writes takes some
		_, _, free, all := b.content.space()
		var marks prune.DiskMarks
		marks.Inodes.High, marks.Inodes.Low = 90, int(100-((free+8)*100+all-1)/all)
		want := b.expect((all*int64(100-marks.Inodes.Low)+99)/100-free, b.content, inodesOf)
		before := b.d.Capture()
		b.relieve(marks)
		if diff := cmp.Diff(want, b.went(before, b.d.Capture())); diff != "" || len(want) == 0 {
			t.Errorf("gone (-shortest +gone):\n%s", diff)
		}
		if _, _, free, all := b.content.space(); 100-free*100/all > int64(marks.Inodes.Low) {
			t.Errorf("%d of %d inodes are free, and %d%% were to be", free, all, 100-marks.Inodes.Low)
		}
	})
}

// relieve looks at the disks and frees what the marks say, as a resident of the node
// does.
func (b *bed) relieve(marks prune.DiskMarks) *prune.Relieved {
	b.t.Helper()
	store, err := prune.Open(b.t.Context(), b.d.Address())
	b.content.must(err)
	defer store.Close()
	policy := pruning.All("default")
	policy.Pressure, err = prune.Disks(b.t.Context(), store, marks)
	b.content.must(err)
	if !policy.Pressure.Full() {
		b.t.Fatalf("nothing has to be freed: %+v", policy.Pressure)
	}
	plan, err := prune.ReadPlan(b.t.Context(), store, policy, time.Now(), prune.ReadOptions{})
	b.content.must(err)
	done, err := prune.Relieve(b.t.Context(), store, plan, prune.ExecuteOptions{Now: time.Now})
	b.content.must(err)
	if !done.Reached || done.Shortfall != nil {
		b.t.Errorf("not reached: %+v", done)
	}
	return done
}

// A disk that takes no lease is told of with the way out, and nothing is changed;
// without a guard as much goes as was asked for.
func TestDiskThatTakesNoLease(t *testing.T) {
	for version, kind := range map[parts.Part]string{parts.Containerd24: "ext4", parts.Containerd17: "xfs"} {
		t.Run(fmt.Sprintf("%s on %s", version, kind), func(t *testing.T) { takesNoLease(t, newBed(t, version, kind, false)) })
	}
}

func takesNoLease(t *testing.T, b *bed) {
	t.Helper()
	b.command("--dry-run") // the daemon writes its UUID when it is first asked
	b.content.fillTo(1 << 20)
	b.fillUp()
	before := b.d.Capture()
	b.command("--low", "98%").Want(t, programs.ExitFailed, "nothing was removed", "the disk is full", "--no-guard")
	if diff := oracle.Differences(before, b.d.Capture()); diff != "" {
		t.Fatalf("the store has changed:\n%s", diff)
	}
	_, capacity, _, _ := b.content.space()
	want := b.expect((capacity*2+99)/100, b.content, bytesOf)
	b.command("--low", "98%", "--no-guard").Want(t, programs.ExitDone)
	if diff := cmp.Diff(want, b.went(before, b.d.Capture())); diff != "" {
		t.Errorf("gone (-shortest +gone):\n%s", diff)
	}
}

// fillUp takes the last blocks.
func (b *bed) fillUp() {
	b.t.Helper()
	f, err := os.Create(filepath.Join(b.content.dir, "of-others-more"))
	b.content.must(err)
	for err == nil {
		_, err = f.WriteString(strings.Repeat("x", 1024))
	}
	_ = f.Close() // the disk is full
}
