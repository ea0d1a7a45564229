package kubelet

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune"
)

// onePod is a list with one pod, whose specification and status are given.
func onePod(spec, status string) string {
	return `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[
		{"metadata":{"name":"api","namespace":"default","uid":"1"},"spec":` + spec + `,"status":` + status + `}]}`
}

// parse reads a list without comparing it with anything.
func parse(text []byte) ([]prune.Use, error) {
	pods, err := parsePods(text)
	if err != nil {
		return nil, err
	}
	return usesOf(pods), nil
}

func TestUsesOfPods(t *testing.T) {
	dgst := digest.FromString("an image")
	app := `{"containers":[{"name":"app","image":"nginx"}]}`
	use := func(part, image, state string, digests ...digest.Digest) prune.Use {
		return prune.Use{
			Holder: prune.Holder{Kind: "pod", ID: "default/api", Name: "default/api, " + part, Client: "kubelet", State: state},
			Image:  image, Digests: digests,
		}
	}
	for name, test := range map[string]struct {
		list string
		want []prune.Use
	}{
		"an empty list":           {list: `{"kind":"PodList","apiVersion":"v1","items":[]}`},
		"an empty list of Go":     {list: `{"kind":"PodList","apiVersion":"v1","items":null}`},
		"a pod without a status":  {list: onePod(app, `{}`), want: []prune.Use{use("container app", "nginx", "")}},
		"a pod bound just now":    {list: onePod(app, `{"phase":"Pending"}`), want: []prune.Use{use("container app", "nginx", "pending")}},
		"a pod that ended counts": {list: onePod(app, `{"phase":"Succeeded"}`), want: []prune.Use{use("container app", "nginx", "")}},
		"a list that kubectl prints": {
			list: `{"kind":"List","apiVersion":"v1","items":[{"kind":"Pod","apiVersion":"v1",
				"metadata":{"name":"api","namespace":"default"},"spec":` + app + `}]}`,
			want: []prune.Use{use("container app", "nginx", "")},
		},
		"init and ephemeral containers": {
			list: onePod(`{"initContainers":[{"name":"init","image":"busybox:1"}],"containers":[{"name":"app","image":"nginx:1"}],
				"ephemeralContainers":[{"name":"debug","image":"tools@`+dgst.String()+`","targetContainerName":"app"}]}`, `{"phase":"Running"}`),
			want: []prune.Use{use("container init", "busybox:1", ""), use("container app", "nginx:1", ""), use("container debug", "tools@"+dgst.String(), "")},
		},
		"an image volume": {
			list: onePod(`{"containers":[{"name":"app","image":"nginx"}],
				"volumes":[{"name":"tmp","emptyDir":{}},{"name":"models","image":{"reference":"models:1","pullPolicy":"Never"}}]}`, `{}`),
			want: []prune.Use{use("container app", "nginx", ""), use("image volume", "models:1", "")},
		},
		"backing off": {
			list: onePod(app, `{"phase":"Running","containerStatuses":[{"name":"app","image":"docker.io/library/nginx:1",
				"imageID":"docker.io/library/nginx@`+dgst.String()+`","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}`),
			want: []prune.Use{
				use("container app", "docker.io/library/nginx:1", "waiting", dgst),
				use("container app", "nginx", "waiting", dgst),
			},
		},
		"image IDs in all their forms": {
			list: onePod(`{"containers":[{"name":"a","image":"a"},{"name":"b","image":"b"},{"name":"c","image":"c"}]}`,
				`{"containerStatuses":[{"name":"a","image":"a","imageID":"`+dgst.String()+`"},
				{"name":"b","image":"b","imageID":"docker-pullable://b@`+dgst.String()+`"},{"name":"c","image":"c","imageID":""}]}`),
			want: []prune.Use{use("container a", "a", "", dgst), use("container b", "b", "", dgst), use("container c", "c", "")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parse([]byte(test.list))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("uses (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsNoListOfPods(t *testing.T) {
	whole := onePod(`{"containers":[{"name":"app","image":"nginx"}]}`, `{}`)
	for name, test := range map[string]struct{ list, want string }{
		"nothing":          {"", "it is empty"},
		"a page":           {"<html>", "not a list of pods in JSON"},
		"yaml":             {"kind: PodList\n", "not a list of pods in JSON"},
		"half of it":       {whole[:len(whole)/2], "it ends in the middle"},
		"two of it":        {whole + whole, "something follows the end"},
		"another kind":     {`{"kind":"NodeList","apiVersion":"v1","items":[]}`, `its kind is "NodeList"`},
		"another version":  {`{"kind":"PodList","apiVersion":"v2","items":[]}`, `its apiVersion "v2"`},
		"an error":         {`{"kind":"Status","apiVersion":"v1","status":"Failure","code":403}`, `its kind is "Status"`},
		"one pod":          {`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"b"}}`, `its kind is "Pod"`},
		"an array":         {`[]`, "not a list of pods in JSON"},
		"no items":         {`{"kind":"PodList","apiVersion":"v1"}`, "it has no items"},
		"a page of a list": {`{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"abc"},"items":[]}`, "only the first page"},
		"a count of more":  {`{"kind":"PodList","apiVersion":"v1","metadata":{"remainingItemCount":7},"items":[]}`, "only the first page"},
		"a list of others": {`{"kind":"List","apiVersion":"v1","items":[{"kind":"Node","metadata":{"name":"n"}}]}`, "item 0: it is not a pod"},
		"a nameless pod":   {`{"kind":"PodList","apiVersion":"v1","items":[{"spec":{}}]}`, "lacks a name"},
		"no containers":    {onePod(`{"containers":[]}`, `{}`), "has no containers"},
		"no image":         {onePod(`{"containers":[{"name":"app"}]}`, `{}`), "lacks a name or an image"},
		"no reference":     {onePod(`{"containers":[{"name":"a","image":"b"}],"volumes":[{"name":"v","image":{}}]}`, `{}`), "without a reference"},
		"a key twice":      {onePod(`{"containers":[{"name":"app","image":"nginx"}],"containers":[{"name":"app","image":"other"}]}`, `{}`), `the key "containers" twice in items[0].spec`},
		"a key's case":     {onePod(`{"containers":[{"name":"app","image":"nginx"}],"Volumes":[]}`, `{}`), `some programs read as "volumes"`},
		"two lists in one": {`{"kind":"PodList","apiVersion":"v1","items":[],"Items":null}`, `some programs read as "items"`},
		"image a number":   {onePod(`{"containers":[{"name":"app","image":7}]}`, `{}`), "not a list of pods in JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			uses, err := parse([]byte(test.list))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, %v; want an error with %q", uses, err, test.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a sentence: %v", err)
			}
		})
	}
}
