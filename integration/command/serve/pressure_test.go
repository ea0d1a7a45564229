package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/prune"
)

// A disk that fills up is relieved down to its low mark, at once and without a
// grace, and what is used stays. A disk that others fill is told, with who holds it.
func TestPressure(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		const size = 256 << 20
		n := newNode(t, daemon.Options{Version: version, Mount: disk(size)})
		var all []*imagestore.Image
		for i := range 5 {
			img := n.build.Image(imagestore.Spec{Name: fmt.Sprintf("docker.io/library/i%d:1", i), LayerBytes: 8 << 20})
			n.must(n.store.Add(n.Context(), img))
			all = append(all, img)
		}
		n.use("c1", all[0])
		before := n.daemon.Capture()
		n.must(os.WriteFile(n.config(), []byte(everything+"disk: {high: 80%, low: 70%, check: 1s}\nserve: {grace: 24h, listen: none, state: "+n.state()+"}\n"), 0o600))
		r := n.serve(n.daemon.Address(), false)
		r.await("msg=containerd answers")
		n.fill(size, 85)
		r.await("msg=removed an image", "bytes=")
		done := r.await("msg=a run ended", "trigger=pressure", "result=done")
		if used := n.used(); used > 70 {
			t.Errorf("%d %% of the disk are in use after %v", used, done)
		}
		if done["graceUntil"] != nil {
			t.Errorf("it kept what it removed: %v", done)
		}
		n.fill(size, 99)
		r.await("msg=not enough could be freed", "reason=", "again=")
		if got := n.names(); got != "i0" {
			t.Errorf("left are %s", got)
		}
		r.signal(syscall.SIGTERM)
		r.ends(0)
		n.unharmed(before)
	})
}

// A disk that gives back less than was planned, because somebody has files open that are
// gone, is relieved in rounds; the history has all of them, and what they freed adds up
// to what the report says.
func TestPressureInRounds(t *testing.T) {
	const size = 256 << 20
	n := newNode(t, daemon.Options{Mount: disk(size)})
	var all []*imagestore.Image
	for i := range 6 {
		img := n.build.Image(imagestore.Spec{Name: fmt.Sprintf("docker.io/library/i%d:1", i), LayerBytes: 8 << 20})
		n.must(n.store.Add(n.Context(), img))
		all = append(all, img)
	}
	n.use("c1", all[5])
	before := n.daemon.Capture()
	for _, img := range all {
		for _, layer := range img.Layers {
			f, err := os.Open(n.daemon.BlobFile(layer.Blob.Desc.Digest))
			n.must(err)
			defer f.Close()
		}
	}
	n.must(os.WriteFile(n.config(), []byte(everything+"disk: {high: 79%, low: 70%, check: 1s}\nserve: {listen: none, state: "+n.state()+"}\n"), 0o600))
	n.fill(size, 80)
	r := n.serve(n.daemon.Address(), false)
	run := r.await("msg=a run ended", "trigger=pressure", "result=done", "rounds=")
	n.tellsRounds(run)
	if used := n.used(); used > 70 {
		t.Errorf("%d %% of the disk are in use after %v", used, run)
	}
	r.signal(syscall.SIGTERM)
	r.ends(0)
	n.unharmed(before)
}

// tellsRounds compares what the log says of a run with what the history has.
func (n *node) tellsRounds(run map[string]any) {
	n.Helper()
	name := fmt.Sprint(run["run"])
	var history struct{ Runs []historyEntry }
	said := programs.Run(n, nil, binary, "history", "--state", n.state(), "--format", "json", name)
	if err := json.Unmarshal([]byte(said.Stdout), &history); err != nil || len(history.Runs) != 1 {
		n.Fatalf("history: %+v, %v", said, err)
	}
	e := history.Runs[0]
	var removed int
	var freed int64
	for _, round := range e.Pressure.Rounds {
		removed, freed = removed+round.Removed, freed+round.Reclaimed.TotalBytes
		if round.Removed == 0 {
			n.Errorf("a round removed nothing: %+v", e.Pressure.Rounds)
		}
	}
	rounds := len(e.Pressure.Rounds)
	if rounds < 2 || fmt.Sprint(run["rounds"]) != fmt.Sprint(rounds) {
		n.Errorf("%d rounds, and the log says %v", rounds, run["rounds"])
	}
	if removed != len(e.Document.Untagged) || fmt.Sprint(run["removed"]) != fmt.Sprint(removed) || removed != e.Document.Counts.Remove {
		n.Errorf("the rounds removed %d, the report has %d and the log %v", removed, len(e.Document.Untagged), run["removed"])
	}
	if freed != e.Document.Reclaimed.TotalBytes || run["freed"] != float64(freed) {
		n.Errorf("the rounds freed %d, the report has %d and the log %v", freed, e.Document.Reclaimed.TotalBytes, run["freed"])
	}
	said = programs.Run(n, nil, binary, "history", "--state", n.state(), name)
	if want := fmt.Sprintf("Round %d of %d removed ", rounds, rounds); !strings.Contains(said.Stdout, want) || strings.Count(said.Stdout, "Untagged: ") != removed {
		n.Errorf("history says\n%s", said.Stdout)
	}
}

