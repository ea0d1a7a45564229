package races

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"
)

// record names a record of the store.
type record struct{ namespace, name string }

func (c record) String() string { return c.name + " in namespace " + c.namespace }

// product is a kept image as its builder left it.
type product struct{ anatomy }

// keep builds an image that no run may remove. As soon as the build is done,
// and until the next one of its name begins, it is whole.
func (w *workshop) keep(ctx context.Context, name string, i int64) error {
	key := record{w.namespace, name}
	w.kept.Delete(key)
	if err := w.make(ctx, name, i); err != nil {
		return err
	}
	s := w.store(w.namespace)
	rec, err := s.Client.ImageService().Get(s.Context(ctx), name)
	if errdefs.IsNotFound(err) {
		w.tally.lost("%s has no record right after its build", key)
		return nil
	}
	if err != nil {
		return err
	}
	a, err := w.anatomy(ctx, s, rec.Target)
	if err != nil {
		return err
	}
	if len(a.chain) == 0 {
		w.tally.lost("%s lacks its config right after its build", key)
		return nil
	}
	w.kept.Store(key, &product{a})
	return w.keptOne(ctx, key)
}

// keeps looks at all kept images that are not being built, or waits for a run
// to pass if there are none.
func (r *race) keeps(ctx context.Context) error {
	looked, err := r.keptAll(ctx)
	if err == nil && looked == 0 {
		return r.rounds.await(ctx)
	}
	return err
}

// keptAll looks at them and returns how many there are.
func (r *race) keptAll(ctx context.Context) (looked int, err error) {
	r.kept.Range(func(key, _ any) bool {
		looked++
		err = r.keptOne(ctx, key.(record))
		return err == nil
	})
	return looked, err
}

// keptOne looks at one of them: its record, every blob, every snapshot.
func (r *race) keptOne(ctx context.Context, key record) error {
	was, ok := r.kept.Load(key)
	if !ok {
		return nil
	}
	s := r.store(key.namespace)
	what := ""
	if _, err := s.Client.ImageService().Get(s.Context(ctx), key.name); errdefs.IsNotFound(err) {
		what = "its record"
	} else if err != nil {
		return err
	}
	blobs, snapshots, err := was.(*product).lacks(ctx, s)
	if err != nil {
		return err
	}
	if now, _ := r.kept.Load(key); now != was {
		return nil // it is being built anew
	}
	if what != "" || len(blobs)+len(snapshots) > 0 {
		r.tally.lost("kept image %s lost %s", key, fmt.Sprint(what, blobs, snapshots))
		r.kept.Delete(key)
	}
	return nil
}
