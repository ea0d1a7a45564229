package prune

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// The names that random worlds are made of. Few, so that things meet; labels
// and leases name them whether they are there or not.
var (
	randomSpaces     = []string{"default", "k8s.io", "other", "default_history", "moby"}
	randomBlobs      = strings.Split("a b c d e f g h", " ")
	randomSnapshots  = []string{"s0", "s1", "s2", "s3/x", "sha256:1111111111111111111111111111111111111111111111111111111111111111"}
	randomLeases     = []string{"l0", "l1", "l2", historyLease, "ref_x", "ctr-prune-grace-x"}
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
		"<none>@" + dig("a").String(), "overlayfs@" + dig("b").String(), "docker.io/library/a@" + dig("a").String(), dig("b").String(),
	}
}

// shape says what random worlds are made of.
type shape struct {
	spaces []string
	// expectations says that uploads may wait for blobs of other namespaces,
	// which containerd's API does not show.
	expectations bool
	// odd says that names with a digest may have another target, so that one
	// run makes work for the next.
	odd bool
}

// skipDraws makes the worlds of each shard others: rapid gives all of them the same
// seed, if it was given one.
func skipDraws(t *rapid.T, shard int) {
	for range shard {
		rapid.Uint64().Draw(t, "of another shard")
	}
}

