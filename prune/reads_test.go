package prune_test

import (
	"context"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/prune/internal/check"
	"github.com/ctr-prune/ctr-prune/prune/internal/df"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// readMeter counts what is read of the blobs of a store.
type readMeter struct {
	store.Store
	mu     sync.Mutex
	opened map[digest.Digest]int
	bytes  map[digest.Digest]int64
}

func (m *readMeter) Content() content.Store { return meteredContent{m.Store.Content(), m} }

type meteredContent struct {
	content.Store
	m *readMeter
}

func (c meteredContent) ReaderAt(ctx context.Context, desc ocispec.Descriptor) (content.ReaderAt, error) {
	at, err := c.Store.ReaderAt(ctx, desc)
	if err != nil {
		return nil, err
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	c.m.opened[desc.Digest]++
	return meteredReader{at, c.m, desc.Digest}, nil
}

type meteredReader struct {
	content.ReaderAt
	m    *readMeter
	dgst digest.Digest
}

func (r meteredReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(p, off)
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	r.m.bytes[r.dgst] += int64(n)
	return n, err
}

// padded is a text that is one byte longer than what is read, or just as long.
func padded(text string, over int) string {
	return text + strings.Repeat(" ", manifests.MaxDocument+over-len(text))
}

// readsWorld has manifests, configs, indexes, subjects and layers, of which
// some are as large as what is read, and some larger.
func readsWorld() (w tw.World, read, unread []string) {
	config := tw.ConfigOf(map[string]string{"color": "red"})
	greatConfig, fullConfig := padded(config, 1), padded(config+"\n", 0)
	plain, great := tw.ManifestOf(config, ""), padded(tw.ManifestOf(config, "")+"\n", 1)
	ofGreat, ofFull := tw.ManifestOf(greatConfig, ""), padded(tw.ManifestOf(fullConfig, ""), 0)
	index := tw.IndexOf(ocispec.MediaTypeImageManifest, great, ofFull)
	signature, layer := tw.ManifestOf("{}", great), padded("{ a layer", 4096)
	things := []tw.Thing{tw.Record("plain:1", plain), tw.Record("great:1", great), tw.Record("of-great:1", ofGreat), tw.Record("of-full:1", ofFull), tw.Record("index:1", index), tw.Record("signature:1", signature)}
	read = []string{config, fullConfig, plain, ofGreat, ofFull, index, signature, "{}"}
	unread = []string{greatConfig, great, layer, "{ small layer"}
	for _, text := range append(append([]string{}, read...), unread...) {
		things = append(things, tw.Blob(text, tw.RefContent(layer, ".l.0"), tw.RefContent("{ small layer", ".l.1")))
	}
	return tw.World{"default": things}, read, unread
}

// What is larger than 4 MiB is never read, nor is a layer of any size, and what
// is read is read once by each look at the store: when it is planned with
// filters on labels, listed, explained, checked, removed and put back.
func TestWhatIsRead(t *testing.T) {
	w, got, unread := readsWorld()
	s := w.Build(t, t.TempDir())
	defer func() { tw.Must(0, s.Close()) }()
	m := &readMeter{Store: s, opened: make(map[digest.Digest]int), bytes: make(map[digest.Digest]int64)}
	policy := rules.Policy{Namespaces: []string{"default"}, Filters: tw.All("label!=blue")}
	ctx, procfs := context.Background(), tw.Process(t, 1)

	plan := tw.Must(flow.ReadPlan(ctx, m, policy, time.Now(), read.ReadOptions{AllSizes: true, Procfs: procfs}))
	for _, text := range got {
		if n, bytes := m.opened[tw.Digest(text)], m.bytes[tw.Digest(text)]; n != 1 || bytes != int64(len(text)) {
			t.Errorf("%.80q is read %d times, %d bytes of %d", text, n, bytes, len(text))
		}
	}
	df.Usage(plan, true)
	tw.Must(tw.ExplainedBy(plan.Inventory, "index:1", policy, time.Now()))
	tw.Must(check.Check(ctx, m, time.Now(), check.CheckOptions{Read: read.ReadOptions{Procfs: procfs}}))
	report := tw.Must(run.Execute(ctx, plan, m, run.ExecuteOptions{Now: time.Now, Procfs: procfs, Grace: time.Hour}))
	run := tw.Must(undo.Runs(ctx, m, time.Now(), read.ReadOptions{Procfs: procfs}))[0]
	if undone := tw.Must(undo.Undo(ctx, m, run, tw.Options())); len(undone.Restored) != len(report.Untagged) || len(undone.Restored) == 0 {
		t.Errorf("put back %v of %v", undone.Restored, report.Untagged)
	}
	for _, text := range unread {
		if m.opened[tw.Digest(text)] > 0 {
			t.Errorf("%.80q of %d bytes is read", text, len(text))
		}
	}
	for dgst, bytes := range m.bytes {
		if bytes > int64(m.opened[dgst])*manifests.MaxDocument {
			t.Errorf("%d bytes of %s are read", bytes, dgst)
		}
	}
}

// usageMeter counts for which snapshots their snapshotter is asked.
type usageMeter struct {
	store.Store
	mu    sync.Mutex
	asked map[string]int
}

func (m *usageMeter) Snapshotter(name string) snapshots.Snapshotter {
	return meteredSnapshotter{m.Store.Snapshotter(name), m}
}

type meteredSnapshotter struct {
	snapshots.Snapshotter
	m *usageMeter
}

func (s meteredSnapshotter) Usage(ctx context.Context, key string) (snapshots.Usage, error) {
	s.m.mu.Lock()
	s.m.asked[key]++
	s.m.mu.Unlock()
	return s.Snapshotter.Usage(ctx, key)
}

// Where a snapshotter has to be asked for each size, it is asked once for what a plan
// tells of: for what stays only if the plan is shown.
func TestWhatIsMeasured(t *testing.T) {
	for onlyGoing, want := range map[bool]map[string]int{
		false: {"base": 1, "of go": 1, "of keep": 1},
		true:  {"base": 1, "of go": 1},
	} {
		world := tw.World{"default": {
			tw.Snapshot("base", ""), tw.Snapshot("of go", "base"), tw.Snapshot("of keep", "base"), tw.Snapshot("of nobody's concern", ""),
			tw.Blob("go's config", tw.RefSnapshot("of go")), tw.Blob("go's manifest", tw.RefContent("go's config")), tw.Record("go:1", "go's manifest"),
			tw.Blob("keep's config", tw.RefSnapshot("of keep")), tw.Blob("keep's manifest", tw.RefContent("keep's config")), tw.Record("keep:1", "keep's manifest"),
			tw.Container("c", "keep:1", ""), tw.Lease("l", tw.Holding(tw.TheSnapshot("memory", "of nobody's concern"))),
		}}
		s := world.Build(t, t.TempDir())
		m := &usageMeter{Store: s, asked: make(map[string]int)}
		policy := rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}
		plan := tw.Must(flow.ReadPlan(t.Context(), m, policy, time.Now(), read.ReadOptions{Procfs: tw.Process(t, 1), OnlyGoing: onlyGoing}))
		if !maps.Equal(m.asked, want) {
			t.Errorf("only what goes: %v: asked %v, want %v", onlyGoing, m.asked, want)
		}
		if going, staying := weightOf(plan, "go:1"), weightOf(plan, "keep:1"); going.AtLeast || staying.AtLeast != onlyGoing {
			t.Errorf("only what goes: %v: a lower bound of what goes: %v, of what stays: %v", onlyGoing, going.AtLeast, staying.AtLeast)
		}
		tw.Must(0, s.Close())
	}
}

func weightOf(p *plan.Plan, name string) plan.Weight {
	for _, d := range p.Decisions {
		if d.Name == name {
			return p.Weights.Of(d.Namespace, d.Target.Digest)
		}
	}
	return plan.Weight{}
}
