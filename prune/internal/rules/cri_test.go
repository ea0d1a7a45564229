package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// criImageThings are the three records that CRI keeps for an image, with its
// manifest and config.
func criImageThings(tag, text string) []tw.Thing {
	repo, _, _ := strings.Cut(tag, ":")
	config := text + " config"
	return []tw.Thing{
		tw.Record(tag, text), tw.Record(repo+"@"+tw.Digest(text).String(), text), tw.Record(tw.Digest(config).String(), text),
		tw.Blob(text, tw.RefContent(config, ".config")), tw.Blob(config),
	}
}

// pod makes a container of a pod that uses an image by its ID.
func pod(id, image, ref string) tw.Thing {
	json := fmt.Sprintf(`{"Version":"v1","Metadata":{"ID":%q,"ImageRef":%q}}`, id, ref)
	return tw.Container(id, image, "", tw.Extension(inventory.ExtensionCRIContainer, json),
		tw.Labelled(inventory.LabelCRIKind, "container"), tw.Labelled(inventory.LabelPodName, "web-1"), tw.Labelled(inventory.LabelPodNamespace, "shop"), tw.Labelled(inventory.LabelPodContainer, "app"))
}

func TestUnitsOfKubernetesGoWhole(t *testing.T) {
	const tag, other = "registry.k8s.io/a:1", "registry.k8s.io/a:2"
	config := tw.Digest("a config").String()
	image := criImageThings(tag, "a")
	names := func(decision string) []string {
		return []string{tag + decision, "registry.k8s.io/a@«a»" + decision, config + decision}
	}
	together := func(name, why string) string {
		return fmt.Sprintf(": keep: CRI keeps the names of an image together, and %q is kept: %s", name, why)
	}
	const inUse = ": keep: in use by pod shop/web-1, container app"
	for name, c := range map[string]struct {
		things []tw.Thing
		policy rules.Policy
		want   []string
	}{
		"unused": {image, rules.Policy{Filters: tw.All()}, names(": remove: unused")},
		"used by its ID": { // although the record that the container names is gone
			tw.With(image, pod("c", "gone:1", config)), rules.Policy{Filters: tw.All()}, names(inUse),
		},
		"used by its target": {
			tw.With(image, pod("c", "gone:1", tw.Digest("a").String())), rules.Policy{Filters: tw.All()}, names(inUse),
		},
		"used by a name": {
			tw.With(image, pod("c", tag, tw.Digest("gone").String())), rules.Policy{Filters: tw.All()},
			[]string{tag + inUse, "registry.k8s.io/a@«a»" + together(tag, "in use by pod shop/web-1, container app"), config + together(tag, "in use by pod shop/web-1, container app")},
		},
		"used by another pod's image only": {
			tw.With(image, pod("c", "gone:1", tw.Digest("gone").String())), rules.Policy{Filters: tw.All()}, names(": remove: unused"),
		},
		"a second tag that is not chosen": {
			tw.With(image, tw.Record(other, "a")), rules.Policy{Filters: tw.All("reference=registry.k8s.io/a:1")},
			[]string{
				tag + ": keep: filter reference=registry.k8s.io/a:1: it also has the name " + other,
				other + ": keep: filter reference=registry.k8s.io/a:1: it also has the name " + other,
				"registry.k8s.io/a@«a»: keep: filter reference=registry.k8s.io/a:1: it also has the name " + other,
				config + ": keep: filter reference=registry.k8s.io/a:1: it also has the name " + other,
			},
		},
		"chosen by its tag": {image, rules.Policy{Filters: tw.All("reference=registry.k8s.io/a:1")}, names(": remove: unused")},
		"one name is young": {
			[]tw.Thing{tw.Record(tag, "a"), tw.Record(config, "a", tw.Created(tw.Noon)), tw.Blob("a")}, rules.Policy{Filters: tw.All("until=72h")},
			[]string{tag + ": keep: younger than 72h (0s old)", config + ": keep: younger than 72h (0s old)"},
		},
		"not dangling, for one name is not": {
			[]tw.Thing{tw.Record(tag, "a"), tw.Record("<none>@"+tw.Digest("a").String(), "a")}, rules.Policy{},
			[]string{"<none>@«a»: keep: not dangling", tag + ": keep: not dangling"},
		},
		"not dangling, for the first name is not": {
			[]tw.Thing{tw.Record("docker.io/library/a:1", "a"), tw.Record("overlayfs@"+tw.Digest("a").String(), "a")}, rules.Policy{},
			[]string{"docker.io/library/a:1: keep: not dangling", "overlayfs@«a»: keep: not dangling"},
		},
		"dangling": {
			[]tw.Thing{tw.Record("overlayfs@"+tw.Digest("a").String(), "a"), tw.Record("<none>@"+tw.Digest("a").String(), "a")}, rules.Policy{},
			[]string{"<none>@«a»: remove: unused and dangling", "overlayfs@«a»: remove: unused and dangling"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.policy.Namespaces = []string{store.CRINamespace}
			got := tw.Decided(t, tw.World{store.CRINamespace: c.things}, c.policy)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("decisions (-want +got):\n%s", diff)
			}
		})
	}
}

