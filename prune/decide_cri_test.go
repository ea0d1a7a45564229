package prune

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// criImageThings are the three records that CRI keeps for an image, with its
// manifest and config.
func criImageThings(tag, text string) []thing {
	repo, _, _ := strings.Cut(tag, ":")
	config := text + " config"
	return []thing{
		record(tag, text), record(repo+"@"+dig(text).String(), text), record(dig(config).String(), text),
		blob(text, refContent(config, ".config")), blob(config),
	}
}

// pod makes a container of a pod that uses an image by its ID.
func pod(id, image, ref string) thing {
	json := fmt.Sprintf(`{"Version":"v1","Metadata":{"ID":%q,"ImageRef":%q}}`, id, ref)
	return container(id, image, "", extension(inventory.ExtensionCRIContainer, json),
		labelled(inventory.LabelCRIKind, "container"), labelled(inventory.LabelPodName, "web-1"), labelled(inventory.LabelPodNamespace, "shop"), labelled(inventory.LabelPodContainer, "app"))
}

func TestUnitsOfKubernetesGoWhole(t *testing.T) {
	const tag, other = "registry.k8s.io/a:1", "registry.k8s.io/a:2"
	config := dig("a config").String()
	image := criImageThings(tag, "a")
	names := func(decision string) []string {
		return []string{tag + decision, "registry.k8s.io/a@«a»" + decision, config + decision}
	}
	together := func(name, why string) string {
		return fmt.Sprintf(": keep: CRI keeps the names of an image together, and %q stays: %s", name, why)
	}
	const inUse = ": keep: in use by pod shop/web-1, container app"
	for name, c := range map[string]struct {
		things []thing
		policy rules.Policy
		want   []string
	}{
		"unused": {image, rules.Policy{Filters: all()}, names(": remove: unused")},
		"used by its ID": { // although the record that the container names is gone
			with(image, pod("c", "gone:1", config)), rules.Policy{Filters: all()}, names(inUse),
		},
		"used by its target": {
			with(image, pod("c", "gone:1", dig("a").String())), rules.Policy{Filters: all()}, names(inUse),
		},
		"used by a name": {
			with(image, pod("c", tag, dig("gone").String())), rules.Policy{Filters: all()},
			[]string{tag + inUse, "registry.k8s.io/a@«a»" + together(tag, "in use by pod shop/web-1, container app"), config + together(tag, "in use by pod shop/web-1, container app")},
		},
		"used by another pod's image only": {
			with(image, pod("c", "gone:1", dig("gone").String())), rules.Policy{Filters: all()}, names(": remove: unused"),
		},
		"a second tag that is not chosen": {
			with(image, record(other, "a")), rules.Policy{Filters: all("reference=registry.k8s.io/a:1")},
			[]string{
				tag + ": keep: filter reference=registry.k8s.io/a:1: it also has the name " + other,
				other + ": keep: filter reference=registry.k8s.io/a:1: it also has the name " + other,
				"registry.k8s.io/a@«a»: keep: filter reference=registry.k8s.io/a:1: it also has the name " + other,
				config + ": keep: filter reference=registry.k8s.io/a:1: it also has the name " + other,
			},
		},
		"chosen by its tag": {image, rules.Policy{Filters: all("reference=registry.k8s.io/a:1")}, names(": remove: unused")},
		"one name is young": {
			[]thing{record(tag, "a"), record(config, "a", created(noon)), blob("a")}, rules.Policy{Filters: all("until=72h")},
			[]string{tag + ": keep: younger than 72h (0s old)", config + ": keep: younger than 72h (0s old)"},
		},
		"not dangling, for one name is not": {
			[]thing{record(tag, "a"), record("<none>@"+dig("a").String(), "a")}, rules.Policy{},
			[]string{"<none>@«a»: keep: not dangling", tag + ": keep: not dangling"},
		},
		"not dangling, for the first name is not": {
			[]thing{record("docker.io/library/a:1", "a"), record("overlayfs@"+dig("a").String(), "a")}, rules.Policy{},
			[]string{"docker.io/library/a:1: keep: not dangling", "overlayfs@«a»: keep: not dangling"},
		},
		"dangling": {
			[]thing{record("overlayfs@"+dig("a").String(), "a"), record("<none>@"+dig("a").String(), "a")}, rules.Policy{},
			[]string{"<none>@«a»: remove: unused and dangling", "overlayfs@«a»: remove: unused and dangling"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.policy.Namespaces = []string{store.CRINamespace}
			got := decided(t, world{store.CRINamespace: c.things}, c.policy)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("decisions (-want +got):\n%s", diff)
			}
		})
	}
}

// No stand-ins are made where CRI follows: what is in use stays by its names.
func TestNoStandInsForKubernetes(t *testing.T) {
	things := with(unpacked("a", layer("1"), ""), record("x:1", "a"), active("rw", layer("1")), container("c", "", "rw"))
	checkDecided(t, store.CRINamespace, all(), things, []string{"x:1: keep: in use by container c, whose snapshot stands on it"})
}

func TestSandboxesUseThePauseImage(t *testing.T) {
	things := with(criImageThings("registry.k8s.io/pause:3.10", "a"),
		container("c", "registry.k8s.io/pause:3.10", "", labelled(inventory.LabelCRIKind, "sandbox"), labelled(inventory.LabelPodName, "web-1"), labelled(inventory.LabelPodNamespace, "shop")))
	got := decided(t, world{store.CRINamespace: things}, rules.Policy{Namespaces: []string{store.CRINamespace}, Filters: all()})
	if want := "registry.k8s.io/pause:3.10: keep: in use by pod sandbox shop/web-1 and "; !strings.HasPrefix(got[0], want) {
		t.Errorf("got %s\nwant %s and who else", got[0], want)
	}
}

// What cannot be understood closes its namespace, and no other.
func TestGarbledMetadataClosesTheNamespace(t *testing.T) {
	for json, why := range map[string]string{
		`{`: "unexpected EOF",
		`{"Version":"v2","Metadata":{"ImageRef":"x"}}`:    `its version is "v2", only "v1" is known`,
		`{"Version":"v1","Metadata":{"ImageRef":"ngx"}}`:  `its ImageRef "ngx" is not a digest`,
		`{"Version":"v1","Metadata":{}}`:                  `its ImageRef "" is not a digest`,
		`{"Version":"v1","Metadata":{"ImageRef":12}}`:     "cannot unmarshal",
		`{"Version":"v1","Metadata":{"ImageRef":"a\u00"}`: "invalid character",
	} {
		w := world{
			store.CRINamespace: {record("x:1", "a"), container("c", "y:1", "", extension(inventory.ExtensionCRIContainer, json))},
			"default":          {record("z:1", "a")},
		}
		plan := must(plan.NewPlan(w.inventory(), rules.Policy{AllNamespaces: true, Filters: all()}, noon))
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
