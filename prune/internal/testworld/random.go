package testworld

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// The names that random worlds are made of. Few, so that things meet; labels
// and leases name them whether they are there or not.
var (
	RandomSpaces     = []string{"default", "k8s.io", "other", "default_history", "moby"}
	RandomBlobs      = strings.Split("a b c d e f g h", " ")
	randomSnapshots  = []string{"s0", "s1", "s2", "s3/x", "sha256:1111111111111111111111111111111111111111111111111111111111111111"}
	randomLeases     = []string{"l0", "l1", "l2", HistoryLease, "ref_x", "ctr-prune-grace-x"}
	randomContainers = []string{"c0", "c1"}
	randomUploads    = []string{"u0", "u1"}
	randomConditions = []string{
		"usedat<10h", "usedat>10h", "usedat<10m", "usedat<=10h", "usedat=1h", "usedat!1h", "usedat", "usedat<soon",
		"pulled<10h", "usedat>1000h,usedat<10h", "usedat<10h,pulled<1h", "",
	}
)

func randomRecords() []string {
	return []string{
		"docker.io/library/a:1", "docker.io/library/a:2", "example.com/b:1", "b:latest", "Not a reference",
		"<none>@" + Digest("a").String(), "overlayfs@" + Digest("b").String(), "docker.io/library/a@" + Digest("a").String(), Digest("b").String(),
	}
}

// Shape says what random worlds are made of.
type Shape struct {
	Spaces []string
	// expectations says that uploads may wait for blobs of other namespaces,
	// which containerd's API does not show.
	Expectations bool
	// odd says that names with a digest may have another target, so that one
	// run makes work for the next.
	Odd bool
}

// SkipDraws makes the worlds of each shard others: rapid gives all of them the same
// seed, if it was given one.
func SkipDraws(t *rapid.T, shard int) {
	for range shard {
		rapid.Uint64().Draw(t, "of another shard")
	}
}

// Uniform draws a number below n, each as often as the others: rapid's own
// prefer small ones, and then most worlds are empty.
func Uniform(t *rapid.T, n int, what string) int {
	return rapid.Custom(func(t *rapid.T) int {
		v := 0
		for range 10 {
			v *= 2
			if rapid.Bool().Draw(t, "bit") {
				v++
			}
		}
		return v % n
	}).Draw(t, what)
}

// Pick draws one of the items, each as often as the others.
func Pick[T any](t *rapid.T, items []T, what string) T { return items[Uniform(t, len(items), what)] }

// subset draws each item in so many of eight cases.
func subset(t *rapid.T, items []string, eighths int, what string) []string {
	var chosen []string
	for _, item := range items {
		if Uniform(t, 8, what+" "+item) < eighths {
			chosen = append(chosen, item)
		}
	}
	return chosen
}

// RandomWorld draws a world of at most three namespaces.
func RandomWorld(t *rapid.T, s Shape) World {
	w := World{}
	for len(w) < 2 {
		for _, ns := range subset(t, s.Spaces, 4, "namespace") {
			if len(w) < 3 {
				w[ns] = nil
			}
		}
	}
	for _, ns := range slices.Sorted(maps.Keys(w)) {
		w[ns] = s.things(t)
	}
	return w
}

func (s Shape) things(t *rapid.T) []Thing {
	var all []Thing
	if s.Expectations && Uniform(t, 4, "early upload") == 0 {
		all = append(all, Upload("early", Pick(t, RandomBlobs, "expects")))
	}
	for _, text := range subset(t, RandomBlobs, 6, "blob") {
		all = append(all, Blob(text, randomLabels(t, 3, graph.KindContent)...))
	}
	for _, sn := range []string{"memory", "other"} {
		all = append(all, randomChain(t, sn)...)
	}
	for _, name := range subset(t, randomRecords(), 4, "record") {
		all = append(all, Record(name, s.target(t, name), append(randomLabels(t, 1, graph.KindImage), randomTies(t)...)...))
	}
	for _, id := range subset(t, randomContainers, 3, "container") {
		all = append(all, randomContainer(t, id))
	}
	for _, id := range subset(t, []string{"p0"}, 3, "sandbox") {
		all = append(all, PodSandbox(id, randomLabels(t, 2, graph.KindSandbox)...))
	}
	for _, id := range subset(t, randomLeases, 2, "lease") {
		all = append(all, randomLease(t, id))
	}
	for _, ref := range subset(t, randomUploads, 2, "upload") {
		all = append(all, s.upload(t, ref, all))
	}
	return all
}