// No stand-ins are made where CRI follows: what is in use stays by its names.
func TestNoStandInsForKubernetes(t *testing.T) {
	things := tw.With(tw.Unpacked("a", tw.Layer("1"), ""), tw.Record("x:1", "a"), tw.Active("rw", tw.Layer("1")), tw.Container("c", "", "rw"))
	tw.CheckDecided(t, store.CRINamespace, tw.All(), things, []string{"x:1: keep: in use by container c, whose snapshot is based on it"})
}

func TestSandboxesUseThePauseImage(t *testing.T) {
	things := tw.With(criImageThings("registry.k8s.io/pause:3.10", "a"),
		tw.Container("c", "registry.k8s.io/pause:3.10", "", tw.Labelled(inventory.LabelCRIKind, "sandbox"), tw.Labelled(inventory.LabelPodName, "web-1"), tw.Labelled(inventory.LabelPodNamespace, "shop")))
	got := tw.Decided(t, tw.World{store.CRINamespace: things}, rules.Policy{Namespaces: []string{store.CRINamespace}, Filters: tw.All()})
	if want := "registry.k8s.io/pause:3.10: keep: in use by pod sandbox shop/web-1 and "; !strings.HasPrefix(got[0], want) {
		t.Errorf("got %s\nwant %s and who else", got[0], want)
	}
}

// What cannot be understood closes its namespace, and no other.
func TestGarbledMetadataClosesTheNamespace(t *testing.T) {
	for json, why := range map[string]string{
		`{`: "unexpected EOF",
		`{"Version":"v2","Metadata":{"ImageRef":"x"}}`:    `its version is "v2", but only "v1" is supported`,
		`{"Version":"v1","Metadata":{"ImageRef":"ngx"}}`:  `its ImageRef "ngx" is not a digest`,
		`{"Version":"v1","Metadata":{}}`:                  `its ImageRef "" is not a digest`,
		`{"Version":"v1","Metadata":{"ImageRef":12}}`:     "cannot unmarshal",
		`{"Version":"v1","Metadata":{"ImageRef":"a\u00"}`: "invalid character",
	} {
		w := tw.World{
			store.CRINamespace: {tw.Record("x:1", "a"), tw.Container("c", "y:1", "", tw.Extension(inventory.ExtensionCRIContainer, json))},
			"default":          {tw.Record("z:1", "a")},
		}
		plan := tw.Must(plan.NewPlan(w.Inventory(), rules.Policy{AllNamespaces: true, Filters: tw.All()}, tw.Noon))
		for _, d := range plan.Decisions {
			wantKept := d.Namespace == store.CRINamespace
			if (d.Action == rules.Keep) != wantKept {
				t.Errorf("%s: %s in %s: %s: %s", json, d.Name, d.Namespace, d.Action, d.Reason)
			}
			if wantKept && (!strings.Contains(d.Reason, why) || !strings.Contains(d.Reason, `container "c"`)) {
				t.Errorf("%s: reason %q does not tell %q of container c", json, d.Reason, why)
			}
		}
		if refused := plan.Refused; len(refused) != 1 || refused[0].Namespace != store.CRINamespace || !strings.Contains(refused[0].Error(), why) {
			t.Errorf("%s: refused %v", json, refused)
		}
	}
}

// A run that was killed left its probe: it must not keep the image.
func TestProbeOfAKilledRunGoesWithItsImage(t *testing.T) {
	dangling := "overlayfs@" + digest.FromString("a").String()
	ns := tw.CRISpace(map[string]string{dangling: "a", "ctr-prune.invalid/probe:1": "a", "docker.io/library/" + dangling: "a"})
	for i := range ns.Images {
		if ns.Images[i].Name != dangling {
			ns.Images[i].Labels = map[string]string{inventory.LabelProbe: "1"}
		}
	}
	store := store.StoreInfo{Version: "2.4.2"}
	decisions := rules.Decide(rules.NewView(ns, store), rules.Policy{}, store, time.Now())
	for _, d := range decisions {
		if d.Action != rules.Remove {
			t.Errorf("%s: %s, %s", d.Name, d.Action, d.Reason)
		}
	}
}

func TestDanglingUnitsOfCRI(t *testing.T) {
	const tag, repo = "docker.io/library/app:1", "docker.io/library/app@sha256:0000000000000000000000000000000000000000000000000000000000000000"
	dangling := "<none>@" + digest.FromString("a").String()
	for name, test := range map[string]struct {
		records []string
		want    rules.Action
	}{
		"a dangling name and its ID":  {[]string{dangling, tw.CRIID("a")}, rules.Remove},
		"a dangling name alone":       {[]string{dangling}, rules.Remove},
		"an ID alone":                 {[]string{tw.CRIID("a")}, rules.Keep},
		"a digest of a repository":    {[]string{repo, tw.CRIID("a")}, rules.Keep},
		"a tag beside a dangling one": {[]string{dangling, tag, tw.CRIID("a")}, rules.Keep},
	} {
		t.Run(name, func(t *testing.T) {
			records := map[string]string{}
			for _, record := range test.records {
				records[record] = "a"
			}
			ns := tw.CRISpace(records)
			for i := range ns.Images {
				ns.Images[i].Labels = map[string]string{inventory.LabelManaged: inventory.ValueManaged}
			}
			store := store.StoreInfo{Version: "2.4.2"}
			decisions := rules.Decide(rules.NewView(ns, store), rules.Policy{}, store, time.Now())
			for _, d := range decisions {
				if d.Action != test.want {
					t.Errorf("%s: %s, %s", d.Name, d.Action, d.Reason)
				}
			}
		})
	}
}
