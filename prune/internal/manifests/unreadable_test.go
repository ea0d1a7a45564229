package manifests_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// failingReads is a store that does not give out one blob.
type failingReads struct {
	store.Store
	dgst digest.Digest
	err  error
}

func (f failingReads) Content() content.Store { return failingContent{f.Store.Content(), f} }

type failingContent struct {
	content.Store
	f failingReads
}

func (c failingContent) ReaderAt(ctx context.Context, desc ocispec.Descriptor) (content.ReaderAt, error) {
	if desc.Digest == c.f.dgst {
		return nil, c.f.err
	}
	return c.Store.ReaderAt(ctx, desc)
}

// A signature whose manifest the store does not give out may be that of an
// image that stays; one that is broken is about nothing.
func TestSignatureThatCannotBeRead(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		says string
		stay bool
	}{
		"a failing disk":           {syscall.EIO, "input/output error", true},
		"a failing disk, by RPC":   {fmt.Errorf("input/output error: %w", errdefs.ErrUnknown), "input/output error", true},
		"a server that is leaving": {fmt.Errorf("the transport is closing: %w", errdefs.ErrUnavailable), "the transport is closing", true},
		"no permission":            {syscall.EACCES, "permission denied", true},
		"gone meanwhile":           {fmt.Errorf("no such blob: %w", errdefs.ErrNotFound), "", false},
		"cut off":                  {io.ErrUnexpectedEOF, "", false},
		"cut off, by RPC":          {fmt.Errorf("read past the end: %w", errdefs.ErrOutOfRange), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			app, other := tw.ManifestOf("{}", ""), tw.ManifestOf("{ }", "")
			signature := tw.ManifestOf("{  }", app)
			w := tw.World{"default": []tw.Thing{
				tw.Record("app:1", app), tw.Record("other:1", other), tw.Record("app:1.sig", signature), tw.Container("c", "app:1", ""),
				tw.Blob(app), tw.Blob(other), tw.Blob(signature),
			}}
			s := w.Build(t, t.TempDir())
			t.Cleanup(func() { tw.Must(0, s.Close()) })
			plan := tw.Must(flow.ReadPlan(t.Context(), failingReads{s, tw.Digest(signature), c.err}, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}, time.Now(), read.ReadOptions{}))
			got := map[string]rules.Decision{}
			for _, d := range plan.Decisions {
				got[d.Name] = d
			}
			if d := got["other:1"]; d.Action != rules.Remove {
				t.Errorf("another image: %s, %s", d.Action, d.Reason)
			}
			d := got["app:1.sig"]
			if (d.Action == rules.Keep) != c.stay {
				t.Errorf("the signature: %s, %s", d.Action, d.Reason)
			}
			if says := strings.Contains(d.Reason, "cannot be read: "+c.says); says != c.stay {
				t.Errorf("the reason is %q", d.Reason)
			}
		})
	}
}