func (s Shape) target(t *rapid.T, name string) string {
	said := slices.IndexFunc(RandomBlobs, func(text string) bool { return strings.HasSuffix(name, Digest(text).String()) })
	if said >= 0 && !s.Odd {
		return RandomBlobs[said]
	}
	return Pick(t, RandomBlobs, "target")
}

// randomChain draws the snapshots of one snapshotter, parents first.
func randomChain(t *rapid.T, sn string) []Thing {
	var all []Thing
	parents := []string{""}
	for _, key := range subset(t, randomSnapshots, 4, sn) {
		attrs := append(randomLabels(t, 1, graph.KindSnapshot), In(sn))
		all = append(all, Snapshot(key, Pick(t, parents, "parent"), attrs...))
		parents = append(parents, key)
	}
	if rapid.Bool().Draw(t, "container's") {
		all = append(all, Active("rw", Pick(t, parents, "parent"), In(sn)))
	}
	return all
}

func randomContainer(t *rapid.T, id string) Thing {
	images := append(randomRecords(), "", "a:1", "a", "gone:1", Digest("a").String(), Digest("b").Encoded()[:12], "sha256:"+Digest("c").Encoded()[:8],
		"a@"+Digest("d").String(), "a:1@"+Digest("e").String())
	keys := append([]string{"", "rw"}, randomSnapshots...)
	attrs := append(randomLabels(t, 1, graph.KindContainer), In(Pick(t, []string{"memory", "other"}, "in")))
	return Container(id, Pick(t, images, "image"), Pick(t, keys, "key"), attrs...)
}

func randomLease(t *rapid.T, id string) Thing {
	var attrs []Attr
	for range 1 + Uniform(t, 3, "holds") {
		attrs = append(attrs, Holding(randomResource(t)))
	}
	if rapid.Bool().Draw(t, "flat") {
		attrs = append(attrs, Flat())
	}
	expiries := []Attr{Expiring(Earlier), Expiring(Later), Labelled("containerd.io/gc.expire", "soon"), func(*Thing) {}}
	return Lease(id, append(attrs, expiries[Uniform(t, 4, "expiry")])...)
}

func randomResource(t *rapid.T) leases.Resource {
	switch Uniform(t, 5, "resource") {
	case 0, 1:
		return TheBlob(Pick(t, RandomBlobs, "blob"))
	case 2:
		return TheSnapshot(Pick(t, []string{"memory", "other", "unknown"}, "in"), Pick(t, randomSnapshots, "snapshot"))
	case 3:
		return TheRecord(Pick(t, randomRecords(), "record"))
	default:
		return TheUpload(Pick(t, randomUploads, "upload"))
	}
}

// upload draws an upload, perhaps under a lease that was made before it.
func (s Shape) upload(t *rapid.T, ref string, made []Thing) Thing {
	expects := ""
	if s.Expectations && rapid.Bool().Draw(t, "expects") {
		expects = Pick(t, RandomBlobs, "expects")
	}
	holders := []string{""}
	for _, thing := range made {
		if thing.What == graph.KindLease {
			holders = append(holders, thing.Name)
		}
	}
	return Upload(ref, expects, LeasedTo(Pick(t, holders, "lease")))
}

// Ends says whether a record of the world has an end.
func (w World) Ends() bool {
	for _, things := range w {
		for _, thing := range things {
			if thing.What == graph.KindImage && thing.Labels[gc.LabelExpire] != "" {
				return true
			}
		}
	}
	return false
}