// uniform draws a number below n, each as often as the others: rapid's own
// prefer small ones, and then most worlds are empty.
func uniform(t *rapid.T, n int, what string) int {
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

func pick[T any](t *rapid.T, items []T, what string) T { return items[uniform(t, len(items), what)] }

// subset draws each item in so many of eight cases.
func subset(t *rapid.T, items []string, eighths int, what string) []string {
	var chosen []string
	for _, item := range items {
		if uniform(t, 8, what+" "+item) < eighths {
			chosen = append(chosen, item)
		}
	}
	return chosen
}

func randomWorld(t *rapid.T, s shape) world {
	w := world{}
	for len(w) < 2 {
		for _, ns := range subset(t, s.spaces, 4, "namespace") {
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

func (s shape) things(t *rapid.T) []thing {
	var all []thing
	if s.expectations && uniform(t, 4, "early upload") == 0 {
		all = append(all, upload("early", pick(t, randomBlobs, "expects")))
	}
	for _, text := range subset(t, randomBlobs, 6, "blob") {
		all = append(all, blob(text, randomLabels(t, 3, graph.KindContent)...))
	}
	for _, sn := range []string{"memory", "other"} {
		all = append(all, randomChain(t, sn)...)
	}
	for _, name := range subset(t, randomRecords(), 4, "record") {
		all = append(all, record(name, s.target(t, name), append(randomLabels(t, 1, graph.KindImage), randomTies(t)...)...))
	}
	for _, id := range subset(t, randomContainers, 3, "container") {
		all = append(all, randomContainer(t, id))
	}
	for _, id := range subset(t, []string{"p0"}, 3, "sandbox") {
		all = append(all, podSandbox(id, randomLabels(t, 2, graph.KindSandbox)...))
	}
	for _, id := range subset(t, randomLeases, 2, "lease") {
		all = append(all, randomLease(t, id))
	}
	for _, ref := range subset(t, randomUploads, 2, "upload") {
		all = append(all, s.upload(t, ref, all))
	}
	return all
}

func (s shape) target(t *rapid.T, name string) string {
	said := slices.IndexFunc(randomBlobs, func(text string) bool { return strings.HasSuffix(name, dig(text).String()) })
	if said >= 0 && !s.odd {
		return randomBlobs[said]
	}
	return pick(t, randomBlobs, "target")
}

// randomChain draws the snapshots of one snapshotter, parents first.
func randomChain(t *rapid.T, sn string) []thing {
	var all []thing
	parents := []string{""}
	for _, key := range subset(t, randomSnapshots, 4, sn) {
		attrs := append(randomLabels(t, 1, graph.KindSnapshot), in(sn))
		all = append(all, snapshot(key, pick(t, parents, "parent"), attrs...))
		parents = append(parents, key)
	}
	if rapid.Bool().Draw(t, "container's") {
		all = append(all, active("rw", pick(t, parents, "parent"), in(sn)))
	}
	return all
}

func randomContainer(t *rapid.T, id string) thing {
	images := append(randomRecords(), "", "a:1", "a", "gone:1", dig("a").String(), dig("b").Encoded()[:12], "sha256:"+dig("c").Encoded()[:8],
		"a@"+dig("d").String(), "a:1@"+dig("e").String())
	keys := append([]string{"", "rw"}, randomSnapshots...)
	attrs := append(randomLabels(t, 1, graph.KindContainer), in(pick(t, []string{"memory", "other"}, "in")))
	return container(id, pick(t, images, "image"), pick(t, keys, "key"), attrs...)
}

func randomLease(t *rapid.T, id string) thing {
	var attrs []attr
	for range 1 + uniform(t, 3, "holds") {
		attrs = append(attrs, holding(randomResource(t)))
	}
	if rapid.Bool().Draw(t, "flat") {
		attrs = append(attrs, flat())
	}
	expiries := []attr{expiring(earlier), expiring(later), labelled("containerd.io/gc.expire", "soon"), func(*thing) {}}
	return lease(id, append(attrs, expiries[uniform(t, 4, "expiry")])...)
}

func randomResource(t *rapid.T) leases.Resource {
	switch uniform(t, 5, "resource") {
	case 0, 1:
		return theBlob(pick(t, randomBlobs, "blob"))
	case 2:
		return theSnapshot(pick(t, []string{"memory", "other", "unknown"}, "in"), pick(t, randomSnapshots, "snapshot"))
	case 3:
		return theRecord(pick(t, randomRecords(), "record"))
	default:
		return theUpload(pick(t, randomUploads, "upload"))
	}
}

// upload draws an upload, perhaps under a lease that was made before it.
func (s shape) upload(t *rapid.T, ref string, made []thing) thing {
	expects := ""
	if s.expectations && rapid.Bool().Draw(t, "expects") {
		expects = pick(t, randomBlobs, "expects")
	}
	holders := []string{""}
	for _, thing := range made {
		if thing.What == graph.KindLease {
			holders = append(holders, thing.Name)
		}
	}
	return upload(ref, expects, leasedTo(pick(t, holders, "lease")))
}

// ends says whether a record of the world has an end.
func (w world) ends() bool {
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
func randomTies(t *rapid.T) []attr {
	if uniform(t, 3, "tied") > 0 {
		return nil
	}
	ends := []attr{expiring(earlier), expiring(earlier), expiring(later), labelled(gc.LabelExpire, "soon")}
	attrs := []attr{pick(t, ends, "end")}
	for range uniform(t, 3, "ties") {
		slash, record := pick(t, []string{"", "/name", ".x"}, "suffix"), pick(t, randomRecords(), "record")
		ties := []attr{
			backImage(record, slash), backImage(record, slash), backImage(record, slash), refImage(record, slash),
			backContent(pick(t, randomBlobs, "blob"), slash), backSnapshot(pick(t, randomSnapshots, "snapshot")),
			backContainer(pick(t, randomContainers, "container"), slash),
		}
		attrs = append(attrs, pick(t, ties, "tie"))
	}
	return attrs
}

// randomLabels draws up to so many labels for a thing of that kind.
func randomLabels(t *rapid.T, most int, what graph.Kind) []attr {
	var attrs []attr
	for range uniform(t, most+1, "labels") {
		attrs = append(attrs, randomLabel(t, what))
	}
	return attrs
}

// randomLabel draws any label; those that make sense for the kind of thing
// come up most often.
func randomLabel(t *rapid.T, what graph.Kind) attr {
	suffix := pick(t, []string{"", ".0", ".config", "/name", ".referrer.x", "ious"}, "suffix")
	slash := pick(t, []string{"", "/name", ".x"}, "suffix")
	text, key, name := pick(t, randomBlobs, "blob"), pick(t, randomSnapshots, "snapshot"), pick(t, randomRecords(), "record")
	common := map[graph.Kind][]attr{
		graph.KindContent: {
			refContent(text, suffix), refContent(text, suffix), refContent(text, suffix), refContent(text),
			refSnapshot(key), refSnapshot(key, slash), refSnapshot(key), refImage(name),
		},
		graph.KindImage:    {backImage(name), whileUsed("usedat<10h", key)},
		graph.KindSnapshot: {usedAt(started.Add(-time.Hour), suffix), usedAt(started.Add(-100*time.Hour), suffix)},
	}
	rare := []attr{
		refContent(text, suffix), refSnapshot(key, slash), refImage(name, suffix),
		labelled("containerd.io/gc.ref.snapshot.other"+slash, key),
		backContent(text, suffix), backSnapshot(key, slash), backImage(name, suffix),
		backContainer(pick(t, randomContainers, "container"), suffix),
		whileUsed(pick(t, randomConditions, "condition"), key, slash),
		gcRoot(), expiring(earlier), expiring(later), usedAt(started.Add(-time.Hour), slash),
		labelled("containerd.io/gc."+suffix, pick(t, []string{"", "x", "|"}, "value")),
		labelled(rules.LabelPinned, rules.ValuePinned),
	}
	return pick(t, slices.Concat(common[what], common[what], rare), "label")
}