// historyEntry is of a run in the history.
type historyEntry struct {
	Pressure struct {
		Rounds []struct {
			Removed   int
			Reclaimed prune.Amount
		}
	}
	Document prune.Document
}

// On a disk that takes neither the state nor the lease of a run nothing is removed, and
// the log and the page say why; as soon as there is a little room the work is done.
func TestFullDisk(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		const size = 64 << 20
		n := newNode(t, daemon.Options{Version: version, Mount: disk(size)})
		n.use("c1", n.images("a", "b", "used")[2])
		before := n.daemon.Capture()
		state := filepath.Join(n.daemon.Root(), "of-others")
		n.must(os.Mkdir(state, 0o700))
		address := freeAddress(t)
		n.must(os.WriteFile(n.config(), []byte(everything+"disk: {high: 90%, check: 1s}\nserve: {listen: '"+address+"', state: "+state+"}\n"), 0o600))
		programs.Run(t, nil, binary, "--address", n.daemon.Address(), "--dry-run") // it writes its UUID when it is first asked
		n.fillUp()
		r := n.serve(n.daemon.Address(), false)
		r.await("msg=watching the use of images", "step=saving", "error=no space left")
		r.await("msg=the run had an error", "error=the disk is full")
		r.await("msg=the report is not kept", "error=no space left")
		r.await("msg=not enough could be freed")
		var status struct {
			Use   struct{ Error string }
			Disks struct{ Short string }
		}
		_, text := page(t, address, "/status")
		n.must(json.Unmarshal([]byte(text), &status))
		if !strings.Contains(status.Use.Error, "no space left") || !strings.Contains(status.Disks.Short, "what is not containerd's") {
			t.Errorf("/status: %s", text)
		}
		if got := n.names(); got != "a b used" {
			t.Errorf("left are %s", got)
		}
		n.must(os.Truncate(filepath.Join(n.daemon.Root(), "filler"), size/2))
		r.run(t)
		r.await("msg=a run ended", "trigger=signal", "result=done", "removed=2")
		r.signal(syscall.SIGTERM)
		r.ends(0)
		n.unharmed(before)
		n.must(removeUploads(n.daemon.Root()))
	})
}

// removeUploads removes what containerd itself has left of an upload for which there was
// no room, and does not know.
func removeUploads(root string) error {
	left, err := filepath.Glob(filepath.Join(root, "io.containerd.content.v1.content", "ingest", "*"))
	for _, dir := range left {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

// fillUp takes the last block of the disk.
func (n *node) fillUp() {
	n.Helper()
	f, err := os.Create(filepath.Join(n.daemon.Root(), "filler"))
	n.must(err)
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	_ = f.Close() // the disk is full
	if !errors.Is(err, syscall.ENOSPC) {
		n.Fatal(err)
	}
}

// disk is a disk of its own for the root of a containerd.
func disk(size int64) func(root string) error {
	return func(root string) error {
		return unix.Mount("tmpfs", root, "tmpfs", 0, fmt.Sprintf("size=%d,mode=711", size))
	}
}

// used is how much of the disk is in use, as the kubelet counts.
func (n *node) used() int {
	n.Helper()
	var s unix.Statfs_t
	n.must(unix.Statfs(n.daemon.Root(), &s))
	return 100 - int(s.Bavail*100/s.Blocks)
}

// fill fills the disk with a file of others until so much of it is in use.
func (n *node) fill(size int64, percent int) {
	n.Helper()
	f, err := os.OpenFile(filepath.Join(n.daemon.Root(), "filler"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	n.must(err)
	for block := make([]byte, size/200); n.used() < percent; {
		_, err := f.Write(block)
		n.must(err)
	}
	n.must(f.Close())
}
