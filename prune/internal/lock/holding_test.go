package lock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// put writes a blob that nothing holds.
func (s database) put(text string) digest.Digest {
	desc := ocispec.Descriptor{Digest: digest.FromString(text), Size: int64(len(text))}
	must(0, content.WriteBlob(s.ctx, s.content, "put-"+text, strings.NewReader(text), desc))
	return desc.Digest
}

func (s database) has(dgst digest.Digest) bool {
	_, err := s.content.Info(s.ctx, dgst)
	return err == nil
}

// held reads what the run lease holds.
func (s database) held() (docs []string, err error) {
	err = Held(s.ctx, s.manager, s.content, func(doc []byte) error {
		docs = append(docs, string(doc))
		return nil
	})
	slices.Sort(docs)
	return docs, err
}

func (s database) collect() { must(s.db.GarbageCollect(context.Background())) }

// What the plan names lives as long as the run lease, through any collection,
// and not longer; the plan can be read back until then.
func TestHold(t *testing.T) {
	s := newDatabase(t)
	l := Locker{Manager: s.manager}
	must(0, l.Lock(s.ctx, "test", Run{Name: "r", Start: noon, Expires: noon.AddDate(9, 0, 0)}, noon))
	victims := []digest.Digest{s.put("one"), s.put("two")}
	other := s.put("other")
	absent := digest.FromString("absent")
	must(Hold(s.ctx, s.content, []byte("plan 1"), append(victims, absent)))
	must(Hold(s.ctx, s.content, []byte("plan 2"), nil))

	s.collect()
	if !s.has(victims[0]) || !s.has(victims[1]) || s.has(other) {
		t.Error("held are not the victims and only they")
	}
	if diff := cmp.Diff([]string{"plan 1", "plan 2"}, must(s.held())); diff != "" {
		t.Errorf("plans (-want +got):\n%s", diff)
	}
	must(0, s.free())
	s.collect()
	if s.has(victims[0]) || s.has(digest.FromString("plan 1")) {
		t.Error("something is held without the lease")
	}
	if _, err := s.held(); !errdefs.IsNotFound(err) {
		t.Errorf("reading without the lease: %v", err)
	}
}

func TestHoldNeedsTheLease(t *testing.T) {
	s := newDatabase(t)
	if _, err := Hold(s.ctx, s.content, []byte("plan"), nil); err == nil {
		t.Error("a plan was written under no lease")
	}
}

func TestHoldLimits(t *testing.T) {
	s := newDatabase(t)
	must(0, Locker{Manager: s.manager}.Lock(s.ctx, "test", Run{Name: "r"}, noon))
	many := make([]digest.Digest, MaxTargets+1)
	for i := range many {
		many[i] = digest.FromString(fmt.Sprint(i))
	}
	if _, err := Hold(s.ctx, s.content, []byte("plan"), many); err == nil {
		t.Error("more than MaxTargets were accepted")
	}
	must(Hold(s.ctx, s.content, []byte("plan"), many[1:]))
	info := must(s.content.Info(s.ctx, digest.FromString("plan")))
	size := 0
	for key, value := range info.Labels {
		if len(key)+len(value) > 4096 {
			t.Errorf("label %s is too long for containerd", key)
		}
		size += len(key) + len(value) + 16 // the frame of a map entry in a message
	}
	if len(info.Labels) != MaxTargets+1 || size > 1<<20 {
		t.Errorf("%d labels, %d bytes", len(info.Labels), size)
	}
}

// A run that was killed early left nothing; one whose plan went left no plan;
// what others put under the lease is no plan.
func TestHeldIsOnlyPlans(t *testing.T) {
	s := newDatabase(t)
	lease := leases.Lease{ID: ours.RunID}
	must(s.manager.Create(s.ctx, leases.WithID(ours.RunID)))
	if docs, err := s.held(); err != nil || len(docs) != 0 {
		t.Errorf("an empty lease: %q, %v", docs, err)
	}
	for _, resource := range []leases.Resource{
		{Type: "content", ID: s.put("somebody's").String()},
		{Type: "content", ID: digest.FromString("gone").String()},
		{Type: "snapshots/native", ID: "s"},
	} {
		must(0, s.manager.AddResource(s.ctx, lease, resource))
	}
	if docs, err := s.held(); err != nil || len(docs) != 0 {
		t.Errorf("got %q, %v", docs, err)
	}
}

// unreadable is a content store in which one blob cannot be read.
type unreadable struct {
	content.Store
	bad digest.Digest
}

var errDisk = errors.New("input/output error")

func (u unreadable) ReaderAt(ctx context.Context, desc ocispec.Descriptor) (content.ReaderAt, error) {
	if desc.Digest == u.bad {
		return nil, errDisk
	}
	return u.Store.ReaderAt(ctx, desc)
}

func TestHeldUnreadable(t *testing.T) {
	s := newDatabase(t)
	must(0, Locker{Manager: s.manager}.Lock(s.ctx, "test", Run{Name: "r"}, noon))
	for _, doc := range []string{"bad", "good"} {
		must(Hold(s.ctx, s.content, []byte(doc), nil))
	}
	s.content = unreadable{s.content, digest.FromString("bad")}
	docs, err := s.held()
	if !errors.Is(err, errDisk) || len(docs) != 1 || docs[0] != "good" {
		t.Errorf("got %q, %v", docs, err)
	}
}

// gone is a content store whose containerd has died.
type gone struct{ content.Store }

func (gone) Writer(context.Context, ...content.WriterOpt) (content.Writer, error) {
	return nil, errdefs.ErrUnavailable
}

// A containerd that is gone is not waited for.
func TestHoldWithoutAContainerd(t *testing.T) {
	s := newDatabase(t)
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	defer cancel()
	if _, err := Hold(ctx, gone{s.db.ContentStore()}, []byte("plan"), nil); !errdefs.IsUnavailable(err) || ctx.Err() != nil {
		t.Errorf("Hold returned %v, its context %v", err, ctx.Err())
	}
}
