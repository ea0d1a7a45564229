package root

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

const page = 4096

// databases are those of the metadata and of the snapshotter.
func (b *bed) databases() []string {
	return []string{
		filepath.Join(b.d.Root(), "io.containerd.metadata.v1.bolt", "meta.db"),
		filepath.Join(b.d.Root(), "io.containerd.snapshotter.v1."+b.d.Snapshotter(), "metadata.db"),
	}
}

// tree records what is below the root: modes and contents.
func (b *bed) tree() map[string]string {
	b.t.Helper()
	files := map[string]string{}
	b.must(filepath.WalkDir(b.d.Root(), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		files[path] = info.Mode().String()
		if !info.Mode().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		files[path] += fmt.Sprintf(" %x", sha256.Sum256(data))
		return err
	}))
	return files
}

// damage is one way to break a database.
type damage struct {
	name string
	data []byte
	// sure says that it must be noticed.
	sure bool
}

// damages are cuts at many lengths, pages of zeros, of noise, of other pages,
// and flipped bytes.
func damages(sound []byte, rng *rand.Rand, each int) []damage {
	clone := func() []byte { return append([]byte(nil), sound...) }
	pages := len(sound) / page
	list := []damage{
		{"empty", nil, true},
		{"of text", []byte(strings.Repeat("not a database\n", 5000)), true},
	}
	magic := clone()
	copy(magic[16:], "wrong")
	copy(magic[page+16:], "wrong")
	list = append(list, damage{"of a wrong magic", magic, true})
	zeros := clone()
	clear(zeros)
	list = append(list, damage{"all zeros", zeros, true})
	for range each {
		n := rng.IntN(len(sound))
		if rng.IntN(2) == 0 {
			n = n / page * page
		}
		list = append(list, damage{fmt.Sprintf("cut at %d", n), sound[:n], n < 4*page})
	}
	for range each {
		at, data := rng.IntN(pages), clone()
		there := data[at*page : (at+1)*page]
		switch rng.IntN(3) {
		case 0:
			clear(there)
			list = append(list, damage{fmt.Sprintf("with zeros for page %d", at), data, false})
		case 1:
			for i := range there {
				there[i] = byte(rng.Uint32())
			}
			list = append(list, damage{fmt.Sprintf("with noise for page %d", at), data, false})
		default:
			other := rng.IntN(pages)
			copy(there, sound[other*page:(other+1)*page])
			list = append(list, damage{fmt.Sprintf("with page %d for page %d", other, at), data, false})
		}
	}
	for range each {
		data, n := clone(), 1+rng.IntN(40)
		for range n {
			data[rng.IntN(len(data))] ^= 1 << rng.IntN(8)
		}
		list = append(list, damage{fmt.Sprintf("with %d flipped bits", n), data, false})
	}
	return list
}

// A damaged database is refused in one sentence and nothing is changed. Where
// the damage is in a page that is not in use, or in a value, it cannot be
// noticed; then nothing worse happens than an error.
func TestDamagedDatabase(t *testing.T) {
	b := newBed(t, parts.Containerd24)
	each := 12
	if os.Getenv("SOAK") != "" {
		each = 150
	}
	rng := rand.New(rand.NewPCG(1, 2))
	tried, refused := 0, 0
	for _, path := range b.databases() {
		sound, err := os.ReadFile(path)
		b.must(err)
		for _, d := range damages(sound, rng, each) {
			b.must(os.WriteFile(path, d.data, 0o600))
			tried++
			if b.tryDamaged(filepath.Base(path)+" "+d.name, d.sure) {
				refused++
			} else {
				b.refill()
			}
			b.must(os.WriteFile(path, sound, 0o600))
		}
	}
	b.run("--all", "--force", "-n", "default", "-n", "other").want(t, "repaired", programs.ExitDone)
	t.Logf("%d damages, %d of them refused", tried, refused)
	if refused < tried/3 {
		t.Errorf("only %d of %d were refused", refused, tried)
	}
}

// tryDamaged looks at a damaged root, and then prunes it, and says whether
// that was refused.
func (b *bed) tryDamaged(what string, sure bool) bool {
	b.t.Helper()
	before := b.tree()
	args := []string{"--all", "-n", "default", "-n", "other"}
	dry := b.run(append(args, "--dry-run")...)
	if diff := cmp.Diff(before, b.tree()); diff != "" {
		b.t.Errorf("%s: looking changed it (-before +after):\n%s", what, diff)
	}
	r := b.run(append(args, "--force")...)
	for _, r := range []result{dry, r} {
		if r.panicked() {
			b.t.Errorf("%s: exit code %d\n%.20000s", what, r.Code, r.Stderr)
		}
	}
	if r.Code != programs.ExitUnreachable {
		if sure {
			b.t.Errorf("%s: it was not refused: exit code %d\n%s", what, r.Code, r.Stderr)
		}
		return false
	}
	if strings.Count(r.Stderr, "\n") != 1 {
		b.t.Errorf("%s: not one sentence:\n%s", what, r.Stderr)
	}
	if diff := cmp.Diff(before, b.tree()); diff != "" {
		b.t.Errorf("%s: the refusal changed it (-before +after):\n%s", what, diff)
	}
	return true
}

// A version of the schema that is not known is refused, and nothing changes.
func TestUnknownSchema(t *testing.T) {
	b := newBed(t, parts.Containerd24)
	b.d.Unopenable("its schema is of another world")
	for _, version := range []int64{-1, 0, 2, 5, 1 << 40} {
		db, err := bolt.Open(b.databases()[0], 0o600, nil)
		b.must(err)
		b.must(db.Update(func(tx *bolt.Tx) error {
			return tx.Bucket([]byte("v1")).Put([]byte("version"), binary.AppendVarint(nil, version))
		}), db.Close())
		what := fmt.Sprintf("version %d", version)
		if !b.tryDamaged(what, true) {
			continue
		}
		if r := b.run("--dry-run"); !strings.Contains(r.Stderr, fmt.Sprintf("of version %d, but only versions 3 to 4 are supported", version)) {
			t.Errorf("%s: it says %s", what, r.Stderr)
		}
	}
}
