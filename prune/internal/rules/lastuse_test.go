package rules_test

import (
	"slices"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/lastuse"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// What was used within an age stays, and so does what may have been: as long as use
// is not watched for so long, or nobody watches now.
func TestUsedWithin(t *testing.T) {
	const day = 24 * time.Hour
	things := tw.Join(aged("x.io/a:1", "a", 30), aged("x.io/b:1", "b", 30), aged("x.io/c:1", "c", 30), aged("x.io/d:1", "d", 1),
		[]tw.Thing{tw.Container("web", "x.io/c:1", "")})
	watched := func(days int) *lastuse.View {
		l := lastuse.NewLog()
		for at := tw.Noon.Add(-time.Duration(days) * day); !at.After(tw.Noon); at = at.Add(lastuse.Bridged) {
			l.Watched(lastuse.Moment{Wall: at})
		}
		l.Note(lastuse.Key{Namespace: "default", Target: tw.Digest("a")}, lastuse.Use{At: tw.Noon.Add(-2 * day), By: "container job"})
		l.Note(lastuse.Key{Namespace: "default", Target: tw.Digest("b")}, lastuse.Use{At: tw.Noon.Add(-4 * day), By: "container job"})
		return l.View()
	}
	const rule = `kept by rule "used": `
	const maybe = rule + "use within 3d cannot be excluded, because use is "
	for name, c := range map[string]struct {
		view *lastuse.View
		b    string
	}{
		"watched for long": {watched(10), `remove: unused, and not kept by rule "used"`},
		"not for so long":  {watched(1), "keep: " + maybe + "watched only since 2026-11-20T12:00:00Z"},
		"nobody watches":   {nil, "keep: " + maybe + "not watched"},
	} {
		policy := rules.Policy{
			Namespaces: []string{"default"}, Filters: tw.All(), LastUse: c.view,
			Retention: kept(`{name: used, match: {names: ["**"]}, keep: {usedWithin: 3d}}`, ""),
		}
		inv := tw.World{"default": things}.Inventory()
		var got []string
		for _, d := range rules.Decide(rules.NewView(inv.Namespaces[0], store.StoreInfo{}), policy, store.StoreInfo{}, tw.Noon) {
			got = append(got, d.Name+": "+string(d.Action)+": "+d.Reason)
		}
		a := "x.io/a:1: keep: " + rule + "used within 3d, last 2026-11-19T12:00:00Z"
		if c.view == nil {
			a = "x.io/a:1: keep: " + maybe + "not watched"
		}
		want := []string{a, "x.io/b:1: " + c.b, "x.io/c:1: keep: in use by container web", "x.io/d:1: keep: " + rule + "younger than 3d, from 2026-11-20T12:00:00Z"}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