// randomTies draws for some records that they live only while others do, or until
// a time.
func randomTies(t *rapid.T) []Attr {
	if Uniform(t, 3, "tied") > 0 {
		return nil
	}
	ends := []Attr{Expiring(Earlier), Expiring(Earlier), Expiring(Later), Labelled(gc.LabelExpire, "soon")}
	attrs := []Attr{Pick(t, ends, "end")}
	for range Uniform(t, 3, "ties") {
		slash, record := Pick(t, []string{"", "/name", ".x"}, "suffix"), Pick(t, randomRecords(), "record")
		ties := []Attr{
			BackImage(record, slash), BackImage(record, slash), BackImage(record, slash), RefImage(record, slash),
			BackContent(Pick(t, RandomBlobs, "blob"), slash), BackSnapshot(Pick(t, randomSnapshots, "snapshot")),
			BackContainer(Pick(t, randomContainers, "container"), slash),
		}
		attrs = append(attrs, Pick(t, ties, "tie"))
	}
	return attrs
}

// randomLabels draws up to so many labels for a thing of that kind.
func randomLabels(t *rapid.T, most int, what graph.Kind) []Attr {
	var attrs []Attr
	for range Uniform(t, most+1, "labels") {
		attrs = append(attrs, randomLabel(t, what))
	}
	return attrs
}

// randomLabel draws any label; those that make sense for the kind of thing
// come up most often.
func randomLabel(t *rapid.T, what graph.Kind) Attr {
	suffix := Pick(t, []string{"", ".0", ".config", "/name", ".referrer.x", "ious"}, "suffix")
	slash := Pick(t, []string{"", "/name", ".x"}, "suffix")
	text, key, name := Pick(t, RandomBlobs, "blob"), Pick(t, randomSnapshots, "snapshot"), Pick(t, randomRecords(), "record")
	common := map[graph.Kind][]Attr{
		graph.KindContent: {
			RefContent(text, suffix), RefContent(text, suffix), RefContent(text, suffix), RefContent(text),
			RefSnapshot(key), RefSnapshot(key, slash), RefSnapshot(key), RefImage(name),
		},
		graph.KindImage:    {BackImage(name), WhileUsed("usedat<10h", key)},
		graph.KindSnapshot: {UsedAt(Started.Add(-time.Hour), suffix), UsedAt(Started.Add(-100*time.Hour), suffix)},
	}
	rare := []Attr{
		RefContent(text, suffix), RefSnapshot(key, slash), RefImage(name, suffix),
		Labelled("containerd.io/gc.ref.snapshot.other"+slash, key),
		BackContent(text, suffix), BackSnapshot(key, slash), BackImage(name, suffix),
		BackContainer(Pick(t, randomContainers, "container"), suffix),
		WhileUsed(Pick(t, randomConditions, "condition"), key, slash),
		GCRoot(), Expiring(Earlier), Expiring(Later), UsedAt(Started.Add(-time.Hour), slash),
		Labelled("containerd.io/gc."+suffix, Pick(t, []string{"", "x", "|"}, "value")),
		Labelled(rules.LabelPinned, rules.ValuePinned),
	}
	return Pick(t, slices.Concat(common[what], common[what], rare), "label")
}

// Untie takes the labels off by which records live only as long as others do.
func Untie(w World) {
	for _, things := range w {
		for _, thing := range things {
			maps.DeleteFunc(thing.Labels, func(key, _ string) bool {
				return key == gc.LabelExpire && thing.What != graph.KindLease || strings.HasPrefix(key, gc.LabelImageRef) || strings.HasPrefix(key, "containerd.io/gc.bref.image")
			})
		}
	}
}

// RandomPolicy draws a policy for an inventory.
func RandomPolicy(t *rapid.T, inv *inventory.Inventory) rules.Policy {
	sets := []filters.Set{{}, filters.Everything(), filters.Everything()}
	for _, reference := range []string{"reference=a", "reference!=b"} {
		sets = append(sets, Must(filters.Parse(filters.Options{All: true, Filters: []string{reference}}, time.Now())))
	}
	p := rules.Policy{Filters: Pick(t, sets, "filters")}
	for _, ns := range inv.Namespaces {
		if Uniform(t, 4, "prune "+ns.Name) > 0 {
			p.Namespaces = append(p.Namespaces, ns.Name)
		}
	}
	return p
}
